//! Where the real recordings are, and the executable that is tested on them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// `ECGID_DATA`, else `../shared/data` beside the repository; `None`, said aloud, where it is not there.
pub(crate) fn data(part: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("ECGID_DATA").map_or_else(beside, PathBuf::from).join(part);
    if path.exists() {
        return Some(path);
    }
    skipped!("SKIPPED: needs {}", path.display());
    None
}

/// A Python that has `module` (`ECGID_PYTHON`, else `python3`); `None`, said aloud, where there is none.
pub(crate) fn python(module: &str) -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os("ECGID_PYTHON").unwrap_or_else(|| "python3".into()));
    let has = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if has.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    skipped!("SKIPPED: needs a python with {module} (ECGID_PYTHON)");
    None
}

/// Runs the executable.
pub(crate) fn ecgid(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ecgid")).args(arguments).output().unwrap()
}

/// Runs the executable, which must succeed, and reads its JSON.
pub(crate) fn ecgid_json(arguments: &[&str]) -> serde_json::Value {
    let output = ecgid(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
