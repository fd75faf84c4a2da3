//! `ecgid enrol` at a terminal: what is taken for an answer, and what is left for others to read.

use std::process::{Child, Command, Stdio};

use super::Home;
use crate::recordings::text;
use crate::terminal::{Typist, until_asked};

/// A recording of the repository; the tiny model takes any.
const RECORD: [&str; 2] = ["--record", "ECG_data/example-a-1.csv"];

fn enrol(home: &Home, name: &str, at: &Typist) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["enrol", name, "--config", text(&home.config)])
        .args(RECORD)
        .stdin(at.terminal())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn revisions(home: &Home) -> Vec<u64> {
    let subjects = home.store().subjects().unwrap();
    subjects.iter().flat_map(|subject| &subject.templates).map(|template| template.revision.into()).collect()
}

#[test]
fn ctrl_d_at_the_question_whether_somebody_is_to_be_replaced_is_a_no() {
    let home = Home::new("");
    home.enrol(&[&["anna"], &RECORD[..]].concat());
    for (answer, code, revision) in [("\x04", 1, 1), ("\n", 1, 1), ("y\n", 0, 2)] {
        let typist = Typist::new();
        let mut asked = enrol(&home, "anna", &typist);
        let told = until_asked(asked.stderr.as_mut().unwrap());
        assert!(told.contains("Is it to be replaced?"), "{told}");
        typist.types(answer);
        let ended = asked.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{answer:?}: {told}");
        assert_eq!(told.contains("nothing is changed; ecgid enrol anna --add"), code == 1, "{answer:?}: {told}");
        assert_eq!(revisions(&home), [revision], "{answer:?}");
    }
}

#[test]
fn an_enrolment_that_asks_nothing_leaves_what_is_typed_to_the_shell() {
    let home = Home::new("");
    let typist = Typist::new();
    typist.types("next command\n");
    let ended = enrol(&home, "anna", &typist).wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(typist.waiting(), "next command\n".len() as u64);
}

#[test]
fn what_was_typed_before_the_question_is_no_answer_to_it() {
    let home = Home::new("");
    home.enrol(&[&["anna"], &RECORD[..]].concat());
    let typist = Typist::new();
    typist.types("y\n");
    let mut asked = enrol(&home, "anna", &typist);
    until_asked(asked.stderr.as_mut().unwrap());
    typist.types("n\n");
    assert_eq!(asked.wait().unwrap().code(), Some(1));
    assert_eq!(revisions(&home), [1]);
}
