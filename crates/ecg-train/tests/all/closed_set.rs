//! The original's own terms: single beats dealt at random, a softmax classifier. Floors on accuracy; *leaky* everywhere.

use burn::tensor::Device;
use ecg_train::onnx;

use crate::smoke::{collection, run, table};

/// Accuracy on the test beats of six synthetic subjects that must be reached.
const FLOOR: f64 = 0.995;

#[test]
fn six_synthetic_subjects_are_told_apart_and_every_output_says_that_the_split_leaks() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    // 60 s in two sessions each: some 800 beats, 160 of them to test on.
    let dir = collection(folder.path(), 7, 15_000);
    let out = folder.path().join("six.onnx");
    let page = folder.path().join("report");
    let (dir, model, page) = (dir.to_str().unwrap(), out.to_str().unwrap(), page.to_str().unwrap());
    let fit = ["fit", "--collection", dir, "--out", model, "--net", "lightweight", "--loss", "softmax"];
    let terms = ["--split", "random-beats", "--hold-out", "synthetic:p6", "--report", page];
    let short = ["--epochs", "4", "--steps-per-epoch", "30", "--batch-size", "48"];
    run(&[fit.as_slice(), &terms, &short].concat()).expect("a closed-set training");

    let card = table(&out.with_extension("toml"));
    let closed = card["closed_set"].as_table().unwrap();
    let number = |key: &str| closed[key].as_float().unwrap();
    assert!(closed["beats_test"].as_integer().unwrap() > 120);
    assert!(number("accuracy") >= FLOOR, "{closed}");
    assert!(closed["macro_mean"]["specificity"].as_float().unwrap() >= FLOOR);
    assert_eq!(closed["classes"].as_array().unwrap().len(), 6);
    assert_eq!(closed["leaky"].as_bool(), Some(true));
    // The seventh person is a stranger: nobody's beats trained on him, and the figures say what became of him.
    assert_eq!(closed["strangers"]["persons"].as_integer(), Some(1));
    let ends = closed["own_windows_refused_95"].as_array().unwrap();
    let refused = number("own_windows_refused");
    assert!(ends[0].as_float().unwrap() <= refused && refused <= ends[1].as_float().unwrap(), "{closed}");
    assert_eq!(closed["strangers"]["accepted_95"].as_array().unwrap().len(), 2);
    assert_eq!(card["output"]["classes"].as_array().unwrap().len(), 6);
    assert_eq!(card["network"]["parameters"].as_integer(), Some(44_358));
    assert_eq!(card["input"]["beats_averaged"].as_integer(), Some(1));

    let page = std::fs::read_to_string(folder.path().join("report/six.html")).unwrap();
    let card_text = std::fs::read_to_string(out.with_extension("toml")).unwrap();
    let curves = std::fs::read_to_string(out.with_extension("svg")).unwrap();
    for text in [&page, &card_text, &curves] {
        assert!(text.contains("LEAKY"));
    }
    assert!(page.contains("What the threshold refuses") && page.contains("taken for somebody"));
    assert!(page.contains("Confusion matrix") && page.contains("synthetic:p0") && !page.contains("<script"));

    let network = onnx::read(&out, &Device::flex()).unwrap();
    assert_eq!(network.weights()["classifier.scores.bias"].values.len(), 6);
    let references = table(&out.with_extension("references.toml"));
    for reference in references["references"].as_array().unwrap() {
        let squares = reference["embedding"].as_array().unwrap().iter().map(|x| x.as_float().unwrap().powi(2));
        assert!((squares.sum::<f64>() - 1.0).abs() < 1e-3);
        let front_ends: Vec<_> = reference["front_ends"].as_array().unwrap().iter().map(|f| f.as_str()).collect();
        assert_eq!(front_ends, [Some("record/250Hz")]);
    }
}

#[test]
fn beats_are_dealt_at_random_only_for_a_classifier() {
    let folder = tempfile::tempdir().unwrap();
    let dir = collection(folder.path(), 2, 5000);
    let out = folder.path().join("m.onnx");
    let fit = ["fit", "--collection", dir.to_str().unwrap(), "--out", out.to_str().unwrap(), "--split", "random-beats"];
    assert!(run(&fit).unwrap_err().to_string().contains("--loss softmax"));
    let folds = ["--loss", "softmax", "--folds", "3"];
    assert!(run(&[fit.as_slice(), &folds].concat()).unwrap_err().to_string().contains("folds"));
}
