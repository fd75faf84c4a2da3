//! One number for "is this a heartbeat at all", from the detector's features. Must not know about segments.

use crate::qrs::Detection;

/// 0 (noise) … 1 (heartbeat): a logistic function of the detector's features.
pub(super) fn score(detection: &Detection) -> f64 {
    let z = 7.0 - 6.0 * detection.noise_ratio - 7.0 * detection.noise_state - 6.0 * (detection.spread - 0.96).max(0.0);
    1.0 / (1.0 + (-z).exp())
}
