//! Halves the sampling frequency of the path for those measurements that ask for nothing above 40 Hz.
//!
//! A half-band filter of seven taps, `y = (16 x₃ + 9 (x₂ + x₄) − (x₀ + x₆)) / 32`, at every second sample. What folds over
//! onto 40 Hz is 17 dB lower, onto 15 Hz 45 dB. Must not know what is measured.

use std::f64::consts::TAU;

use crate::FS;
use crate::kernel::Kernel;
use crate::units::Hertz;

/// Half of the rate of the path.
pub const HALF_FS: Hertz = Hertz(FS.0 / 2.0);

/// The most samples that are taken at once.
pub(super) const PIECE: usize = 256;
/// Samples that the filter remembers.
const BEFORE: usize = 6;
/// Half of them.
const REACH: usize = BEFORE / 2;

/// See the head of the file.
#[derive(Clone, Debug)]
pub struct HalfRate {
    /// The even and the odd samples of a block behind those that the filter remembers: apart, so that several outputs are
    /// worked out at once.
    even: Box<[f64; REACH + PIECE / 2]>,
    odd: Box<[f64; REACH + PIECE / 2]>,
    /// A sample whose odd one has not come.
    alone: Option<f64>,
    /// Outputs have been made. Before, the filter is at rest on the first sample, wherever the base line is.
    runs: bool,
}

impl Default for HalfRate {
    fn default() -> Self {
        let zeros = || Box::new([0.0; REACH + PIECE / 2]);
        Self { even: zeros(), odd: zeros(), alone: None, runs: false }
    }
}

impl HalfRate {
    /// What a wave of `hz` keeps of its amplitude.
    pub fn amplitude(hz: f64) -> f64 {
        let turn = TAU * hz / FS.0;
        (8.0 + 9.0 * turn.cos() - (3.0 * turn).cos()) / 16.0
    }
}

impl HalfRate {
    /// Takes a block of less than [`PIECE`] samples, the same as each of them by itself; gives how many samples of half the
    /// rate it made, which stand at the beginning of `out`.
    #[inline(always)]
    pub(super) fn run_block(&mut self, mut x: &[f64], out: &mut [f64; PIECE / 2]) -> usize {
        let Some(&first) = x.first() else { return 0 };
        let Self { even, odd, alone, runs } = self;
        if !*runs {
            let start = alone.unwrap_or(first);
            even[..REACH].fill(start);
            odd[..REACH].fill(start);
        }
        let mut held = REACH;
        if let Some(start) = alone.take() {
            (even[held], odd[held]) = (start, first);
            held += 1;
            x = &x[1..];
        }
        let (pairs, rest) = x.as_chunks::<2>();
        for ((even, odd), [x0, x1]) in even[held..].iter_mut().zip(&mut odd[held..]).zip(pairs) {
            (*even, *odd) = (*x0, *x1);
        }
        *alone = rest.first().copied();
        let made = held + pairs.len() - REACH;
        let (out, x3) = (&mut out[..made], &even[2..][..made]);
        let [x0, x2, x4, x6] = [&odd[..made], &odd[1..][..made], &odd[2..][..made], &odd[3..][..made]];
        for n in 0..made {
            out[n] = (16.0 * x3[n] + 9.0 * (x2[n] + x4[n]) - (x0[n] + x6[n])) / 32.0;
        }
        even.copy_within(made..made + REACH, 0);
        odd.copy_within(made..made + REACH, 0);
        *runs |= made > 0;
        made
    }
}

impl Kernel for HalfRate {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        let mut out = [0.0; PIECE / 2];
        (self.run_block(&[x], &mut out) > 0).then_some(out[0])
    }

    fn reset(&mut self) {
        (self.alone, self.runs) = (None, false);
    }

    fn delay(&self) -> f64 {
        3.0
    }

    fn inputs_per_output(&self) -> f64 {
        2.0
    }
}
