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

/// See the head of the file.
#[derive(Clone, Debug, Default)]
pub struct HalfRate {
    /// `None` before the first sample: the filter starts at rest on it, wherever the base line is.
    newest: Option<[f64; 6]>,
    even: Option<f64>,
}

impl HalfRate {
    /// What a wave of `hz` keeps of its amplitude.
    pub fn amplitude(hz: f64) -> f64 {
        let turn = TAU * hz / FS.0;
        (8.0 + 9.0 * turn.cos() - (3.0 * turn).cos()) / 16.0
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
        let [_, x0, x1, x2, x3, x4] = self.newest.unwrap_or([even; 6]);
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
