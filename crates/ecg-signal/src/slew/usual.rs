//! How large the steps of a signal usually are: a mean that fades.
//!
//! Nothing looks at it while a signal is calm, which most of it is for longer than the mean remembers. So steps of calm
//! blocks are only kept, and taken when the mean is asked for; what it would have forgotten by then is never taken. Must
//! not know which steps are jumps.

use crate::ring::Ring;
use crate::units::Hertz;

/// Steps this many times as old as the time of the mean are no part of it: what is left of them, a factor of 10⁻²⁶, lies
/// behind its last digit.
const FORGOTTEN: f64 = 60.0;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct UsualStep {
    /// Share of a new step.
    share: f64,
    mean: f64,
    first: f64,
    /// Samples whose steps are owed to the mean, with the one before them, and how many steps there are.
    kept: Ring<f64>,
    owed: usize,
}

impl UsualStep {
    /// The mean over `time_s` at `fs`; `first` before any step is known.
    pub(super) fn new(fs: Hertz, time_s: f64, first: f64) -> Self {
        let kept = Ring::new(fs.samples(FORGOTTEN * time_s) + 1);
        Self { share: 1.0 / (time_s * fs.0).max(1.0), mean: first, first, kept, owed: 0 }
    }

    /// The mean size of a step.
    #[inline]
    pub(super) fn mean(&mut self) -> f64 {
        if self.owed > 0 {
            self.settle();
        }
        self.mean
    }

    /// Takes the size of a step. Steps that are owed come before it: the mean must have been asked for.
    #[inline]
    pub(super) fn take(&mut self, size: f64) {
        self.mean += self.share * (size - self.mean);
    }

    /// Steps of these samples, of which the one before was `previous`, are to be taken before the mean is looked at.
    #[inline]
    pub(super) fn owe(&mut self, previous: f64, x: &[f64]) {
        if self.owed == 0 {
            self.kept.extend(&[previous]);
        }
        self.kept.extend(x);
        self.owed += x.len();
    }

    /// Takes the steps that are owed.
    #[cold]
    fn settle(&mut self) {
        let end = self.kept.end();
        let owed = (self.owed as u64).min(self.kept.capacity() as u64 - 1);
        let mut before = None;
        for part in self.kept.held((end - owed - 1) as i64..end as i64) {
            for x in part {
                if let Some(before) = before.replace(*x) {
                    self.mean += self.share * (f64::abs(x - before) - self.mean);
                }
            }
        }
        self.owed = 0;
    }

    pub(super) fn reset(&mut self) {
        self.mean = self.first;
        self.kept.clear();
        self.owed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_calm_of_any_length_the_mean_is_what_it_would_be_step_by_step() {
        let mut state = 1u64;
        let mut noise = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / 16_777_216.0 - 0.5
        };
        for length in [1, 10, 100, 1499, 1500, 1501, 2047, 2048, 2049, 5000, 20_000] {
            let [mut late, mut at_once] = [(); 2].map(|()| UsualStep::new(Hertz(250.0), 0.1, 4.4));
            // What is forgotten was a thousand times as large.
            for _ in 0..50 {
                let size = 30.0 * noise().abs();
                late.take(size);
                at_once.take(size);
            }
            let x: Vec<f64> = (0..=length).map(|_| 0.03 * noise()).collect();
            let mut previous = x[0];
            for block in x[1..].chunks(250) {
                late.owe(previous, block);
                for x in block {
                    at_once.take((x - previous).abs());
                    previous = *x;
                }
            }
            assert_eq!(late.mean(), at_once.mean(), "{length} steps");
        }
    }
}
