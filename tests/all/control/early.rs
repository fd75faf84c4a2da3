//! Enrolments through the daemon that end early: the command goes away.

use std::process::{Child, Command, Stdio};

use super::{Daemon, signal};
use crate::recordings::text;

/// A command that enrols until something ends it.
fn enrolling(daemon: &Daemon) -> Child {
    let child = Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["enrol", "ben", "--seconds", "600", "--config", text(&daemon.config)])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    daemon.until("ben's enrolment", || (daemon.enrolment()["state"] == "collecting").then_some(()));
    child
}

#[test]
fn a_command_that_is_asked_to_end_calls_its_enrolment_off() {
    let daemon = Daemon::with_a_synthetic_heart();
    for name in ["HUP", "TERM", "INT"] {
        let enrolling = enrolling(&daemon);
        signal(enrolling.id(), name);
        let ended = enrolling.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code() == Some(1) && told.contains("called off: nothing is stored"), "{name}: {told}");
        assert_eq!(daemon.enrolment()["state"], "cancelled", "{name}");
    }
}
