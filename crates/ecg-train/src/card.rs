//! The model card: what the daemon must know of a model, and what a person should know before trusting it.
//!
//! Written beside the ONNX file with the same name and `.toml`. The daemon refuses a model whose card names another
//! filter chain, rate or normalisation than its own.

use std::collections::BTreeSet;

use ecg_identity::rates::{ErrorRates, Interval};
use ecg_identity::{Amplitude, Cohort, CohortRule};
use ecg_signal::{Alignment, CHAIN, FS, Preparation, SEGMENT_R_INDEX, SEGMENT_SAMPLES};
use serde::Serialize;

use crate::fit::Travelled;
use crate::network::{Network, NetworkKind};
use crate::onnx;
use crate::split::{Person, Split};
use crate::training;

/// Version of this layout.
const SCHEMA: u32 = 1;

/// Everything in the file, in its order.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    schema: u32,
    /// Name of the model, that of its file.
    pub name: String,
    input: Input,
    output: Output,
    #[serde(skip_serializing_if = "Option::is_none")]
    amplitude: Option<AmplitudePart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cohort: Option<CohortPart>,
    network: NetworkPart,
    /// Where the line between match and no match lies.
    pub decision: DecisionPart,
    /// Figures on persons the network was not trained on.
    pub measured: Vec<Measured>,
    /// How far a threshold travels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub travelled: Vec<Travelled>,
    training: Training,
}

#[derive(Clone, Debug, Serialize)]
struct Input {
    name: &'static str,
    samples: usize,
    r_index: usize,
    aligned_by: &'static str,
    fs_hz: f64,
    chain: &'static str,
    beats_averaged: usize,
    qt_exponent: f64,
    qt_reference_rr_s: f64,
    normalisation: &'static str,
}

#[derive(Clone, Debug, Serialize)]
struct Output {
    embedding: &'static str,
    dimensions: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    logits: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    classes: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
struct AmplitudePart {
    share: f64,
    radians_per_e_fold: f64,
    reference_mv: f64,
}

#[derive(Clone, Debug, Serialize)]
struct CohortPart {
    strangers: usize,
    nearest: usize,
    weight: f64,
    scatter: f64,
    usual: f64,
    sha256: String,
}

impl CohortPart {
    fn new(cohort: &Cohort) -> Self {
        let CohortRule { nearest, weight, scatter } = cohort.rule();
        let (strangers, usual, sha256) = (cohort.strangers(), cohort.usual(), onnx::sha256(cohort.bytes()));
        Self { strangers, nearest, weight, scatter, usual, sha256 }
    }
}

#[derive(Clone, Debug, Serialize)]
struct NetworkPart {
    kind: &'static str,
    parameters: usize,
    multiply_accumulates: usize,
    sha256: String,
}

/// The threshold and how it was found.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionPart {
    /// Score from which a window of embeddings matches a reference.
    pub threshold: f64,
    /// In words: which persons, which windows, which false match rate.
    pub threshold_source: String,
    /// What scores are worth by the number of heartbeats since contact; the same persons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<CalibrationRow>,
    /// Numbers of heartbeats without a row, and why; not in the file.
    #[serde(skip)]
    pub left_out: Vec<String>,
}

/// Scores that rest on one number of heartbeats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CalibrationRow {
    /// Heartbeats since contact.
    pub beats: usize,
    /// Log likelihood ratio (natural logarithm) per unit of score.
    pub slope: f64,
    /// Log likelihood ratio at score 0.
    pub intercept: f64,
    /// False match rate, and the score that strangers exceed at that rate.
    pub thresholds: Vec<(f64, f64)>,
}

/// One protocol's figures, as fractions; `_95` are the ends of 95 % intervals by bootstrap over persons.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// What was enrolled, what was compared with it.
    pub protocol: String,
    /// Whose records.
    pub collection: String,
    /// In which relation the persons stand to the network.
    pub persons: String,
    /// Persons with mated comparisons.
    pub n_subjects: usize,
    n_references: usize,
    /// Mated comparisons.
    pub n_genuine: usize,
    /// Non-mated comparisons.
    pub n_impostor: usize,
    n_refused: usize,
    /// Persons with probes of whom no record to enrol gave an embedding: no figure here counts them.
    pub n_not_enrolled: usize,
    /// Equal error rate.
    pub eer: f64,
    /// Its interval.
    pub eer_95: [f64; 2],
    /// False non-match rate at a false match rate of 1 %.
    pub fnmr_at_fmr_1pct: f64,
    /// Its interval.
    pub fnmr_at_fmr_1pct_95: [f64; 2],
    /// The same at 0.1 %.
    pub fnmr_at_fmr_01pct: f64,
    /// Its interval.
    pub fnmr_at_fmr_01pct_95: [f64; 2],
    /// Share of probes whose own reference scores highest.
    pub rank1: f64,
}

impl Measured {
    /// Figures with what they are figures of, and how many persons they leave out.
    pub fn new(protocol: &str, collection: &str, persons: &str, rates: &ErrorRates, not_enrolled: usize) -> Self {
        Self {
            protocol: protocol.to_owned(),
            collection: collection.to_owned(),
            persons: persons.to_owned(),
            n_subjects: rates.counts.subjects,
            n_references: rates.counts.references,
            n_genuine: rates.counts.genuine,
            n_impostor: rates.counts.impostor,
            n_refused: rates.counts.refused_probes,
            n_not_enrolled: not_enrolled,
            eer: rounded(rates.eer.value),
            eer_95: ends(&rates.eer),
            fnmr_at_fmr_1pct: rounded(rates.fnmr_at_fmr_1pct.value),
            fnmr_at_fmr_1pct_95: ends(&rates.fnmr_at_fmr_1pct),
            fnmr_at_fmr_01pct: rounded(rates.fnmr_at_fmr_01pct.value),
            fnmr_at_fmr_01pct_95: ends(&rates.fnmr_at_fmr_01pct),
            rank1: rounded(rates.rank1.value),
        }
    }
}

#[derive(Clone, Debug, Serialize)]
struct Training {
    epoch_kept: usize,
    front_end_variants: usize,
    virtual_persons: usize,
    #[serde(flatten)]
    settings: training::Settings,
    collections: Vec<CollectionPart>,
}

#[derive(Clone, Debug, Serialize)]
struct CollectionPart {
    name: String,
    signal: usize,
    mains: String,
    licence: &'static str,
    citation: &'static str,
    persons_seen: Vec<String>,
    persons_validation: Vec<String>,
    persons_held_out: Vec<String>,
}

/// What a card says besides what the network itself tells.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Name of the model.
    pub name: String,
    /// Names of the classes, in order, for a classifier.
    pub classes: &'a [Person],
    /// How beats were prepared.
    pub preparation: Preparation,
    /// The size of the beat beside the network.
    pub amplitude: Option<Amplitude>,
    /// The strangers that scores are normalised by.
    pub cohort: Option<&'a Cohort>,
    /// Imitated front ends a record.
    pub front_end_variants: usize,
    /// Virtual persons made of each person.
    pub virtual_persons: usize,
    /// Which signal of each record.
    pub signal: usize,
    /// Mains that was notched out, as on the command line.
    pub mains: &'a str,
    /// Epoch that the network is of, from 1.
    pub epoch_kept: usize,
    /// How it was trained.
    pub settings: &'a training::Settings,
    /// On whom.
    pub split: &'a Split,
    /// Where the threshold lies.
    pub decision: DecisionPart,
    /// What was measured.
    pub measured: Vec<Measured>,
    /// What a threshold did to other persons, boards and collections.
    pub travelled: Vec<Travelled>,
}

impl Card {
    /// The card of `network`.
    pub fn new(network: &Network, facts: Facts<'_>) -> Self {
        let kind = network.kind();
        let classifies = facts.settings.loss == crate::loss::LossKind::Softmax;
        let classes: Vec<String> =
            if classifies { facts.classes.iter().map(Person::to_string).collect() } else { Vec::new() };
        let mut plans = vec![kind.plan()];
        plans.extend(network.has_branch().then(NetworkKind::branch_plan));
        plans.extend(classifies.then(|| NetworkKind::classifier_plan(classes.len())));
        Self {
            schema: SCHEMA,
            name: facts.name,
            input: Input {
                name: onnx::INPUT,
                samples: SEGMENT_SAMPLES,
                r_index: SEGMENT_R_INDEX,
                aligned_by: match facts.preparation.alignment {
                    Alignment::R => "r",
                    Alignment::QrsMiddle => "qrs-middle",
                },
                fs_hz: FS.0,
                chain: CHAIN,
                beats_averaged: facts.preparation.beats,
                qt_exponent: facts.preparation.qt_exponent,
                qt_reference_rr_s: facts.preparation.qt_reference_rr_s,
                normalisation: "zscore",
            },
            output: Output {
                embedding: onnx::EMBEDDING_OUTPUT,
                dimensions: network.dimensions(),
                logits: classifies.then_some(onnx::LOGITS_OUTPUT),
                classes,
            },
            amplitude: facts.amplitude.map(|Amplitude { share, radians_per_e_fold, reference_mv }| AmplitudePart {
                share,
                radians_per_e_fold,
                reference_mv,
            }),
            cohort: facts.cohort.map(CohortPart::new),
            network: NetworkPart {
                kind: kind.name(),
                parameters: plans.iter().map(|plan| plan.parameters()).sum(),
                multiply_accumulates: plans.iter().map(|plan| plan.multiply_accumulates()).sum(),
                sha256: onnx::sha256(&onnx::encode(network)),
            },
            decision: facts.decision,
            measured: facts.measured,
            travelled: facts.travelled,
            training: Training {
                epoch_kept: facts.epoch_kept,
                front_end_variants: facts.front_end_variants,
                virtual_persons: facts.virtual_persons,
                settings: facts.settings.clone(),
                collections: collections(facts.split, facts.signal, facts.mains),
            },
        }
    }

    /// The file's text.
    ///
    /// # Errors
    /// Never for the values that training makes; the serialiser's own error otherwise.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        let body = toml::to_string(self)?;
        Ok(format!("# Written by ecg-train. Fractions, not per cent; see models/README.md.\n{body}"))
    }
}

/// A card's text for the same network in another file.
///
/// # Errors
/// Not TOML.
pub fn of_file(card: &str, onnx: &[u8]) -> Result<String, toml::de::Error> {
    let table: toml::Table = card.parse()?;
    let written = table.get("network").and_then(|network| network.get("sha256")).and_then(toml::Value::as_str);
    // Comments and the order of lines stay, which writing the table would not keep. A card of before has no such line.
    Ok(written.map_or_else(|| card.to_owned(), |old| card.replace(old, &onnx::sha256(onnx))))
}

fn collections(split: &Split, signal: usize, mains: &str) -> Vec<CollectionPart> {
    let groups = [&split.trained, &split.validation, &split.held_out];
    let names: BTreeSet<&str> =
        groups.iter().flat_map(|group| group.iter().map(|person| person.collection.as_str())).collect();
    names
        .into_iter()
        .map(|name| {
            let of = |group: &BTreeSet<Person>| {
                group.iter().filter(|person| person.collection == name).map(|person| person.subject.clone()).collect()
            };
            let (licence, citation) = source(name);
            CollectionPart {
                name: name.to_owned(),
                signal,
                mains: mains.to_owned(),
                licence,
                citation,
                persons_seen: of(&split.trained),
                persons_validation: of(&split.validation),
                persons_held_out: of(&split.held_out),
            }
        })
        .collect()
}

/// Licence and citation of the public collections; anything else is the user's own.
fn source(collection: &str) -> (&'static str, &'static str) {
    match collection {
        "ecg-id" => {
            ("ODC-By 1.0", "Lugovaya 2005, ECG-ID Database 1.0.0; Goldberger et al., Circulation 101(23):e215, 2000")
        }
        "heartprint" => (
            "doi:10.6084/m9.figshare.20105354, believed CC BY 4.0, not confirmed; recordings are not redistributed",
            "Islam et al., Heartprint, Data 7(10):141, 2022",
        ),
        _ => ("not stated", "not stated"),
    }
}

/// Four digits are more than any of these figures can bear. NaN (no replicates) stays NaN, which TOML can say.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Both ends of an interval.
pub(crate) fn ends(interval: &Interval) -> [f64; 2] {
    [rounded(interval.low), rounded(interval.high)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_goes_along_with_a_rewritten_file_and_keeps_every_other_line() {
        let card = |sha256: &str| format!("# A card\nname = \"m\"\n[network]\nsha256 = \"{sha256}\"\nkind = \"k\"\n");
        assert_eq!(of_file(&card("00ff"), b"other").unwrap(), card(&onnx::sha256(b"other")));
        let before = "name = \"m\"\n[network]\nkind = \"k\"\n";
        assert_eq!(of_file(before, b"other").unwrap(), before);
        assert!(of_file("name = ", b"other").is_err());
    }
}
