//! Only a heart that beats now is enrolled: not one that is played again, and not a metronome.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};

use super::Home;
use crate::recordings::{ecgid, text};

const FS: f64 = 250.0;
const SECOND: usize = 250;

/// Seconds of a heart whose intervals vary by `rr_sd_s`.
fn heart(seconds: usize, rr_sd_s: f64) -> Vec<f64> {
    let params = HeartParams { rr_sd_s, ..HeartParams::from_seed(3) };
    SyntheticHeart::new(&params, FS, 1).unwrap().with_noise(Noise::at_rest()).take(seconds * SECOND).collect()
}

fn written(folder: &Path, name: &str, millivolts: &[f64]) -> PathBuf {
    let mut rows = "time_s,ecg_mv\n".to_owned();
    for (i, value) in millivolts.iter().enumerate() {
        writeln!(rows, "{:.3},{value:.4}", i as f64 / FS).unwrap();
    }
    let path = folder.join(name);
    std::fs::write(&path, rows).unwrap();
    path
}

#[test]
fn a_recording_is_heard_once_and_one_that_repeats_itself_is_refused() {
    let home = Home::new("");
    let folder = home.folder.path();
    let genuine = heart(60, 0.04);
    let (first, second) = genuine.split_at(30 * SECOND);
    let (first_half, second_half) = (written(folder, "first.csv", first), written(folder, "second.csv", second));
    let looped = written(folder, "looped.csv", &first[..10 * SECOND].repeat(4));

    let words = home.refusal(&["ann", "--record", text(&looped)]);
    assert!(words.contains("in recording 1 heartbeats came that had come before"), "{words}");
    let words = home.refusal(&["ann", "--record", text(&first_half), "--record", text(&first_half)]);
    assert!(words.contains("in recording 2 heartbeats came that had come before"), "{words}");
    assert!(home.store().subjects().unwrap().is_empty());
    let report = home.enrol(&["ann", "--record", text(&first_half), "--record", text(&second_half)]);
    assert_eq!(report["takes"], 2, "{report}");
}

#[test]
fn a_metronome_is_enrolled_only_where_even_rhythms_are_permitted() {
    let home = Home::new("");
    // Not quite even, and short: beats that are all alike are their own replay before long, even rhythm or not.
    let metronome = written(home.folder.path(), "metronome.csv", &heart(15, 0.0015));
    let words = home.refusal(&["ann", "--record", text(&metronome)]);
    assert!(words.contains("recording 1 does not vary") && words.contains("allow_even_rhythm = true"), "{words}");
    assert!(home.store().subjects().unwrap().is_empty());
    let permitting = Home::new("[liveness]\nallow_even_rhythm = true");
    assert_eq!(permitting.enrol(&["ann", "--record", text(&metronome)])["revision"], 1);
    let unasked = Home::new("[liveness]\nenabled = false");
    assert_eq!(unasked.enrol(&["ann", "--record", text(&metronome)])["revision"], 1);
}

/// Enrols from a source that plays this, as fast as it goes.
fn played(millivolts: &[f64], seconds: &str) -> (Home, Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let record = written(folder.path(), "played.csv", millivolts);
    let home = Home::new(&format!("kind = \"replay\"\nrecord = \"{}\"\nspeed = 0", record.display()));
    let output = ecgid(&["enrol", "ann", "--seconds", seconds, "--json", "--config", text(&home.config)]);
    let told = String::from_utf8(output.stderr).unwrap();
    (home, output.status.code(), String::from_utf8(output.stdout).unwrap(), told)
}

#[test]
fn a_loop_from_a_live_source_is_never_enrolled() {
    let (home, code, _, told) = played(&heart(10, 0.04).repeat(10), "48");
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("placement 1 of 1 again (in placement 1 heartbeats came that had come before"), "{told}");
    assert!(home.store().subjects().unwrap().is_empty());
}

#[test]
fn a_placement_into_which_something_was_played_begins_anew_and_the_heart_that_follows_is_enrolled() {
    let genuine = heart(90, 0.04);
    let (before, after) = genuine.split_at(20 * SECOND);
    let (home, code, said, told) = played(&[before, before, after].concat(), "40");
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("placement 1 of 1 again (in placement 1 heartbeats came that had come before"), "{told}");
    let report: serde_json::Value = serde_json::from_str(&said).unwrap();
    let (beats, bpm) = (report["beats"].as_f64().unwrap(), report["heart_rate_bpm"].as_f64().unwrap());
    // Forty seconds of the heart, whatever was taken before them.
    assert!((beats - 40.0 * bpm / 60.0).abs() < 3.0, "{report}");
    assert_eq!(home.store().subjects().unwrap().len(), 1);
}
