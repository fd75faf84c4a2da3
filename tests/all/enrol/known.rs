//! `ecgid enrol` beside what is there already: the same name, another heart under it, a daemon that holds the port, and
//! the recordings of the repository.

use ecgid::store::DaemonLock;

use super::Home;
use crate::recordings::{ecgid, text};

/// The shipped network: the random projection of these tests finds all hearts alike.
const MODEL: [&str; 2] = ["--model", "models/ecgid-1.onnx"];

#[test]
fn another_heart_in_the_place_of_somebody_is_told_before_and_after() {
    let home = Home::new("");
    let folder = home.folder.path().join("records");
    let simulate = ["simulate", "--csv", text(&folder), "--subjects", "2", "--subject-seed", "11"];
    assert!(ecgid(&simulate).status.success());
    let enrol = |record: &str| {
        let record = folder.join(record);
        let arguments = ["enrol", "anna", "--record", text(&record), "--config", text(&home.config)];
        let output = ecgid(&[&arguments[..], &MODEL].concat());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        told
    };
    assert!(!enrol("synthetic-11-1.csv").contains("already"));
    let again = enrol("synthetic-11-2.csv");
    assert!(again.contains("note: anna is enrolled already: this replaces"), "{again}");
    assert!(!again.contains("hardly like"), "{again}");
    let other = enrol("synthetic-12-1.csv");
    assert!(other.contains("this is hardly like the anna who was enrolled"), "{other}");
    assert!(other.contains("ecgid subjects undo anna"), "{other}");
}

#[test]
fn an_update_of_nobody_is_refused_before_anything_is_collected() {
    let home = Home::new("");
    // Nothing listens there: whoever began to collect would give up.
    let words = home.refusal(&["ann", "--update", "--source", "tcp:127.0.0.1:1", "--give-up-after", "5"]);
    assert!(words.contains("ann is not enrolled: there is nothing to update"), "{words}");
}

#[test]
fn a_port_that_the_daemon_holds_is_no_port_to_wait_for() {
    let home = Home::new("kind = \"serial\"\nport = \"/dev/ttyECG\"");
    let _daemon = DaemonLock::take(&home.folder.path().join("gallery.sqlite")).unwrap();
    let words = home.refusal(&["ann", "--give-up-after", "5"]);
    assert!(words.contains("the daemon runs and holds /dev/ttyECG") && words.contains("[control] http"), "{words}");
    let other = home.refusal(&["ann", "--source", "tcp:127.0.0.1:1", "--give-up-after", "5"]);
    assert!(other.contains("gave up after 5 s"), "another source is tried: {other}");
}

#[test]
fn the_recordings_of_the_repository_can_be_enrolled() {
    let home = Home::new("");
    for (name, record, more) in [
        ("ada", "ECG_data/example-a-1.csv", &[][..]),
        ("ada", "ECG_data/example-a-2.csv", &["--add"]),
        ("bob", "ECG_data/example-b-1.csv", &[]),
    ] {
        let report = home.enrol(&[&[name, "--record", record][..], &MODEL, more].concat());
        assert!(report["beats"].as_u64().unwrap() >= 12 && report["resembles"] == serde_json::json!([]), "{report}");
    }
}
