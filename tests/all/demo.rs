//! The demo as a user runs it: the real executable, its broker, its board, its subscriber.

use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

/// Held while a demo runs: two that start at once can find the same port free, and share a broker then.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn the_demo_verifies_an_enrolled_person_in_time_and_ends_with_zero() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["demo", "--for", "26s", "--json"])
        // Works anywhere: no model file, no configuration beside it.
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", output.status);
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["elapsed_s"].is_number()));
    assert!(lines[0]["broker"].as_str().unwrap().starts_with("mqtt://127.0.0.1:"));
    let scenes: Vec<&str> = lines.iter().filter_map(|line| line["scene"].as_str()).collect();
    assert!(scenes.contains(&"anna sits down"), "{scenes:?}");

    let of_topic = |level: &str| {
        let end = format!("/ecg0/{level}");
        lines.iter().filter(move |line| line["topic"].as_str().is_some_and(|topic| topic.ends_with(&end)))
    };
    let verified = of_topic("event").find(|event| event["state"] == "verified").expect("somebody is verified");
    assert_eq!(verified["subject"], "anna");
    assert!(verified["elapsed_s"].as_f64().unwrap() < 20.0, "{verified}");
    let sequence: Vec<u64> = of_topic("event").map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(sequence, (1..=sequence.len() as u64).collect::<Vec<_>>(), "no event is missing");
    let last = of_topic("event").next_back().unwrap();
    assert_eq!((&last["state"], &last["reason"]), (&"no_signal".into(), &"stopping".into()));
    assert!(of_topic("signal").count() > 5);
    assert!(of_topic("hrv").count() > 0);
    assert!(of_topic("source").any(|source| source["format"] == "cwxs-bin"));
}

#[test]
fn the_demo_ends_on_a_full_disk_and_says_so() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ecgid"))
        .args(["demo", "--for", "60s"])
        .stdin(Stdio::null())
        .stdout(full)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("cannot write to standard output: No space left"), "{errors}");
}
