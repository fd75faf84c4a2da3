//! `ecgid evaluate noise` and `ecgid evaluate denoiser`: on records made here, and on real ones where they are.

use std::path::Path;
use std::process::Command;

use ecg_data::stress::Disturbance;
use ecg_data::wfdb::writer::{self, CodedSignal};
use ecg_data::{AnnotationKind, HeartParams, SyntheticHeart};
use serde_json::{Value, json};

use crate::recordings::{data, ecgid, ecgid_json, python, text};

const FS: f64 = 360.0;

/// A folder with mitdb, two synthetic hearts of 70 s, and nstdb, their noise.
fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mitdb, nstdb) = (folder.path().join("mitdb"), folder.path().join("nstdb"));
    std::fs::create_dir_all(&mitdb).unwrap();
    std::fs::create_dir_all(&nstdb).unwrap();
    for (name, seed) in [("901", 1), ("902", 2)] {
        let mut heart = SyntheticHeart::new(&HeartParams::from_seed(seed), FS, seed).unwrap();
        let (mut millivolts, mut beats) = (Vec::new(), Vec::new());
        for _ in 0..(70.0 * FS) as usize {
            let sample = heart.step();
            millivolts.push(sample.millivolts);
            beats.extend(sample.r_peak.map(|r| (r.round() as u64, AnnotationKind::Beat('N'))));
        }
        let signal = CodedSignal::new(FS, 200.0, "ECG", &millivolts);
        writer::write(&mitdb, name, &signal, &beats, &[]).unwrap();
    }
    let wander = Disturbance::ElectrodeMotion.samples(FS, 40 * 360, 3);
    let signal = CodedSignal::new(FS, 200.0, "noise1", &wander);
    writer::write(&nstdb, "bw", &signal, &[], &[]).unwrap();
    std::fs::remove_file(nstdb.join("bw.atr")).unwrap();
    folder
}

fn evaluate(folder: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["evaluate", "noise", text(folder), "--records", "901,902", "--minutes", "1", "--json"];
    arguments.extend(more);
    ecgid_json(&arguments)
}

fn count(report: &Value, what: &str) -> u64 {
    report[what].as_u64().unwrap()
}

#[test]
fn noise_is_scored_on_the_very_samples_that_are_saved() {
    let folder = made();
    let saved = folder.path().join("noisy");
    let options = ["--noise", "emg,bw", "--levels", "12,-6", "--seeds", "1,2", "--save", text(&saved)];
    let report = evaluate(folder.path(), &options);
    let again = ecgid_json(&["evaluate", "qrs", text(&saved), "--json"]);
    let levels = report["added"].as_array().unwrap();
    assert_eq!((levels.len(), again["n_records"].as_u64()), (4, Some(16)));
    for level in levels {
        let snr = if level["snr_db"].as_f64().unwrap() < 0.0 { "m6" } else { "12" };
        let part = format!("_{}_{snr}_s", level["noise"].as_str().unwrap());
        let of = again["records"].as_object().unwrap().iter().filter(|(name, _)| name.contains(&part));
        let records: Vec<&Value> = of.map(|(_, record)| record).collect();
        assert_eq!(records.len(), 4, "{part}");
        for what in ["tp", "fp", "fn"] {
            let sum = records.iter().map(|record| count(record, what)).sum::<u64>();
            assert_eq!(sum, count(level, what), "{what} of {part}");
        }
        let found = count(level, "tp") + count(level, "fp");
        let gate = &level["gate"];
        assert_eq!(
            (count(gate, "true_beats"), count(gate, "false_beats") + count(level, "tp")),
            (count(level, "tp"), found)
        );
        assert!(count(gate, "true_accepted") <= count(level, "tp"));
    }
    let f1 = |index: usize| levels[index]["f1_150ms"].as_f64().unwrap();
    assert!(f1(0) > 99.0 && f1(1) < f1(0), "EMG: {} at 12 dB, {} at -6 dB", f1(0), f1(1));
    assert!(levels[1]["gate_true_share"].as_f64() < levels[0]["gate_true_share"].as_f64());
}

#[test]
fn a_condition_has_the_same_samples_whatever_is_evaluated_beside_it() {
    let folder = made();
    let fingerprint = |report: &Value, index: usize| report["added"][index]["fingerprint"].as_str().unwrap().to_owned();
    let all = evaluate(folder.path(), &["--noise", "bw,motion", "--levels", "6,0"]);
    let alone = evaluate(folder.path(), &["--noise", "motion", "--levels", "0"]);
    assert_eq!(fingerprint(&all, 3), fingerprint(&alone, 0));
    let other = evaluate(folder.path(), &["--noise", "motion", "--levels", "0", "--seed", "2"]);
    assert_ne!(fingerprint(&other, 0), fingerprint(&alone, 0));
    let windowed = evaluate(folder.path(), &["--noise", "motion", "--levels", "0", "--noise-power", "windowed"]);
    assert_ne!(fingerprint(&windowed, 0), fingerprint(&alone, 0));
}

#[test]
fn peers_stand_beside_us_on_the_same_samples_only() {
    let folder = made();
    let ours = evaluate(folder.path(), &["--noise", "emg", "--levels", "6,0"]);
    let peer = |f1: f64| json!({ "f1_150ms": f1, "f1_50ms": 1.0, "tp": 1, "fp": 2, "fn": 3, "mae_ms": 4.0 });
    let level = |index: usize, fingerprint: &Value| {
        json!({ "noise": "emg", "snr_db": ours["added"][index]["snr_db"], "fingerprint": fingerprint,
                "detectors": { "better": peer(100.0), "equal": peer(ours["added"][index]["f1_150ms"].as_f64().unwrap()) } })
    };
    let file = folder.path().join("peers.json");
    let levels = [level(0, &ours["added"][0]["fingerprint"]), level(1, &json!("of other samples"))];
    std::fs::write(&file, json!({ "about": { "seeds": [1] }, "added": levels }).to_string()).unwrap();
    let plot = folder.path().join("noise.svg");
    let options = ["--noise", "emg", "--levels", "6,0", "--peers", text(&file), "--plot", text(&plot)];
    let report = evaluate(folder.path(), &options);
    let first = &report["added"][0];
    let below_all = first["f1_150ms"].as_f64().unwrap() < 100.0;
    assert_eq!(first["standing_150ms"]["rank"].as_u64(), Some(if below_all { 2 } else { 1 }));
    assert_eq!((&first["standing_50ms"]["rank"], &first["standing_50ms"]["best"]), (&json!(1), &json!(1.0)));
    assert!(report["added"][1]["peers"].is_null() && report["added"][1]["standing_150ms"].is_null());
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(["better", "ecgid, ±150 ms", "muscles (emg)"].iter().all(|name| svg.contains(name)), "{svg}");
    let mut table = vec!["evaluate", "noise", text(folder.path()), "--records", "901,902", "--minutes", "1"];
    table.extend(options);
    let table = String::from_utf8(ecgid(&table).stdout).unwrap();
    assert!(table.contains("best peer") && table.contains("made from other samples"), "{table}");
}

#[test]
fn what_is_missing_is_named_with_what_to_do() {
    let folder = made();
    let stderr = |arguments: &[&str]| {
        let output = ecgid(arguments);
        assert_eq!(output.status.code(), Some(if arguments.contains(&"hum") { 2 } else { 1 }), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let empty = tempfile::tempdir().unwrap();
    let says = stderr(&["evaluate", "noise", text(empty.path())]);
    assert!(says.contains("DATA/mitdb") && says.contains("physionet.org"), "{says}");
    let says = stderr(&["evaluate", "noise", text(folder.path()), "--records", "100"]);
    assert!(says.contains("no record 100") && says.contains("901, 902"), "{says}");
    let says = stderr(&["evaluate", "noise", text(folder.path()), "--records", "901", "--noise", "em"]);
    assert!(says.contains("Noise Stress Test") && says.contains("--noise"), "{says}");
    let says = stderr(&["evaluate", "noise", text(folder.path()), "--noise", "hum"]);
    assert!(says.contains("bw, em, ma, emg, motion"), "{says}");
    let says = stderr(&["evaluate", "noise", text(folder.path()), "--records", "901", "--minutes", "0"]);
    assert!(says.contains("--minutes 0"), "{says}");
    let says = stderr(&["evaluate", "denoiser", text(folder.path()), "--seconds", "5"]);
    assert!(says.contains("--seconds 5"), "{says}");
    let help = String::from_utf8(ecgid(&["evaluate", "noise", "--help"]).stdout).unwrap();
    assert!(["SNR", "nst(1)", "peers_noise.py", "Examples"].iter().all(|word| help.contains(word)), "{help}");
}

#[test]
fn the_scores_of_the_script_that_runs_the_peers_are_ours() {
    let Some(python) = python("json") else { return };
    let folder = made();
    let saved = folder.path().join("noisy");
    let report = evaluate(folder.path(), &["--noise", "motion", "--levels", "0", "--save", text(&saved)]);
    let script = "
import json, subprocess, sys
sys.path.insert(0, sys.argv[1])
from beat_scores import Tally, annotated_beats
tally = Tally()
for record in sys.argv[3:]:
    found = json.loads(subprocess.run([sys.argv[2], 'analyze', record, '--json'], capture_output=True).stdout)
    tally.add(annotated_beats(record), sorted(beat['r_peak'] / found['fs'] for beat in found['beats']))
print(json.dumps(tally.figures()))";
    let records = ["901_motion_0_s1", "902_motion_0_s1"].map(|name| saved.join(name));
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let mut command = Command::new(python);
    command.args(["-B", "-c", script, scripts, env!("CARGO_BIN_EXE_ecgid")]).args(&records);
    let theirs: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let level = &report["added"][0];
    assert!(count(level, "fp") + count(level, "fn") > 0, "a test on beats that all are right would show little");
    for figure in ["tp", "fp", "fn", "f1_150ms", "f1_50ms", "mae_ms"] {
        let (ours, theirs) = (level[figure].as_f64().unwrap(), theirs[figure].as_f64().unwrap());
        assert!((ours - theirs).abs() < 1e-9, "{figure}: {ours} here, {theirs} there");
    }
}

#[test]
fn the_shipped_denoiser_is_on_target_and_stands_beside_others() {
    let folder = made();
    let plot = folder.path().join("denoiser.svg");
    let report = ecgid_json(&[
        "evaluate",
        "denoiser",
        text(folder.path()),
        "--seconds",
        "40",
        "--levels",
        "12,6",
        "--hearts",
        "3",
        "--candidates",
        "--plot",
        text(&plot),
        "--json",
    ]);
    let denoisers = report["denoisers"].as_array().unwrap();
    let named = |name: &str| denoisers.iter().find(|row| row["name"] == name).unwrap();
    let shipped = named("shipped");
    for source in ["records", "synthetic"] {
        assert!(shipped[source]["change_db"].as_f64().unwrap() <= -30.0, "{source}");
        for level in shipped[source]["levels"].as_array().unwrap() {
            assert!(level["gain_db"].as_f64().unwrap() >= 2.0, "{source}: {level}");
            assert!(level["qrs_per_cent"].as_f64().unwrap() >= 97.0, "{source}: {level}");
        }
    }
    let lower = |row: &Value, figure: &str| row["synthetic"]["levels"][1][figure].as_f64().unwrap();
    let half = named("thresholds x 0.5");
    assert!(lower(half, "gain_db") < lower(shipped, "gain_db"));
    assert!(lower(half, "qrs_per_cent") > lower(shipped, "qrs_per_cent"));
    assert!(named("2 levels, down to 31 Hz")["delay_ms"].as_f64() < shipped["delay_ms"].as_f64());
    let svg = std::fs::read_to_string(&plot).unwrap();
    let drawn = |name: &str| svg.lines().find(|line| line.contains(&format!("<title>{name}</title>"))).unwrap();
    assert!(drawn("soft, universal").contains("a4.5 4.5") && drawn("white, records").contains("stroke="), "{svg}");
}

#[test]
fn real_records_in_noise_keep_their_figures() {
    let Some(root) = data("mitdb").and_then(|mitdb| Some(mitdb.parent()?.to_owned())) else { return };
    let options = ["--records", "115,230", "--minutes", "3", "--noise", "emg,motion", "--levels", "18,6", "--json"];
    let report = ecgid_json(&[&["evaluate", "noise", text(&root)], &options[..]].concat());
    let f1 = |index: usize| report["added"][index]["f1_150ms"].as_f64().unwrap();
    assert!(f1(0) > 99.7 && f1(1) > 98.5, "EMG: {} at 18 dB, {} at 6 dB", f1(0), f1(1));
    assert!(f1(2) > 99.0 && f1(3) > 92.0, "electrode motion: {} at 18 dB, {} at 6 dB", f1(2), f1(3));
    for level in report["recorded"].as_array().unwrap() {
        assert!(level["f1_150ms"].as_f64().unwrap() > 98.5, "{}", level["noise"]);
    }
}

#[test]
fn a_plot_that_cannot_be_written_costs_no_report() {
    let folder = made();
    let (data, bad) = (text(folder.path()), "/no/such/folder/noise.svg");
    let noise = ["noise", data, "--records", "901", "--minutes", "1", "--noise", "emg", "--levels", "6"];
    let denoiser = ["denoiser", data, "--seconds", "20", "--levels", "6", "--hearts", "1"];
    for options in [&noise[..], &denoiser] {
        let output = ecgid(&[&["evaluate"], options, &["--json", "--plot", bad]].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(bad), "{options:?}: {said}");
        assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap().is_object(), "{options:?}");
    }
}
