//! Outcomes by person, and figures of them with intervals over persons.
//!
//! It must not know what an outcome is of.

use ecg_identity::rates::{Interval, over_persons};
use serde::Serialize;

/// A figure with its 95 % interval, and what it rests on. `None` where there was nothing to count.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figure {
    /// Share 0…1, or seconds.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Persons.
    pub persons: usize,
    /// Outcomes: sessions, or attacks.
    pub sessions: usize,
}

impl Figure {
    /// In words, `8.3 s [7.9–9.0]`; a dash where there was nothing to count.
    #[must_use]
    pub fn seconds(&self) -> String {
        let show = |x: Option<f64>| x.map_or_else(|| "-".to_owned(), |x| format!("{x:.1}"));
        match self.value {
            Some(value) => format!("{value:.1} s [{}–{}]", show(self.low), show(self.high)),
            None => "-".to_owned(),
        }
    }
}

/// Outcomes of one kind, by person.
#[derive(Debug, Clone, Default)]
pub struct Outcomes(Vec<Vec<f64>>);

impl Outcomes {
    /// All outcomes of one person.
    pub fn add(&mut self, person: Vec<f64>) {
        if !person.is_empty() {
            self.0.push(person);
        }
    }

    fn figure(&self, how: impl Fn(&mut Vec<f64>) -> f64, replicates: usize, seed: u64) -> Figure {
        let interval = over_persons(&self.0, replicates, seed, |drawn| {
            let mut all: Vec<f64> = drawn.iter().flat_map(|person| person.iter().copied()).collect();
            how(&mut all)
        });
        let known = |x: f64| Some(x).filter(|x| x.is_finite());
        let Interval { value, low, high } = interval;
        let sessions = self.0.iter().map(Vec::len).sum();
        Figure { value: known(value), low: known(low), high: known(high), persons: self.0.len(), sessions }
    }

    /// Mean: of outcomes that are 0 or 1, the share.
    #[must_use]
    pub fn share(&self, replicates: usize, seed: u64) -> Figure {
        self.figure(|all| all.iter().sum::<f64>() / all.len() as f64, replicates, seed)
    }

    /// The smallest outcome that so large a share does not exceed.
    #[must_use]
    pub fn quantile(&self, share: f64, replicates: usize, seed: u64) -> Figure {
        let at = |all: &mut Vec<f64>| {
            all.sort_by(f64::total_cmp);
            let last = (share * all.len() as f64).ceil() as usize;
            all.get(last.clamp(1, all.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
        };
        self.figure(at, replicates, seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_shares_count_sessions_and_intervals_persons() {
        let mut outcomes = Outcomes::default();
        outcomes.add(vec![1.0, 2.0, 3.0]);
        outcomes.add(vec![10.0]);
        outcomes.add(Vec::new());
        let median = outcomes.quantile(0.5, 200, 1);
        assert_eq!((median.value, median.persons, median.sessions), (Some(2.0), 2, 4));
        assert_eq!((median.low, median.high), (Some(2.0), Some(10.0)));
        assert_eq!(outcomes.share(0, 1).value, Some(4.0));
        assert_eq!(median.seconds(), "2.0 s [2.0–10.0]");
        assert_eq!(Outcomes::default().share(10, 1).value, None);
        assert_eq!(Outcomes::default().quantile(0.5, 10, 1).seconds(), "-");
    }
}
