//! One number for "is this a heartbeat whose shape can be seen". Must not know how a feature is measured.
//!
//! A logistic function, fitted on the development recordings: normal beats of MIT-BIH, ECG-ID and Heartprint; MIT-BIH and
//! 118e12/118e24 with noise, where a beat counts when its segment correlates with the noiseless one by at least 0.9; and
//! what the detector finds in noise without a heart, alone or between two stretches of ECG (white, brown, pink, EMG,
//! mains, electrode motion, touches, bursts, `nstdb/bw`, and the electrode motion that is in 118e12). Each kind has its
//! fixed weight, whatever its number of beats; beats of the first seconds weigh 0.3 noise to 1 heart. Of Heartprint every
//! third record took part. The features, their limits and the floor were chosen on these recordings too. The table is of
//! the 306,712 beats of the fit itself; with the spread not yet limited, five-fold cross-validation by record and person
//! gave one within 0.04 of it in every bin:
//!
//! | score | 0.01 | 0.07 | 0.14 | 0.25 | 0.35 | 0.45 | 0.55 | 0.65 | 0.76 | 0.86 | 0.93 | 0.99 |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | share that counts | 0.01 | 0.09 | 0.18 | 0.27 | 0.37 | 0.45 | 0.56 | 0.68 | 0.76 | 0.85 | 0.92 | 0.99 |
//!
//! A boosted forest on fifteen features had a smaller loss (0.097 for 0.107) and accepted fewer normal beats of MIT-BIH.

use super::features::BeatFeatures;

/// The constant, and the weights of noise ratio, spread, nearest, median, height spread, interval spread, few, extra and
/// share.
const CONSTANT: f64 = -0.2;
const WEIGHTS: [f64; BeatFeatures::COUNT] = [-4.4, -5.8, 1.3, 0.34, -1.96, -5.2, 1.0, -0.24, 0.34];

/// The probability, 0 … 1, by a logistic function.
pub(super) fn score(features: &BeatFeatures) -> f64 {
    let z: f64 = CONSTANT + features.values().iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum::<f64>();
    1.0 / (1.0 + (-z).exp())
}
