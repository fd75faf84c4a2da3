//! The series that every figure is computed from: NN intervals, and where their row is broken.
//!
//! A *run* is a row of intervals without a break; no difference, no pattern, no box and no interpolation reaches from
//! one run into the next. Must not know what is computed.

use std::ops::Range;

use crate::rr::RrInterval;

/// Shortest and longest interval that a series takes, in milliseconds: what no heart does, but a broken file may say.
pub const NN_RANGE_MS: (f64, f64) = (10.0, 60_000.0);

/// NN intervals in order of time, in runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NnSeries {
    nn_ms: Vec<f64>,
    end_s: Vec<f64>,
    /// Where each run begins.
    begins: Vec<usize>,
    broken: bool,
}

impl NnSeries {
    /// A series without an interval.
    pub fn new() -> Self {
        Self::default()
    }

    /// The intervals as they are, taken for NN.
    pub fn of<'a>(intervals: impl IntoIterator<Item = &'a RrInterval>) -> Self {
        let mut series = Self::new();
        intervals.into_iter().for_each(|interval| series.push(interval.end_s, interval.rr_ms, interval.follows));
        series
    }

    /// One run of intervals in milliseconds that begins at 0 s.
    pub fn of_run(nn_ms: &[f64]) -> Self {
        let (mut series, mut end_ms) = (Self::new(), 0.0);
        for &nn in nn_ms {
            end_ms += nn;
            series.push(end_ms / 1000.0, nn, true);
        }
        series
    }

    /// Adds an interval of `nn_ms` milliseconds that ends at `end_s` seconds; `follows`: it begins where the one before
    /// ends. What is outside [`NN_RANGE_MS`] or does not end after the one before is left out and breaks the row.
    pub fn push(&mut self, end_s: f64, nn_ms: f64, follows: bool) {
        let later = self.end_s.last().is_none_or(|last| end_s > *last);
        if !(NN_RANGE_MS.0..=NN_RANGE_MS.1).contains(&nn_ms) || !end_s.is_finite() || !later {
            self.broken = true;
            return;
        }
        if std::mem::take(&mut self.broken) || !follows || self.nn_ms.is_empty() {
            self.begins.push(self.nn_ms.len());
        }
        self.nn_ms.push(nn_ms);
        self.end_s.push(end_s);
    }

    /// The intervals in milliseconds, run after run.
    pub fn nn_ms(&self) -> &[f64] {
        &self.nn_ms
    }

    /// When each interval ends, in seconds since the start of the stream.
    pub fn end_s(&self) -> &[f64] {
        &self.end_s
    }

    /// How many intervals there are.
    pub fn len(&self) -> usize {
        self.nn_ms.len()
    }

    /// True without an interval.
    pub fn is_empty(&self) -> bool {
        self.nn_ms.is_empty()
    }

    /// Sum of the intervals in seconds.
    pub fn clean_s(&self) -> f64 {
        self.nn_ms.iter().sum::<f64>() / 1000.0
    }

    /// Where each run lies in [`Self::nn_ms`].
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
        let ends = self.begins.iter().skip(1).copied().chain([self.len()]);
        self.begins.iter().zip(ends).map(|(&begin, end)| begin..end)
    }

    /// The runs, in milliseconds.
    pub fn runs(&self) -> impl Iterator<Item = &[f64]> + Clone + '_ {
        self.ranges().map(|range| &self.nn_ms[range])
    }

    /// Neighbours within a run: each interval with the one after it, in milliseconds.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + Clone + '_ {
        self.runs().flat_map(|run| run.windows(2).map(|pair| (pair[0], pair[1])))
    }
}

/// Mean and variance (n − 1) of values; the variance is `None` for fewer than two.
pub(super) fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, Option<f64>)> {
    let (count, sum) = values.clone().fold((0usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    if count == 0 {
        return None;
    }
    let mean = sum / count as f64;
    let squares: f64 = values.map(|value| (value - mean) * (value - mean)).sum();
    Some((mean, (count > 1).then(|| squares / (count - 1) as f64)))
}
