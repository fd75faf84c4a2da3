//! The size of a heartbeat as a part of its embedding.
//!
//! A network sees shapes: z-scoring has taken the size away. Yet the logarithm of the size of a lead-I beat varies over
//! persons with a deviation of 0.39 (Heartprint) and 0.34 (ECG-ID), over one person's days with 0.15 and 0.08 (ADR 29). It
//! must not know networks, nor how the size was measured.

use std::f64::consts::FRAC_PI_4;

use crate::compare::joined;

/// Farthest turn from the reference size, radians. Both ends lie 270° apart: no two sizes turn so far that they look alike
/// again.
const FARTHEST: f64 = 3.0 * FRAC_PI_4;

/// How much of the score is the size of the beat, and how fast it falls with a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amplitude {
    /// Share of the score, 0…1.
    pub share: f64,
    /// Turn of the part for a size e times as large, radians.
    pub radians_per_e_fold: f64,
    /// Size with turn 0, mV; sizes more than e^(¾π / `radians_per_e_fold`) times larger or smaller are taken for that.
    pub reference_mv: f64,
}

impl Default for Amplitude {
    /// What is trained by default (ADR 29). A z-scored segment of lead I between two hands has a deviation of about 0.2 mV.
    fn default() -> Self {
        Self { share: 0.15, radians_per_e_fold: 2.0, reference_mv: 0.2 }
    }
}

impl Amplitude {
    /// Numbers that it adds to an embedding.
    pub const LENGTH: usize = 2;

    /// The embedding (unit length) with the size beside it, unit length again: the cosine of two of them is 1 − share of
    /// theirs and share of cos(`radians_per_e_fold` · ln of the ratio of sizes).
    ///
    /// A size that is no positive number is taken for the smallest.
    #[must_use]
    pub fn beside(&self, embedding: &[f32], amplitude_mv: f64) -> Vec<f32> {
        let (sin, cos) = self.turn(amplitude_mv).sin_cos();
        joined(embedding, &[cos as f32, sin as f32], self.share)
    }

    fn turn(&self, amplitude_mv: f64) -> f64 {
        let turn = self.radians_per_e_fold * (amplitude_mv / self.reference_mv).ln();
        if turn.is_nan() { -FARTHEST } else { turn.clamp(-FARTHEST, FARTHEST) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::cosine;

    fn score(a: f64, b: f64) -> f64 {
        let amplitude = Amplitude::default();
        cosine(&amplitude.beside(&[0.6, 0.8], a), &amplitude.beside(&[0.6, 0.8], b))
    }

    #[test]
    fn the_same_size_costs_nothing_and_another_one_the_more_the_farther_it_is() {
        assert!((score(0.17, 0.17) - 1.0).abs() < 1e-6);
        let falling = [1.0, 1.2, 1.5, 2.0, 4.0].map(|ratio| score(0.1, 0.1 * ratio));
        assert!(falling.windows(2).all(|pair| pair[0] > pair[1]), "{falling:?}");
        let expected = 0.85 + 0.15 * (2.0 * 2.0_f64.ln()).cos();
        assert!((score(0.1, 0.2) - expected).abs() < 1e-6, "{} instead of {expected}", score(0.1, 0.2));
        assert!((score(0.1, 0.2) - score(0.2, 0.1)).abs() < 1e-6 && (score(0.1, 0.2) - score(0.2, 0.4)).abs() < 1e-6);
    }

    #[test]
    fn the_farthest_sizes_stay_apart_and_nothing_is_not_a_number() {
        let sizes = [f64::NAN, -1.0, 0.0, 1e-9, 0.042, 0.96, 50.0, f64::INFINITY];
        for (small, large) in [(0, 7), (1, 6), (2, 5), (3, 7), (4, 6)] {
            let apart = score(sizes[small], sizes[large]);
            assert!(apart < 0.86, "{} and {} mV: {apart}", sizes[small], sizes[large]);
        }
        let part = Amplitude::default().beside(&[1.0, 0.0], f64::NAN);
        assert!(part.len() == 2 + Amplitude::LENGTH && part.iter().all(|x| x.is_finite()));
    }
}
