//! What it says that two intervals between beats are equal: much in an uneven rhythm, little in an even one.
//!
//! The gain of a difference d is ln(p(d | replay) / p(d | chance)). A replay gives the interval back with the error of
//! locating R twice; by chance two intervals differ by what the rhythm itself cannot foretell. It must not know beats.

/// Unit of intervals: a tenth of a millisecond, 1/40 of a sample at 250 Hz.
pub(super) const UNITS_PER_MS: f64 = 10.0;

/// Errors with which R of a replay is located twice, standard deviations in milliseconds: nothing added, another phase
/// of sampling or some noise, much noise. Which of them it is, is not known: each has an equal share.
const ERRORS_MS: [f64; 3] = [0.4, 1.3, 4.0];
/// Share of intervals of a replay that are anything at all: an artefact moved R.
const ASTRAY: f64 = 0.05;
/// Differences beyond this many units are chance.
const REACH: usize = 200;
/// Largest gain of one interval: no replay is known by fewer than about six.
const MOST: f64 = 3.0;

/// The standard deviation of a normal distribution over its median absolute deviation.
const NORMAL_MAD: f64 = 1.48;
/// Units within which an interval is met again.
const NEAR: u16 = 30;
/// Intervals in which it is looked for: about four minutes.
pub(super) const LATELY: usize = 256;
/// Intervals that the rhythm is judged by.
pub(super) const RECENT: usize = 20;
/// The rhythm is foretold by the interval so many before: bigeminy by the second, trigeminy by the third.
const LAGS: usize = 4;
/// A rhythm counts as no more even than this, in milliseconds: hearts with less are paced, or played.
pub(super) const LEAST_SPREAD_MS: f64 = 4.0;

/// Gains by difference for the rhythm as it is.
#[derive(Debug, Clone)]
pub(super) struct Chance {
    gains: [f32; REACH],
}

impl Chance {
    /// For a rhythm whose intervals differ by `spread_ms` (standard deviation) by chance, and in which the newest
    /// interval is met so often: `density_per_ms`.
    pub(super) fn new(spread_ms: f64, density_per_ms: f64) -> Self {
        // The chance of no difference at all stands for every difference: larger ones are less likely by chance, and
        // taking them for as likely never makes more of them than they are.
        let chance = density(0.0, spread_ms.max(LEAST_SPREAD_MS)).max(density_per_ms);
        let gain = |units: usize| {
            let ms = units as f64 / UNITS_PER_MS;
            let replay = ERRORS_MS.iter().map(|error| density(ms, *error)).sum::<f64>() / ERRORS_MS.len() as f64;
            (((1.0 - ASTRAY) * replay / chance + ASTRAY).ln().min(MOST)) as f32
        };
        Self { gains: std::array::from_fn(gain) }
    }

    /// Of a difference in units.
    pub(super) fn gain(&self, units: u32) -> f32 {
        self.gains.get(units as usize).copied().unwrap_or(self.gains[REACH - 1])
    }
}

/// How much the newest intervals differ by chance, in milliseconds: the robust standard deviation of their differences
/// from that interval before, of the last four, that foretells them best. `None` with fewer than eight.
pub(super) fn spread_ms(recent: &[u16]) -> Option<f64> {
    (1..=LAGS).filter_map(|lag| spread_at(recent, lag)).min_by(f64::total_cmp)
}

/// Likewise from the interval `lag` before.
fn spread_at(recent: &[u16], lag: usize) -> Option<f64> {
    let mut differences = [0; RECENT];
    let pairs = recent.iter().zip(recent.iter().skip(lag)).filter(|(a, b)| **a > 0 && **b > 0);
    let mut count = 0;
    for (to, (a, b)) in differences.iter_mut().zip(pairs) {
        *to = a.abs_diff(*b);
        count += 1;
    }
    let known = &mut differences[..count];
    if count < RECENT / 2 - LAGS / 2 {
        return None;
    }
    known.sort_unstable();
    Some(NORMAL_MAD * f64::from(known[count / 2]) / UNITS_PER_MS)
}

/// How often an interval was met among `known`, as a density per millisecond; 0, unknown, with few of them.
pub(super) fn density_per_ms(known: &[u16], interval: u16) -> f64 {
    if known.len() < LATELY / 8 {
        return 0.0;
    }
    let near = known.iter().filter(|other| other.abs_diff(interval) <= NEAR).count();
    near as f64 / (known.len() as f64 * (2.0 * f64::from(NEAR) + 1.0) / UNITS_PER_MS)
}

fn density(ms: f64, deviation_ms: f64) -> f64 {
    (-0.5 * (ms / deviation_ms).powi(2)).exp() / (deviation_ms * std::f64::consts::TAU.sqrt())
}
