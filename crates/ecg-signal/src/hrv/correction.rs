//! From RR to NN: beats that are not the sinus node's, or not where they should be, are corrected before any statistics.
//!
//! After Lipponen and Tarvainen 2019 (Journal of Medical Engineering and Technology 43:173). The difference dRR of an
//! interval from the one before and its deviation mRR from the median of 11 (twice as heavy below it) are divided by
//! thresholds that follow the heart: 5.2 quartile deviations over 91 beats. `rules.rs` says which patterns of them mean
//! what. Intervals of a displaced beat are replaced by a line between their neighbours; a missed beat is put in the
//! middle; an extra one is taken out and its two intervals become one. Nothing is ever deleted with a difference taken
//! across the hole.
//!
//! Two variants: [`two_sided`] sees the beats before and after, for reports; [`Causal`] has the past and two beats more,
//! for the live summary. Every result says which it is.
//!
//! *Differences from the paper*: a threshold is never below 10 % of the median, for in an even rhythm the quartiles are
//! those of the clock, and every jitter would be a pattern; nor above 30 %, for where every third beat is ectopic they are
//! those of the ectopic beats. Ectopic patterns are looked for before all others. `tests/all/hrv_correction.rs` has the
//! share of annotated ectopic beats that are found, and of others that are corrected. Must not know about quality or clean
//! time.

mod causal;
mod replace;
mod rules;
mod window;

use super::series::NnSeries;
use crate::rr::RrInterval;
pub use causal::Causal;
use replace::Row;

/// What was wrong with a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Artefact {
    /// Too early or too late, with the opposite after it.
    Ectopic,
    /// A beat was not found: its interval is two.
    Missed,
    /// A beat was found that is none.
    Extra,
    /// An interval is too long or too short, for whatever reason.
    LongOrShort,
}

/// How the intervals became NN intervals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correction {
    /// They were taken for NN as they are.
    #[default]
    None,
    /// With the beats before and after each.
    TwoSided,
    /// With the beats before and two after.
    Causal,
}

impl Correction {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::TwoSided => "two_sided",
            Self::Causal => "causal",
        }
    }
}

/// An interval after correction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NnInterval {
    /// When the later beat is, in seconds since the start of the stream.
    pub end_s: f64,
    /// Length in milliseconds.
    pub nn_ms: f64,
    /// The interval before this one ends where this one begins.
    pub follows: bool,
    /// What was corrected at the later beat.
    pub corrected: Option<Artefact>,
}

impl From<&RrInterval> for NnInterval {
    fn from(rr: &RrInterval) -> Self {
        Self { end_s: rr.end_s, nn_ms: rr.rr_ms, follows: rr.follows, corrected: None }
    }
}

/// How many beats were corrected, by what was wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrected {
    /// Displaced beats.
    pub ectopic: usize,
    /// Beats that were put in.
    pub missed: usize,
    /// Beats that were taken out.
    pub extra: usize,
    /// Long or short intervals.
    pub long_or_short: usize,
}

impl Corrected {
    /// What was corrected in a row of intervals.
    pub fn of<'a>(intervals: impl IntoIterator<Item = &'a NnInterval>) -> Self {
        let mut count = Self::default();
        for artefact in intervals.into_iter().filter_map(|nn| nn.corrected) {
            *match artefact {
                Artefact::Ectopic => &mut count.ectopic,
                Artefact::Missed => &mut count.missed,
                Artefact::Extra => &mut count.extra,
                Artefact::LongOrShort => &mut count.long_or_short,
            } += 1;
        }
        count
    }

    /// All of them.
    pub fn total(&self) -> usize {
        self.ectopic + self.missed + self.extra + self.long_or_short
    }
}

impl NnSeries {
    /// The series of corrected intervals.
    pub fn of_nn<'a>(intervals: impl IntoIterator<Item = &'a NnInterval>) -> Self {
        let mut series = Self::new();
        intervals.into_iter().for_each(|nn| series.push(nn.end_s, nn.nn_ms, nn.follows));
        series
    }
}

/// Passes over the row: each may lay bare what the one before it hid; real records need fewer than ten.
const MOST_PASSES: usize = 20;

/// Corrects a row of intervals, seeing both sides of each. Passes are made until one finds no fewer artefacts than the one
/// before it; that one is not carried out.
pub fn two_sided(intervals: &[RrInterval]) -> Vec<NnInterval> {
    let mut row = Row::of(intervals.iter().map(NnInterval::from));
    let mut least = usize::MAX;
    for _ in 0..MOST_PASSES {
        let found = rules::search(&window::measures(&row.intervals));
        if found.is_empty() || found.len() >= least {
            break;
        }
        least = found.len();
        row.replace(&found);
    }
    row.intervals
}
