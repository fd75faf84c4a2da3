//! What of a beat tells whether it is a heartbeat whose shape can be seen.
//!
//! From the first detector, from the shapes that the lead is known for, and from the eight beats before: a heart repeats
//! itself in shape, height and time; what disturbs it does not. Must not know what each is worth.

use super::recent::Company;
use super::template::Likenesses;
use crate::qrs::Detection;

/// The features of one beat, in the order of the weights in `score`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BeatFeatures {
    /// Envelope beside the QRS over that of the QRS: quiet round it.
    pub(super) noise_ratio: f64,
    /// How evenly slope is spread in 2.75 s, above what an ECG has.
    pub(super) spread: f64,
    /// Likeness of the QRS with the nearest shape or beat that is known.
    pub(super) nearest: f64,
    /// Median likeness with the eight beats before.
    pub(super) median: f64,
    /// Mean distance of their heights from the median, as logarithms.
    pub(super) height_spread: f64,
    /// The same of the intervals.
    pub(super) interval_spread: f64,
    /// Share of the eight that are not there yet.
    pub(super) few: f64,
    /// Beats of the second detector in the interval before that the first one did not find.
    pub(super) extra: f64,
    /// Share that the nearest shape has in the beats of late.
    pub(super) share: f64,
}

impl BeatFeatures {
    /// Number of features.
    pub(super) const COUNT: usize = 9;

    /// Collects the features; `extra` counts the beats of the second detector alone in the interval before.
    pub(super) fn new(detection: &Detection, company: &Company, likenesses: &Likenesses, extra: u32) -> Self {
        Self {
            noise_ratio: detection.noise_ratio,
            spread: (detection.spread - ECG_SPREAD).clamp(0.0, LARGEST_RESTLESSNESS),
            nearest: distinctness(likenesses.nearest().max(company.best)),
            median: distinctness(company.median),
            height_spread: company.height_spread.min(LARGEST_SPREAD),
            interval_spread: company.interval_spread.min(LARGEST_SPREAD),
            few: company.missing,
            extra: f64::from(extra.min(MOST_EXTRA)),
            share: likenesses.share,
        }
    }

    /// The features in their order.
    pub(super) fn values(&self) -> [f64; Self::COUNT] {
        [
            self.noise_ratio,
            self.spread,
            self.nearest,
            self.median,
            self.height_spread,
            self.interval_spread,
            self.few,
            self.extra,
            self.share,
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
/// Two extra beats likewise.
const MOST_EXTRA: u32 = 2;

/// A correlation on a scale on which 0.9 and 0.99 are as far apart as 0.3 and 0.9.
pub(super) fn distinctness(correlation: f64) -> f64 {
    -(1.02 - correlation.clamp(-0.5, 1.0)).ln()
}
