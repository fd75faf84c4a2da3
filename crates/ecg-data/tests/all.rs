//! Tests of ecg-data from outside: its files, its collections, its hearts.
//!
//! What needs the recordings of `../shared/data` is skipped, and says so, where they are absent.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions: a panic is how a test fails")]

mod all {
    mod collections;
    mod csv_files;
    mod hostile_input;
    mod public_recordings;
    mod wfdb_files;

    use std::path::PathBuf;

    /// The folder of public recordings: `ECGID_DATA`, or `../shared/data` beside the repository.
    pub(crate) fn recordings() -> Option<PathBuf> {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let dir = std::env::var_os("ECGID_DATA").map_or_else(beside, PathBuf::from);
        if dir.is_dir() {
            return Some(dir);
        }
        eprintln!("SKIPPED: no recordings at {} (set ECGID_DATA)", dir.display());
        None
    }
}
