//! Figures of heard sessions, with intervals over persons.
//!
//! It knows outcomes by person and nothing of how a session was made or heard.

use ecg_identity::rates::{Interval, over_persons};
use serde::Serialize;

use super::hearing::Verified;

/// *Verified* must have ended so long after a swap, seconds.
const SWAP_LIMIT_S: f64 = 3.0;

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
    /// Sessions.
    pub sessions: usize,
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

/// Seconds from contact to the first *verified* as the right person; `None`: never.
#[must_use]
pub fn seconds_to_verified(person: &str, contact_s: f64, verified: &[Verified]) -> Option<f64> {
    verified.iter().find(|v| v.subject == person).map(|v| v.from_s - contact_s)
}

/// Share of the time after the first *verified* in which it held, 0…1; `None` without.
#[must_use]
pub fn held(person: &str, until_s: f64, verified: &[Verified]) -> Option<f64> {
    let own = || verified.iter().filter(|v| v.subject == person);
    let first = own().next()?.from_s;
    let held: f64 = own().map(|v| v.until_s.min(until_s) - v.from_s.min(until_s)).sum();
    (until_s > first).then(|| held / (until_s - first))
}

/// Whether *verified* had ended in time after a swap at `swap_s`; `None` where the first wearer was not verified then.
#[must_use]
pub fn ended_in_time(person: &str, swap_s: f64, verified: &[Verified]) -> Option<bool> {
    let held = verified.iter().find(|v| v.subject == person && v.from_s <= swap_s && v.until_s > swap_s)?;
    Some(held.until_s <= swap_s + SWAP_LIMIT_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(subject: &str, from_s: f64, until_s: f64) -> Verified {
        Verified { subject: subject.into(), from_s, until_s }
    }

    #[test]
    fn a_swap_counts_only_where_the_first_wearer_was_verified_at_that_moment() {
        let spells = [spell("a", 5.0, 22.5), spell("b", 27.0, f64::INFINITY)];
        assert_eq!(ended_in_time("a", 20.0, &spells), Some(true));
        assert_eq!(ended_in_time("a", 19.0, &spells), Some(false));
        assert_eq!(ended_in_time("a", 25.0, &spells), None);
        assert_eq!(ended_in_time("c", 20.0, &spells), None);
    }

    #[test]
    fn time_to_verified_and_the_share_held_are_those_of_the_right_person() {
        let spells = [spell("b", 4.0, 5.0), spell("a", 8.0, 10.0), spell("a", 16.0, f64::INFINITY)];
        assert_eq!(seconds_to_verified("a", 3.0, &spells), Some(5.0));
        assert_eq!(seconds_to_verified("c", 3.0, &spells), None);
        assert_eq!(held("a", 18.0, &spells), Some(0.4));
    }

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
        assert_eq!(Outcomes::default().share(10, 1).value, None);
    }
}
