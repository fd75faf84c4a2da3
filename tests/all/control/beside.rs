//! The daemon beside other programs: a second daemon, a reader of its database, what a killed one left, an interrupted
//! command.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use ecgid::config::Slug;
use ecgid::store::{NewTemplate, Store};

use super::{Daemon, signal};
use crate::recordings::{ecgid, text};
use crate::terminal::{Typist, until_asked};

#[test]
fn ctrl_c_at_the_question_whether_it_is_another_person_calls_the_enrolment_off() {
    let daemon = Daemon::with_a_synthetic_heart();
    assert_eq!(daemon.ask("POST", "/api/v1/enrol", r#"{"subject": "anna", "seconds": 12}"#).status, 200);
    daemon.until_state(&["done"]);
    let typist = Typist::new();
    let mut asked = Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["enrol", "anne", "--seconds", "12", "--config", text(&daemon.config)])
        .stdin(typist.terminal())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until_asked(asked.stderr.as_mut().unwrap());
    signal(asked.id(), "INT");
    let code = daemon.until("the end of the command", || asked.try_wait().unwrap());
    assert_eq!(code.code(), Some(1));
    assert_eq!(daemon.until_state(&["cancelled"])["subject"], "anne");
}

#[test]
fn a_deletion_is_done_while_another_program_reads_and_the_daemon_wipes_when_that_lets_go() {
    let daemon = Daemon::with_a_synthetic_heart();
    let database = daemon.folder.path().join("gallery.sqlite");
    let store = Store::open(&database).unwrap();
    let (subject, embedding) = (&Slug::new("anna").unwrap(), &[1.0]);
    let new = NewTemplate { subject, front_end: "f", model: "m", beats: 20, embedding, replaces: true };
    store.add_template(&new).unwrap();
    let reader = rusqlite::Connection::open(&database).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM part;").unwrap();
    let deleted = ecgid(&["subjects", "--config", text(&daemon.config), "delete", "anna", "--yes"]);
    assert_eq!(deleted.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&deleted.stderr).contains("note: it is done; old pages"), "{deleted:?}");
    assert!(!store.is_wiped().unwrap());
    drop(reader);
    daemon.until("the wiping", || store.is_wiped().unwrap().then_some(()));
}

#[test]
fn a_second_daemon_on_the_same_database_ends_with_the_reason_and_disturbs_nobody() {
    let daemon = Daemon::with_a_synthetic_heart();
    let second = ecgid(&["run", "--config", text(&daemon.config)]);
    let told = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{told}");
    assert!(told.contains("another ecgid runs on the database") && told.contains("[store] path"), "{told}");
    assert_eq!(daemon.ask("GET", "/api/v1/health", "").status, 200);
}

#[test]
fn a_file_left_behind_by_a_daemon_that_was_killed_is_in_nobodys_way() {
    let mut daemon = Daemon::with_a_synthetic_heart();
    let (config, file, address) = (daemon.config.clone(), daemon.access_file(), daemon.access().0);
    let listed = || {
        let output = ecgid(&["subjects", "--config", text(&config), "list"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    listed();
    daemon.kill();
    assert!(file.exists());
    listed();
    // Another program gets the port later, and does not know what it is asked.
    let _other = TcpListener::bind(address).unwrap();
    listed();
}

#[test]
fn a_daemon_that_takes_no_requests_leaves_no_earlier_word_of_where_it_does() {
    let mut killed = Daemon::with_a_synthetic_heart();
    killed.kill();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    for http in [taken.as_str(), "off"] {
        std::fs::write(killed.access_file(), format!(r#"{{"address": "{taken}", "token": "of an earlier start"}}"#))
            .unwrap();
        let set = format!("control.http={http}");
        let mut second = Command::new(env!("CARGO_BIN_EXE_ecgid"))
            .args(["run", "--config", text(&killed.config), "--set", &set])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (mut event, mut events) = (String::new(), BufReader::new(second.stdout.take().unwrap()));
        events.read_line(&mut event).unwrap();
        assert!(!killed.access_file().exists(), "{http}: {event}");
        assert!(ecgid(&["subjects", "--config", text(&killed.config), "list"]).status.success(), "{http}");
        second.kill().unwrap();
        second.wait().unwrap();
    }
}

#[test]
fn who_begins_to_replace_somebody_is_told_so_and_an_update_of_nobody_does_not_begin() {
    let daemon = Daemon::with_a_synthetic_heart();
    let begin = |body: &str| daemon.ask("POST", "/api/v1/enrol", body);
    let nobody = begin(r#"{"subject": "anna", "update": true}"#);
    assert_eq!((nobody.status, nobody.code().as_str()), (404, "no_such_subject"));
    let first = begin(r#"{"subject": "anna", "seconds": 12}"#).json();
    assert!(first["data"]["state"] == "collecting" && first["data"]["note"].is_null(), "{first}");
    daemon.until_state(&["done"]);
    let again = begin(r#"{"subject": "anna", "seconds": 600}"#).json();
    assert!(again["data"]["note"].as_str().unwrap().starts_with("anna is enrolled already"), "{again}");
    assert_eq!(daemon.enrolment()["note"], again["data"]["note"], "whoever looks later reads it too");
    assert_eq!(daemon.ask("DELETE", "/api/v1/enrol", "").status, 200);
    assert!(begin(r#"{"subject": "anna", "add": true}"#).json()["data"]["note"].is_null());
}

#[test]
fn a_closed_window_stops_the_daemon_in_order_unless_nohup_said_otherwise() {
    let mut daemon = Daemon::with_a_synthetic_heart();
    assert_eq!(daemon.stop_by("HUP"), Some(0));
    assert!(!daemon.access_file().exists());
    let mut kept = Command::new("nohup")
        .args([env!("CARGO_BIN_EXE_ecgid"), "run", "--config", text(&daemon.config)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut event, mut events) = (String::new(), BufReader::new(kept.stdout.take().unwrap()));
    events.read_line(&mut event).unwrap();
    signal(kept.id(), "HUP");
    // Nothing is said of a signal that is ignored.
    std::thread::sleep(Duration::from_millis(300));
    assert!(kept.try_wait().unwrap().is_none());
    signal(kept.id(), "TERM");
    assert_eq!(kept.wait().unwrap().code(), Some(0));
}
