//! A stretch of a waveform made fit for a transform: steps cut out, the straight line taken off, tapered.
//!
//! Must not know about frequencies.

use std::f64::consts::TAU;

use super::NoRate;

/// A step between ticks beyond so many times the usual large one (the fourth of five by size) is none of a breath's: it
/// is cut out.
const STEP_FACTOR: f64 = 4.0;
/// Steps, the largest one of twenty over the middle one, beyond which it is movement that hides a breath: a sine has 1.4,
/// noise 2.9.
const MOVEMENT_FACTOR: f64 = 5.0;
/// Share of steps cut out beyond which movement hides the breath.
pub(super) const MOST_CUT: f64 = 0.12;

/// Takes steps out that no breath makes: there the waveform goes on as if it had stood still. Gives the share that was
/// taken out; `steps` then holds the sizes of all steps, in no order.
pub(super) fn cut_steps(x: &mut [f64], steps: &mut [f64]) -> f64 {
    for (step, pair) in steps.iter_mut().zip(x.windows(2)) {
        *step = (pair[1] - pair[0]).abs();
    }
    // Neighbouring steps are alike: every second one tells as much.
    let half = steps.len() / 2;
    for at in 0..half {
        steps.swap(at, 2 * at);
    }
    let (_, large, _) = steps[..half].select_nth_unstable_by(half * 4 / 5, f64::total_cmp);
    let limit = STEP_FACTOR * *large;
    let (mut before, mut level, mut cut) = (x[0], 0.0, 0);
    for value in x.iter_mut() {
        let step = *value - before;
        before = *value;
        if step.abs() > limit {
            cut += 1;
        } else {
            level += step;
        }
        *value = level;
    }
    f64::from(cut) / x.len() as f64
}

/// Why nothing repeats: movement, where the largest steps are far beyond the middle one.
pub(super) fn disturbance(steps: &mut [f64]) -> NoRate {
    let length = steps.len();
    let mut at = |share: f64| *steps.select_nth_unstable_by((share * length as f64) as usize, f64::total_cmp).1;
    if at(0.95) > MOVEMENT_FACTOR * at(0.5) { NoRate::Motion } else { NoRate::Irregular }
}

/// Takes the straight line of least squares off; gives the root mean square of the rest.
pub(super) fn take_line_off(x: &mut [f64]) -> f64 {
    let n = x.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let (mut sum, mut moment) = (0.0, 0.0);
    for (at, value) in x.iter().enumerate() {
        sum += value;
        moment += (at as f64 - middle) * value;
    }
    let (mean, slope) = (sum / n, moment * 12.0 / (n * (n * n - 1.0)));
    let mut squares = 0.0;
    for (at, value) in x.iter_mut().enumerate() {
        *value -= mean + slope * (at as f64 - middle);
        squares += *value * *value;
    }
    (squares / n).sqrt()
}

/// Hann's taper for one length at a time: lengths change only until the window is full.
#[derive(Clone, Debug)]
pub(super) struct Taper {
    weights: Box<[f64]>,
    /// What the autocorrelation of the taper divides by, from lag 0 on.
    inverse_correlation: Box<[f64]>,
    length: usize,
}

impl Taper {
    /// A taper for lengths up to `longest`, its autocorrelation up to `lags` lags.
    pub(super) fn new(longest: usize, lags: usize) -> Self {
        Self { weights: vec![0.0; longest].into(), inverse_correlation: vec![1.0; lags].into(), length: 0 }
    }

    /// Tapers a stretch.
    pub(super) fn apply(&mut self, x: &mut [f64]) {
        if x.len() != self.length {
            self.set(x.len());
        }
        x.iter_mut().zip(&self.weights).for_each(|(x, weight)| *x *= weight);
    }

    /// One over the autocorrelation of the taper that was applied last (Boersma's equation 8), from lag 0 on.
    pub(super) fn inverse_correlation(&self) -> &[f64] {
        &self.inverse_correlation
    }

    fn set(&mut self, length: usize) {
        self.length = length;
        let turn = TAU / length as f64;
        for (at, weight) in self.weights.iter_mut().enumerate() {
            *weight = 0.5 - 0.5 * (turn * (at as f64 + 0.5)).cos();
        }
        for (lag, inverse) in self.inverse_correlation.iter_mut().enumerate() {
            let (sin, cos) = (turn * lag as f64).sin_cos();
            let rest = 1.0 - lag as f64 / length as f64;
            *inverse = 1.0 / (rest * (2.0 + cos) / 3.0 + sin / TAU);
        }
    }
}
