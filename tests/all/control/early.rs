//! Enrolments through the daemon that end early: the command or the daemon goes away.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use super::daemon::heedful;
use super::{Daemon, signal};
use crate::recordings::text;

/// A command that enrols until something ends it.
fn enrolling(daemon: &Daemon) -> Child {
    let child = heedful()
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

#[test]
fn a_daemon_that_ends_meanwhile_is_told_with_what_to_look_at() {
    let mut daemon = Daemon::with_a_synthetic_heart();
    let mut enrolling = enrolling(&daemon);
    let mut said = BufReader::new(enrolling.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the daemon runs") {
        line.clear();
        assert_ne!(said.read_line(&mut line).unwrap(), 0);
    }
    daemon.kill();
    let told = std::io::read_to_string(said).unwrap();
    assert_eq!(enrolling.wait().unwrap().code(), Some(1));
    assert!(told.contains("the daemon has ended meanwhile; ecgid subjects list shows whether"), "{told}");
}
