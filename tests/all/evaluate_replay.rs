//! `ecgid evaluate replay`: what liveness is worth on real recordings.

use serde_json::Value;

use crate::recordings::{data, ecgid_json, text};

/// Per cent of a line of the report.
fn percent(line: &Value, what: &str) -> f64 {
    line[what]["percent"].as_f64().unwrap()
}

fn measured(collection: &str, more: &[&str]) -> Option<Value> {
    let folder = data(collection)?;
    let mut arguments = vec!["evaluate", "replay", "--collection", text(&folder), "--json"];
    arguments.extend(more);
    Some(ecgid_json(&arguments))
}

#[test]
fn replays_of_half_hour_recordings_are_recognised_and_their_hearts_are_not_suspected() {
    let Some(report) = measured("mitdb", &["--mains", "60"]) else { return };
    let hearts = &report["hearts"][0];
    assert!(percent(hearts, "replay_suspected") <= 0.1 && percent(hearts, "too_regular") <= 0.1, "{hearts}");
    let (mut count, mut detected) = (0, 0);
    for attack in report["attacks"].as_array().unwrap() {
        let name = attack["attack"].as_str().unwrap();
        let share = percent(attack, "detected");
        if !name.contains("10 dB") {
            count += attack["detected"]["of"].as_u64().unwrap();
            detected += attack["detected"]["count"].as_u64().unwrap();
        }
        assert!(share >= 66.0, "{name}: {share} %");
        // Where somebody could be verified.
        let of_usable = percent(attack, "detected_of_usable");
        assert!(name != "replay: exact" || of_usable >= 99.0, "{name}: {of_usable} %");
        let [low, median, high] = ["low", "value", "high"].map(|end| attack["median_s"][end].as_f64().unwrap());
        assert!(low <= median && median <= high && attack["p95_s"]["low"].is_number(), "{attack}");
    }
    assert!(detected as f64 >= FLOOR * count as f64, "{detected} of {count}");
}

/// Share of attacks no noisier than 20 dB that are recognised within 15 s.
const FLOOR: f64 = 0.97;
