//! Electrodes that move on the skin: steps that return, and slow noise.

use super::filter::BandPass;
use super::variance;
use crate::heart::gaussian;

/// Mean time between steps, in seconds; the times are a Poisson process.
const STEP_EVERY_S: f64 = 1.4;
/// Time constants of the return, in seconds, all equally likely.
const RETURN_S: (f64, f64) = (0.05, 0.6);
/// Band of the noise that goes with the steps, in hertz.
const BAND_HZ: (f64, f64) = (0.5, 8.0);
/// Its root mean square over that of the steps.
const NOISE_SHARE: f64 = 0.5;

/// A step while it returns.
#[derive(Clone, Copy)]
struct Step {
    height: f64,
    /// What is left of it after one sample.
    keep: f64,
}

pub(super) fn samples(fs: f64, n: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    let steps = steps(fs, n, random);
    let mut band = BandPass::new(BAND_HZ.0, BAND_HZ.1, fs);
    let noise: Vec<f64> = (0..n).map(|_| band.run(gaussian(random))).collect();
    let share = NOISE_SHARE * (variance(&steps) / variance(&noise).max(f64::MIN_POSITIVE)).sqrt();
    steps.iter().zip(noise).map(|(step, noise)| step + share * noise).collect()
}

fn steps(fs: f64, n: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    let mut running: Vec<Step> = Vec::new();
    let sample = |_| {
        if random.f64() < 1.0 / (STEP_EVERY_S * fs) {
            let constant_s = RETURN_S.0 + (RETURN_S.1 - RETURN_S.0) * random.f64();
            running.push(Step { height: gaussian(random), keep: (-1.0 / (constant_s * fs)).exp() });
        }
        let now = running.iter().map(|step| step.height).sum();
        running.iter_mut().for_each(|step| step.height *= step.keep);
        running.retain(|step| step.height.abs() > 1e-6);
        now
    };
    (0..n).map(sample).collect()
}
