//! On how many days somebody was enrolled, and whether the heart beat alike on them. Knows no calendar.

/// Enrolments so far apart are of different days, seconds. A calendar would call five minutes around midnight two
/// days; what makes a second day worth having is that electrodes, skin and pulse are others.
pub const DAY_APART_S: f64 = 12.0 * 3600.0;

/// Heart rates further apart than this, beats a minute, are worth a word: T moves with the rate, and scores fall.
pub const HEART_RATES_APART_BPM: f64 = 20.0;

/// How many different days the moments lie on (seconds since any fixed moment, in any order). A day lasts
/// [`DAY_APART_S`] from its first moment on.
#[must_use]
pub fn days(moments_s: &[f64]) -> usize {
    let mut sorted: Vec<f64> = moments_s.iter().copied().filter(|s| s.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut began: Option<f64> = None;
    let mut count = 0;
    for moment in sorted {
        if began.is_none_or(|began| moment - began >= DAY_APART_S) {
            began = Some(moment);
            count += 1;
        }
    }
    count
}

/// The slowest and the fastest of the heart rates, where they are more than [`HEART_RATES_APART_BPM`] apart.
#[must_use]
pub fn heart_rates_apart(bpm: &[f64]) -> Option<(f64, f64)> {
    let known = || bpm.iter().copied().filter(|rate| rate.is_finite());
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    (high - low > HEART_RATES_APART_BPM).then_some((low, high))
}
