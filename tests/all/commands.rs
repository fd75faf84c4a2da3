//! The command line as others call it: exit codes, and what is printed.

use std::path::Path;
use std::process::{Command, Output};

use ecgid::config::Slug;
use ecgid::store::{NewTemplate, Store};

/// Runs the executable in `directory` without the configuration of this machine.
fn ecgid(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecgid"));
    command.args(args).current_dir(directory).env_remove("STATE_DIRECTORY").env_remove("CREDENTIALS_DIRECTORY");
    command.output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn gateway() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("ecgid.toml"), "[source]\nkind = \"simulator\"\n").unwrap();
    directory
}

fn enrol(directory: &Path, name: &str) {
    let store = Store::open(&directory.join("ecgid.sqlite")).unwrap();
    let (subject, embedding) = (&Slug::subject(name).unwrap(), &[0.6, 0.8][..]);
    let template = NewTemplate { subject, front_end: "f", model: "m", beats: 9, embedding, replaces: true };
    store.add_template(&template).unwrap();
}

#[test]
fn check_names_every_problem_and_ends_with_78() {
    let directory = gateway();
    let text = "[model]\npath = \"missing.onnx\"\n[mqtt]\npassword_file = \"missing\"\n[store]\npath = \"no/where\"\n";
    std::fs::write(directory.path().join("bad.toml"), text).unwrap();
    let output = ecgid(directory.path(), &["check", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(78));
    let said = stdout(&output);
    for problem in ["PROBLEM  broker", "PROBLEM  model", "PROBLEM  database"] {
        assert!(said.contains(problem), "{problem} is not in {said}");
    }
    assert!(said.contains("missing.onnx") && said.contains("ok       configuration"), "{said}");
    assert!(stderr(&output).contains("3 problems"), "{}", stderr(&output));
}

#[test]
fn a_key_on_the_command_line_wins_over_the_file() {
    let directory = gateway();
    let check = |key: &str| ecgid(directory.path(), &["check", "--config", "ecgid.toml", "--set", key]);
    let output = check("source.seed=7");
    assert!(output.status.success(), "{}", stdout(&output));
    assert!(stdout(&output).contains("synthetic heart 7"), "{}", stdout(&output));
    let output = check("source.sed=7");
    assert_eq!(output.status.code(), Some(78));
    assert!(stdout(&output).contains("sed"), "{}", stdout(&output));
    assert_eq!(check("source.seed").status.code(), Some(2));
}

#[test]
fn check_refuses_an_unknown_key_with_its_line() {
    let directory = gateway();
    std::fs::write(directory.path().join("bad.toml"), "[mqtt]\nretain = true\n").unwrap();
    let output = ecgid(directory.path(), &["check", "--config", "bad.toml"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(stdout(&output).contains("bad.toml:2:1: unknown field `retain`"), "{}", stdout(&output));
}

#[test]
fn subjects_are_listed_renamed_and_deleted() {
    let directory = gateway();
    let run = |args: &[&str]| ecgid(directory.path(), &[&["subjects", "--config", "ecgid.toml"], args].concat());
    assert_eq!(stdout(&run(&["list", "--json"])).trim(), "[]");
    assert!(!directory.path().join("ecgid.sqlite").exists(), "looking makes no database");
    enrol(directory.path(), "ada");
    enrol(directory.path(), "bob");

    let listed: serde_json::Value = serde_json::from_slice(&run(&["list", "--json"]).stdout).unwrap();
    assert_eq!((listed[0]["subject"].as_str(), listed[1]["templates"][0]["beats"].as_u64()), (Some("ada"), Some(9)));
    assert!(stdout(&run(&["list"])).contains("ada\n    revision 1, 9 beats, f, model m"));

    assert_eq!(run(&["rename", "ada", "bob"]).status.code(), Some(1));
    assert_ne!(run(&["rename", "ada", "unknown"]).status.code(), Some(0), "a word of the contract names nobody");
    assert!(run(&["rename", "ada", "carol"]).status.success());

    let unasked = run(&["delete", "carol"]);
    assert_eq!(unasked.status.code(), Some(1));
    assert!(stderr(&unasked).contains("--yes"), "{}", stderr(&unasked));
    assert!(run(&["delete", "carol", "--yes"]).status.success());
    assert_eq!(run(&["delete", "carol", "--yes"]).status.code(), Some(1));
    assert_eq!(stdout(&run(&["list"])).lines().next(), Some("bob"));
}
