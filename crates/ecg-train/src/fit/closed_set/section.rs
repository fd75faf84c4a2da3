//! What a closed-set model says of itself: the `[closed_set]` part of its card.

use ecg_identity::rates::{ClosedSetFigures, MeanFigures};
use serde::Serialize;

use super::measure::Rejection;
use super::{LEAKY, Parts};
use crate::card::{ends, rounded};

/// `[closed_set]`, appended to the card. Fractions; `_95` are the ends of 95 % intervals by bootstrap over persons; `None`
/// is left out.
#[derive(Debug, Serialize)]
struct Section {
    closed_set: ClosedSet,
}

#[derive(Debug, Serialize)]
struct ClosedSet {
    split: &'static str,
    leaky: bool,
    note: &'static str,
    beats_trained: usize,
    beats_validation: usize,
    beats_test: u64,
    right: u64,
    accuracy: f64,
    accuracy_95: [f64; 2],
    validation_accuracy: f64,
    own_windows: usize,
    own_windows_refused: f64,
    own_windows_refused_95: [f64; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    strangers: Option<StrangersPart>,
    macro_mean: Means,
    weighted_mean: Means,
    classes: Vec<ClassPart>,
}

#[derive(Debug, Serialize)]
struct StrangersPart {
    persons: usize,
    windows: usize,
    accepted: f64,
    accepted_95: [f64; 2],
    accepted_where_class_and_reference_agree: f64,
    accepted_where_class_and_reference_agree_95: [f64; 2],
    softmax_above_one_half: f64,
    softmax_above_one_half_95: [f64; 2],
}

#[derive(Debug, Serialize)]
struct Means {
    precision: f64,
    recall: f64,
    f1: f64,
    specificity: f64,
}

impl From<MeanFigures> for Means {
    fn from(mean: MeanFigures) -> Self {
        let [precision, recall, f1, specificity] =
            [mean.precision, mean.recall, mean.f1, mean.specificity].map(rounded);
        Self { precision, recall, f1, specificity }
    }
}

#[derive(Debug, Serialize)]
struct ClassPart {
    name: String,
    beats: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recall: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    f1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    specificity: Option<f64>,
}

/// The section's text.
///
/// # Errors
/// Never for the values that training makes; the serialiser's own error otherwise.
pub(super) fn toml(
    parts: Parts,
    figures: &ClosedSetFigures,
    validation_accuracy: f64,
    rejection: &Rejection,
    names: &[String],
) -> Result<String, toml::ser::Error> {
    let class = |(name, class): (&String, &ecg_identity::rates::ClassFigures)| ClassPart {
        name: name.clone(),
        beats: class.support,
        precision: class.precision.map(rounded),
        recall: class.recall.map(rounded),
        f1: class.f1.map(rounded),
        specificity: class.specificity.map(rounded),
    };
    let strangers = rejection.strangers.map(|strangers| StrangersPart {
        persons: strangers.persons,
        windows: strangers.windows,
        accepted: rounded(strangers.accepted.value),
        accepted_95: ends(&strangers.accepted),
        accepted_where_class_and_reference_agree: rounded(strangers.accepted_agreeing.value),
        accepted_where_class_and_reference_agree_95: ends(&strangers.accepted_agreeing),
        softmax_above_one_half: rounded(strangers.confident.value),
        softmax_above_one_half_95: ends(&strangers.confident),
    });
    let section = Section {
        closed_set: ClosedSet {
            split: "random beats 70/10/20, by person",
            leaky: true,
            note: LEAKY,
            beats_trained: parts.train,
            beats_validation: parts.validation,
            beats_test: figures.beats,
            right: figures.right,
            accuracy: rounded(figures.accuracy.value),
            accuracy_95: ends(&figures.accuracy),
            validation_accuracy: rounded(validation_accuracy),
            own_windows: rejection.own.0,
            own_windows_refused: rounded(rejection.own.1.value),
            own_windows_refused_95: ends(&rejection.own.1),
            strangers,
            macro_mean: figures.macro_mean.into(),
            weighted_mean: figures.weighted_mean.into(),
            classes: names.iter().zip(&figures.classes).map(class).collect(),
        },
    };
    toml::to_string(&section)
}
