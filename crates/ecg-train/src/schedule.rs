//! How the learning rate and the margin move over a training run.

use std::f64::consts::PI;

/// One cycle: a cosine rise from `peak / 25` to `peak` over the first 30 % of the steps, then a cosine fall to
/// nearly nothing (Smith & Topin 2018).
#[derive(Clone, Copy, Debug)]
pub struct OneCycle {
    /// Highest learning rate.
    pub peak: f64,
    /// Steps of the whole run.
    pub steps: usize,
}

/// Share of the steps in which learning rate and margin rise.
const RISE: f64 = 0.3;

impl OneCycle {
    /// Learning rate at step `step`, counted from 0.
    pub fn learning_rate(&self, step: usize) -> f64 {
        let start = self.peak / 25.0;
        let end = start / 1e4;
        let rise = (RISE * self.steps as f64 - 1.0).max(1.0);
        let step = step as f64;
        if step <= rise {
            cosine_between(start, self.peak, step / rise)
        } else {
            let fall = (self.steps as f64 - 1.0 - rise).max(1.0);
            cosine_between(self.peak, end, ((step - rise) / fall).min(1.0))
        }
    }
}

/// Margin at step `step` of `steps`: a straight rise to `full` over the first 30 %.
pub fn margin(full: f64, step: usize, steps: usize) -> f64 {
    full * (step as f64 / (RISE * steps as f64).max(1.0)).min(1.0)
}

fn cosine_between(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * 0.5 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_its_peak_and_falls_to_nearly_nothing() {
        let cycle = OneCycle { peak: 3e-3, steps: 500 };
        let rates: Vec<f64> = (0..500).map(|step| cycle.learning_rate(step)).collect();
        assert!((rates[0] - 3e-3 / 25.0).abs() < 1e-9);
        assert!((rates[149] - 3e-3).abs() < 1e-9);
        assert!(rates[499] < 1e-6);
        assert!(rates[..149].is_sorted() && rates[149..].iter().rev().is_sorted());
    }

    #[test]
    fn the_margin_is_full_after_three_tenths() {
        assert_eq!(margin(0.3, 0, 500), 0.0);
        assert!((margin(0.3, 75, 500) - 0.15).abs() < 1e-12);
        assert_eq!(margin(0.3, 150, 500), 0.3);
        assert_eq!(margin(0.3, 499, 500), 0.3);
    }
}
