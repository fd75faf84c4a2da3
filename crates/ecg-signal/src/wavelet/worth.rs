//! What a denoiser is worth: the noise it takes beyond the band-pass, the QRS it leaves, what it does to a clean signal.
//!
//! One definition for the tests, for `ecgid evaluate denoiser` and for whoever changes a threshold. Measured against the
//! clean signal through the band-pass alone, because that is what the chain gives without a denoiser. Must not know how
//! a denoiser works: it is a function from a signal to one of the same length, some whole samples later than the
//! band-pass alone.

use crate::FS;
use crate::conditioner::{Conditioner, HIGH_CORNER, HIGH_ORDER, LOW_CORNER, LOW_ORDER};
use crate::filter::SosFilter;
use crate::filter::design::{self, DesignError};
use crate::filter::notch::Mains;

use super::denoise::Denoiser;

/// Filters and the estimate of noise settle first; nothing of it counts.
pub const SETTLE_S: f64 = 10.0;
/// Half the window round R in which a QRS has its tallest point.
const QRS_HALF_S: f64 = 0.05;

/// What a denoiser made of one signal in noise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Signal-to-noise ratio gained beyond the band-pass alone, in decibels.
    pub gain_db: f64,
    /// Height of the QRS that is left, 0 … 1: the denoised signal over the clean one where the clean one is tallest,
    /// summed over the beats. It is read at that very sample, so that noise does not lift it and a shift lowers it.
    pub qrs_kept: f64,
}

/// The high-pass of the conditioning chain at [`FS`], first sample subtracted.
///
/// # Errors
/// None at 250 Hz; filters' designs can fail at other rates.
pub fn high_passed(x: &[f64]) -> Result<Vec<f64>, DesignError> {
    let mut high = SosFilter::new(&design::high_pass(LOW_ORDER, LOW_CORNER, FS)?);
    let first = x.first().copied().unwrap_or(0.0);
    Ok(x.iter().map(|&v| high.run(v - first)).collect())
}

/// The low-pass of the conditioning chain at [`FS`].
///
/// # Errors
/// None at 250 Hz, as above.
pub fn low_passed(x: &[f64]) -> Result<Vec<f64>, DesignError> {
    let mut low = SosFilter::new(&design::low_pass(HIGH_ORDER, HIGH_CORNER, FS)?);
    Ok(x.iter().map(|&v| low.run(v)).collect())
}

/// The band-pass of the conditioning chain: the chain without notch and denoiser.
///
/// # Errors
/// None at 250 Hz, as above.
pub fn band_pass_alone(x: &[f64]) -> Result<Vec<f64>, DesignError> {
    low_passed(&high_passed(x)?)
}

/// The chain as it is shipped, without notch.
///
/// # Errors
/// None at 250 Hz, as above.
pub fn shipped_chain(x: &[f64]) -> Result<Vec<f64>, DesignError> {
    let mut chain = Conditioner::new(FS, Mains::None)?;
    Ok(x.iter().map(|&v| chain.run(v)).collect())
}

/// How much later than [`band_pass_alone`] the shipped chain is, in samples.
#[must_use]
pub fn shipped_delay() -> usize {
    Denoiser::new(FS).delay_samples()
}

/// A signal at [`FS`] that counts as clean, with what is measured against.
#[derive(Clone, Debug)]
pub struct Clean<'a> {
    signal: &'a [f64],
    reference: Vec<f64>,
    /// Where each QRS is tallest in the reference.
    tops: Vec<usize>,
}

impl<'a> Clean<'a> {
    /// `r_peaks` are samples of the signal; those of the first [`SETTLE_S`] and of the last second do not count.
    ///
    /// # Errors
    /// None at 250 Hz, as above.
    pub fn new(signal: &'a [f64], r_peaks: impl Iterator<Item = f64>) -> Result<Self, DesignError> {
        let reference = band_pass_alone(signal)?;
        let half = FS.samples(QRS_HALF_S);
        let last = signal.len().saturating_sub(FS.samples(1.0));
        let counts = settled()..last;
        let tops = r_peaks
            .map(|r| r.max(0.0).round() as usize)
            .filter(|r| counts.contains(r))
            .filter_map(|r| (r - half..=r + half).max_by(|&a, &b| reference[a].abs().total_cmp(&reference[b].abs())))
            .collect();
        Ok(Self { signal, reference, tops })
    }

    /// Beats that count.
    #[must_use]
    pub fn beats(&self) -> usize {
        self.tops.len()
    }

    /// What counts of the reference.
    fn settled(&self) -> &[f64] {
        self.reference.get(settled()..).unwrap_or_default()
    }

    /// The worth of `chain` with `noise` scaled so that the mean square of the reference is `snr_db` above that of the
    /// noise, both taken over all that counts. `chain` is `delay` samples late. NaN without beats or noise.
    ///
    /// # Errors
    /// None at 250 Hz, as above.
    pub fn worth(
        &self,
        noise: &[f64],
        snr_db: f64,
        delay: usize,
        chain: impl Fn(&[f64]) -> Vec<f64>,
    ) -> Result<Worth, DesignError> {
        let scale = (power(self.settled()) / power(noise) / 10f64.powf(snr_db / 10.0)).sqrt();
        let noisy: Vec<f64> = self.signal.iter().zip(noise).map(|(x, n)| x + scale * n).collect();
        let denoised = chain(&noisy);
        let before = self.error(&band_pass_alone(&noisy)?, 0);
        let height = |signal: &[f64], delay: usize| -> f64 {
            let at = |&top: &usize| signal.get(top + delay).map(|x| x * self.reference[top].signum());
            self.tops.iter().filter_map(at).sum()
        };
        Ok(Worth {
            gain_db: decibel(before / self.error(&denoised, delay)),
            qrs_kept: height(&denoised, delay) / height(&self.reference, 0),
        })
    }

    /// What `chain` changes in the clean signal itself, in decibels below the reference.
    #[must_use]
    pub fn change_db(&self, delay: usize, chain: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
        decibel(self.error(&chain(self.signal), delay) / power(self.settled()))
    }

    /// Mean square of the difference to the reference, of a signal that is `delay` samples late.
    fn error(&self, signal: &[f64], delay: usize) -> f64 {
        let pairs = signal.iter().skip(settled() + delay).zip(self.settled());
        power(&pairs.map(|(x, y)| x - y).collect::<Vec<_>>())
    }
}

fn settled() -> usize {
    FS.samples(SETTLE_S)
}

fn power(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64
}

fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}
