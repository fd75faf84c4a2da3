//! What a command does where its output cannot go: on a full disk, and to readers that have gone.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use ecgid::board::terminal::Terminal;
use rustix::fs::{Mode, OFlags, open};

/// A folder with a configuration, a recording of 4 s and a list of intervals.
fn gateway() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("ecgid.toml", "[source]\nkind = \"simulator\"\n");
    write("plain.csv", &(0..1_000).map(|n| format!("{},{},0,0\n", n * 4, n % 50)).collect::<String>());
    write("rr.txt", &"800\n".repeat(40));
    folder
}

fn ecgid(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(args).current_dir(folder).env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What writes into a pipe that nobody reads any more.
fn gone() -> std::io::PipeWriter {
    std::io::pipe().unwrap().1
}

/// Commands that print and succeed.
const PRINTING: [&[&str]; 4] = [
    &["hrv", "rr.txt"],
    &["replay", "plain.csv", "--config", "ecgid.toml"],
    &["replay", "plain.csv", "--config", "ecgid.toml", "--json"],
    &["simulate", "--csv", "records", "--subjects", "1", "--seconds", "2", "--force"],
];

#[test]
fn a_full_disk_is_named_and_is_no_success() {
    let folder = gateway();
    for args in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = ecgid(folder.path(), args).stdout(full).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains("cannot write to standard output: No space left"), "{args:?}: {said}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let folder = gateway();
    for args in PRINTING {
        let output = ecgid(folder.path(), args).stdout(gone()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn who_has_gone_reading_what_is_told_beside_stops_no_work() {
    let folder = gateway();
    let record = concat!(env!("CARGO_MANIFEST_DIR"), "/ECG_data/example-a-1.csv");
    let enrol: &[&str] = &["enrol", "ada", "--config", "ecgid.toml", "--record", record];
    let code = |args: &[&str]| ecgid(folder.path(), args).stderr(gone()).output().unwrap().status.code();
    for args in PRINTING.into_iter().chain([enrol]) {
        assert_eq!(code(args), Some(0), "{args:?}");
    }
    assert_eq!(code(&["hrv", "missing.txt"]), Some(1));
    assert_eq!(code(&["check", "--config", "missing.toml"]), Some(78));
}

#[test]
fn nothing_is_deleted_where_the_question_cannot_be_asked() {
    let folder = gateway();
    std::fs::write(folder.path().join("ecgid.sqlite"), "").unwrap();
    let terminal = Terminal::open(None).unwrap();
    let keyboard = open(terminal.path(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let delete = ["subjects", "delete", "ada", "--config", "ecgid.toml"];
    let output = ecgid(folder.path(), &delete).stdin(keyboard).stdout(full).output().unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot ask whether it is to be deleted: No space left"), "{said}");
}
