//! Denoisers that might have been: other levels, thresholds and rules, other places in the chain.
//!
//! A whole signal at a time and without regard to speed. With the shipped settings it must give what the signal path
//! gives, and a test says so: that makes the other rows comparable, and is a second implementation of the denoiser.

use ecg_signal::FS;
use ecg_signal::filter::design::DesignError;
use ecg_signal::wavelet::median::SlidingMedian;
use ecg_signal::wavelet::stationary::{Analysis, Synthesis, level_delay};
use ecg_signal::wavelet::worth::{band_pass_alone, high_passed, low_passed};

/// How a detail is shrunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// By the energy of its neighbourhood, max(0, 1 − (kσ)⁴ / e²): the shipped one.
    Block,
    /// Each by itself, max(0, |d| − kσ): Donoho's soft threshold.
    Soft,
    /// Each by itself, kept or not: Donoho's hard threshold.
    Hard,
}

/// Where the noise of a level is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseFrom {
    /// In the level itself.
    Own,
    /// In the finest one, as textbooks do for white noise.
    Finest,
}

/// Where the denoiser stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between the high-pass and the 40 Hz low-pass: the shipped one.
    BeforeLowPass,
    /// After both.
    AfterLowPass,
}

/// One denoiser.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it differs in from the shipped one.
    pub name: String,
    /// All thresholds are those of the shipped one times this, and nothing else differs.
    pub factor: Option<f64>,
    /// Thresholds in units of the noise, finest level first; as many as there are levels.
    pub thresholds: Vec<f64>,
    /// Details before and after one that are looked at with it, where [`Rule::Block`] does; as many as there are levels.
    pub neighbours: Vec<(usize, usize)>,
    /// The rule.
    pub rule: Rule,
    /// The noise.
    pub noise: NoiseFrom,
    /// The place.
    pub place: Place,
    /// Time over which noise is estimated, seconds.
    pub window_s: f64,
}

/// median |x| of a Gaussian is 0.6745 σ.
const MEDIAN_OF_GAUSSIAN: f64 = 0.6745;
/// Before this much of a level is known nothing is shrunk, seconds.
const MINIMUM_S: f64 = 0.5;
/// √(2 ln n) for the 375 details of 1.5 s: Donoho's universal threshold.
const UNIVERSAL: f64 = 3.443;

impl Candidate {
    /// The settings of the signal path.
    #[must_use]
    pub fn shipped() -> Self {
        Self {
            name: "shipped".into(),
            factor: Some(1.0),
            thresholds: vec![1.6, 1.3, 1.3],
            neighbours: vec![(2, 2), (2, 4), (3, 0)],
            rule: Rule::Block,
            noise: NoiseFrom::Own,
            place: Place::BeforeLowPass,
            window_s: 1.5,
        }
    }

    /// The shipped one with all thresholds times `factor`.
    #[must_use]
    pub fn scaled(factor: f64) -> Self {
        let shipped = Self::shipped();
        let thresholds = shipped.thresholds.iter().map(|k| factor * k).collect();
        Self { name: format!("thresholds x {factor}"), factor: Some(factor), thresholds, ..shipped }
    }

    /// All that the shipped one is compared with.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let shipped = Self::shipped();
        let named = |name: &str, change: &dyn Fn(&mut Self)| {
            let mut candidate = Self { name: name.into(), factor: None, ..shipped.clone() };
            change(&mut candidate);
            candidate
        };
        let mut all: Vec<Self> = FACTORS.into_iter().map(Self::scaled).collect();
        all.extend([
            named("2 levels, down to 31 Hz", &|c| {
                c.thresholds.truncate(2);
                c.neighbours = vec![(2, 2), (4, 0)];
            }),
            named("4 levels, down to 8 Hz", &|c| {
                c.thresholds.push(1.3);
                c.neighbours = vec![(2, 2), (2, 4), (4, 4), (3, 0)];
            }),
            named("looks both ways", &|c| c.neighbours = vec![(2, 2), (3, 3), (4, 4)]),
            named("noise window 1 s", &|c| c.window_s = 1.0),
            named("noise window 4 s", &|c| c.window_s = 4.0),
            named("soft, universal", &|c| (c.rule, c.thresholds) = (Rule::Soft, vec![UNIVERSAL; 3])),
            named("soft, 1.5", &|c| (c.rule, c.thresholds) = (Rule::Soft, vec![1.5; 3])),
            named("hard, universal", &|c| (c.rule, c.thresholds) = (Rule::Hard, vec![UNIVERSAL; 3])),
            named("hard, 2.5", &|c| (c.rule, c.thresholds) = (Rule::Hard, vec![2.5; 3])),
            named("noise of the finest level", &|c| c.noise = NoiseFrom::Finest),
            named("after the low-pass", &|c| c.place = Place::AfterLowPass),
            named("textbook: all three", &|c| {
                (c.rule, c.thresholds) = (Rule::Soft, vec![UNIVERSAL; 3]);
                (c.noise, c.place) = (NoiseFrom::Finest, Place::AfterLowPass);
            }),
        ]);
        all
    }

    /// How much later than the band-pass alone it is, samples.
    #[must_use]
    pub fn delay(&self) -> usize {
        let levels = self.thresholds.len();
        (1..=levels).map(level_delay).sum::<usize>() + self.neighbours(levels).1
    }

    /// The whole chain, without notch.
    ///
    /// # Errors
    /// None at 250 Hz.
    pub fn chain(&self, x: &[f64]) -> Result<Vec<f64>, DesignError> {
        match self.place {
            Place::BeforeLowPass => low_passed(&self.denoise(&high_passed(x)?)),
            Place::AfterLowPass => Ok(self.denoise(&band_pass_alone(x)?)),
        }
    }

    fn neighbours(&self, level: usize) -> (usize, usize) {
        if self.rule == Rule::Block { self.neighbours[level - 1] } else { (0, 0) }
    }

    fn denoise(&self, x: &[f64]) -> Vec<f64> {
        let levels = self.thresholds.len();
        let lookahead = self.neighbours(levels).1;
        let (mut approximation, mut details): (_, Vec<Vec<f64>>) = (x.to_vec(), Vec::new());
        for level in 1..=levels {
            let mut analysis = Analysis::new(level);
            let (coarse, fine): (Vec<f64>, Vec<f64>) = approximation.iter().map(|&x| analysis.push(x)).unzip();
            approximation = coarse;
            details.push(fine);
        }
        let sigma: Vec<Vec<f64>> = details.iter().zip(1..).map(|(fine, level)| self.sigma(fine, level)).collect();
        let mut signal = delayed(&approximation, lookahead);
        for level in (1..=levels).rev() {
            let sigma = if self.noise == NoiseFrom::Own { &sigma[level - 1] } else { &sigma[0] };
            let deeper: usize = (level + 1..=levels).map(level_delay).sum();
            let shrunk = self.shrink(&details[level - 1], sigma, level, deeper + lookahead);
            let mut synthesis = Synthesis::new(level);
            signal = signal.iter().zip(shrunk).map(|(&coarse, fine)| synthesis.push(coarse, fine)).collect();
        }
        signal
    }

    /// The noise of a level at each moment; 0 until enough of it is known. It is looked at every 2^level samples.
    fn sigma(&self, fine: &[f64], level: usize) -> Vec<f64> {
        let stride = 1 << level;
        let mut median = SlidingMedian::new(FS.samples(self.window_s) / stride);
        let mut sigma = 0.0;
        let look = |(n, &detail): (usize, &f64)| {
            if n % stride == 0 {
                median.push(detail);
                if median.filled() >= FS.samples(MINIMUM_S) / stride {
                    sigma = median.value() / MEDIAN_OF_GAUSSIAN;
                }
            }
            sigma
        };
        fine.iter().enumerate().map(look).collect()
    }

    fn shrink(&self, fine: &[f64], sigma: &[f64], level: usize, delay: usize) -> Vec<f64> {
        let (k, (before, after)) = (self.thresholds[level - 1], self.neighbours(level));
        let at = |n: isize| usize::try_from(n).ok().and_then(|n| fine.get(n)).copied().unwrap_or(0.0);
        let one = |n: usize| {
            let centre = n as isize - delay as isize;
            let (value, limit) = (at(centre), k * sigma[n]);
            match self.rule {
                Rule::Soft => value.signum() * (value.abs() - limit).max(0.0),
                Rule::Hard => {
                    if value.abs() > limit {
                        value
                    } else {
                        0.0
                    }
                }
                Rule::Block => {
                    let around = -(before as isize)..=after as isize;
                    let count = (before + 1 + after) as f64;
                    let energy = around.map(|offset| at(centre + offset).powi(2)).sum::<f64>() / count;
                    let share = limit * limit / energy;
                    if share < 1.0 { value * (1.0 - share * share) } else { 0.0 }
                }
            }
        };
        (0..fine.len()).map(one).collect()
    }
}

/// Thresholds that the curve shows, in units of the shipped ones.
pub const FACTORS: [f64; 6] = [0.5, 0.75, 0.9, 1.15, 1.3, 1.6];

fn delayed(x: &[f64], by: usize) -> Vec<f64> {
    let mut out = vec![0.0; by.min(x.len())];
    out.extend_from_slice(&x[..x.len() - out.len()]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecg_signal::wavelet::worth::{shipped_chain, shipped_delay};

    #[test]
    fn the_shipped_candidate_is_the_denoiser_of_the_signal_path() {
        let mut random = fastrand::Rng::with_seed(4);
        let pulse = |n: usize| if n % 200 < 6 { 1.0 } else { 0.0 };
        let x: Vec<f64> = (0..6000).map(|n| pulse(n) + 0.1 * (random.f64() - 0.5)).collect();
        let (ours, theirs) = (Candidate::shipped().chain(&x).unwrap(), shipped_chain(&x).unwrap());
        let largest = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(largest < 1e-9, "{largest}");
        assert_eq!(Candidate::shipped().delay(), shipped_delay());
    }
}
