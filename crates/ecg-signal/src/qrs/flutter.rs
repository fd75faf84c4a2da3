//! The flutter guard: tells ventricular flutter, a slow wave without rest, from beats.
//!
//! Must not know about single beats. It looks at about 2.75 s round a candidate and measures three things that are all
//! true of flutter and only one at a time of noise or of broad beats: no rest between the waves (spread), one narrow
//! band (complexity), slow (mobility). On the development records it takes 269 false beats away and costs 7 beats.

use crate::filter::{SosFilter, design};
use crate::kernel::Kernel;
use crate::units::Hertz;

/// Reach of the window before and after a peak of the integral: 2.0 s before and 0.75 s after the QRS, with the guard's
/// own filter delay (40 ms) and the integral's (100 ms) taken off.
const WINDOW_S: f64 = 2.752;
/// The part of it after the peak, which is what a decision waits for.
pub(super) const AFTER_PEAK_S: f64 = 0.692;
/// Length of the blocks in which sums are kept.
const BLOCK_S: f64 = 0.064;
/// Upper edge for the spread of the signal itself, and the distance of its difference.
const SIGNAL_LOW_PASS: Hertz = Hertz(15.0);
const SIGNAL_DIFFERENCE_S: f64 = 0.032;
/// Band in which flutter lives (1–8 Hz), and the distance of the differences that measure frequency in it.
const SLOW_BAND: (Hertz, Hertz) = (Hertz(1.0), Hertz(8.0));
const SLOW_DIFFERENCE_S: f64 = 0.016;
/// Sum of both spreads above which there is no rest between the waves: ECG has 2 × 0.48, noise 2 × 0.80, a sine 2 × 0.90.
const RESTLESS: f64 = 1.40;
/// Complexity below which the band is narrow: 1 is a sine.
const NARROW: f64 = 1.42;
/// Mobility below which the wave is slow: 0.45 is a sine of 4.5 Hz (270 a minute).
const SLOW: f64 = 0.45;

/// What the window round a candidate looks like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Texture {
    /// `SFy`: mean over root mean square of the signal's differences: 0.48 for ECG (99 % below 0.67), 0.80 for noise.
    pub(super) spread_signal: f64,
    /// `SFd`: the same of the slope in the detection band.
    pub(super) spread_band: f64,
    /// Hjorth's mobility of the slow band: mean frequency, as the difference's size over the signal's.
    mobility: f64,
    /// Hjorth's complexity of the slow band: 1 for a sine.
    complexity: f64,
}

impl Texture {
    /// Restless, narrow and slow: flutter. Each alone is also true of electrode motion, muscle noise or broad beats.
    pub(super) fn is_flutter(&self) -> bool {
        self.spread_signal + self.spread_band > RESTLESS && self.complexity < NARROW && self.mobility < SLOW
    }
}

/// Sums over some samples.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: f64,
    signal: [f64; 2],
    band: [f64; 2],
    slow: [f64; 3],
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.count += other.count;
        for (sum, more) in self.signal.iter_mut().zip(other.signal) {
            *sum += more;
        }
        for (sum, more) in self.band.iter_mut().zip(other.band) {
            *sum += more;
        }
        for (sum, more) in self.slow.iter_mut().zip(other.slow) {
            *sum += more;
        }
    }
}

/// The newest values of a signal, for differences over a distance.
#[derive(Clone, Debug)]
struct Difference {
    earlier: Box<[f64]>,
    oldest: usize,
}

impl Difference {
    fn new(distance: usize) -> Self {
        Self { earlier: vec![0.0; distance.max(1)].into(), oldest: 0 }
    }

    #[inline]
    fn push(&mut self, x: f64) -> f64 {
        let difference = x - std::mem::replace(&mut self.earlier[self.oldest], x);
        self.oldest = if self.oldest + 1 == self.earlier.len() { 0 } else { self.oldest + 1 };
        difference
    }

    fn reset(&mut self) {
        self.earlier.fill(0.0);
        self.oldest = 0;
    }
}

/// Keeps the sums that [`Texture`] is made of. The window ends at the newest sample and begins on a block's edge.
#[derive(Clone, Debug)]
pub(super) struct FlutterGuard {
    signal_filter: SosFilter,
    signal_difference: Difference,
    slow_filter: SosFilter,
    slow_differences: [Difference; 2],
    running: Sums,
    block: f64,
    blocks: Box<[Sums]>,
    oldest: usize,
}

impl FlutterGuard {
    pub(super) fn new(fs: Hertz) -> Self {
        let signal = design::low_pass(2, SIGNAL_LOW_PASS, fs).expect("fs is above twice the corner");
        let slow = design::band_pass(1, SLOW_BAND.0, SLOW_BAND.1, fs).expect("fs is above twice the edges");
        let slow = slow.followed_by(&design::low_pass(2, SLOW_BAND.1, fs).expect("fs is above twice the corner"));
        let block = fs.samples(BLOCK_S);
        Self {
            signal_filter: SosFilter::new(&signal),
            signal_difference: Difference::new(fs.samples(SIGNAL_DIFFERENCE_S)),
            slow_filter: SosFilter::new(&slow),
            slow_differences: [fs.samples(SLOW_DIFFERENCE_S); 2].map(Difference::new),
            running: Sums::default(),
            block: block as f64,
            blocks: vec![Sums::default(); fs.samples(WINDOW_S) / block].into(),
            oldest: 0,
        }
    }

    /// Takes one input sample and the slope of the detection band at it.
    #[inline]
    pub(super) fn push(&mut self, x: f64, slope: f64) {
        let u = self.signal_difference.push(self.signal_filter.run(x));
        let z = self.slow_filter.run(x);
        let [first, second] = &mut self.slow_differences;
        let e1 = first.push(z);
        let e2 = second.push(e1);
        let sums = &mut self.running;
        sums.count += 1.0;
        sums.signal[0] += u.abs();
        sums.signal[1] += u * u;
        sums.band[0] += slope.abs();
        sums.band[1] += slope * slope;
        sums.slow[0] += z * z;
        sums.slow[1] += e1 * e1;
        sums.slow[2] += e2 * e2;
        if sums.count >= self.block {
            self.blocks[self.oldest] = std::mem::take(sums);
            self.oldest = if self.oldest + 1 == self.blocks.len() { 0 } else { self.oldest + 1 };
        }
    }

    /// The texture of the window that ends at the newest sample.
    pub(super) fn texture(&self) -> Texture {
        let mut sums = self.running;
        self.blocks.iter().for_each(|block| sums.add(block));
        let [z, e1, e2] = sums.slow;
        Texture {
            spread_signal: spread(sums.signal, sums.count),
            spread_band: spread(sums.band, sums.count),
            mobility: ratio(e1, z).sqrt(),
            complexity: ratio(e2 * z, e1 * e1).sqrt(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.signal_filter.reset();
        self.signal_difference.reset();
        self.slow_filter.reset();
        self.slow_differences.iter_mut().for_each(Difference::reset);
        self.running = Sums::default();
        self.blocks.fill(Sums::default());
        self.oldest = 0;
    }
}

/// Mean of the sizes over the root of the mean square.
fn spread([sizes, squares]: [f64; 2], count: f64) -> f64 {
    ratio(sizes, (squares * count).sqrt())
}

/// a/b, 0 where there is nothing.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texture_of(signal: impl Fn(f64) -> f64) -> Texture {
        let fs = Hertz(250.0);
        let mut guard = FlutterGuard::new(fs);
        let mut band = super::super::band::DetectionBand::new(fs);
        for n in 0..2500 {
            let x = signal(f64::from(n) / 250.0);
            let slope = band.push(x).slope;
            guard.push(x, slope);
        }
        guard.texture()
    }

    #[test]
    fn a_slow_sine_is_flutter_and_a_fast_one_is_not() {
        let sine = |hz: f64| texture_of(move |t| (2.0 * std::f64::consts::PI * hz * t).sin());
        assert!(sine(4.0).is_flutter());
        assert!((sine(4.0).spread_signal - 0.90).abs() < 0.01);
        assert!((sine(4.0).complexity - 1.0).abs() < 0.03);
        assert!((sine(4.5).mobility - 0.45).abs() < 0.02);
        assert!(!sine(6.0).is_flutter());
    }

    #[test]
    fn beats_with_rest_between_them_are_not_flutter() {
        let beats = texture_of(|t| (-((t % 0.4 - 0.2) / 0.02).powi(2)).exp());
        assert!(!beats.is_flutter());
        assert!(beats.spread_signal < 0.67);
    }

    #[test]
    fn nothing_is_not_flutter() {
        assert!(!texture_of(|_| 0.0).is_flutter());
    }
}
