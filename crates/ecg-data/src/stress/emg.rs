//! Muscles: a band of white noise that swells and ebbs.

use super::filter::BandPass;
use crate::heart::gaussian;

/// Band of the surface electromyogram that an ECG amplifier passes, in hertz.
const BAND_HZ: (f64, f64) = (20.0, 110.0);
/// Envelope that is always there.
const FLOOR: f64 = 0.4;
/// What a gamma variate of shape 2 is multiplied with: mean 0.6.
const SCALE: f64 = 0.3;
/// Time between two draws of the envelope, in seconds; between them it runs straight.
const DRAW_S: f64 = 1.0;

pub(super) fn samples(fs: f64, n: usize, random: &mut fastrand::Rng) -> Vec<f64> {
    let mut band = BandPass::new(BAND_HZ.0, BAND_HZ.1, fs);
    let mut envelope = [draw(random), draw(random)];
    let (step, mut along) = (1.0 / (DRAW_S * fs), 0.0);
    let sample = |_| {
        if along >= 1.0 {
            envelope = [envelope[1], draw(random)];
            along -= 1.0;
        }
        let now = envelope[0] + (envelope[1] - envelope[0]) * along;
        along += step;
        now * band.run(gaussian(random))
    };
    (0..n).map(sample).collect()
}

/// The sum of two exponential variates is a gamma variate of shape 2.
fn draw(random: &mut fastrand::Rng) -> f64 {
    let exponential = |random: &mut fastrand::Rng| -(1.0 - random.f64()).ln();
    FLOOR + SCALE * (exponential(random) + exponential(random))
}
