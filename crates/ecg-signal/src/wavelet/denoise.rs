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

use super::median::SlidingMedian;
use super::stationary::{Analysis, Synthesis, level_delay};
use crate::kernel::Kernel;
use crate::ring::Ring;
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

/// Shrinks the detail of one level, `delay` samples later.
#[derive(Clone, Debug)]
struct Shrinker {
    details: Ring<f64>,
    noise: SlidingMedian,
    minimum: usize,
    delay: u64,
    reach: u64,
    /// Squared threshold in units of the mean square of the noise, times the samples of the neighbourhood.
    limit: f64,
}

impl Shrinker {
    fn new(fs: Hertz, delay: usize, reach: usize, threshold: f64) -> Self {
        Self {
            details: Ring::new(delay + reach + 1),
            noise: SlidingMedian::new(fs.samples(NOISE_WINDOW_S)),
            minimum: fs.samples(NOISE_MINIMUM_S),
            delay: delay as u64,
            reach: reach as u64,
            limit: threshold * threshold * (2 * reach + 1) as f64,
        }
    }

    #[inline]
    fn push(&mut self, detail: f64) -> f64 {
        self.noise.push(detail);
        self.details.push(detail);
        let newest = self.details.end() - 1;
        let Some(centre) = newest.checked_sub(self.delay) else { return 0.0 };
        let value = self.details.get(centre).unwrap_or(0.0);
        if self.noise.filled() < self.minimum {
            return value;
        }
        let mut energy = 0.0;
        for position in centre.saturating_sub(self.reach)..=centre + self.reach {
            let neighbour = self.details.get(position).unwrap_or(0.0);
            energy += neighbour * neighbour;
        }
        let sigma = self.noise.value() / MEDIAN_OF_GAUSSIAN;
        let limit = self.limit * sigma * sigma;
        if energy <= limit { 0.0 } else { value * (1.0 - (limit / energy) * (limit / energy)) }
    }

    fn reset(&mut self) {
        self.details.clear();
        self.noise.reset();
    }
}

/// The denoiser as a kernel. Its delay is exact and the same at all frequencies.
#[derive(Clone, Debug)]
pub struct Denoiser {
    analysis: Vec<Analysis>,
    shrinkers: Vec<Shrinker>,
    synthesis: Vec<Synthesis>,
    coarse: Ring<f64>,
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
            shrinkers.push(Shrinker::new(fs, deeper + lookahead, reach(level), THRESHOLD[band(level)]));
        }
        Self {
            analysis: (1..=levels).map(Analysis::new).collect(),
            shrinkers,
            synthesis: (1..=levels).map(Synthesis::new).collect(),
            coarse: Ring::new(lookahead + 1),
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
        self.coarse.push(approximation);
        let oldest = self.coarse.end() - 1;
        let mut signal = oldest.checked_sub(self.lookahead as u64).and_then(|p| self.coarse.get(p)).unwrap_or(0.0);
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
        self.coarse.clear();
        self.details.fill(0.0);
    }

    fn delay(&self) -> f64 {
        self.delay_samples() as f64
    }
}
