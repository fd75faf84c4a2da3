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

/// The most samples that are taken at once: few, because their buffers are made anew each time.
pub(super) const PIECE: usize = 64;
/// Samples that the filter remembers.
const BEFORE: usize = 6;

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct HalfRate {
    /// `None` before the first sample: the filter starts at rest on it, wherever the base line is.
    newest: Option<[f64; BEFORE]>,
    even: Option<f64>,
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
    pub(super) fn run_block(&mut self, x: &[f64], out: &mut [f64; PIECE / 2]) -> usize {
        let Some(&first) = x.first() else { return 0 };
        let mut line = [0.0; BEFORE + 1 + PIECE];
        line[..BEFORE].copy_from_slice(&self.newest.unwrap_or([self.even.unwrap_or(first); BEFORE]));
        let mut held = BEFORE;
        if let Some(even) = self.even.take() {
            line[held] = even;
            held += 1;
        }
        line[held..held + x.len()].copy_from_slice(x);
        held += x.len();
        let made = (held - BEFORE) / 2;
        for (n, y) in out[..made].iter_mut().enumerate() {
            let [x0, _, x2, x3, x4, _, x] = [1, 2, 3, 4, 5, 6, 7].map(|k| line[2 * n + k]);
            *y = (16.0 * x3 + 9.0 * (x2 + x4) - (x0 + x)) / 32.0;
        }
        if made > 0 {
            self.newest = Some(std::array::from_fn(|k| line[2 * made + k]));
        }
        self.even = (held % 2 == 1).then(|| line[held - 1]);
        made
    }
}

impl Kernel for HalfRate {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        let Some(even) = self.even.take() else {
            self.even = Some(x);
            return None;
        };
        let [_, x0, x1, x2, x3, x4] = self.newest.unwrap_or([even; BEFORE]);
        self.newest = Some([x1, x2, x3, x4, even, x]);
        Some((16.0 * x3 + 9.0 * (x2 + x4) - (x0 + x)) / 32.0)
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn delay(&self) -> f64 {
        3.0
    }

    fn inputs_per_output(&self) -> f64 {
        2.0
    }
}
