//! Tests of ecg-data from outside: its files, its collections, its hearts.
//!
//! What needs the recordings of `../shared/data` is skipped, and says so, where they are absent.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside #[test] functions: a panic is how a test fails")]

/// Says that a test is skipped. The test runner swallows `eprintln!` of a test that passes, but not this.
macro_rules! skipped {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

mod all {
    mod collections;
    mod csv_files;
    mod hostile_input;
    mod public_recordings;
    mod shipped_examples;
    mod simulated_board;
    mod stress_test;
    mod synthetic_heart;
    mod wfdb_files;

    use std::path::PathBuf;

    /// Properties are tried on this many cases; failures are printed, not kept in files.
    pub(crate) fn cases(cases: u32) -> proptest::test_runner::Config {
        proptest::test_runner::Config { cases, failure_persistence: None, ..proptest::test_runner::Config::default() }
    }

    /// The folder of public recordings: `ECGID_DATA`, or `../shared/data` beside the repository.
    pub(crate) fn recordings() -> Option<PathBuf> {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
        let dir = std::env::var_os("ECGID_DATA").map_or_else(beside, PathBuf::from);
        if dir.is_dir() {
            return Some(dir);
        }
        skipped!("SKIPPED: no recordings at {} (set ECGID_DATA)", dir.display());
        None
    }
}
