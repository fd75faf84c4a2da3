//! Figures of heard sessions.
//!
//! It knows spells of *verified* and nothing of how a session was made or heard.

use super::hearing::Verified;

/// *Verified* must have ended so long after a swap, seconds.
const SWAP_LIMIT_S: f64 = 3.0;

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
}
