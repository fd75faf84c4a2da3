//! How long to wait before the next attempt to reach the broker: doubling, capped, and not in step with others.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);

/// A broker that is back is found within this.
const LONGEST: Duration = Duration::from_secs(5);

/// The waits: 0.25 s doubling to 5 s, each shortened by up to half.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The wait after one more failure.
    pub(super) fn next_wait(&mut self) -> Duration {
        // The standard library's hasher has random keys: all the randomness that is needed here.
        let random = RandomState::new().hash_one(()) as f64 / u64::MAX as f64;
        let wait = self.next.mul_f64(0.5 + 0.5 * random);
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// An attempt has succeeded.
    pub(super) fn succeeded(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_five_seconds_and_start_again_after_a_success() {
        let mut backoff = Backoff::new();
        for longest in [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0] {
            let wait = backoff.next_wait().as_secs_f64();
            assert!(wait >= longest / 2.0 && wait <= longest, "{wait} is not within half of {longest}");
        }
        backoff.succeeded();
        assert!(backoff.next_wait() <= FIRST);
    }
}
