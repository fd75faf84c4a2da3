//! Beats to embeddings: one model with its card, run by tract on the thread that owns it.
//!
//! A model is two files side by side, `NAME.onnx` and `NAME.toml`. The card says what the network expects and what was
//! measured; whatever contradicts this program's signal path is refused here, before the first beat (exit code 78).
//! `NAME.cohort`, where the card names one, holds the strangers that scores are normalised by. A closed-set model (with class
//! scores) has `NAME.references.toml`: the mean embedding of each class.
//! It must not know identities, thresholds over time or sources.

mod card;
mod classes;
mod error;
mod network;
mod strangers;

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use ecg_identity::{Amplitude, Calibrated, Cohort};
use ecg_signal::{Beat, BeatAverager, ModelInput, Preparation, PreparedBeat, SEGMENT_SAMPLES};

pub use card::{
    AmplitudeCard, CalibrationCard, Card, CohortCard, Collection, DecisionCard, InputCard, NetworkCard, OutputCard,
    Training,
};
pub use error::{EmbedError, ModelError};
use network::Network;

use crate::pipeline::classes::ClassReference;

/// The model that is shipped, as configuration files name it by default.
pub const SHIPPED: &str = "models/ecgid-1.onnx";
/// It is carried in the executable, so that this works without any file beside it.
const SHIPPED_ONNX: &[u8] = include_bytes!("../models/ecgid-1.onnx");
const SHIPPED_CARD: &str = include_str!("../models/ecgid-1.toml");
const SHIPPED_COHORT: &[u8] = include_bytes!("../models/ecgid-1.cohort");

/// A point on the unit sphere: what the model makes of a beat.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Unit length; [`Card::embedding_length`] numbers.
    pub values: Vec<f32>,
    /// Scores of the card's classes, where the model has such an output.
    pub logits: Option<Vec<f32>>,
}

/// A loaded model. A clone shares the weights and can go to another thread.
#[derive(Debug, Clone)]
pub struct Model {
    card: Card,
    id: String,
    network: Network,
    /// The size of the beat beside what the network makes of its shape, where the card has it.
    amplitude: Option<Amplitude>,
    /// The strangers that scores are normalised by, where the card has them.
    cohort: Option<Arc<Cohort>>,
    /// One for each class, in the card's order; none where the model has no classes or came without references.
    references: Vec<ClassReference>,
    /// Class of the newest answer.
    class: Option<usize>,
}

impl Model {
    /// Loads `path` (`….onnx`) and the card beside it (`….toml`). Where there is no file [`SHIPPED`], asking for it
    /// gives the model in the executable.
    ///
    /// # Errors
    /// [`ModelError`]: what is wrong with which file and what to do.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        if path == Path::new(SHIPPED) && !path.exists() {
            return Self::shipped();
        }
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| ModelError::Unreadable { path: path.to_owned(), source })
        };
        let onnx = read(path)?;
        let card_path = path.with_extension("toml");
        let card = String::from_utf8(read(&card_path)?)
            .map_err(|e| ModelError::Card { file: card_path.display().to_string(), problem: e.to_string() })?;
        let file = path.display().to_string();
        let cohort = if Card::parse(&card, &file)?.cohort.is_some() {
            read(&path.with_extension("cohort"))?
        } else {
            Vec::new()
        };
        let mut model = Self::from_parts(&onnx, &card, cohort, &file)?;
        if model.card.output.logits.is_some() {
            let problem = |problem: String| ModelError::References { file: file.clone(), problem };
            let text = std::fs::read_to_string(path.with_extension("references.toml"))
                .map_err(|e| problem(format!("they cannot be read: {e}")))?;
            model.references = classes::parse(&text, &model.card, &file)?;
        }
        Ok(model)
    }

    /// The model in the executable.
    ///
    /// # Errors
    /// [`ModelError`], which only a broken build can cause.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::from_parts(SHIPPED_ONNX, SHIPPED_CARD, SHIPPED_COHORT, &format!("{SHIPPED} (in the executable)"))
    }

    /// Loads a model from the content of its files; `cohort` is empty where the card names none, `file` is only named in errors.
    ///
    /// # Errors
    /// [`ModelError`]: what is wrong and what to do.
    pub fn from_parts(
        onnx: &[u8],
        card: &str,
        cohort: impl Into<Cow<'static, [u8]>>,
        file: &str,
    ) -> Result<Self, ModelError> {
        let card = Card::parse(card, file)?;
        card.check_network(onnx, file)?;
        let network = Network::load(onnx, &card, file)?;
        let amplitude = card.amplitude();
        let cohort = strangers::read(&card, cohort.into(), file)?.map(Arc::new);
        let id = format!("{}-{:08x}", card.name, fnv1a(onnx.iter().copied().chain(written(amplitude))) >> 32);
        let mut model = Self { card, id, network, amplitude, cohort, references: Vec::new(), class: None };
        // One beat through it: an operator that fails, or an output that is no embedding, shows now and not at the door.
        model
            .embed_beat(&PreparedBeat { values: trial_beat(), amplitude_mv: 0.2 })
            .map_err(|e| ModelError::Trial { file: file.into(), problem: e.to_string() })?;
        Ok(model)
    }

    /// The card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Name and a checksum of the weights and of the part that the size of the beat has: two trainings under one name are
    /// two models, and templates of one are never compared with embeddings of the other.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The strangers that scores are normalised by; `None` where scores are plain cosines.
    #[must_use]
    pub fn cohort(&self) -> Option<&Arc<Cohort>> {
        self.cohort.as_ref()
    }

    /// How beats are prepared for this model.
    #[must_use]
    pub fn preparation(&self) -> Preparation {
        let input = &self.card.input;
        Preparation {
            beats: input.beats_averaged,
            alignment: input.aligned_by.into(),
            qt_exponent: input.qt_exponent,
            qt_reference_rr_s: input.qt_reference_rr_s,
        }
    }

    /// Thresholds by heartbeats and persons enrolled, for strangers accepted at `false_positive_rate`; `None` where the
    /// card has no calibration.
    #[must_use]
    pub fn calibrated(&self, false_positive_rate: f64) -> Option<Calibrated> {
        let calibration = self.card.decision.calibration().ok().flatten()?;
        Some(Calibrated { calibration, false_positive_rate, beats_averaged: self.card.input.beats_averaged })
    }

    /// Takes the word of somebody who knows that these front ends, named as in [`ClassReference`], are of the kind that the
    /// classes were recorded on.
    #[must_use]
    pub fn with_class_front_ends(mut self, front_ends: &[String]) -> Self {
        self.references.iter_mut().for_each(|class| class.front_ends.extend_from_slice(front_ends));
        self
    }

    /// The embedding of one prepared input.
    ///
    /// # Errors
    /// [`EmbedError`] where the network's answer is not finite or not of unit length: such an answer is no evidence.
    pub fn embed(&mut self, input: &ModelInput) -> Result<Embedding, EmbedError> {
        self.embed_beat(&input.beat)
    }

    /// The embeddings of consecutive beats, averaged as in the daemon: one for each accepted beat once enough came
    /// before it, none across a break. With each the position of its newest R peak, source samples.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn embed_beats(&mut self, beats: &[Beat]) -> Result<Vec<(f64, Vec<f32>)>, EmbedError> {
        let mut averager = BeatAverager::new(&self.preparation());
        let inputs = beats.iter().filter_map(|beat| averager.push(beat));
        inputs.map(|input| Ok((input.r_peak, self.embed(&input)?.values))).collect()
    }

    /// The embedding of one prepared beat.
    ///
    /// # Errors
    /// As [`Self::embed`].
    pub fn embed_beat(&mut self, beat: &PreparedBeat) -> Result<Embedding, EmbedError> {
        let (embedding, logits) = self.network.run(&beat.values)?;
        let norm = embedding.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Err(EmbedError::NotFinite);
        }
        if (norm - 1.0).abs() > 1e-3 {
            return Err(EmbedError::NotUnit { norm });
        }
        let values = match &self.amplitude {
            Some(amplitude) => amplitude.beside(&embedding, beat.amplitude_mv),
            None => embedding,
        };
        Ok(Embedding { values, logits })
    }
}

impl crate::pipeline::infer::Embedder for Model {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn preparation(&self) -> Preparation {
        Self::preparation(self)
    }

    fn embed(&mut self, input: &ModelInput) -> Result<Vec<f32>, String> {
        let embedding = Self::embed(self, input).map_err(|e| e.to_string())?;
        self.class = embedding.logits.as_deref().and_then(highest);
        Ok(embedding.values)
    }

    fn class_references(&self) -> Vec<ClassReference> {
        self.references.clone()
    }

    fn class(&self) -> Option<String> {
        self.references.get(self.class?).map(|class| class.reference.subject.clone())
    }
}

/// Index of the highest score; `None` where none is a number.
fn highest(scores: &[f32]) -> Option<usize> {
    let numbers = scores.iter().enumerate().filter(|(_, score)| !score.is_nan());
    numbers.max_by(|a, b| a.1.total_cmp(b.1)).map(|(index, _)| index)
}

/// FNV-1a, 64 bit: tells two trainings apart; it is no protection against a forger, who could write the card as well.
fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01B3))
}

/// What of the card shapes an embedding, as bytes.
fn written(amplitude: Option<Amplitude>) -> impl Iterator<Item = u8> {
    let numbers = amplitude.map(|a| [a.share, a.radians_per_e_fold, a.reference_mv]);
    numbers.into_iter().flatten().flat_map(f64::to_le_bytes)
}

/// Something like a beat: a narrow peak at R and a broad one after it, z-scored closely enough.
fn trial_beat() -> [f32; SEGMENT_SAMPLES] {
    std::array::from_fn(|i| {
        let bump = |at: f32, width: f32| (-((i as f32 - at) / width).powi(2)).exp();
        5.0 * bump(62.0, 4.0) + 1.2 * bump(125.0, 14.0) - 0.5
    })
}
