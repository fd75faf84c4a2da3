//! From beats to a template: what is collected, what is refused, how consistent it is.
//!
//! It knows neither files nor sources; a *take* is a run of beats that certainly belong to one placement of electrodes.

use std::collections::BTreeMap;

use ecg_identity::{cosine, mean_unit};
use ecg_signal::{Beat, BeatAverager, Verdict};

use crate::inference::{EmbedError, Model};

/// Good beats that a template needs: fewer are no more than one average of five and its neighbours.
pub(super) const MIN_BEATS: usize = 12;
/// Embeddings that a take needs to count as one; beats of a shorter one are left out.
const MIN_EMBEDDINGS: usize = 3;

/// Why there is no template.
#[derive(Debug, thiserror::Error)]
pub(super) enum EnrolError {
    /// The quality gate let too little through.
    #[error(
        "only {good} good heartbeats, {MIN_BEATS} are needed ({refused}): check that both electrodes touch well, sit \
         still, and record longer"
    )]
    TooFewBeats {
        /// Accepted beats in takes that count.
        good: usize,
        /// Refused beats in words.
        refused: String,
    },
    /// Parts of the enrolment do not match each other.
    #[error(
        "the parts of this enrolment resemble each other by {consistency:.2} only, {needed:.2} are needed: one person \
         only, electrodes in one way, sit still; then enrol again"
    )]
    Inconsistent {
        /// Cosine of the least alike part.
        consistency: f64,
        /// What is needed: the model's threshold.
        needed: f64,
    },
    /// The network failed.
    #[error(transparent)]
    Embed(#[from] EmbedError),
}

/// A template that can be stored.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Unit length: mean of the takes' means.
    pub(super) embedding: Vec<f32>,
    /// Good beats in it.
    pub(super) beats: usize,
    /// Beats that were refused.
    pub(super) refused_beats: usize,
    /// Takes in it.
    pub(super) takes: usize,
    /// Cosine of the least alike parts: halves of takes with each other, takes with the template.
    pub(super) consistency: f64,
}

/// Beats of one placement.
#[derive(Debug, Default)]
struct Take {
    beats: usize,
    seconds: f64,
    embeddings: Vec<Vec<f32>>,
}

/// Collects beats until they make a template.
#[derive(Debug)]
pub(super) struct Collector<'m> {
    model: &'m mut Model,
    averager: BeatAverager,
    takes: Vec<Take>,
    refused: BTreeMap<&'static str, usize>,
}

impl<'m> Collector<'m> {
    pub(super) fn new(model: &'m mut Model) -> Self {
        let averager = BeatAverager::new(&model.preparation());
        Self { model, averager, takes: Vec::new(), refused: BTreeMap::new() }
    }

    /// What follows may be another placement: another recording, or contact was lost.
    pub(super) fn next_take(&mut self) {
        self.averager.reset();
        if self.takes.last().is_none_or(|t| t.beats > 0) {
            self.takes.push(Take::default());
        }
    }

    /// Takes the next beat. One without an interval before it begins a take of its own.
    pub(super) fn push(&mut self, beat: &Beat) -> Result<(), EnrolError> {
        if beat.rr_ms.is_none() || self.takes.is_empty() {
            self.next_take();
        }
        if let Verdict::Refused(why) = beat.quality.verdict {
            *self.refused.entry(why.name()).or_insert(0) += 1;
        }
        let input = self.averager.push(beat);
        let Some(take) = self.takes.last_mut() else { return Ok(()) };
        if beat.quality.verdict.is_accepted() {
            take.beats += 1;
            take.seconds += beat.rr_ms.unwrap_or(0.0) / 1000.0;
        }
        if let Some(input) = input {
            take.embeddings.push(self.model.embed(&input)?.values);
        }
        Ok(())
    }

    /// Good beats so far, in takes that are long enough to count.
    pub(super) fn beats(&self) -> usize {
        self.counted().map(|t| t.beats).sum()
    }

    /// Seconds of good beats so far, in takes that are long enough to count.
    pub(super) fn seconds(&self) -> f64 {
        self.counted().fold(0.0, |sum, t| sum + t.seconds)
    }

    /// The template.
    pub(super) fn finish(self) -> Result<Template, EnrolError> {
        let needed = self.model.card().decision.threshold;
        let refused_beats = self.refused.values().sum();
        let takes: Vec<&Take> = self.counted().collect();
        let beats = takes.iter().map(|t| t.beats).sum();
        if beats < MIN_BEATS {
            let refused: Vec<String> = self.refused.iter().map(|(why, n)| format!("{n} {why}")).collect();
            let refused =
                if refused.is_empty() { "none refused".into() } else { format!("refused: {}", refused.join(", ")) };
            return Err(EnrolError::TooFewBeats { good: beats, refused });
        }
        let means: Vec<Vec<f32>> = takes.iter().map(|t| mean(&t.embeddings)).collect();
        let embedding = mean(&means);
        let halves = takes.iter().map(|t| {
            let (older, newer) = t.embeddings.split_at(t.embeddings.len() / 2);
            cosine(&mean(older), &mean(newer))
        });
        let consistency = halves.chain(means.iter().map(|m| cosine(m, &embedding))).fold(1.0, f64::min);
        if consistency < needed {
            return Err(EnrolError::Inconsistent { consistency, needed });
        }
        Ok(Template { embedding, beats, refused_beats, takes: takes.len(), consistency })
    }

    fn counted(&self) -> impl Iterator<Item = &Take> {
        self.takes.iter().filter(|t| t.embeddings.len() >= MIN_EMBEDDINGS)
    }
}

fn mean(embeddings: &[Vec<f32>]) -> Vec<f32> {
    mean_unit(embeddings.iter().map(Vec::as_slice))
}
