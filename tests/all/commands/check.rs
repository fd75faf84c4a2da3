//! `ecgid check` finds what the first start could not make.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;

use super::*;

/// A user that owns nothing: an administrator may write everywhere.
const NOBODY: u32 = 65534;

/// Runs `ecgid check` as somebody who may not write in `directory`; `None`, said aloud, where that cannot be had.
fn check_as_nobody(directory: &Path) -> Option<Output> {
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(["check", "--config", "ecgid.toml"]).current_dir(directory);
    command.env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    let output = if std::fs::write(directory.join("root"), "").is_ok() {
        command.uid(NOBODY).gid(NOBODY).output()
    } else {
        command.output()
    };
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            skipped!("SKIPPED: the executable cannot be run as another user: {error}");
            None
        }
    }
}

#[test]
fn check_finds_a_directory_that_the_first_start_may_not_write_in() {
    let directory = gateway();
    let Some(output) = check_as_nobody(directory.path()) else { return };
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    for line in
        ["PROBLEM  database       ecgid.sqlite is to be made, but", "PROBLEM  signing key    signing-key is to be"]
    {
        assert!(said.contains(line) && said.contains("Permission denied"), "{line} is not in {said}");
    }
}

#[test]
fn check_finds_a_key_whose_directory_is_not_there_and_a_link_that_leads_nowhere() {
    let directory = gateway();
    let check = |key: &str| {
        let output = ecgid(directory.path(), &["check", "--config", "ecgid.toml", "--set", key]);
        (output.status.code(), stdout(&output))
    };
    let (code, said) = check("keys.signing_file=nowhere/key");
    assert!(code == Some(78) && said.contains("there is no directory nowhere"), "{said}");
    let (code, said) = check("keys.template_file=nowhere/key");
    assert!(code == Some(78) && said.contains("PROBLEM  database"), "{said}");
    symlink("unplugged/key", directory.path().join("signing-key")).unwrap();
    let (code, said) = check("source.seed=1");
    assert!(code == Some(78) && said.contains("signing-key is a link that leads nowhere"), "{said}");
}
