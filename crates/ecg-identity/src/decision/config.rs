//! The settings of a decision, and what they ask of a score.

use std::collections::BTreeMap;

use crate::calibration::{Calibration, per_comparison};
use crate::compare::Reference;

/// Share of other persons' single heartbeats that may pass for those of the person before: what goes unseen of changes
/// of the wearer. A stricter one takes more extrasystoles and movements for a change.
const CHANGE_UNSEEN: f64 = 0.035;
/// Hysteresis of the calibrated decision: a match is lost, and a stranger is a stranger, where so many times as many
/// strangers would still match.
const LOST_AT: f64 = 10.0;
/// A stranger who stays is compared again with every heartbeat. Those comparisons are far from independent, but they are
/// more than one: this many, so that the share of strangers accepted at any time within five minutes stays within the
/// rate that was asked for (measured in ADR 15).
const LOOKS: f64 = 2.5;
/// After the first window the same person is only looked at again and again: a match must then be so much rarer among
/// strangers. Who is verified at all is verified early, and a stranger must not be by patience.
const LATE: f64 = 0.1;

/// Thresholds that follow the number of heartbeats and of persons enrolled.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// What a score is worth; from the model card.
    pub calibration: Calibration,
    /// Share of strangers who may be accepted as anybody at any time within five minutes, 0…1.
    pub false_positive_rate: f64,
    /// Heartbeats in a full average; what is averaged over fewer is superseded by the next one.
    pub beats_averaged: usize,
}

impl Calibrated {
    fn threshold(&self, times: f64, beats: usize, enrolled: usize) -> f64 {
        self.calibration.threshold(self.rate(times, enrolled), beats)
    }

    /// The false match rate at which one comparison is made.
    fn rate(&self, times: f64, enrolled: usize) -> f64 {
        times * per_comparison(self.false_positive_rate / LOOKS, enrolled)
    }
}

/// What a decision asks of evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asked {
    /// False match rate at which one comparison is made (fraction); `None` without calibration.
    pub false_match_rate: Option<f64>,
    /// The score that the evidence has to reach.
    pub threshold: f64,
}

/// Comparisons that a look at the gallery is worth. Strangers reach the best of several templates of a person more often
/// than a single one, but the templates are alike: a person counts once more for every threefold number of them, so that
/// one with three counts twice, with nine three times (ADR 15 has what was measured).
#[must_use]
pub fn comparisons(references: &[Reference]) -> usize {
    let mut templates: BTreeMap<&str, usize> = BTreeMap::new();
    for reference in references {
        *templates.entry(&reference.subject).or_default() += 1;
    }
    let worth = |count: &usize| 1.0 + (*count as f64).ln() / 3.0_f64.ln();
    templates.values().map(worth).sum::<f64>().round() as usize
}

/// How a decision is made. Times in seconds of the stream, scores on the cosine scale.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionConfig {
    /// Score from which a comparison counts as a match, where there is no calibration.
    pub threshold: f64,
    /// Hysteresis: below `threshold − margin` a match is lost, and a stranger is a stranger. Without calibration only.
    pub margin: f64,
    /// Thresholds by heartbeats and persons enrolled; `None`: `threshold` and `margin` hold, whatever there is.
    pub calibrated: Option<Calibrated>,
    /// How far ahead of the second subject the first must be to be verified.
    pub lead: f64,
    /// Length of the evidence, seconds.
    pub window_s: f64,
    /// The part of it that must speak for the same person by itself, seconds; bounds how long a change goes unseen.
    pub recent_s: f64,
    /// A pause without embeddings that ends all evidence, seconds from the R of the newest one. 3 s: whoever has taken the
    /// electrodes must not stay the one before for longer. An embedding comes about 0.8 s behind its R, so that a heart
    /// of 55 a minute or more may have one beat refused.
    pub max_pause_s: f64,
    /// Nobody is verified before two intervals between heartbeats have differed by so much, seconds; 0: also who beats like
    /// a metronome. A rhythm is known to be too regular after seven intervals, which is later than two matches.
    pub varied_s: f64,
    /// Embeddings below which nothing is decided. Each may already be an average of several beats.
    pub min_embeddings: usize,
    /// Updates in a row that make a state.
    pub enter_updates: usize,
    /// Updates in a row that end `Verified` or `Unknown`.
    pub exit_updates: usize,
}

impl Default for DecisionConfig {
    /// Twelve seconds of evidence, verified from the fourth embedding on at the earliest, lost within two bad ones.
    fn default() -> Self {
        Self {
            threshold: 0.6,
            margin: 0.08,
            calibrated: None,
            lead: 0.02,
            window_s: 12.0,
            recent_s: 3.0,
            max_pause_s: 3.0,
            varied_s: 0.0,
            min_embeddings: 3,
            enter_updates: 2,
            exit_updates: 2,
        }
    }
}

impl DecisionConfig {
    /// The score from which evidence of so many heartbeats matches one of a gallery that is worth so many [`comparisons`].
    #[must_use]
    pub fn threshold(&self, beats: usize, enrolled: usize) -> f64 {
        self.calibrated.as_ref().map_or(self.threshold, |c| c.threshold(1.0, beats, enrolled))
    }

    /// The score from which evidence matches that has been looked at for longer than the window is.
    #[must_use]
    pub fn late_threshold(&self, beats: usize, enrolled: usize) -> f64 {
        self.calibrated.as_ref().map_or(self.threshold, |c| c.threshold(LATE, beats, enrolled))
    }

    /// What evidence of so many heartbeats is asked for by this gallery: in the first window of a contact, and after it.
    #[must_use]
    pub fn asked(&self, beats: usize, references: &[Reference]) -> [Asked; 2] {
        let enrolled = comparisons(references);
        let rate = |times: f64| self.calibrated.as_ref().map(|c| c.rate(times, enrolled));
        [
            Asked { false_match_rate: rate(1.0), threshold: self.threshold(beats, enrolled) },
            Asked { false_match_rate: rate(LATE), threshold: self.late_threshold(beats, enrolled) },
        ]
    }

    /// The score below which a match is lost, and a stranger is a stranger.
    #[must_use]
    pub fn floor(&self, beats: usize, enrolled: usize) -> f64 {
        self.calibrated.as_ref().map_or(self.threshold - self.margin, |c| c.threshold(LOST_AT, beats, enrolled))
    }

    /// The score below which a single heartbeat is not of the person of those before; `None`: nothing is known of
    /// single heartbeats, and only full averages are evidence.
    #[must_use]
    pub fn change_floor(&self) -> Option<f64> {
        self.calibrated.as_ref().map(|c| c.calibration.threshold(CHANGE_UNSEEN, 1))
    }

    /// Heartbeats in a full average.
    #[must_use]
    pub fn beats_averaged(&self) -> usize {
        self.calibrated.as_ref().map_or(1, |c| c.beats_averaged.max(1))
    }
}
