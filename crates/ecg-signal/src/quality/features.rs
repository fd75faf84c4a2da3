//! What of a beat tells whether it is a heartbeat whose shape can be seen.
//!
//! From the first detector, from the shapes that the lead is known for, and from the eight beats before: a heart repeats
//! itself in shape, height and time; what disturbs it does not. Must not know what each is worth.

use super::recent::Company;
use super::template::Likenesses;
use crate::qrs::Detection;

/// The features of one beat, in the order of the weights in `score`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeatFeatures {
    /// How evenly slope is spread in 2.75 s, above what an ECG has: 0 … 0.35.
    pub spread: f64,
    /// Likeness of the QRS with the nearest shape or beat that is known, as `−ln(1.02 − correlation)`: −0.42 … 3.91.
    pub nearest: f64,
    /// Mean distance of the heights of the eight beats before from their median, as logarithms: 0 … 1.
    pub height_spread: f64,
    /// The same of the intervals: 0 … 1.
    pub interval_spread: f64,
    /// Share of the eight that are not there yet: 0 … 1.
    pub few: f64,
    /// Envelope of the noise over that of the QRS alone, in the newest eight beats: 0 … 1.
    pub noise_state: f64,
    /// Slope of the QRS for its segment's height, per 8 ms: 0 … 0.2. What moves electrodes is tall and slow.
    pub steepness: f64,
}

impl BeatFeatures {
    /// Number of features.
    pub const COUNT: usize = 7;
    /// Their names, in their order.
    pub const NAMES: [&str; Self::COUNT] =
        ["spread", "nearest", "height_spread", "interval_spread", "few", "noise_state", "steepness"];

    /// Collects the features; `peak_to_peak_mv` is the height of the segment.
    pub(super) fn new(detection: &Detection, company: &Company, likenesses: &Likenesses, peak_to_peak_mv: f64) -> Self {
        let steepness = detection.envelope / peak_to_peak_mv.max(f64::MIN_POSITIVE);
        Self {
            spread: (detection.spread - ECG_SPREAD).clamp(0.0, LARGEST_RESTLESSNESS),
            nearest: distinctness(likenesses.nearest().max(company.best)),
            height_spread: company.height_spread.min(LARGEST_SPREAD),
            interval_spread: company.interval_spread.min(LARGEST_SPREAD),
            few: company.missing,
            noise_state: over_qrs(detection.noise_state),
            steepness: steepness.min(LARGEST_STEEPNESS),
        }
    }

    /// The features in their order.
    pub fn values(&self) -> [f64; Self::COUNT] {
        [
            self.spread,
            self.nearest,
            self.height_spread,
            self.interval_spread,
            self.few,
            self.noise_state,
            self.steepness,
        ]
    }
}

/// Median spread of the normal beats of MIT-BIH.
const ECG_SPREAD: f64 = 0.9;
/// Beyond a spread of 1.25 (99 % of normal beats are below) muscles under a good QRS look like noise alone; the other
/// features tell them apart.
const LARGEST_RESTLESSNESS: f64 = 0.35;
/// A factor of e between heights or intervals says all that can be said.
const LARGEST_SPREAD: f64 = 1.0;
/// Hardly a beat is as steep; a segment that does not move must not be infinitely so.
const LARGEST_STEEPNESS: f64 = 0.2;

/// Noise over the QRS alone, from noise over QRS and noise together, whose energies add. At most 1.
fn over_qrs(noise_ratio: f64) -> f64 {
    let qrs = (1.0 - noise_ratio * noise_ratio).max(0.0).sqrt();
    if noise_ratio < qrs { noise_ratio / qrs } else { 1.0 }
}

/// A correlation on a scale on which 0.9 and 0.99 are as far apart as 0.3 and 0.9.
pub(super) fn distinctness(correlation: f64) -> f64 {
    -(1.02 - correlation.clamp(-0.5, 1.0)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_over_the_qrs_alone_is_more_than_over_qrs_and_noise() {
        assert!((over_qrs(0.6) - 0.75).abs() < 1e-12);
        assert_eq!(over_qrs(0.0), 0.0);
        assert_eq!(over_qrs(0.9), 1.0);
        assert_eq!(over_qrs(3.0), 1.0);
    }
}
