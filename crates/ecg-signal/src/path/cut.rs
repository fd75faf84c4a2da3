//! Tops that have been cut off: what an amplifier or a converter at its limit leaves of a wave, seen in the signal itself.
//!
//! Between steep flanks the signal stands at one and the same value for some samples. No wave does that: what is so flat
//! that it rounds to one code for 12 ms has fallen by some codes 8 ms further on, not by 0.2 mV. Must not know what is
//! done with beats whose top is missing.

use super::PathInput;
use crate::units::Hertz;

/// A top is cut when it is the same for so long; two samples that happen to be equal are none.
const SHORTEST_S: f64 = 0.012;
/// What stands still for longer is no wave: a rail or a lost electrode, which have marks of their own.
const LONGEST_S: f64 = 0.15;
/// So long before and after it …
const FLANK_S: f64 = 0.008;
/// … the signal is farther away than this, in millivolts: four times what the top of a wave would be with codes of 10 µV.
const LEAST_MV: f64 = 0.2;
/// Samples remembered: more than a flank of 2000 Hz has.
const NEWEST: usize = 32;

/// Looks for cut tops in the samples of a source.
#[derive(Clone, Debug)]
pub(super) struct CutTops {
    shortest: usize,
    longest: usize,
    flank: usize,
    /// The newest samples, as a ring, and how many have come.
    newest: [f64; NEWEST],
    count: usize,
    /// For how many samples the signal has been the same, and how far it was from there before.
    same: usize,
    rise: f64,
    /// A top has ended: where it was and how far the signal rose to it; looked at when the flank behind it has come.
    ended: Option<Top>,
}

#[derive(Clone, Copy, Debug)]
struct Top {
    height: f64,
    rise: f64,
    age: usize,
}

impl CutTops {
    pub(super) fn new(fs: Hertz) -> Self {
        let flank = fs.samples(FLANK_S).clamp(1, NEWEST / 2);
        Self {
            shortest: fs.samples(SHORTEST_S).max(3),
            longest: fs.samples(LONGEST_S),
            flank,
            newest: [f64::NAN; NEWEST],
            count: 0,
            same: 0,
            rise: 0.0,
            ended: None,
        }
    }

    /// Takes samples if each differs from the one before, as nearly always: then none of them ends a top. `false`: they may,
    /// and none was taken.
    pub(super) fn take_moving(&mut self, x: &[f64]) -> bool {
        // Without a look at any: several are compared at once.
        let moving =
            x.windows(2).fold(x.first().is_some_and(|x| *x != self.last()), |all, pair| all & (pair[0] != pair[1]));
        if !moving || self.same >= self.shortest || self.ended.is_some() {
            return false;
        }
        x[x.len().saturating_sub(NEWEST)..].iter().for_each(|&x| self.remember(x));
        self.same = 1;
        self.rise = self.last() - self.late(self.flank);
        true
    }

    /// The first of these samples behind which a cut top is known; those up to it have been taken, or all of them.
    pub(super) fn first_in(&mut self, inputs: &[PathInput]) -> Option<usize> {
        inputs.iter().position(|input| self.push(input.millivolts))
    }

    /// Takes a sample; whether a cut top is known behind it.
    fn push(&mut self, x: f64) -> bool {
        if x == self.last() {
            self.same += 1;
        } else {
            if (self.shortest..=self.longest).contains(&self.same) {
                self.ended = Some(Top { height: self.last(), rise: self.rise, age: 0 });
            }
            self.same = 1;
            self.rise = x - self.late(self.flank - 1);
        }
        self.remember(x);
        let Some(top) = &mut self.ended else { return false };
        top.age += 1;
        if top.age < self.flank {
            return false;
        }
        let (up, down) = (top.rise, top.height - x);
        self.ended = None;
        up.abs() > LEAST_MV && down.abs() > LEAST_MV && (up > 0.0) == (down > 0.0)
    }

    fn remember(&mut self, x: f64) {
        self.newest[self.count % NEWEST] = x;
        self.count += 1;
    }

    fn last(&self) -> f64 {
        self.late(0)
    }

    /// The sample so many before the newest; not a number before the first.
    fn late(&self, samples: usize) -> f64 {
        self.count.checked_sub(1 + samples).map_or(f64::NAN, |at| self.newest[at % NEWEST])
    }

    pub(super) fn reset(&mut self) {
        (self.newest, self.count, self.same, self.rise, self.ended) = ([f64::NAN; NEWEST], 0, 0, 0.0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where cut tops are known, in blocks of `length`.
    fn known(x: &[f64], length: usize) -> Vec<usize> {
        let inputs: Vec<PathInput> = x.iter().copied().map(PathInput::of).collect();
        let (mut tops, mut found, mut at) = (CutTops::new(Hertz(250.0)), Vec::new(), 0);
        for block in inputs.chunks(length) {
            let mut rest = block;
            let values: Vec<f64> = rest.iter().map(|input| input.millivolts).collect();
            if !tops.take_moving(&values) {
                while let Some(n) = tops.first_in(rest) {
                    found.push(at + block.len() - rest.len() + n);
                    rest = &rest[n + 1..];
                }
            }
            at += block.len();
        }
        found
    }

    fn beats(height: f64) -> Vec<f64> {
        (0..1000)
            .map(|n| height * (-0.5 * (f64::from(n % 200 - 100) / 2.5).powi(2)).exp() + 1e-4 * f64::from(n % 7))
            .collect()
    }

    #[test]
    fn a_cut_top_is_known_behind_it_and_blocks_do_not_matter() {
        for sign in [1.0, -1.0] {
            let x: Vec<f64> = beats(1.2).iter().map(|x| sign * x.min(0.5)).collect();
            let once = known(&x, 1000);
            assert_eq!(once.len(), 5, "{once:?}");
            for length in [1, 2, 7, 64, 250] {
                assert_eq!(known(&x, length), once, "blocks of {length}");
            }
        }
    }

    #[test]
    fn round_tops_in_coarse_codes_and_steps_are_none() {
        for height in [0.3, 1.2, 5.0] {
            let coarse: Vec<f64> = beats(height).iter().map(|x| (x * 100.0).round() / 100.0).collect();
            assert!(known(&coarse, 250).is_empty(), "{height}");
        }
        let steps: Vec<f64> = (0..1000).map(|n| f64::from(n / 5)).collect();
        assert!(known(&steps, 250).is_empty());
    }
}
