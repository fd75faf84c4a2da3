//! `ecgid analyze`: the JSON contract, on made and on real recordings.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::recordings::{data, ecgid, ecgid_json, text};

/// A CSV of narrow and broad bumps, one beat each `rr_s` from `first_s` on.
fn made_recording(folder: &Path, fs: f64, seconds: f64, first_s: f64, rr_s: f64) -> PathBuf {
    let mut table = String::from("time_s,ecg_mv\n");
    for i in 0..(fs * seconds) as usize {
        let t = i as f64 / fs;
        let since = (t - first_s).rem_euclid(rr_s);
        let bump = |at: f64, width: f64| {
            let nearest = [since - at, since - at - rr_s, since - at + rr_s].map(|d| (-(d / width).powi(2)).exp());
            nearest.iter().sum::<f64>()
        };
        let mv = bump(0.0, 0.010) + 0.12 * bump(-0.16, 0.022) + 0.25 * bump(0.28, 0.045);
        writeln!(table, "{t:.6},{mv:.6}").unwrap();
    }
    let path = folder.join("made.csv");
    std::fs::write(&path, table).unwrap();
    path
}

#[test]
fn beats_stand_in_samples_of_the_record_whatever_its_rate() {
    let folder = tempfile::tempdir().unwrap();
    for fs in [125.0, 250.0, 360.0, 1000.0] {
        let record = made_recording(folder.path(), fs, 60.0, 0.5, 0.8);
        let report = ecgid_json(&["analyze", text(&record), "--json"]);
        assert!((report["fs"].as_f64().unwrap() - fs).abs() < 1e-6 * fs);
        assert_eq!(report["samples"].as_u64(), Some((fs * 60.0) as u64));
        let beats = report["beats"].as_array().unwrap();
        assert!((72..=76).contains(&beats.len()), "{} beats at {fs} Hz", beats.len());
        for beat in &beats[3..] {
            let r_s = beat["r_peak"].as_f64().unwrap() / fs;
            let nearest = 0.5 + ((r_s - 0.5) / 0.8).round() * 0.8;
            assert!((r_s - nearest).abs() < 0.004, "R at {r_s} instead of {nearest} s at {fs} Hz");
            assert!((beat["rr_ms"].as_f64().unwrap() - 800.0).abs() < 6.0);
            assert!((0.0..=1.0).contains(&beat["quality"].as_f64().unwrap()));
        }
        let hrv = &report["hrv"];
        assert!((hrv["mean_hr_bpm"].as_f64().unwrap() - 75.0).abs() < 0.2);
        assert!(hrv["rmssd_ms"].as_f64().unwrap() < 3.0);
        assert!(report["delay_ms"].as_f64().unwrap() > 400.0);
        assert!(report["quality"]["accepted_share"].as_f64().unwrap() > 0.9);
    }
}

#[test]
fn a_lead_that_is_upside_down_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), 250.0, 40.0, 0.5, 0.8);
    let said = |name: &str| -> (serde_json::Value, bool) {
        let path = folder.path().join(name);
        let words = ecgid(&["analyze", text(&path)]).stdout;
        let report = ecgid_json(&["analyze", text(&path), "--json"]);
        (report["quality"]["lead_inverted"].clone(), String::from_utf8_lossy(&words).contains("probably inverted"))
    };
    let table = std::fs::read_to_string(&record).unwrap();
    let turned: String = table.lines().map(|line| line.replace(',', ",-").replace(",--", ",") + "\n").collect();
    let turned = turned.replacen("time_s,-ecg_mv", "time_s,ecg_mv", 1);
    std::fs::write(folder.path().join("turned.csv"), turned).unwrap();
    assert_eq!(said("made.csv"), (false.into(), false));
    assert_eq!(said("turned.csv"), (true.into(), true));
    std::fs::write(folder.path().join("short.csv"), table.lines().take(500).collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(said("short.csv"), (serde_json::Value::Null, false));
}

#[test]
fn nothing_looks_ahead() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), 250.0, 40.0, 0.5, 0.85);
    let whole = ecgid_json(&["analyze", text(&record), "--json"]);
    let delay_s = whole["delay_ms"].as_f64().unwrap() / 1000.0;
    let lines = std::fs::read_to_string(&record).unwrap();
    let cut: String = lines.lines().take(1 + 20 * 250).map(|l| format!("{l}\n")).collect();
    std::fs::write(&record, cut).unwrap();
    let part = ecgid_json(&["analyze", text(&record), "--json"]);
    let decided = |report: &serde_json::Value| -> Vec<serde_json::Value> {
        let beats = report["beats"].as_array().unwrap().iter();
        beats.filter(|b| b["r_peak"].as_f64().unwrap() / 250.0 < 20.0 - delay_s - 0.1).cloned().collect()
    };
    assert!(decided(&part).len() > 15);
    assert_eq!(decided(&part), decided(&whole), "what was known after 20 s is what was said");
}

/// The recording with its beats larger and smaller by a breath, and that breath on a channel of its own.
fn with_breath(record: &Path, per_min: f64) {
    let table = std::fs::read_to_string(record).unwrap();
    let mut breathing = String::from("time_s,ecg_mv,respiration\n");
    for line in table.lines().skip(1) {
        let (t, mv) = line.split_once(',').unwrap();
        let (t, mv): (f64, f64) = (t.parse().unwrap(), mv.parse().unwrap());
        let breath = (std::f64::consts::TAU * per_min / 60.0 * t).sin();
        writeln!(breathing, "{t:.6},{:.6},{}", mv * (1.0 + 0.06 * breath), 900_000 + (10_000.0 * breath) as i32)
            .unwrap();
    }
    std::fs::write(record, breathing).unwrap();
}

#[test]
fn breathing_is_told_by_the_channel_and_by_the_beats() {
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), 250.0, 90.0, 0.5, 0.8);
    let plain = ecgid_json(&["analyze", text(&record), "--json"]);
    assert!(plain["respiration"]["impedance"].is_null() && plain["respiration"]["agreement"].is_null());
    assert!(plain["respiration"]["ecg"]["rate_per_min"].is_null(), "nothing breathes: {}", plain["respiration"]);
    with_breath(&record, 14.0);
    let report = &ecgid_json(&["analyze", text(&record), "--json"])["respiration"];
    for way in ["impedance", "ecg"] {
        let rates = &report[way];
        assert!((rates["rate_per_min"].as_f64().unwrap() - 14.0).abs() < 0.3, "{way}: {rates}");
        assert!(rates["given"].as_u64() >= Some(11) && rates["estimates"].as_u64() == Some(18), "{way}: {rates}");
        assert!(rates["missing"]["collecting"].as_u64() <= Some(7), "{way}: {rates}");
    }
    assert!(report["agreement"]["difference_per_min"].as_f64().unwrap() < 0.3, "{report}");
    assert!(report["agreement"]["similarity"].as_f64().unwrap() > 0.9, "{report}");
    let shown = String::from_utf8(ecgid(&["analyze", text(&record)]).stdout).unwrap();
    assert!(shown.contains("14.0 /min") && shown.contains("by impedance") && shown.contains("by ECG"), "{shown}");
}

#[test]
fn what_cannot_be_analysed_is_named_with_what_to_do() {
    let missing = ecgid(&["analyze", "no/such/record", "--json"]);
    let words = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(1));
    assert!(words.contains("no/such/record") && words.contains(".hea"), "{words}");
    let folder = tempfile::tempdir().unwrap();
    let record = made_recording(folder.path(), 250.0, 5.0, 0.5, 0.8);
    let words = String::from_utf8_lossy(&ecgid(&["analyze", text(&record), "--signal", "3"]).stderr).into_owned();
    assert!(words.contains("no signal 3"), "{words}");
}

#[test]
fn a_real_recording_gives_readable_text_and_the_same_by_its_header() {
    let Some(record) = data("ecg-id/Person_01/rec_1.hea") else { return };
    let by_header = ecgid_json(&["analyze", text(&record), "--json"]);
    assert_eq!(by_header, ecgid_json(&["analyze", text(&record.with_extension("")), "--json"]));
    assert_eq!((by_header["fs"].as_f64(), by_header["samples"].as_u64()), (Some(500.0), Some(10_000)));
    assert!(by_header["beats"].as_array().unwrap().len() > 15);
    let shown = ecgid(&["analyze", text(&record)]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("heart rate") && shown.contains("delay"), "{shown}");
}

#[test]
fn a_record_of_annotations_alone_is_sent_to_the_command_that_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let header = folder.path().join("beats.hea");
    std::fs::write(&header, "beats 0 128\n").unwrap();
    for command in ["analyze", "replay"] {
        let output = ecgid(&[command, text(&header)]);
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{command}: {words}");
        assert!(words.contains("holds no signal, only annotations: `ecgid hrv FILE`"), "{command}: {words}");
    }
}
