//! The model card as a program reads it.
//!
//! What decides how the model is run is strict: an unknown key there is an error, since it may be a setting that this
//! program would ignore. What documents the training is lenient: only the persons that the network has seen matter
//! here, because figures on them are worth nothing.

use ecg_identity::Amplitude;
use ecg_identity::calibration::{Calibration, CalibrationError, Row};
use ecg_signal::{Alignment, FS, SEGMENT_R_INDEX, SEGMENT_SAMPLES};
use ring::digest::{SHA256, digest};
use serde::Deserialize;

use super::ModelError;

/// Version of the card's layout that this program reads.
const SCHEMA: u32 = 1;

/// A model card.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Card {
    /// Version of the layout.
    pub schema: u32,
    /// Name of the model.
    pub name: String,
    /// What goes in.
    pub input: InputCard,
    /// What comes out.
    pub output: OutputCard,
    /// What the size of the beat adds to the embedding; nothing without.
    #[serde(default)]
    pub amplitude: Option<AmplitudeCard>,
    /// The strangers beside the model, by whom scores are normalised; none without.
    #[serde(default)]
    pub cohort: Option<CohortCard>,
    /// The network.
    #[serde(default)]
    pub network: NetworkCard,
    /// From which score on two beats are of one person.
    pub decision: DecisionCard,
    /// What it was trained with.
    #[serde(default)]
    pub training: Training,
}

/// `[input]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputCard {
    /// Name of the ONNX input.
    pub name: String,
    /// Samples of a segment.
    pub samples: usize,
    /// Index of R in it, or of what else it is aligned by.
    pub r_index: usize,
    /// What lies there; cards of before do not say it and mean R.
    #[serde(default)]
    pub aligned_by: AlignedBy,
    /// Sampling frequency, Hz.
    pub fs_hz: f64,
    /// Family of the filter chain, for example `ecgid-chain-2`.
    pub chain: String,
    /// Accepted beats that are averaged.
    pub beats_averaged: usize,
    /// Exponent of the heart-rate scaling of the part after R.
    pub qt_exponent: f64,
    /// RR interval to which it is scaled, seconds.
    pub qt_reference_rr_s: f64,
    /// How amplitudes are made comparable.
    pub normalisation: String,
}

/// `input.aligned_by`: [`Alignment`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlignedBy {
    /// The R peak.
    #[default]
    R,
    /// The middle of the QRS complex.
    QrsMiddle,
}

impl From<AlignedBy> for Alignment {
    fn from(aligned_by: AlignedBy) -> Self {
        match aligned_by {
            AlignedBy::R => Self::R,
            AlignedBy::QrsMiddle => Self::QrsMiddle,
        }
    }
}

/// `[output]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputCard {
    /// Name of the ONNX output with the embedding.
    pub embedding: String,
    /// The length of that output.
    pub dimensions: usize,
    /// Name of the ONNX output with class scores, where there is one.
    #[serde(default)]
    pub logits: Option<String>,
    /// Names of the classes.
    #[serde(default)]
    pub classes: Vec<String>,
}

/// `[amplitude]`: [`Amplitude`], number by number.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmplitudeCard {
    /// Share of the score.
    pub share: f64,
    /// Turn for a size e times as large, radians.
    pub radians_per_e_fold: f64,
    /// Size with turn 0: standard deviation of a segment, mV.
    pub reference_mv: f64,
}

/// `[cohort]`: what `NAME.cohort` holds, and [`ecg_identity::CohortRule`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortCard {
    /// Embeddings in the file.
    pub strangers: usize,
    /// How many of them count, the most alike ones.
    pub nearest: usize,
    /// Share of their mean likeness that is taken off a score.
    pub weight: f64,
    /// The most that is added for what a probe lacks of unit length; cards of before do not say it and mean nothing.
    #[serde(default)]
    pub scatter: f64,
    /// Mean likeness with which nothing is taken off, a cosine.
    pub usual: f64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// `[network]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NetworkCard {
    /// What it is.
    pub kind: String,
    /// Trained numbers.
    pub parameters: u64,
    /// Multiply-accumulates for one embedding.
    pub multiply_accumulates: u64,
    /// SHA-256 of the ONNX file that the card was written with, in hexadecimal; cards of before do not say it.
    pub sha256: Option<String>,
}

/// `[decision]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DecisionCard {
    /// Score from which a comparison counts as a match.
    pub threshold: f64,
    /// On what it was set.
    #[serde(default)]
    pub threshold_source: String,
    /// What scores are worth by the number of heartbeats; without rows the threshold holds, whatever there is.
    #[serde(default)]
    pub calibration: Vec<CalibrationCard>,
}

/// `[[decision.calibration]]`: one row of the table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CalibrationCard {
    /// Heartbeats in the evidence.
    pub beats: usize,
    /// Log likelihood ratio per unit of score.
    pub slope: f64,
    /// Log likelihood ratio at score 0.
    pub intercept: f64,
    /// False match rate and score, from the easiest to the strictest.
    pub thresholds: Vec<(f64, f64)>,
}

impl DecisionCard {
    /// The calibration as the decision takes it; `None` where the card has none.
    ///
    /// # Errors
    /// [`CalibrationError`]: the row that contradicts itself.
    pub fn calibration(&self) -> Result<Option<Calibration>, CalibrationError> {
        if self.calibration.is_empty() {
            return Ok(None);
        }
        let row = |card: &CalibrationCard| Row {
            beats: card.beats,
            slope: card.slope,
            intercept: card.intercept,
            thresholds: card.thresholds.clone(),
        };
        Calibration::new(self.calibration.iter().map(row).collect()).map(Some)
    }
}

/// `[training]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Training {
    /// The collections of recordings.
    pub collections: Vec<Collection>,
}

/// `[[training.collections]]`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Collection {
    /// Name: that of the collection's folder.
    pub name: String,
    /// Persons whose beats trained the network.
    pub persons_seen: Vec<String>,
    /// Persons that were left out, on whom it may be measured.
    pub persons_held_out: Vec<String>,
}

/// Whether a checksum in hexadecimal is that of `bytes`.
pub(super) fn is_sha256_of(expected: &str, bytes: &[u8]) -> bool {
    let found: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    found.eq_ignore_ascii_case(expected)
}

impl Card {
    /// Reads a card and holds it against this program's signal path.
    ///
    /// # Errors
    /// [`ModelError::Card`] where it cannot be read, [`ModelError::Mismatch`] where the network expects something else
    /// than this program delivers.
    pub fn parse(text: &str, file: &str) -> Result<Self, ModelError> {
        let wrong = |problem: String| ModelError::Card { file: file.into(), problem };
        let schema: Schema = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        if schema.schema != SCHEMA {
            return Err(wrong(format!("schema {} (this program reads {SCHEMA})", schema.schema)));
        }
        let card: Self = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        card.input.check(file)?;
        if !(-1.0..=1.0).contains(&card.decision.threshold) {
            return Err(wrong(format!("decision.threshold {} is no cosine", card.decision.threshold)));
        }
        let sane = |a: &AmplitudeCard| {
            (0.0..1.0).contains(&a.share)
                && (0.0..=10.0).contains(&a.radians_per_e_fold)
                && (1e-3..=10.0).contains(&a.reference_mv)
        };
        if !card.amplitude.as_ref().is_none_or(sane) {
            let ranges = "share 0 to below 1, radians_per_e_fold 0 to 10, reference_mv 0.001 to 10";
            return Err(wrong(format!("amplitude: {ranges}")));
        }
        let sane = |c: &CohortCard| {
            let shares = [c.weight, c.scatter].iter().all(|share| (0.0..=1.0).contains(share));
            c.nearest > 0 && shares && (-1.0..=1.0).contains(&c.usual)
        };
        if !card.cohort.as_ref().is_none_or(sane) {
            return Err(wrong("cohort: nearest above 0, weight 0 to 1, scatter 0 to 1, usual -1 to 1".into()));
        }
        card.decision.calibration().map_err(|e| wrong(format!("decision.calibration: {e}")))?;
        if card.output.dimensions == 0 || card.output.logits.is_some() == card.output.classes.is_empty() {
            return Err(wrong("output needs dimensions above zero, and classes exactly where it has logits".into()));
        }
        // Written last, by every ecg-train that writes the sum: without it thresholds may be missing as well.
        if card.network.sha256.is_some() && card.training.collections.is_empty() {
            return Err(wrong("it has no [[training.collections]], which end every card: the file is cut off".into()));
        }
        Ok(card)
    }

    /// What the size of the beat adds to the embedding.
    #[must_use]
    pub fn amplitude(&self) -> Option<Amplitude> {
        let AmplitudeCard { share, radians_per_e_fold, reference_mv } = self.amplitude?;
        Some(Amplitude { share, radians_per_e_fold, reference_mv })
    }

    /// Numbers of an embedding: the network's and those of the size of the beat.
    #[must_use]
    pub fn embedding_length(&self) -> usize {
        self.output.dimensions + if self.amplitude.is_some() { Amplitude::LENGTH } else { 0 }
    }

    /// Whether this is the ONNX file that the card was written with: thresholds of one network mean nothing for another.
    ///
    /// # Errors
    /// [`ModelError::Network`] where it is another one.
    pub fn check_network(&self, onnx: &[u8], file: &str) -> Result<(), ModelError> {
        let Some(expected) = &self.network.sha256 else { return Ok(()) };
        if is_sha256_of(expected, onnx) {
            return Ok(());
        }
        let problem = format!("its SHA-256 is not the one that its card was written with, {expected}");
        Err(ModelError::Network { file: file.into(), problem })
    }

    /// Persons of the named collection that the network has seen; `None` where the card does not know the collection.
    #[must_use]
    pub fn persons_seen(&self, collection: &str) -> Option<&[String]> {
        self.collection(collection).map(|c| c.persons_seen.as_slice())
    }

    /// Persons of the named collection that were held out; `None` where the card does not know the collection.
    #[must_use]
    pub fn persons_held_out(&self, collection: &str) -> Option<&[String]> {
        self.collection(collection).map(|c| c.persons_held_out.as_slice())
    }

    /// Names of the collections that the card knows.
    #[must_use]
    pub fn collection_names(&self) -> Vec<&str> {
        self.training.collections.iter().map(|c| c.name.as_str()).collect()
    }

    fn collection(&self, name: &str) -> Option<&Collection> {
        self.training.collections.iter().find(|c| c.name == name)
    }
}

/// Read first, so that a card of another layout is called that and not a card with unknown keys.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

impl InputCard {
    /// Everything in which training and this program must agree.
    fn check(&self, file: &str) -> Result<(), ModelError> {
        let expected = [
            ("input.samples", self.samples.to_string(), SEGMENT_SAMPLES.to_string()),
            ("input.r_index", self.r_index.to_string(), SEGMENT_R_INDEX.to_string()),
            ("input.fs_hz", self.fs_hz.to_string(), FS.0.to_string()),
            ("input.chain", self.chain.clone(), ecg_signal::CHAIN.to_owned()),
            ("input.normalisation", self.normalisation.clone(), "zscore".to_owned()),
        ];
        for (key, card, program) in expected {
            if card != program {
                return Err(ModelError::Mismatch { file: file.into(), key, card, program });
            }
        }
        let sane = (1..=32).contains(&self.beats_averaged)
            && (0.0..=1.0).contains(&self.qt_exponent)
            && (0.3..=2.0).contains(&self.qt_reference_rr_s);
        if sane {
            return Ok(());
        }
        let problem = format!(
            "input: beats_averaged {} (1 to 32), qt_exponent {} (0 to 1), qt_reference_rr_s {} (0.3 to 2)",
            self.beats_averaged, self.qt_exponent, self.qt_reference_rr_s
        );
        Err(ModelError::Card { file: file.into(), problem })
    }
}
