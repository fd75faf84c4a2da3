//! The rhythm: RR intervals with a slow part, near 0.1 Hz, and a breathing part (respiratory sinus arrhythmia).
//!
//! Each part is a sum of cosines of equal size whose frequencies are drawn from a narrow Gaussian: its spectrum in the
//! mean is that Gaussian, as in the paper. Respiration is the breathing part itself, turned round: the heart is faster
//! while breathing in.
//! Must not know the shape of a beat.

use std::f64::consts::TAU;

use super::gaussian;
use super::params::HeartParams;

/// Middle of the slow part in hertz: the baroreflex (Mayer waves).
const SLOW_HZ: f64 = 0.1;
/// Standard deviation of both parts' spectra in hertz, as in the paper.
const SPREAD_HZ: f64 = 0.01;
/// Cosines of a part: enough that no pattern is seen to repeat, few enough for every sample.
const COSINES: usize = 16;
/// RR intervals stay within these shares of the mean: what no resting heart leaves.
const RR_SHARES: (f64, f64) = (0.4, 1.8);

/// The rhythm of one heart.
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    mean_rr_s: f64,
    slow_sd_s: f64,
    breathing_sd_s: f64,
    slow: [Cosine; COSINES],
    breathing: [Cosine; COSINES],
}

#[derive(Clone, Copy, Debug)]
struct Cosine {
    turns_per_s: f64,
    phase: f64,
}

impl Rhythm {
    pub(super) fn new(params: &HeartParams, random: &mut fastrand::Rng) -> Self {
        // slow² + breathing² = sd², slow² / breathing² = ratio
        let breathing_sd_s = params.rr_sd_s / (1.0 + params.lf_hf_ratio).sqrt();
        Self {
            mean_rr_s: params.mean_rr_s(),
            slow_sd_s: breathing_sd_s * params.lf_hf_ratio.sqrt(),
            breathing_sd_s,
            slow: cosines(SLOW_HZ, random),
            breathing: cosines(params.respiration_hz, random),
        }
    }

    /// Length in seconds of the beat that begins at `now_s`.
    pub(super) fn rr_at(&self, now_s: f64) -> f64 {
        let rr =
            self.mean_rr_s + self.slow_sd_s * sum(&self.slow, now_s) - self.breathing_sd_s * self.respiration_at(now_s);
        rr.clamp(RR_SHARES.0 * self.mean_rr_s, RR_SHARES.1 * self.mean_rr_s)
    }

    /// Respiration, of unit variance, positive while breathing in.
    pub(super) fn respiration_at(&self, now_s: f64) -> f64 {
        sum(&self.breathing, now_s)
    }
}

fn cosines(middle_hz: f64, random: &mut fastrand::Rng) -> [Cosine; COSINES] {
    std::array::from_fn(|_| Cosine {
        turns_per_s: (middle_hz + SPREAD_HZ * gaussian(random)).max(0.02),
        phase: TAU * random.f64(),
    })
}

/// The sum of a part's cosines, of unit variance.
fn sum(part: &[Cosine; COSINES], now_s: f64) -> f64 {
    let scale = (2.0 / COSINES as f64).sqrt();
    // The fraction of a turn first: after weeks the angle would be too large for a cosine of full precision.
    scale * part.iter().map(|c| ((c.turns_per_s * now_s).fract() * TAU + c.phase).cos()).sum::<f64>()
}
