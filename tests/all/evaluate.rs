//! `ecgid evaluate`: the same figures as the independent scorers on the same output.

use std::process::Command;

use serde_json::Value;

use crate::recordings::{data, ecgid, ecgid_json, python, text};
use crate::tiny_model::Recipe;

fn close(a: &Value, b: &Value, what: &str) {
    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
    assert!((a - b).abs() < 1e-9, "{what}: {a} against {b}");
}

#[test]
fn qrs_figures_equal_those_of_the_independent_scorer() {
    let (Some(records), Some(scorer)) = (data("mitdb"), data("../check/score_qrs.py")) else { return };
    let Some(python) = python("json") else { return };
    let names = ["114", "203", "207"];
    let command = format!("{} analyze {{record}} --json", env!("CARGO_BIN_EXE_ecgid"));
    let done = Command::new(python)
        .args([text(&scorer), text(&records), "--cmd", &command, "--json", "--records"])
        .args(names)
        .output()
        .unwrap();
    let theirs: Value = serde_json::from_slice(&done.stdout).unwrap();
    let ours = ecgid_json(&["evaluate", "qrs", text(&records), "--records", &names.join(","), "--json"]);
    let scopes = names.map(|n| (&theirs["records"][n], &ours["records"][n]));
    for (theirs, ours) in scopes.into_iter().chain([(&theirs["total"], &ours["total"])]) {
        compare_scope(&theirs["full"], ours);
        compare_scope(&theirs["ec57"], &ours["ec57"]);
    }
    assert!(ours["total"]["f1_150ms"].as_f64().unwrap() > 98.5);
    let decisions = &ours["decisions"];
    assert!(decisions["in_time"].as_u64().unwrap() > 6000 && decisions["max_s"].as_f64().unwrap() < 0.95);
    assert!(decisions["search_back_max_s"].as_f64().unwrap() > decisions["max_s"].as_f64().unwrap());
}

#[test]
fn the_table_of_beats_has_the_columns_of_the_independent_scorer() {
    let (Some(records), Some(scorer)) = (data("mitdb"), data("../check/score_qrs.py")) else { return };
    let Some(python) = python("json") else { return };
    let command = format!("{} analyze {{record}} --json", env!("CARGO_BIN_EXE_ecgid"));
    let arguments = [text(&scorer), text(&records), "--cmd", &command, "--records", "207"];
    let theirs = Command::new(python).args(arguments).output().unwrap().stdout;
    let ours = ecgid(&["evaluate", "qrs", text(&records), "--records", "207"]).stdout;
    let figures = |table: &[u8], name: &str| -> Vec<f64> {
        let table = String::from_utf8_lossy(table).into_owned();
        let row = table.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap().to_owned();
        row.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    for row in ["207", "total"] {
        let (theirs, ours) = (figures(&theirs, row), figures(&ours, row));
        assert!(ours.len() >= 17 && theirs.len() == ours.len(), "{row}: {theirs:?}, {ours:?}");
        // The independent one rounds the offset to a tenth.
        assert!(theirs.iter().zip(&ours).all(|(a, b)| (a - b).abs() <= 0.06), "{row}: {theirs:?}, {ours:?}");
    }
    let help = String::from_utf8(ecgid(&["evaluate", "qrs", "--help"]).stdout).unwrap();
    assert!(["EC57", "MAEc", "search-back", "Examples"].iter().all(|word| help.contains(word)), "{help}");
}

fn compare_scope(theirs: &Value, ours: &Value) {
    for (limit, key) in [("150", ""), ("75", "within_75_ms"), ("50", "within_50_ms")] {
        let at = if key.is_empty() { ours } else { &ours[key] };
        for count in ["tp", "fp", "fn"] {
            assert_eq!(theirs[limit][count], at[count], "{count} at {limit} ms");
        }
        close(&theirs[limit]["se"], &at["sensitivity"], "sensitivity");
        close(&theirs[limit]["ppv"], &at["positive_predictivity"], "positive predictivity");
        close(&theirs[limit]["f1"], &ours[format!("f1_{limit}ms")], "F1");
    }
    close(&theirs["mae_ms"], &ours["mae_ms"], "mean absolute error");
    close(&theirs["off_ms"], &ours["offset_ms"], "offset");
    close(&theirs["mae_c_ms"], &ours["mae_centred_ms"], "centred error");
}

#[test]
fn identity_figures_equal_those_of_the_independent_scorer() {
    let (Some(collection), Some(scorer)) = (data("ecg-id"), data("../check/score_identity.py")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = Recipe::default().build().write(folder.path());
    let (scores, plot) = (folder.path().join("scores.csv"), folder.path().join("det.svg"));
    let persons = "Person_01,Person_02,Person_09,Person_10,Person_27,Person_30,Person_36,Person_52,Person_53,Person_51";
    let ours = ecgid_json(&[
        "evaluate",
        "identity",
        "--collection",
        text(&collection),
        "--enrol",
        "first",
        "--probe",
        "rest",
        "--model",
        text(&model),
        "--subjects",
        persons,
        "--scores",
        text(&scores),
        "--plot",
        text(&plot),
        "--replicates",
        "200",
        "--json",
    ]);
    assert_eq!(ours["references"].as_u64(), Some(10));
    assert!(ours["genuine"].as_u64().unwrap() > 10);
    assert!(ours["eer"]["value"].as_f64().unwrap() < 0.35, "even a random projection knows some people: {ours}");
    assert_eq!(ours["persons_seen_in_training"], serde_json::json!(["Person_01"]));
    assert!(ours["warning"].as_str().unwrap().contains("trained on 1 of these 10 persons"));
    let at = &ours["at_threshold"];
    assert_eq!(at["threshold"].as_f64(), Some(0.9), "that of the card");
    for rate in ["fmr", "fnmr"] {
        let [low, value, high] = ["low", "value", "high"].map(|part| at[rate][part].as_f64().unwrap());
        assert!(0.0 <= low && low <= value && value <= high && high <= 1.0, "{at}");
    }
    let svg = std::fs::read_to_string(&plot).unwrap();
    assert!(svg.contains("this system</title>") && svg.contains("false match rate"), "{svg}");
    let Some(python) = python("numpy") else { return };
    let done = Command::new(python).args([text(&scorer), text(&scores), "--json"]).output().unwrap();
    let theirs: Value = serde_json::from_slice(&done.stdout).unwrap();
    for count in ["subjects", "references", "probes", "refused_probes", "genuine", "impostor"] {
        assert_eq!(theirs[count], ours[count], "{count}");
    }
    for rate in ["eer", "fnmr_at_fmr_1pct", "fnmr_at_fmr_0.1pct", "rank1"] {
        close(&theirs[rate]["value"], &ours[rate]["value"], rate);
    }
}

#[test]
fn the_cepstrum_is_a_share_of_the_score_and_all_of_it_where_the_network_is_left_out() {
    let Some(collection) = data("ecg-id") else { return };
    let folder = tempfile::tempdir().unwrap();
    let [wide, narrow] = [("wide", 64), ("narrow", 16)].map(|(name, dimensions)| {
        let home = folder.path().join(name);
        std::fs::create_dir(&home).unwrap();
        Recipe { dimensions, ..Recipe::default() }.build().write(&home)
    });
    let scores = |model: &std::path::Path, more: &[&str]| {
        let file = folder.path().join("scores.csv");
        let persons = "Person_01,Person_02,Person_09,Person_10,Person_27,Person_30";
        let fixed = ["evaluate", "identity", "--collection", text(&collection), "--enrol", "first", "--probe", "rest"];
        let chosen = ["--model", text(model), "--subjects", persons, "--scores", text(&file), "--replicates", "10"];
        let report = ecgid_json(&[&fixed[..], &chosen, more, &["--json"]].concat());
        (report, std::fs::read_to_string(&file).unwrap())
    };
    let (plain, by_network) = scores(&wide, &[]);
    assert_eq!((plain["mfcc_share"].as_f64(), &scores(&wide, &["--mfcc", "0"]).1), (Some(0.0), &by_network));
    assert_ne!(scores(&narrow, &[]).1, by_network);
    let (report, by_cepstrum) = scores(&wide, &["--mfcc", "1"]);
    assert_eq!(report["mfcc_share"].as_f64(), Some(1.0));
    assert_eq!(scores(&narrow, &["--mfcc", "1"]).1, by_cepstrum, "no network has a say in it");
    assert!(report["eer"]["value"].as_f64().unwrap() < 0.35, "a cepstrum knows some people: {report}");
    let of = |csv: &str| -> Vec<f64> {
        csv.lines().skip(1).map(|l| l.rsplit(',').next().unwrap().parse().unwrap()).collect()
    };
    let (network, cepstrum, both) = (of(&by_network), of(&by_cepstrum), of(&scores(&wide, &["--mfcc", "0.3"]).1));
    for ((network, cepstrum), both) in network.iter().zip(&cepstrum).zip(&both) {
        // Not the sum of 0.7 and 0.3 itself: a mean of beats weighs each part by how steady it is.
        let between = network.min(*cepstrum) - 0.01..network.max(*cepstrum) + 0.01;
        assert!(between.contains(both), "{network} and {cepstrum} became {both}");
    }
    assert!(both != network && both != cepstrum);
    let help = String::from_utf8(ecgid(&["evaluate", "identity", "--help"]).stdout).unwrap();
    assert!(help.contains("The daemon does not use them"), "{help}");
    let refused =
        ecgid(&["evaluate", "identity", "--collection", ".", "--enrol", "a", "--probe", "b", "--mfcc", "1.5"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("a share from 0 to 1"));
}

#[test]
fn a_few_comparisons_are_said_to_be_too_few_for_rates() {
    let folder = tempfile::tempdir().unwrap();
    let model = Recipe::default().build().write(folder.path());
    let collection = folder.path().join("household");
    assert!(ecgid(&["simulate", "--csv", text(&collection), "--subjects", "2"]).status.success());
    let fixed = ["evaluate", "identity", "--collection", text(&collection), "--enrol", "first", "--probe", "rest"];
    let output = ecgid(&[&fixed[..], &["--model", text(&model), "--replicates", "10"]].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("non-mated comparisons say nothing of EER and of FNMR at FMR 1 %: 100 are needed"), "{said}");
}

#[test]
fn held_out_persons_come_from_the_card_and_need_no_warning() {
    let Some(collection) = data("ecg-id") else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = Recipe::default().build().write(folder.path());
    let report = ecgid_json(&[
        "evaluate",
        "identity",
        "--collection",
        text(&collection),
        "--enrol",
        "first",
        "--probe",
        "rest",
        "--model",
        text(&model),
        "--held-out-only",
        "--probe-front-end",
        "ov8a",
        "--replicates",
        "10",
        "--json",
    ]);
    assert_eq!((report["references"].as_u64(), report["warning"].is_null()), (Some(3), true));
    assert_eq!(report["refused_probes"].as_u64(), Some(0));
}

#[test]
fn an_unusable_model_ends_with_exit_code_78() {
    let output = ecgid(&[
        "evaluate",
        "identity",
        "--collection",
        ".",
        "--enrol",
        "first",
        "--probe",
        "rest",
        "--model",
        "no.onnx",
    ]);
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.onnx"));
}

#[test]
fn a_calibration_made_from_records_goes_into_a_card_and_streams_are_decided_by_it() {
    let Some(collection) = data("ecg-id") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut tiny = Recipe::default().build();
    let model = tiny.write(folder.path());
    let persons = "Person_01,Person_09,Person_27,Person_30,Person_34,Person_52";
    let common = ["--collection", text(&collection), "--enrol", "first", "--probe", "rest", "--model", text(&model)];
    let run = |command: &str, more: &[&str]| {
        let arguments = [&["evaluate", command][..], &common, &["--subjects", persons], more].concat();
        String::from_utf8(ecgid(&arguments).stdout).unwrap()
    };
    let few = ecgid(&[&["evaluate", "calibration"][..], &common, &["--subjects", &persons[..39]]].concat());
    assert!(few.stdout.is_empty() && String::from_utf8_lossy(&few.stderr).contains("at least 5 are needed"));
    let rows = run("calibration", &[]);
    assert!(rows.starts_with("[[decision.calibration]]\nbeats = 1\n"), "{rows}");
    let short = ["--stranger", "30", "--household", "2", "--replicates", "20", "--json"];
    let one_threshold: Value = serde_json::from_str(&run("stream", &short)).unwrap();
    assert_eq!(one_threshold["decision"]["by_rate"], false);
    tiny.card = tiny.card.replacen("[training]", &format!("{rows}[training]"), 1);
    tiny.write(folder.path());
    let plot = folder.path().join("curve.svg");
    let report: Value = serde_json::from_str(&run("stream", &[&short[..], &["--plot", text(&plot)]].concat())).unwrap();
    let decision = &report["decision"];
    assert_eq!((decision["by_rate"].as_bool(), decision["setting"].as_f64()), (Some(true), Some(0.02)));
    assert!(decision["verified"]["sessions"].as_u64().unwrap() >= 5);
    let curve = report["curve"].as_array().unwrap();
    let figure = |row: &Value, name: &str| row[name]["value"].as_f64().unwrap();
    for pair in curve.windows(2) {
        assert!(pair[1]["threshold_at_5_beats"].as_f64() <= pair[0]["threshold_at_5_beats"].as_f64());
        assert!(figure(&pair[1], "verified") >= figure(&pair[0], "verified") - 1e-9);
    }
    assert!(std::fs::read_to_string(plot).unwrap().contains("strangers accepted"));
}

#[test]
fn a_file_that_cannot_be_written_costs_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let model = Recipe::default().build().write(folder.path());
    let collection = folder.path().join("household");
    assert!(ecgid(&["simulate", "--csv", text(&collection), "--subjects", "4"]).status.success());
    let sessions = ["--enrol", "first", "--probe", "rest", "--model", text(&model), "--replicates", "10"];
    let stream = [&sessions[..], &["--stranger", "30", "--household", "2"]].concat();
    let bad = "/no/such/folder/file";
    for (what, options, file) in [
        ("identity", &sessions[..], "--scores"),
        ("identity", &sessions, "--plot"),
        ("stream", &stream, "--plot"),
        ("replay", &[], "--plot"),
    ] {
        let fixed = ["evaluate", what, "--collection", text(&collection), "--json", file, bad];
        let output = ecgid(&[&fixed[..], options].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(bad), "{what} {file}: {said}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report.is_object(), "{what} {file}");
    }
    let plot = folder.path().join("det.svg");
    let fixed = ["evaluate", "identity", "--collection", text(&collection), "--scores", bad, "--plot", text(&plot)];
    assert!(!ecgid(&[&fixed[..], &sessions].concat()).status.success());
    assert!(plot.is_file(), "the other file is written");
}
