//! One number for "is this a heartbeat whose shape can be seen". Must not know how a feature is measured.

use super::features::BeatFeatures;

/// The constant and the weight of each feature.
const CONSTANT: f64 = -0.3;
const WEIGHTS: [f64; BeatFeatures::COUNT] = [-3.1, -4.8, 1.25, 0.35, -1.95, -5.0, 1.0, -0.2, 0.2];

/// The probability, 0 … 1, by a logistic function.
pub(super) fn score(features: &BeatFeatures) -> f64 {
    let z: f64 = CONSTANT + features.values().iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum::<f64>();
    1.0 / (1.0 + (-z).exp())
}
