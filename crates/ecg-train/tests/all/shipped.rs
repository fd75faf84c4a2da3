//! The model in the repository: small, equal in both runtimes, and never trained on the held-out persons.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use ecg_train::split::{Person, hold_out};
use ecg_train::{onnx, parity};
use tract_onnx::prelude::*;

use crate::parity::{TOLERANCE, largest_difference, load};

/// Largest model that may be shipped, bytes.
const LARGEST: u64 = 1_000_000;

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")
}

fn card() -> toml::Table {
    std::fs::read_to_string(models().join("ecgid-1.toml")).unwrap().parse().unwrap()
}

#[test]
fn the_shipped_model_is_small_and_tract_agrees_with_the_trainer() {
    let path = models().join("ecgid-1.onnx");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert!(size(&path) + size(&path.with_extension("cohort")) < LARGEST);
    let dump = parity::dump(&onnx::read(&path, &Device::flex()).unwrap(), &path, 32, 7);
    let model = load(&path);
    for (beat, expected) in dump.beats.iter().zip(&dump.embedding) {
        let input = Tensor::from_shape(&[1, 1, 175], beat).unwrap();
        let outputs = model.run(tvec!(input.into())).unwrap();
        assert!(largest_difference(expected, &outputs[0]) <= TOLERANCE);
    }
}

#[test]
fn the_shipped_file_is_in_todays_form_and_writing_it_anew_keeps_every_weight() {
    let path = models().join("ecgid-1.onnx");
    let network = onnx::read(&path, &Device::flex()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert!(onnx::encode(&network) == bytes, "ecg-train rewrite: see models/README.md");
    assert_eq!(card()["network"]["sha256"].as_str().unwrap(), onnx::sha256(&bytes));
}

#[test]
fn the_shipped_model_has_not_seen_a_held_out_person() {
    let listed = hold_out(models().join("held-out.toml").to_str().unwrap()).unwrap();
    assert_eq!(listed.len(), 24);
    let card = card();
    let mut held_out = BTreeSet::new();
    for collection in card["training"]["collections"].as_array().unwrap() {
        let name = collection["name"].as_str().unwrap();
        let persons = |key: &str| -> BTreeSet<Person> {
            let subjects = collection[key].as_array().unwrap().iter();
            let subject = |value: &toml::Value| value.as_str().unwrap().to_owned();
            subjects.map(|value| Person { collection: name.to_owned(), subject: subject(value) }).collect()
        };
        assert!(persons("persons_seen").is_disjoint(&listed));
        held_out.extend(persons("persons_held_out"));
    }
    assert_eq!(held_out, listed);
}
