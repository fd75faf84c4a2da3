//! Limits how fast the signal may move: what is faster than any heart is taken off the baseline from there on.
//!
//! An electrode that jumps by 300 mV, a converter that comes back from its rail and the spike of a pacemaker are
//! thousands of times larger than what an ECG does between two samples, and every filter behind would ring with them for
//! seconds. Such a step is carried as an offset: a jump leaves nothing, and neither does a spike, which jumps twice. For
//! some milliseconds after a jump smaller steps are taken with it, because the second edge of a spike is seldom as steep
//! as the first. Otherwise the signal passes untouched, but for the constant. Must not know what jumped or why.
//!
//! ```text
//! d = x[n] − x[n−1];  if |d| > limit: offset += d;  y = x[n] − offset
//! ```

use crate::kernel::Kernel;
use crate::units::Hertz;

/// The fastest movement that is believed, in millivolts a second: 10 mV between two samples at 250 Hz. The steepest of a
/// surface QRS of 5 mV, the tallest one meets, is about a fifth of that; a spike of 5 mV is found harmless.
const LIMIT_MV_PER_S: f64 = 2500.0;
/// The same just after a jump.
const AFTERMATH_MV_PER_S: f64 = 250.0;
/// How long a jump has an aftermath: a pacemaker's spike lasts up to 2 ms and is spread by the board's own filter.
const AFTERMATH_S: f64 = 0.012;

/// See the head of the file. In millivolts; no delay.
#[derive(Clone, Debug)]
pub struct SlewLimiter {
    limit: f64,
    aftermath_limit: f64,
    aftermath: u32,
    /// Samples for which the last jump still counts.
    alert: u32,
    previous: Option<f64>,
    offset: f64,
}

impl SlewLimiter {
    /// A limiter for a signal sampled at `fs`.
    pub fn new(fs: Hertz) -> Self {
        Self {
            limit: LIMIT_MV_PER_S / fs.0,
            aftermath_limit: AFTERMATH_MV_PER_S / fs.0,
            aftermath: fs.samples(AFTERMATH_S) as u32,
            alert: 0,
            previous: None,
            offset: 0.0,
        }
    }

    /// Takes one finite sample; unlike [`Kernel::push`] it always has an answer.
    #[inline]
    pub fn run(&mut self, x: f64) -> f64 {
        let step = x - self.previous.unwrap_or(x);
        self.previous = Some(x);
        if step.abs() > self.limit {
            self.offset += step;
            self.alert = self.aftermath;
        } else if self.alert > 0 {
            self.alert -= 1;
            if step.abs() > self.aftermath_limit {
                self.offset += step;
            }
        }
        x - self.offset
    }
}

impl Kernel for SlewLimiter {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.run(x))
    }

    fn reset(&mut self) {
        self.alert = 0;
        self.previous = None;
        self.offset = 0.0;
    }

    fn delay(&self) -> f64 {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(x: &[f64]) -> Vec<f64> {
        let mut limiter = SlewLimiter::new(Hertz(250.0));
        x.iter().map(|&v| limiter.run(v)).collect()
    }

    #[test]
    fn what_a_heart_can_do_passes_untouched() {
        let x: Vec<f64> = (0..1000).map(|n| 300.0 + 5.0 * (f64::from(n) * 0.9).sin()).collect();
        assert_eq!(limited(&x), x);
    }

    #[test]
    fn a_step_leaves_nothing_and_neither_does_a_spike() {
        assert_eq!(limited(&[1.0, 1.0, 301.0, 301.0, 301.5, 301.0]), [1.0, 1.0, 1.0, 1.0, 1.5, 1.0]);
        assert_eq!(limited(&[1.0, -799.0, 1.0, 1.0]), [1.0; 4]);
        let ragged = limited(&[0.0, 50.0, 58.0, 3.0, 0.5, 0.0, 0.0]);
        assert!(ragged.iter().all(|y| y.abs() <= 1.0), "{ragged:?}");
    }

    #[test]
    fn a_tall_beat_after_a_spike_is_kept() {
        let beat: Vec<f64> = (0..60).map(|n| 3.0 * (-0.5 * ((f64::from(n) - 30.0) / 2.5).powi(2)).exp()).collect();
        let mut x = beat.clone();
        x[20] += 50.0;
        let off = limited(&x).iter().zip(&beat).map(|(y, x)| (y - x).abs()).fold(0.0, f64::max);
        assert!(off < 0.1, "{off}");
    }

    #[test]
    fn the_first_sample_is_no_jump_and_reset_forgets() {
        let mut limiter = SlewLimiter::new(Hertz(500.0));
        assert_eq!([limiter.run(-400.0), limiter.run(0.0)], [-400.0, -400.0]);
        limiter.reset();
        assert_eq!(limiter.run(123.0), 123.0);
    }
}
