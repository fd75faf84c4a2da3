//! Sample and approximate entropy, exact, without comparing every pair.
//!
//! A template is m intervals in a row. Two templates match where none of their intervals differ by more than r.
//! - Sample entropy (Richman and Moorman 2000, American Journal of Physiology 278:H2039): −ln(A/B). B counts the pairs of
//!   templates of m that match, A those that still match with the next interval; only templates that have a next interval
//!   take part, none is compared with itself.
//! - Approximate entropy (Pincus 1991, PNAS 88:2297): φ(m) − φ(m + 1), φ(m) being the mean over all templates of
//!   ln(share of templates that match it), itself included.
//!
//! m is 2, r is 0.2 standard deviations (n − 1) unless said otherwise, a distance of exactly r matches: as NeuroKit2,
//! antropy, nolds with `tolerance=r`, and EntropyHub. A template never reaches across a break of the row.
//!
//! What is counted are points in boxes of side 2r; `sweep.rs` says how. Must not know about clean time.

mod plane;
mod sweep;

use super::series::{NnSeries, moments};
use sweep::{Points, Tally, sweep};

/// The length of a template, in intervals.
pub const M: usize = 2;
/// r over the standard deviation of the intervals.
pub const R_OVER_SD: f64 = 0.2;

/// Both entropies, in nats, and the counts they rest on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entropy {
    /// −ln(A/B); `None` where nothing matches.
    pub sample: Option<f64>,
    /// φ(2) − φ(3); `None` without a template of three.
    pub approximate: Option<f64>,
    /// B: pairs of templates that match over two intervals.
    pub pairs_m: u64,
    /// A: those of them that match over three.
    pub pairs_next: u64,
}

impl Entropy {
    /// With r = 0.2 standard deviations; `None` where the intervals do not vary.
    pub fn of(series: &NnSeries) -> Option<Self> {
        let (_, variance) = moments(series.nn_ms().iter().copied())?;
        let r_ms = R_OVER_SD * variance?.sqrt();
        (r_ms > 0.0).then(|| Self::within(series, r_ms))
    }

    /// With a given r in milliseconds.
    pub fn within(series: &NnSeries, r_ms: f64) -> Self {
        let points = Points::of(series);
        let mut sums = Sums::default();
        sweep(&points, r_ms, &mut |tally| sums.add(tally));
        sums.entropy()
    }
}

#[derive(Default)]
struct Sums {
    short: u64,
    long: u64,
    pairs_m: u64,
    pairs_next: u64,
    logs_short: f64,
    logs_long: f64,
}

impl Sums {
    fn add(&mut self, tally: Tally) {
        self.short += 1;
        self.logs_short += f64::from(tally.short).ln();
        if let Some((with_next, long)) = tally.next {
            self.long += 1;
            self.logs_long += f64::from(long).ln();
            // Each template has met itself.
            self.pairs_m += u64::from(with_next - 1);
            self.pairs_next += u64::from(long - 1);
        }
    }

    fn entropy(&self) -> Entropy {
        let phi = |logs: f64, count: u64| logs / count as f64 - (count as f64).ln();
        let (pairs_m, pairs_next) = (self.pairs_m / 2, self.pairs_next / 2);
        Entropy {
            sample: (pairs_next > 0).then(|| (pairs_m as f64 / pairs_next as f64).ln()),
            approximate: (self.long > 0).then(|| phi(self.logs_short, self.short) - phi(self.logs_long, self.long)),
            pairs_m,
            pairs_next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair compared: what the definitions say.
    fn by_pairs(series: &NnSeries, r: f64) -> Entropy {
        let templates = |m: usize| -> Vec<Vec<f64>> {
            series.runs().flat_map(move |run| run.windows(m).map(<[f64]>::to_vec)).collect()
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() <= r);
        let phi = |m: usize| {
            let all = templates(m);
            let share = |a: &Vec<f64>| all.iter().filter(|b| close(a, b)).count() as f64 / all.len() as f64;
            all.iter().map(|a| share(a).ln()).sum::<f64>() / all.len() as f64
        };
        let long = templates(3);
        let pairs = |m: usize| {
            let hit = |(k, a): (usize, &Vec<f64>)| long[..k].iter().filter(|b| close(&a[..m], &b[..m])).count() as u64;
            long.iter().enumerate().map(hit).sum::<u64>()
        };
        let (pairs_m, pairs_next) = (pairs(2), pairs(3));
        Entropy {
            sample: (pairs_next > 0).then(|| -(pairs_next as f64 / pairs_m as f64).ln()),
            approximate: (!long.is_empty()).then(|| phi(2) - phi(3)),
            pairs_m,
            pairs_next,
        }
    }

    /// A walk in steps of 4 ms with breaks: many values are equal, many distances are exactly r.
    fn walk(length: usize, seed: u64, breaks: usize) -> NnSeries {
        let mut state = seed;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64
        };
        let (mut series, mut level) = (NnSeries::new(), 800i64);
        for k in 0..length {
            level = (level + 4 * (random() % 11 - 5)).clamp(500, 1200);
            series.push(k as f64, level as f64, breaks == 0 || k % breaks != 0);
        }
        series
    }

    #[test]
    fn counts_are_those_of_every_pair_compared() {
        for (length, seed, breaks, r) in [
            (3, 1, 0, 50.0),
            (70, 2, 0, 12.0),
            (500, 3, 0, 20.0),
            (900, 4, 7, 16.0),
            (1500, 5, 100, 8.0),
            (60, 6, 2, 40.0),
        ] {
            let series = walk(length, seed, breaks);
            let (ours, theirs) = (Entropy::within(&series, r), by_pairs(&series, r));
            assert_eq!((ours.pairs_m, ours.pairs_next), (theirs.pairs_m, theirs.pairs_next), "{length} {breaks}");
            for (a, b) in [(ours.sample, theirs.sample), (ours.approximate, theirs.approximate)] {
                assert_eq!(a.is_some(), b.is_some(), "{length} {breaks}");
                assert!(a.zip(b).is_none_or(|(a, b)| (a - b).abs() <= 1e-12), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn intervals_that_do_not_vary_have_no_entropy() {
        assert_eq!(Entropy::of(&NnSeries::of_run(&[800.0; 400])), None);
        assert_eq!(Entropy::of(&NnSeries::new()), None);
    }
}
