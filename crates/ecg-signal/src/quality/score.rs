//! One number for "is this a heartbeat whose shape can be seen". Must not know how a feature is measured.
//!
//! A logistic function, fitted by `scripts/fit_quality.py` to what the example `quality_beats` prints of the development
//! recordings: beats of MIT-BIH, ECG-ID and Heartprint; MIT-BIH and 118e12/118e24 with noise, where a beat counts when its
//! segment correlates with the noiseless one by at least 0.9; and what the detector finds in noise without a heart, alone
//! or after a heart (white, brown, EMG, mains, electrode motion made and recorded, touches, twitches). Each kind has its
//! fixed weight, whatever its number of beats. The features were chosen on these recordings too. The table is out of
//! fold: five folds by record, person and stretch of noise, 198,212 beats; the loss is 0.113, that of the fit 0.104:
//!
//! | score | 0.01 | 0.07 | 0.14 | 0.25 | 0.35 | 0.45 | 0.55 | 0.65 | 0.75 | 0.86 | 0.93 | 0.99 |
//! | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
//! | share that counts | 0.01 | 0.06 | 0.13 | 0.27 | 0.41 | 0.55 | 0.61 | 0.71 | 0.81 | 0.88 | 0.93 | 0.99 |
//!
//! What did not help out of fold: the beat's own noise ratio, its median likeness with the eight before, beats that only
//! the second detector found and the share of its shape (with these four the loss is larger by 0.004). The likeness of
//! what follows the QRS takes 0.007 off it, but where the floor lets 2 % of recorded electrode motion pass it accepts
//! 0.7 % fewer normal beats of MIT-BIH for 0.6 % more of ECG-ID; a boosted forest on everything measured, the indices of
//! the window among it, 1.2 % fewer for 0.4 % more.

use super::features::BeatFeatures;

/// The constant, and the weights in the order of the features.
const CONSTANT: f64 = -0.17;
const WEIGHTS: [f64; BeatFeatures::COUNT] = [-5.67, 1.55, -8.29, -6.75, 1.85, -6.09, 10.15];

/// The probability, 0 … 1, by a logistic function.
pub(super) fn score(features: &BeatFeatures) -> f64 {
    let z: f64 = CONSTANT + features.values().iter().zip(WEIGHTS).map(|(x, weight)| x * weight).sum::<f64>();
    1.0 / (1.0 + (-z).exp())
}
