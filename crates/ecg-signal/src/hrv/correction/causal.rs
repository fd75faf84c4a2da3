//! The causal variant: an interval is judged two intervals later, by those two and by 89 before it.
//!
//! It leaves the corrector when the interval after it has been judged: three intervals after it came. Thresholds and the
//! median rest on what is already corrected. Memory: 94 intervals. Must not know what becomes of the intervals.

use std::collections::VecDeque;

use super::rules::{Measure, Neighbours};
use super::window::{MEDIAN, QUARTILES, deviation, differences, measure, quantile, threshold};
use super::{Artefact, NnInterval};
use crate::rr::RrInterval;

/// Intervals behind the one that is judged.
const AHEAD: usize = 2;
/// Differences below which the quartiles are not believed and nothing is judged.
const FEWEST: usize = 8;

/// Corrects intervals as they come.
#[derive(Clone, Debug, Default)]
pub struct Causal {
    /// In order of time; the last `waiting` have not left yet.
    row: VecDeque<NnInterval>,
    waiting: usize,
    /// Intervals at the end that have not been judged.
    unjudged: usize,
}

impl Causal {
    /// A corrector without an interval.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next interval; gives those that are finished to `take`, in order.
    pub fn push(&mut self, interval: &RrInterval, take: &mut impl FnMut(NnInterval)) {
        if !interval.follows {
            self.finish(take);
        }
        self.row.push_back(interval.into());
        self.waiting += 1;
        self.unjudged += 1;
        while self.unjudged > AHEAD {
            self.judge();
        }
        self.give(1 + AHEAD, take);
    }

    /// The row ends here: what waits is judged by what is there and given to `take`.
    pub fn finish(&mut self, take: &mut impl FnMut(NnInterval)) {
        while self.unjudged > 0 {
            self.judge();
        }
        self.give(0, take);
    }

    /// Gives what waits, but for the last `keep`, and forgets what is too old to count.
    fn give(&mut self, keep: usize, take: &mut impl FnMut(NnInterval)) {
        while self.waiting > keep {
            take(self.row[self.row.len() - self.waiting]);
            self.waiting -= 1;
        }
        while self.row.len() > QUARTILES + AHEAD + 1 {
            self.row.pop_front();
        }
    }

    /// Judges the first interval that has not been judged, and corrects it.
    fn judge(&mut self) {
        let k = self.row.len() - self.unjudged;
        self.unjudged -= 1;
        let Some((measures, far)) = self.measures(k) else { return };
        match (Neighbours { before: measures[0], here: measures[1], next: measures[2], after: measures[3] }).artefact()
        {
            // The interval before has not left yet: it waits for this judgement.
            Some(Artefact::Ectopic) if self.row[k].follows && self.waiting > self.unjudged + 1 => {
                self.interpolate(k - 1, k, far);
                self.row[k - 1].corrected.get_or_insert(Artefact::Ectopic);
            }
            Some(Artefact::Ectopic | Artefact::LongOrShort) => {
                self.interpolate(k, k, far);
                self.row[k].corrected.get_or_insert(Artefact::LongOrShort);
            }
            Some(Artefact::Missed) => {
                let half = self.row[k].nn_ms / 2.0;
                let first = NnInterval {
                    end_s: self.row[k].end_s - half / 1000.0,
                    nn_ms: half,
                    follows: self.row[k].follows,
                    corrected: Some(Artefact::Missed),
                };
                (self.row[k].nn_ms, self.row[k].follows) = (half, true);
                self.row.insert(k, first);
                self.waiting += 1;
            }
            Some(Artefact::Extra) if self.row.get(k + 1).is_some_and(|next| next.follows) => {
                if let Some(first) = self.row.remove(k) {
                    self.waiting -= 1;
                    let next = &mut self.row[k];
                    (next.nn_ms, next.follows) = (next.nn_ms + first.nn_ms, first.follows);
                    next.corrected.get_or_insert(Artefact::Extra);
                }
            }
            Some(Artefact::Extra) | None => {}
        }
    }

    /// The interval at `k` with the one before and two after, and the threshold of its deviation in milliseconds.
    fn measures(&mut self, k: usize) -> Option<([Measure; 4], f64)> {
        let row: &[NnInterval] = self.row.make_contiguous();
        let end = (k + AHEAD + 1).min(row.len());
        let begin = end.saturating_sub(QUARTILES);
        let row = &row[begin..end];
        let differences = differences(row);
        let mut steps: Vec<f64> = differences.iter().map(|d| d.abs()).filter(|d| !d.is_nan()).collect();
        if steps.len() < FEWEST {
            return None;
        }
        let mut near: Vec<f64> = row[row.len().saturating_sub(MEDIAN)..].iter().map(|nn| nn.nn_ms).collect();
        near.sort_unstable_by(f64::total_cmp);
        let median = quantile(&near, 0.5);
        // The spread round the median of now would grow with every trend: each deviates from the median of its own time.
        let lengths: Vec<f64> = row.iter().map(|nn| nn.nn_ms).collect();
        let mut fars: Vec<f64> = lengths.windows(MEDIAN.min(lengths.len())).map(own_deviation).collect();
        steps.sort_unstable_by(f64::total_cmp);
        fars.sort_unstable_by(f64::total_cmp);
        let (step, far) = (threshold(&steps), threshold(&fars));
        let at = |k: usize| {
            row.get(k).map_or_else(Measure::default, |nn| measure(nn.nn_ms, median, differences[k], step, far))
        };
        let here = k - begin;
        let before = here.checked_sub(1).map_or_else(Measure::default, at);
        let measures = [before, at(here), at(here + 1), at(here + 2)];
        Some((measures, measures[1].far))
    }

    /// Puts intervals on the line from the one before to the one after, which counts where it is near the median itself.
    fn interpolate(&mut self, first: usize, last: usize, far: f64) {
        let before = first.checked_sub(1).filter(|_| self.row[first].follows).map(|k| self.row[k].nn_ms);
        let after = self.row.get(last + 1).filter(|next| next.follows).map(|next| next.nn_ms);
        let sound = after.filter(|after| before.is_none_or(|before| (after - before).abs() <= far));
        let Some((from, to)) = before.or(after).zip(sound.or(before).or(after)) else { return };
        let steps = (last - first + 2) as f64;
        for (step, k) in (1..).zip(first..=last) {
            self.row[k].nn_ms = from + (to - from) * f64::from(step) / steps;
        }
    }
}

/// By how much the third from the end of a window deviates from its median: the place where an interval is judged.
fn own_deviation(window: &[f64]) -> f64 {
    let mut sorted = [0.0; MEDIAN];
    let sorted = &mut sorted[..window.len()];
    sorted.copy_from_slice(window);
    sorted.sort_unstable_by(f64::total_cmp);
    deviation(window[window.len().saturating_sub(AHEAD + 1)], quantile(sorted, 0.5)).abs()
}
