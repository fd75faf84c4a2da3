//! `ecgid hrv` and `ecgid evaluate hrv`: the files they read, the keys they write, the figures they owe.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::recordings::{data, ecgid, ecgid_json, text};

/// A file of one interval a line.
fn list(folder: &Path, name: &str, intervals: impl Iterator<Item = f64>) -> PathBuf {
    let mut words = String::from("# RR, ms\n\n");
    intervals.for_each(|rr| writeln!(words, "{rr}").unwrap());
    let path = folder.join(name);
    std::fs::write(&path, words).unwrap();
    path
}

fn breathing(n: usize) -> f64 {
    850.0 + 40.0 * (n as f64 * 1.4).sin() + 30.0 * (n as f64 * 0.45).cos()
}

#[test]
fn figures_of_the_reference_series_equal_the_libraries_through_the_command() {
    let golden = include_str!("../../crates/ecg-signal/tests/golden/hrv_full.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, series) in golden["series"].as_object().unwrap() {
        let rr = series["rr_ms"].as_array().unwrap().iter().map(|rr| rr.as_f64().unwrap());
        let path = list(folder.path(), "rr.txt", rr);
        let report = ecgid_json(&["hrv", text(&path), "--no-correction", "--json"]);
        assert_eq!(report["correction"], "none");
        for (ours, theirs, relative) in [
            ("mean_nn_ms", &series["time"]["mean_nn"], 1e-9),
            ("mean_hr_bpm", &series["time"]["mean_hr"], 1e-9),
            ("sdnn_ms", &series["time"]["sdnn"], 1e-9),
            ("rmssd_ms", &series["time"]["rmssd"], 1e-9),
            ("sdsd_ms", &series["time"]["sdsd"], 1e-9),
            ("pnn50_percent", &series["time"]["pnn50"], 1e-9),
            ("pnn20_percent", &series["time"]["pnn20"], 1e-9),
            ("triangular_index", &series["time"]["triangular_index"], 1e-9),
            ("sd1_ms", &series["poincare"]["sd1"], 1e-9),
            ("sd2_ms", &series["poincare"]["sd2"], 1e-9),
            ("sample_entropy", &series["entropy"]["sample_ddof1"], 1e-9),
            ("approximate_entropy", &series["entropy"]["approximate_ddof1"], 1e-9),
            ("dfa_alpha1", &series["dfa"]["4..16"], 1e-6),
            ("dfa_alpha2", &series["dfa"]["16..64"], 1e-6),
            ("lf_hf_whole_bins", &series["welch"]["lf_hf"], 1e-6),
        ] {
            let (value, theirs) = (report[ours].as_f64().unwrap(), theirs.as_f64().unwrap());
            assert!((value / theirs - 1.0).abs() <= relative, "{name} {ours}: {value} against {theirs}");
        }
    }
}

#[test]
fn a_short_list_gives_null_with_a_reason_and_never_zero() {
    let folder = tempfile::tempdir().unwrap();
    let path = list(folder.path(), "short.txt", (0..40).map(breathing));
    let said = String::from_utf8(ecgid(&["hrv", text(&path)]).stdout).unwrap();
    assert!(said.contains("day        - (0 s of clean intervals"), "{said}");
    let report = ecgid_json(&["hrv", text(&path), "--json"]);
    assert!(report["rmssd_ms"].is_f64() && report["sdnn_ms"].is_null() && report["lf_hf"].is_null());
    let missing = report["missing"].as_object().unwrap();
    for (key, value) in report.as_object().unwrap() {
        assert!(!value.is_null() || missing.contains_key(key) || key == "irregular_percent", "{key}: null, no reason");
    }
    assert!(missing["sdnn_ms"].as_str().unwrap().contains("60 s needed"));
    assert_eq!(report["reason"], missing["lf_hf"]);
    assert!(report["day"]["sdann_ms"].is_null() && report["day"]["reason"].is_string());
    let words = String::from_utf8(ecgid(&["hrv", text(&path)]).stdout).unwrap();
    assert!(words.contains("RMSSD") && words.contains("60 s needed"), "{words}");
}

#[test]
fn a_missed_beat_is_corrected_and_counted_and_a_gap_is_neither() {
    let folder = tempfile::tempdir().unwrap();
    let clean = list(folder.path(), "clean.txt", (0..400).map(breathing));
    let missed = list(
        folder.path(),
        "missed.txt",
        (0..400).filter(|n| *n != 101).map(|n| if n == 100 { breathing(100) + breathing(101) } else { breathing(n) }),
    );
    let gap = list(folder.path(), "gap.txt", (0..400).map(|n| if n == 100 { 20_000.0 } else { breathing(n) }));
    let report = |path: &Path| ecgid_json(&["hrv", text(path), "--json"]);
    let (clean, missed, gap) = (report(&clean), report(&missed), report(&gap));
    let rmssd = |report: &Value| report["rmssd_ms"].as_f64().unwrap();
    assert_eq!((clean["corrected_beats"].as_u64(), clean["refused_intervals"].as_u64()), (Some(0), Some(0)));
    assert_eq!((missed["missed_beats"].as_u64(), missed["correction"].as_str()), (Some(1), Some("two_sided")));
    assert!((rmssd(&missed) / rmssd(&clean) - 1.0).abs() < 0.02);
    assert_eq!((gap["corrected_beats"].as_u64(), gap["refused_intervals"].as_u64()), (Some(0), Some(1)));
    assert!((rmssd(&gap) / rmssd(&clean) - 1.0).abs() < 0.02);
}

#[test]
fn what_is_no_list_of_intervals_is_refused_with_the_line_or_the_unit() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |content: &str| {
        let path = folder.path().join("bad.txt");
        std::fs::write(&path, content).unwrap();
        let output = ecgid(&["hrv", text(&path)]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused("800\n810\nabc\n").contains("line 3"));
    assert!(refused("800\nNaN\n").contains("line 2"));
    assert!(refused("0.8\n0.81\n0.79\n").contains("milliseconds"));
    assert!(refused("# nothing\n").contains("no interval"));
    assert!(refused("-5\n1e300\n").contains("no interval"));
}

#[test]
fn what_is_neither_text_nor_annotations_is_called_so_where_no_header_lies_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rr.txt");
    // Latin-1: a byte that UTF-8 has not.
    std::fs::write(&path, b"# zur\xfcck, ms\n800\n810\n").unwrap();
    let said = || String::from_utf8(ecgid(&["hrv", text(&path)]).stderr).unwrap();
    let words = said();
    assert!(words.contains("rr.txt is neither UTF-8 text nor a WFDB annotation file"), "{words}");
    assert!(words.contains("rr.hea is not there") && !words.contains("cut short"), "{words}");
    std::fs::write(folder.path().join("rr.hea"), "rr 0 128\n").unwrap();
    assert!(said().contains("cut short"), "{}", said());
}

#[test]
fn a_day_of_beats_gives_sdann_and_hours() {
    let Some(file) = data("nsr2db_rr/nsr001.ecg") else { return };
    let report = ecgid_json(&["hrv", text(&file), "--json"]);
    assert!(report["intervals"].as_u64().unwrap() > 80_000);
    let day = &report["day"];
    assert!(day["hours"].as_array().unwrap().len() >= 22);
    for (value, range) in [
        (&day["sdann_ms"], 40.0..300.0),
        (&day["sdnn_index_ms"], 20.0..150.0),
        (&report["sdnn_ms"], 50.0..300.0),
        (&report["sample_entropy"], 0.2..2.5),
    ] {
        assert!(range.contains(&value.as_f64().unwrap()), "{value}");
    }
}

/// The floor: how near our own beats come to annotated ones.
#[test]
fn variability_of_our_beats_is_that_of_annotated_beats() {
    let Some(folder) = data("mitdb") else { return };
    let report = ecgid_json(&["evaluate", "hrv", text(&folder), "--json"]);
    assert!(report["normal"].as_u64().unwrap() >= 8);
    for (figure, median, worst) in [("rmssd_ms", 1.0, 5.0), ("sdnn_ms", 1.0, 25.0), ("mean_nn_ms", 1.0, 15.0)] {
        let errors = &report["errors"][figure];
        println!("{figure}: {errors}");
        assert!(errors["median"].as_f64().unwrap() <= median, "{figure}: {errors}");
        assert!(errors["worst"].as_f64().unwrap() <= worst, "{figure}: {errors}");
    }
    for (name, record) in report["records"].as_object().unwrap() {
        if record["fibrillates"] == true && ["201", "203"].contains(&name.as_str()) {
            assert!(record["ours"]["rmssd_ms"].is_null() && record["withheld"].is_string(), "{name}");
        }
    }
}
