//! The wavelet denoiser: takes the noise between 15 and 125 Hz out from between the beats and leaves the beats.
//!
//! A stationary db6 transform (3 levels at 250 Hz: 62–125, 31–62 and 16–31 Hz); each detail is shrunk by
//! `g = max(0, 1 − (k σ_j)⁴ / e²)`, where `e` is the mean square of the detail over a few neighbours and `σ_j` the
//! noise of that level, `median |d_j| / 0.6745` over the last 1.5 s. Must not know where beats are: a QRS is what stands
//! out of its level for several samples.
//!
//! Differences from Donoho's universal threshold, each with its reason:
//! - **Noise is estimated in every level by itself.** The usual estimate from the finest level alone holds for white
//!   noise only, and is nearly zero when a low-pass went before. For the same reason the denoiser stands *before* the
//!   40 Hz low-pass.
//! - **Sliding median** instead of one over the record: a beat takes a tenth of the time, so the median sees the noise
//!   between beats, and follows it within seconds.
//! - **Neighbours decide together** (block thresholding, Cai & Silverman 2001): a QRS fills several neighbouring
//!   coefficients, noise does not; at equal gain the QRS keeps more of its height than with a threshold on each
//!   coefficient.
//! - **The fourth power** leaves large coefficients nearly alone (loss (kσ)⁴/e² instead of (kσ)²/e).
//!
//! Measured beyond the band-pass alone, median over the first minute of 24 MIT-BIH records and of 118 Heartprint
//! records: white noise at 12 and 6 dB +2.8/+3.2 and +3.0/+3.3 dB, EMG-like noise +2.9/+2.9 and +3.6/+3.3 dB; the
//! recordings themselves change by −31 and −37 dB, a noiseless synthetic heart by −60 dB. In ECG-ID, whose own noise
//! counts as signal in this measurement, the gain is +1.0/+2.6 dB and the change −22 dB.

use super::median::SlidingMedian;
use super::stationary::{Analysis, Synthesis, level_delay};
use crate::kernel::Kernel;
use crate::units::Hertz;

/// Threshold at the three levels, finest first, in units of the noise of the level. Higher ones gain more with EMG
/// (1.8, 1.8, 1.4: 4.5 dB) and take more of the QRS (at 6 dB white noise 95.8 % instead of 97.7 % are left).
const THRESHOLD: [f64; 3] = [1.6, 1.3, 1.3];
/// median |x| of a Gaussian is 0.6745 σ.
const MEDIAN_OF_GAUSSIAN: f64 = 0.6745;
/// Time over which noise is estimated: a muscle tightens for about a second (4 s: 1.5 dB less with EMG), and a beat or
/// two in it do not move a median (1 s: no better, and a clean signal is changed more).
const NOISE_WINDOW_S: f64 = 1.5;
/// Below this many values nothing is known of the noise and nothing is shrunk.
const NOISE_MINIMUM_S: f64 = 0.5;
/// Reach of the neighbourhood on either side at the three levels, finest first, in samples at 250 Hz: about one period
/// of the band's centre. The last one costs delay.
const REACH: [usize; 3] = [2, 3, 4];

/// The newest `length` values of a signal that began with zeros, written twice so that they are contiguous.
#[derive(Clone, Debug)]
struct Line {
    values: Box<[f64]>,
    position: usize,
}

impl Line {
    fn new(length: usize) -> Self {
        Self { values: vec![0.0; 2 * length].into_boxed_slice(), position: 0 }
    }

    /// Takes one value; gives the newest `length`, oldest first.
    #[inline]
    fn push(&mut self, x: f64) -> &[f64] {
        let length = self.values.len() / 2;
        self.values[self.position] = x;
        self.values[self.position + length] = x;
        self.position += 1;
        let window = &self.values[self.position..self.position + length];
        if self.position == length {
            self.position = 0;
        }
        window
    }

    fn reset(&mut self) {
        self.values.fill(0.0);
        self.position = 0;
    }
}

/// Shrinks the detail of one level, some samples later.
#[derive(Clone, Debug)]
struct Shrinker {
    /// Long enough that the oldest value is the first of the neighbourhood.
    details: Line,
    noise: SlidingMedian,
    minimum: usize,
    /// A level is oversampled by its stride: noise looks at every stride-th detail, and the threshold moves as often.
    stride: usize,
    until_look: usize,
    threshold: f64,
    reach: usize,
    /// Squared threshold on the sum over the neighbourhood, in units of the squared median.
    limit: f64,
}

impl Shrinker {
    fn new(fs: Hertz, level: usize, delay: usize, reach: usize, threshold: f64) -> Self {
        let stride = 1 << (level - 1);
        Self {
            details: Line::new(delay + reach + 1),
            noise: SlidingMedian::new(fs.samples(NOISE_WINDOW_S) / stride),
            minimum: fs.samples(NOISE_MINIMUM_S) / stride,
            stride,
            until_look: 0,
            threshold: 0.0,
            reach,
            limit: threshold * threshold * (2 * reach + 1) as f64 / (MEDIAN_OF_GAUSSIAN * MEDIAN_OF_GAUSSIAN),
        }
    }

    #[inline]
    fn push(&mut self, detail: f64) -> f64 {
        if self.until_look == 0 {
            self.until_look = self.stride;
            self.look(detail);
        }
        self.until_look -= 1;
        let neighbours = &self.details.push(detail)[..=2 * self.reach];
        let value = neighbours[self.reach];
        let energy: f64 = neighbours.iter().map(|d| d * d).sum();
        if energy <= self.threshold {
            return 0.0;
        }
        let share = self.threshold / energy;
        value * (1.0 - share * share)
    }

    /// Takes one detail into the estimate of the noise and sets the threshold by it.
    #[inline]
    fn look(&mut self, detail: f64) {
        self.noise.push(detail);
        if self.noise.filled() >= self.minimum {
            let median = self.noise.value();
            self.threshold = self.limit * median * median;
        }
    }

    fn reset(&mut self) {
        self.details.reset();
        self.noise.reset();
        self.until_look = 0;
        self.threshold = 0.0;
    }
}

/// The denoiser as a kernel. Its delay is exact and the same at all frequencies.
#[derive(Clone, Debug)]
pub struct Denoiser {
    analysis: Vec<Analysis>,
    shrinkers: Vec<Shrinker>,
    synthesis: Vec<Synthesis>,
    coarse: Line,
    lookahead: usize,
    details: Vec<f64>,
}

impl Denoiser {
    /// A denoiser for `fs`: as many levels as reach down to about 16 Hz (3 at 250 Hz).
    pub fn new(fs: Hertz) -> Self {
        let octaves = (fs.0 / 250.0).log2().round() as i32;
        let levels = (REACH.len() as i32 + octaves).clamp(1, 8) as usize;
        // A threshold and a neighbourhood belong to a band in hertz, not to the number of a level.
        let band = |level: usize| (level + REACH.len()).saturating_sub(levels + 1).min(REACH.len() - 1);
        let reach = |level| ((REACH[band(level)] as f64 * fs.0 / 250.0).round() as usize).max(1);
        let lookahead = reach(levels);
        let mut shrinkers = Vec::with_capacity(levels);
        for level in 1..=levels {
            let deeper: usize = (level + 1..=levels).map(level_delay).sum();
            shrinkers.push(Shrinker::new(fs, level, deeper + lookahead, reach(level), THRESHOLD[band(level)]));
        }
        Self {
            analysis: (1..=levels).map(Analysis::new).collect(),
            shrinkers,
            synthesis: (1..=levels).map(Synthesis::new).collect(),
            coarse: Line::new(lookahead + 1),
            lookahead,
            details: vec![0.0; levels],
        }
    }

    /// Denoises one sample; unlike [`Kernel::push`] it always has an answer.
    #[inline]
    pub fn run(&mut self, x: f64) -> f64 {
        let mut approximation = x;
        for ((analysis, shrinker), detail) in self.analysis.iter_mut().zip(&mut self.shrinkers).zip(&mut self.details) {
            let (coarse, fine) = analysis.push(approximation);
            *detail = shrinker.push(fine);
            approximation = coarse;
        }
        let mut signal = self.coarse.push(approximation)[0];
        for (synthesis, &detail) in self.synthesis.iter_mut().zip(&self.details).rev() {
            signal = synthesis.push(signal, detail);
        }
        signal
    }

    /// The delay in whole samples.
    pub fn delay_samples(&self) -> usize {
        (1..=self.analysis.len()).map(level_delay).sum::<usize>() + self.lookahead
    }
}

impl Kernel for Denoiser {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.run(x))
    }

    fn reset(&mut self) {
        self.analysis.iter_mut().for_each(Analysis::reset);
        self.shrinkers.iter_mut().for_each(Shrinker::reset);
        self.synthesis.iter_mut().for_each(Synthesis::reset);
        self.coarse.reset();
        self.details.fill(0.0);
    }

    fn delay(&self) -> f64 {
        self.delay_samples() as f64
    }
}
