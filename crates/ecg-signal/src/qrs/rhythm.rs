//! The rhythm: how far apart the newest beats are.
//!
//! Must not know which beats are right.

use super::level::RecentMedian;
use crate::units::Hertz;

/// Interval that is assumed until two are known: 75 beats a minute.
const UNKNOWN_S: f64 = 0.8;
/// Intervals from which on the median is believed.
const ENOUGH: usize = 2;

/// Intervals from which on their deviation is believed.
const ENOUGH_TO_VARY: usize = 4;

/// Median of the newest intervals between beats (`R`; the paper's RR averages).
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    intervals: RecentMedian,
    /// Their deviation, which is asked for several times at each candidate.
    deviation: Option<f64>,
    unknown: f64,
}

impl Rhythm {
    pub(super) fn new(fs: Hertz) -> Self {
        Self { intervals: RecentMedian::default(), deviation: None, unknown: UNKNOWN_S * fs.0 }
    }

    /// Takes the interval between the newest two beats, in samples.
    pub(super) fn push(&mut self, interval: i64) {
        self.intervals.push(interval as f64);
        let enough = self.intervals.known() >= ENOUGH_TO_VARY;
        let deviation = self.intervals.deviation().zip(self.intervals.median()).filter(|_| enough);
        self.deviation = deviation.map(|(deviation, median)| deviation / median);
    }

    /// The usual interval, in samples.
    pub(super) fn interval(&self) -> f64 {
        match self.intervals.median() {
            Some(median) if self.intervals.known() >= ENOUGH => median,
            _ => self.unknown,
        }
    }

    /// Median absolute deviation of the newest intervals, in parts of their median; `None` until enough are known.
    pub(super) fn deviation(&self) -> Option<f64> {
        self.deviation
    }

    pub(super) fn reset(&mut self) {
        (self.intervals, self.deviation) = (RecentMedian::default(), None);
    }
}
