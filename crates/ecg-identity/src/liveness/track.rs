//! One way of saying when a beat was: its history of intervals and shapes, and what of it the newest beats repeat.
//!
//! ```text
//! interval, ShapeChange ─▶ against every earlier beat: gains ─▶ Alignments ─▶ evidence
//! ```
//!
//! It must not know suspicions, nor what else says when a beat was.

use super::alignment::{Alignments, Gains, Sum};
use super::chance::{Chance, LATELY, RECENT, UNITS_PER_MS, density_per_ms, spread_ms};
use super::shape::{ShapeChange, ShapeWatch};

/// A beat lost or added on the way: one of twenty.
const SKIP: f32 = 3.0;
/// Bytes that a beat of the history takes: interval, shape and two sums.
pub(super) const BYTES_PER_BEAT: usize = size_of::<u16>() + size_of::<ShapeChange>() + 2 * size_of::<Sum>();

/// The history, and how well each stretch of it matches the newest beats.
#[derive(Debug, Clone, Default)]
pub(super) struct Track {
    intervals: Vec<u16>,
    shapes: Vec<ShapeChange>,
    alignments: Alignments,
    shape: ShapeWatch,
    /// Beats since something lay between.
    run: usize,
}

impl Track {
    /// Takes the next beat, which is at `index` of its segment, into a history of at most `most`; how much speaks for
    /// the best matching stretch, over what the length of the history explains.
    pub(super) fn push(&mut self, interval_ms: Option<f64>, segment: &[f64], index: f64, most: usize) -> f32 {
        let newest = interval_ms.map_or(0, units);
        if newest == 0 {
            self.interrupt();
        }
        self.run += 1;
        let change = self.shape.push(segment, index);
        let evidence = self.compare(newest, &change);
        self.remember(newest, change, most);
        evidence
    }

    /// Beats remembered.
    pub(super) fn history(&self) -> usize {
        self.intervals.len()
    }

    /// What follows does not continue what was before.
    pub(super) fn interrupt(&mut self) {
        self.alignments.interrupt();
        self.shape.interrupt();
        self.run = 0;
    }

    /// The newest intervals that follow each other.
    pub(super) fn recent(&self) -> &[u16] {
        let known = self.run.saturating_sub(1).min(RECENT).min(self.intervals.len());
        &self.intervals[self.intervals.len() - known..]
    }

    fn compare(&mut self, newest: u16, change: &ShapeChange) -> f32 {
        let lately = &self.intervals[self.intervals.len().saturating_sub(LATELY)..];
        let spread = spread_ms(self.recent()).unwrap_or(0.0);
        let chance = Chance::new(spread, density_per_ms(lately, newest));
        let against = Against {
            intervals: &self.intervals,
            shapes: &self.shapes,
            newest,
            before: if self.run > 1 { self.intervals.last().copied().unwrap_or(0) } else { 0 },
            change,
            chance: &chance,
        };
        let largest = self.alignments.advance(&against, self.intervals.len());
        // Every earlier beat is one more chance to be alike.
        largest - (self.intervals.len().max(1) as f32).ln()
    }

    fn remember(&mut self, newest: u16, change: ShapeChange, most: usize) {
        self.intervals.push(newest);
        self.shapes.push(change);
        if self.intervals.len() > most {
            // An eighth at once: moving the rest costs nothing then, beat by beat.
            let oldest = most / 8;
            self.intervals.drain(..oldest);
            self.shapes.drain(..oldest);
            self.alignments.forget(oldest);
        }
    }
}

/// The interval in units, at least one; what is no interval is 0.
fn units(ms: f64) -> u16 {
    let units = (ms * UNITS_PER_MS).round();
    if (1.0..=f64::from(u16::MAX)).contains(&units) { units as u16 } else { 0 }
}

/// The newest beat, ready to be held against earlier ones.
struct Against<'a> {
    intervals: &'a [u16],
    shapes: &'a [ShapeChange],
    newest: u16,
    before: u16,
    change: &'a ShapeChange,
    chance: &'a Chance,
}

impl Against<'_> {
    /// Of intervals, or sums of two: none where one of them is missing.
    fn gain(&self, newest: [u16; 2], earlier: [u16; 2]) -> f32 {
        let sum = |pair: [u16; 2]| u32::from(pair[0]) + u32::from(pair[1]);
        self.chance.gain(sum(newest).abs_diff(sum(earlier)))
    }
}

impl Gains for Against<'_> {
    fn same(&self, at: usize) -> f32 {
        let earlier = self.intervals[at];
        if earlier == 0 || self.newest == 0 {
            return f32::NEG_INFINITY;
        }
        let gain = self.gain([self.newest, 0], [earlier, 0]);
        // Where the interval speaks against it, the shape is not looked at: most earlier beats.
        if gain < 0.0 { gain } else { gain + self.change.gain(&self.shapes[at]) }
    }

    fn beat_lost(&self, at: usize) -> f32 {
        let earlier = [self.intervals[at], at.checked_sub(1).map_or(0, |before| self.intervals[before])];
        if earlier.contains(&0) || self.newest == 0 {
            return f32::NEG_INFINITY;
        }
        self.gain([self.newest, 0], earlier) - SKIP
    }

    fn beat_more(&self, at: usize) -> f32 {
        let earlier = self.intervals[at];
        if earlier == 0 || self.newest == 0 || self.before == 0 {
            return f32::NEG_INFINITY;
        }
        self.gain([self.newest, self.before], [earlier, 0]) - SKIP
    }
}
