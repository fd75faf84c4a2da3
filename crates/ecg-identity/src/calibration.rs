//! What a comparison score is worth, by the number of heartbeats it rests on: log likelihood ratio and false match rate.
//!
//! It must not know signals, networks or states: scores in, rates out. Scores end at 1, as cosines do.
//!
//! # Why a table by heartbeats
//! Heartbeats of one placement are far from independent (intraclass correlation of the genuine score 0.77 on
//! Heartprint): a sum of per-beat likelihoods promises a false acceptance rate of 0.1 % and delivers 9 %. So the
//! embeddings are averaged, the mean is compared once, and that one score is calibrated on means of as many heartbeats.
//!
//! # What a row says
//! - log likelihood ratio = slope · score + intercept (natural logarithm; above zero speaks for the same person);
//! - thresholds: scores that non-mated comparisons exceed at a stated rate. Between them the logarithm of the rate is
//!   linear in the score; beyond the last one the score sets out with the tail's slope and comes ever nearer to 1. (On a
//!   line it would soon ask for more than a cosine can be: rates down to 5 %, from five persons, would verify nobody.)
//!   That is not measured: [`Calibration::resolves`] says from which rate on. Between two rows the score is linear in the
//!   logarithm of the number of heartbeats; below the first and beyond the last row those rows hold.

mod fit;

use std::fmt;

pub use fit::{Fitted, LEAST_PERSONS, Observation, STATED_RATES, each_template};

/// No rate below this is ever given, and no threshold for one: nothing we could measure supports it.
pub const SMALLEST_RATE: f64 = 1e-9;
/// Log likelihood ratios are cut here, on both sides: an affine map knows nothing of scores nobody has seen.
pub const LARGEST_LLR: f64 = 20.0;
/// After so many a rate is known to 15 digits.
const HALVINGS: usize = 60;

/// The calibration of scores that rest on one number of heartbeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Heartbeats in the evidence; see [`evidence_beats`].
    pub beats: usize,
    /// Log likelihood ratio per unit of score, at least 0.
    pub slope: f64,
    /// Log likelihood ratio at score 0.
    pub intercept: f64,
    /// False match rate (fraction, falling) and the score that non-mated comparisons exceed at that rate (rising).
    pub thresholds: Vec<(f64, f64)>,
}

/// A table of [`Row`]s, by rising number of heartbeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    rows: Vec<Row>,
}

/// Why a calibration cannot be used or made.
#[derive(Debug, Clone, PartialEq)]
pub enum CalibrationError {
    /// There is no row, or no observation.
    Empty,
    /// The numbers of heartbeats do not rise from 1 on.
    Beats {
        /// The row in question.
        beats: usize,
    },
    /// The map to log likelihood ratios is not finite, or falls.
    Map {
        /// The row in question.
        beats: usize,
    },
    /// There are less than two thresholds, or a rate does not fall within 0…1, or a score does not rise or is no cosine.
    Thresholds {
        /// The row in question.
        beats: usize,
    },
    /// A score is not a finite number.
    Score {
        /// The row in question.
        beats: usize,
    },
    /// Too few persons: both sides of a comparison have to be represented by several.
    Persons {
        /// The row in question.
        beats: usize,
        /// Persons with mated comparisons.
        mated: usize,
        /// Persons with non-mated comparisons.
        non_mated: usize,
    },
}

impl fmt::Display for CalibrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing to calibrate with"),
            Self::Beats { beats } => write!(f, "beats {beats}: rows need rising numbers of heartbeats from 1 on"),
            Self::Map { beats } => write!(f, "beats {beats}: slope (0 or more) and intercept must be finite numbers"),
            Self::Thresholds { beats } => write!(
                f,
                "beats {beats}: at least two thresholds, their rates falling between 1 and 0, their scores rising and cosines"
            ),
            Self::Score { beats } => write!(f, "beats {beats}: a score is not a finite number"),
            Self::Persons { beats, mated, non_mated } => write!(
                f,
                "beats {beats}: persons with mated comparisons {mated}, with non-mated ones {non_mated}: at least \
                 {LEAST_PERSONS} are needed"
            ),
        }
    }
}

impl std::error::Error for CalibrationError {}

/// Heartbeats that the mean of `embeddings` consecutive ones rests on, where each is of an average of `averaged` beats
/// and the next one drops the oldest and takes in a new one.
#[must_use]
pub fn evidence_beats(averaged: usize, embeddings: usize) -> usize {
    averaged + embeddings.saturating_sub(1)
}

/// The false match rate at which each of `enrolled` comparisons must be made, so that a stranger who is compared with
/// all of them is matched at the rate `fpir`: 1 − (1 − FPIR)^(1/N).
///
/// Comparisons with different persons are taken as independent, which errs on the safe side: where they are not, the
/// chance that one of them matches is smaller.
#[must_use]
pub fn per_comparison(fpir: f64, enrolled: usize) -> f64 {
    let fpir = if fpir.is_nan() { 0.0 } else { fpir.clamp(0.0, 1.0) };
    (-((-fpir).ln_1p() / enrolled.max(1) as f64).exp_m1()).clamp(0.0, 1.0)
}

impl Calibration {
    /// A table that was made earlier, for instance read from a model card.
    ///
    /// # Errors
    /// [`CalibrationError`]: the row that contradicts itself.
    pub fn new(rows: Vec<Row>) -> Result<Self, CalibrationError> {
        if rows.is_empty() {
            return Err(CalibrationError::Empty);
        }
        let mut before = 0;
        for row in &rows {
            if row.beats <= before {
                return Err(CalibrationError::Beats { beats: row.beats });
            }
            before = row.beats;
            row.check()?;
        }
        Ok(Self { rows })
    }

    /// The rows, by rising number of heartbeats.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The score that non-mated comparisons of so many heartbeats exceed at the rate `fmr` (fraction). It never falls
    /// as the rate falls.
    #[must_use]
    pub fn threshold(&self, fmr: f64, beats: usize) -> f64 {
        let at = ln_rate(fmr);
        let (low, high, share) = self.around(beats);
        mix(low.threshold(at), high.threshold(at), share)
    }

    /// The rate (fraction) at which non-mated comparisons of so many heartbeats reach `score`: the inverse of
    /// [`Self::threshold`], between [`SMALLEST_RATE`] and 1. A score that is not a number is reached by everybody.
    #[must_use]
    pub fn fmr(&self, score: f64, beats: usize) -> f64 {
        if score.is_nan() {
            return 1.0;
        }
        let (low, high, share) = self.around(beats);
        let exceeds = |at: f64| score > mix(low.threshold(at), high.threshold(at), share);
        let (mut hard, mut easy) = (SMALLEST_RATE.ln(), 0.0);
        if !exceeds(easy) {
            return 1.0;
        }
        if exceeds(hard) {
            return SMALLEST_RATE;
        }
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(hard, easy);
            if exceeds(middle) { easy = middle } else { hard = middle }
        }
        hard.exp()
    }

    /// Log likelihood ratio (natural logarithm) of a score that rests on so many heartbeats, within ±[`LARGEST_LLR`].
    /// It never falls as the score rises; a score that is not a number speaks against the same person.
    #[must_use]
    pub fn llr(&self, score: f64, beats: usize) -> f64 {
        let (low, high, share) = self.around(beats);
        let llr = mix(low.slope, high.slope, share).mul_add(score, mix(low.intercept, high.intercept, share));
        if llr.is_nan() { -LARGEST_LLR } else { llr.clamp(-LARGEST_LLR, LARGEST_LLR) }
    }

    /// Whether the data could tell the rate at this number of heartbeats; beyond, thresholds are extrapolated.
    #[must_use]
    pub fn resolves(&self, fmr: f64, beats: usize) -> bool {
        let (low, high, _) = self.around(beats);
        [low, high].iter().all(|row| row.thresholds.last().is_some_and(|(finest, _)| fmr >= *finest))
    }

    /// The rows on both sides of a number of heartbeats, and how far towards the second one it lies, 0…1.
    fn around(&self, beats: usize) -> (&Row, &Row, f64) {
        let above = self.rows.partition_point(|row| row.beats < beats).min(self.rows.len() - 1);
        let high = &self.rows[above];
        if high.beats <= beats || above == 0 {
            return (high, high, 0.0);
        }
        let low = &self.rows[above - 1];
        let log = |n: usize| (n as f64).ln();
        (low, high, (log(beats) - log(low.beats)) / (log(high.beats) - log(low.beats)))
    }
}

impl Row {
    fn check(&self) -> Result<(), CalibrationError> {
        let beats = self.beats;
        if !(self.slope.is_finite() && self.slope >= 0.0 && self.intercept.is_finite()) {
            return Err(CalibrationError::Map { beats });
        }
        let inside =
            self.thresholds.iter().all(|(fmr, score)| *fmr > 0.0 && *fmr < 1.0 && (-1.0..=1.0).contains(score));
        let ordered = self.thresholds.windows(2).all(|pair| pair[1].0 < pair[0].0 && pair[1].1 > pair[0].1);
        if self.thresholds.len() < 2 || !inside || !ordered {
            return Err(CalibrationError::Thresholds { beats });
        }
        Ok(())
    }

    /// The score at the logarithm of a rate: on the line through the two stated rates around it, or, above the largest
    /// one, nearest to it; below the smallest one on the curve that goes on from there towards 1.
    fn threshold(&self, at: f64) -> f64 {
        let beyond = self.thresholds.partition_point(|(fmr, _)| fmr.ln() > at);
        let second = beyond.clamp(1, self.thresholds.len() - 1);
        let ((easy, low), (hard, high)) = (self.thresholds[second - 1], self.thresholds[second]);
        let (way, left) = ((at - easy.ln()) / (hard.ln() - easy.ln()), 1.0 - high);
        if way <= 1.0 || left <= 0.0 {
            return mix(low, high, way.min(1.0));
        }
        let rise = (way - 1.0) * (high - low);
        1.0 - left * (-rise / left).exp()
    }
}

fn mix(a: f64, b: f64, share: f64) -> f64 {
    (b - a).mul_add(share, a)
}

/// A rate that is no number is the strictest one.
fn ln_rate(fmr: f64) -> f64 {
    if fmr.is_nan() { SMALLEST_RATE.ln() } else { fmr.clamp(SMALLEST_RATE, 1.0).ln() }
}
