//! Noise stress test: a clean record with a calibrated amount of disturbance, to measure a detector by the level.
//!
//! Responsible for the disturbances themselves and for the gain that a wanted signal-to-noise ratio asks for.
//! Seeded and pure: equal arguments give equal samples. Must not know of files, detectors or scores; what a person's
//! day sounds like is [`crate::heart::Noise`].
//!
//! The ratio is that of PhysioNet's `nst`: the signal's power is that of a sine as tall as the QRS, the noise's power is
//! its mean square, and the ratio is 10·log10 of their quotient.
//!
//! Differences from `nst` (WFDB Applications Guide, `nst(1)` and `sigamp(1)`):
//! - The disturbance covers the whole record, not two of every four minutes from 5:00 on: more beats are in it.
//! - [`Power::Variance`], the default, takes the noise's power over all of it. `nst` averages the root mean square of
//!   one-second windows with each window's own mean taken off ([`Power::Windowed`]); to that, slow baseline wander is
//!   next to silent, and the same number of decibels is 11 to 13 dB more of it (channels of NSTDB's `bw`).
//! - A median, not a mean without the outer twentieths, of the QRS heights: the same on a regular record.

mod emg;
mod filter;
mod motion;

use std::f64::consts::TAU;

use crate::heart::gaussian;

/// Half the window round an annotated beat in which its QRS lies, in seconds.
const QRS_HALF_S: f64 = 0.05;
/// Windows of [`Power::Windowed`], in seconds.
const WINDOW_S: f64 = 1.0;
/// Share of windows that [`Power::Windowed`] leaves out at either end.
const TRIM: f64 = 0.05;
/// Windows and beats beyond these do not count for `nst`.
const FIRST_S: f64 = 300.0;

/// A disturbance that is made, not recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Disturbance {
    /// White Gaussian noise.
    White,
    /// Powerline at this frequency in hertz with a third harmonic of 15 %; amplitude and frequency (±0.05 Hz) drift.
    Mains(f64),
    /// Muscles: white noise from 20 to 110 Hz (0.45 of the sampling frequency where that is lower) under a random
    /// envelope, 0.4 plus a gamma variate (shape 2, mean 0.6) drawn anew each second.
    Emg,
    /// Electrode motion: steps of Gaussian height, every 1.4 s in the mean, that return exponentially in 0.05 to 0.6 s,
    /// with noise from 0.5 to 8 Hz of half their root mean square. It lies in the band of the QRS and looks like it.
    ElectrodeMotion,
}

impl Disturbance {
    /// `n` samples at `fs` hertz, 50 or more; without unit, zero mean. Equal seeds give equal samples.
    #[must_use]
    pub fn samples(self, fs: f64, n: usize, seed: u64) -> Vec<f64> {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut samples = match self {
            Self::White => (0..n).map(|_| gaussian(&mut random)).collect(),
            Self::Mains(hz) => mains(hz, fs, n, &mut random),
            Self::Emg => emg::samples(fs, n, &mut random),
            Self::ElectrodeMotion => motion::samples(fs, n, &mut random),
        };
        centre(&mut samples);
        samples
    }
}

fn mains(hz: f64, fs: f64, n: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    // Both drift as sines of less than a minute: bounded, so that the frequency stays where it is said to be.
    let (slow, slower) = (TAU * random.f64(), TAU * random.f64());
    let mut turns = random.f64();
    let sample = |i: usize| {
        let t = i as f64 / fs;
        let now_hz = hz + 0.05 * (TAU * t / 23.0 + slow).sin();
        turns = (turns + now_hz / fs).fract();
        let third = if 3.0 * now_hz < fs / 2.0 { 0.15 * (3.0 * TAU * turns).sin() } else { 0.0 };
        (1.0 + 0.2 * (TAU * t / 41.0 + slower).sin()) * ((TAU * turns).sin() + third)
    };
    (0..n).map(sample).collect()
}

/// A recorded disturbance as `n` samples at `fs` hertz, zero mean: from sample `start` on, from its first sample again
/// after its last.
///
/// Between samples it is interpolated linearly: right for baseline wander, whose power lies below a few hertz. Samples
/// that are not finite count as 0. All zero where the recording is empty.
#[must_use]
pub fn recorded(noise: &[f64], noise_fs: f64, start: usize, fs: f64, n: usize) -> Vec<f64> {
    if noise.is_empty() {
        return vec![0.0; n];
    }
    let at = |i: usize| Some(noise[i % noise.len()]).filter(|x| x.is_finite()).unwrap_or(0.0);
    let step = noise_fs / fs;
    let mut samples: Vec<f64> = (0..n)
        .map(|i| {
            let place = i as f64 * step;
            let (whole, part) = (start + place as usize, place.fract());
            if part == 0.0 { at(whole) } else { at(whole) * (1.0 - part) + at(whole + 1) * part }
        })
        .collect();
    centre(&mut samples);
    samples
}

/// How the power of a disturbance is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Power {
    /// Its variance over all samples.
    #[default]
    Variance,
    /// As `nst` takes it: the root mean square of windows of one second, each without its own mean, over the first
    /// 300 s; the mean of the middle 90 % of them, squared.
    Windowed,
}

impl Power {
    /// The power of a disturbance, in its unit squared. 0 without samples.
    #[must_use]
    pub fn of(self, noise: &[f64], fs: f64) -> f64 {
        match self {
            Self::Variance => variance(noise),
            Self::Windowed => {
                let first = noise.len().min((FIRST_S * fs) as usize);
                let window = ((WINDOW_S * fs) as usize).max(1);
                let mut rms: Vec<f64> = noise[..first].chunks_exact(window).map(|w| variance(w).sqrt()).collect();
                rms.sort_by(f64::total_cmp);
                let cut = (TRIM * rms.len() as f64) as usize;
                mean(&rms[cut..rms.len() - cut]).powi(2)
            }
        }
    }
}

/// Power of an ECG in millivolts squared: (median peak-to-peak height of the QRS)² / 8, a sine as tall as the QRS.
///
/// `beats` are places in samples; the height is taken within 50 ms of each. `None` without a beat inside the record.
#[must_use]
pub fn qrs_power(millivolts: &[f64], fs: f64, beats: &[u64]) -> Option<f64> {
    let half = (QRS_HALF_S * fs) as usize;
    let height = |&beat: &u64| {
        let centre = usize::try_from(beat).ok()?;
        let window = millivolts.get(centre.saturating_sub(half)..=centre + half)?;
        let finite = window.iter().copied().filter(|x| x.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        Some(high - low).filter(|height| *height >= 0.0)
    };
    let mut heights: Vec<f64> = beats.iter().filter_map(height).collect();
    heights.sort_by(f64::total_cmp);
    heights.get(heights.len() / 2).map(|height| height.powi(2) / 8.0)
}

/// The factor on the disturbance that makes the ratio of the two powers `snr_db`; 0 for a disturbance without power.
#[must_use]
pub fn gain(signal_power: f64, noise_power: f64, snr_db: f64) -> f64 {
    if noise_power > 0.0 { (signal_power / noise_power / 10f64.powf(snr_db / 10.0)).sqrt() } else { 0.0 }
}

fn centre(samples: &mut [f64]) {
    let mean = mean(samples);
    samples.iter_mut().for_each(|x| *x -= mean);
}

fn mean(samples: &[f64]) -> f64 {
    samples.iter().sum::<f64>() / samples.len().max(1) as f64
}

fn variance(samples: &[f64]) -> f64 {
    let mean = mean(samples);
    samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / samples.len().max(1) as f64
}
