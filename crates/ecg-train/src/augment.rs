//! Small random changes to one prepared beat, made anew each time it is shown to the network.
//!
//! Input and output are z-scored 175-sample beats, the middle of the QRS at index 62. Knows no record and no network.

use ecg_signal::{SEGMENT_R_INDEX, SEGMENT_SAMPLES, cubic};

use crate::random::{normal, uniform};

/// Largest shift of R, samples either way: R is never located exactly.
const JITTER: f64 = 1.5;
/// Deviation of the stretch of everything after the QRS: what the heart-rate correction leaves over.
const STRETCH: f64 = 0.04;
/// Where the stretched part begins, samples after R.
const STRETCH_FROM: f64 = 13.0;
/// Largest residual drift and white noise, in deviations of the beat.
const DRIFT: f64 = 0.1;
const NOISE: f64 = 0.05;

/// A beat as it might have been found on another day: shifted, stretched, drifting, noisy, z-scored again.
pub fn augment(beat: &[f32; SEGMENT_SAMPLES], rng: &mut fastrand::Rng) -> [f32; SEGMENT_SAMPLES] {
    let shift = uniform(rng, -JITTER, JITTER);
    let stretch = (STRETCH * normal(rng)).exp();
    let drift = Drift::draw(rng);
    let noise = uniform(rng, 0.0, NOISE);
    let bend = SEGMENT_R_INDEX as f64 + STRETCH_FROM;
    let mut changed: [f64; SEGMENT_SAMPLES] = std::array::from_fn(|i| {
        let at = i as f64;
        let source = if at > bend { bend + (at - bend) * stretch } else { at };
        cubic(beat, source + shift) + drift.at(at / (SEGMENT_SAMPLES - 1) as f64)
    });
    changed.iter_mut().for_each(|x| *x += noise * normal(rng));
    z_score(&changed)
}

/// A line, a parabola and a slow sine, together at most about [`DRIFT`] in size.
struct Drift {
    line: f64,
    parabola: f64,
    sine: f64,
    phase: f64,
}

impl Drift {
    fn draw(rng: &mut fastrand::Rng) -> Self {
        let size = uniform(rng, 0.0, DRIFT);
        let mut part = || size * uniform(rng, -1.0, 1.0);
        let (line, parabola, sine) = (part(), part(), part());
        Self { line, parabola, sine, phase: uniform(rng, 0.0, std::f64::consts::TAU) }
    }

    /// Value at a position in 0..=1 along the beat.
    fn at(&self, position: f64) -> f64 {
        let x = 2.0 * position - 1.0;
        self.line * x + self.parabola * (x * x - 1.0 / 3.0) + self.sine * (self.phase + 4.0 * x).sin()
    }
}

/// Mean 0, deviation 1.
pub(crate) fn z_score(values: &[f64; SEGMENT_SAMPLES]) -> [f32; SEGMENT_SAMPLES] {
    let count = SEGMENT_SAMPLES as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt().max(1e-9);
    std::array::from_fn(|i| ((values[i] - mean) / deviation) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn beat() -> [f32; SEGMENT_SAMPLES] {
        let raw = std::array::from_fn(|i| (-((i as f64 - 62.0) / 4.0).powi(2)).exp());
        z_score(&raw)
    }

    #[test]
    fn an_augmented_beat_is_z_scored_and_still_resembles_the_original() {
        let beat = beat();
        for item in 0..100 {
            let changed = augment(&beat, &mut stream(1, item));
            let mean = changed.iter().sum::<f32>() / 175.0;
            let correlation = beat.iter().zip(&changed).map(|(a, b)| a * b).sum::<f32>() / 175.0;
            assert!(mean.abs() < 1e-4 && correlation > 0.85, "{item}: {mean} {correlation}");
        }
    }

    #[test]
    fn interpolation_passes_through_the_samples_and_holds_at_the_ends() {
        let beat = beat();
        assert_eq!(cubic(&beat, 62.0), f64::from(beat[62]));
        assert_eq!(cubic(&beat, 400.0), f64::from(beat[174]));
        assert_eq!(cubic(&beat, -3.5), f64::from(beat[0]));
        let between = cubic(&beat, 58.5);
        assert!(between > f64::from(beat[58]) && between < f64::from(beat[59]));
    }
}
