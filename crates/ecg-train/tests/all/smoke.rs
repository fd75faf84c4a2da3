//! A few steps on a few synthetic persons: every file is written, can be read back, and says what it should.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use clap::Parser;
use ecg_data::csv::write_heart;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_train::cli::Cli;
use ecg_train::network::NetworkKind;
use ecg_train::onnx;

/// Samples of each record, 20 s at 250 Hz: enough for a dozen and a half beats.
const ROWS: u64 = 5000;

/// A collection of `persons` synthetic hearts with two sessions of one record of `rows` samples each.
pub(crate) fn collection(folder: &Path, persons: u64, rows: u64) -> PathBuf {
    let dir = folder.join("synthetic");
    std::fs::create_dir_all(&dir).unwrap();
    let mut manifest = String::from("record,subject,session,date\n");
    for person in 0..persons {
        for session in 0..2 {
            let params = HeartParams::from_seed(person).in_session(session);
            let heart = SyntheticHeart::new(&params, 250.0, 10 * person + session).unwrap();
            let record = format!("p{person}_{session}");
            let file = std::fs::File::create(dir.join(format!("{record}.csv"))).unwrap();
            let sink = std::io::BufWriter::new(file);
            write_heart(&mut heart.with_noise(Noise::at_rest()), rows, 1_767_225_600, sink).unwrap();
            manifest.push_str(&format!("{record},p{person},s{session},2026-01-0{}\n", session + 1));
        }
    }
    std::fs::write(dir.join("manifest.csv"), manifest).unwrap();
    dir
}

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    Cli::parse_from(["ecg-train"].iter().chain(arguments)).run()
}

pub(crate) fn table(path: &Path) -> toml::Table {
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

#[test]
fn a_tiny_training_writes_model_card_and_curves() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let dir = collection(folder.path(), 6, ROWS);
    let out = folder.path().join("models/tiny.onnx");
    let (dir, model) = (dir.to_str().unwrap(), out.to_str().unwrap());
    let small = ["--epochs", "2", "--steps-per-epoch", "2", "--batch-size", "8", "--variants", "1"];
    let fit = ["fit", "--collection", dir, "--out", model, "--hold-out", "synthetic:p1,synthetic:p4", "--folds", "2"];
    let page = folder.path().join("page.html");
    let report = ["--report", page.to_str().unwrap()];
    run(&[fit.as_slice(), &small, &report].concat()).expect("a tiny training");

    let network = onnx::read(&out, &Device::flex()).expect("just written");
    assert_eq!(network.kind(), NetworkKind::Binned);
    let card = table(&out.with_extension("toml"));
    assert_eq!(card["name"].as_str(), Some("tiny"));
    assert_eq!(card["input"]["chain"].as_str(), Some(ecg_signal::CHAIN));
    assert_eq!(card["amplitude"]["share"].as_float(), Some(0.15));
    assert_eq!(card["network"]["parameters"].as_integer(), Some(80_800));
    let own = |card: &toml::Table| card["network"]["sha256"].as_str().map(str::to_owned);
    assert_eq!(own(&card), Some(onnx::sha256(&std::fs::read(&out).unwrap())));
    let again = folder.path().join("again.onnx");
    run(&["rewrite", "--model", model, "--out", again.to_str().unwrap()]).expect("in today's form already");
    assert_eq!(own(&table(&again.with_extension("toml"))), own(&card));
    let strangers = std::fs::read(out.with_extension("cohort")).unwrap();
    assert_eq!((card["cohort"]["strangers"].as_integer(), strangers.len()), (Some(4 * 30), 4 * 30 * (64 + 2)));
    assert_eq!(card["cohort"]["sha256"].as_str().unwrap(), onnx::sha256(&strangers));
    assert_eq!(std::fs::read(again.with_extension("cohort")).unwrap(), strangers);
    let collection = &card["training"]["collections"][0];
    assert_eq!(collection["persons_held_out"].as_array().unwrap().len(), 2);
    assert_eq!(collection["persons_seen"].as_array().unwrap().len(), 4);
    let threshold = card["decision"]["threshold"].as_float().unwrap();
    assert!((-1.0..=1.0).contains(&threshold), "{threshold}");
    assert!(card["measured"].as_array().unwrap().len() >= 4);
    assert!(std::fs::read_to_string(out.with_extension("svg")).unwrap().starts_with("<svg"));
    let page = std::fs::read_to_string(page).unwrap();
    let wanted = ["Error rates", "Detection-error", "threshold", "Persons", "Worst cases", "Training curves", "Seed"];
    for words in wanted {
        assert!(page.contains(words), "no {words}");
    }
    assert!(!page.contains("<script") && !page.contains("NaN"));
}

#[test]
fn short_records_of_few_persons_give_a_model_whatever_they_leave_out_of_its_calibration() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    // 8 s hold too few heartbeats for the last rows.
    let dir = collection(folder.path(), 10, 2000);
    let out = folder.path().join("short.onnx");
    let fit = ["fit", "--collection", dir.to_str().unwrap(), "--out", out.to_str().unwrap(), "--folds", "3"];
    let small = ["--epochs", "1", "--steps-per-epoch", "2", "--batch-size", "8", "--variants", "0"];
    run(&[fit.as_slice(), &small].concat()).expect("a tiny training");
    let card = table(&out.with_extension("toml"));
    let rows = card["decision"]["calibration"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["thresholds"].as_array().unwrap().len() > 1), "{rows:?}");
    let beats: Vec<_> = rows.iter().map(|row| row["beats"].as_integer().unwrap()).collect();
    assert!(beats.contains(&1) && !beats.contains(&16), "{beats:?}");
}

#[test]
fn a_foreign_collection_is_measured_and_nobody_of_it_is_trained_on() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let dir = collection(folder.path(), 4, ROWS);
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let same_name = collection(&elsewhere, 3, ROWS);
    let foreign = folder.path().join("foreign");
    let out = folder.path().join("tiny.onnx");
    let fit = |foreign: &Path| {
        let fit = ["fit", "--collection", dir.to_str().unwrap(), "--out", out.to_str().unwrap(), "--folds", "2"];
        let small = ["--epochs", "1", "--steps-per-epoch", "2", "--batch-size", "8", "--variants", "1"];
        run(&[fit.as_slice(), &small, &["--foreign", foreign.to_str().unwrap()]].concat())
    };
    assert!(fit(&same_name).unwrap_err().to_string().contains("cannot be --foreign"));
    std::fs::rename(&same_name, &foreign).unwrap();
    fit(&foreign).expect("a tiny training");

    let card = table(&out.with_extension("toml"));
    let rows = |key: &str| card[key].as_array().unwrap().iter().map(|row| row.as_table().unwrap()).collect::<Vec<_>>();
    let is_foreign = |row: &&toml::Table| row["collection"].as_str() == Some("foreign");
    let measured: Vec<_> = rows("measured").into_iter().filter(is_foreign).collect();
    assert!(!measured.is_empty());
    assert!(measured.iter().all(|row| row["persons"].as_str().unwrap().contains("nobody was trained on")));
    let travelled: Vec<_> = rows("travelled").into_iter().filter(is_foreign).collect();
    assert!(travelled.iter().any(|row| row["n_impostor"].as_integer() == Some(2 * 3 * 2)), "{travelled:?}");
    assert!(travelled.iter().all(|row| row["home"].as_str() == Some("synthetic, first session, second session")));
    let trained: Vec<_> = card["training"]["collections"].as_array().unwrap().iter().collect();
    let of_foreign = trained.iter().find(|part| part["name"].as_str() == Some("foreign")).unwrap();
    assert_eq!(of_foreign["persons_seen"].as_array().unwrap().len(), 0);
    assert_eq!(of_foreign["persons_held_out"].as_array().unwrap().len(), 3);
}

#[test]
fn a_classifier_names_its_classes_and_the_same_seed_gives_the_same_file() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let dir = collection(folder.path(), 3, ROWS);
    let fit = |name: &str| {
        let out = folder.path().join(name);
        let (dir, model) = (dir.to_str().unwrap(), out.to_str().unwrap());
        let fit = ["fit", "--collection", dir, "--out", model, "--net", "lightweight", "--loss", "softmax"];
        let small = ["--epochs", "1", "--steps-per-epoch", "2", "--batch-size", "6", "--variants", "1"];
        run(&[fit.as_slice(), &small].concat()).expect("a tiny classifier");
        out
    };
    let (one, two) = (fit("one.onnx"), fit("two.onnx"));
    assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let card = table(&one.with_extension("toml"));
    assert_eq!(card["output"]["classes"].as_array().unwrap().len(), 3);
    assert_eq!(card["output"]["logits"].as_str(), Some("logits"));
    assert_eq!(card["network"]["parameters"].as_integer(), Some(44_358 - 3 * 65));
    // What the daemon refuses a classifier without.
    let references = table(&one.with_extension("references.toml"));
    assert_eq!((references["schema"].as_integer(), references["model"].as_str()), (Some(2), card["name"].as_str()));
    let of_class = references["references"].as_array().unwrap();
    let classes: Vec<_> = of_class.iter().map(|reference| reference["class"].clone()).collect();
    assert_eq!(&classes, card["output"]["classes"].as_array().unwrap());
    for reference in of_class {
        let squares = reference["embedding"].as_array().unwrap().iter().map(|x| x.as_float().unwrap().powi(2));
        assert!((squares.sum::<f64>() - 1.0).abs() < 1e-3);
        assert_eq!(reference["front_ends"][0].as_str(), Some("record/250Hz"));
    }
}

#[test]
fn a_collection_that_is_not_there_is_named() {
    let error = run(&["fit", "--collection", "/no/such/folder", "--out", "m.onnx"]).unwrap_err();
    assert!(format!("{error:#}").contains("/no/such/folder"));
}
