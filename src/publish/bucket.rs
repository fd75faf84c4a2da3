//! A token bucket: so many at once, then one every so often. It bounds what others can make the gateway do.
//!
//! It knows neither what is asked nor a clock: time is handed in.

use std::time::Duration;

/// Tokens, and when the next one is earned.
#[derive(Debug, Clone)]
pub(super) struct TokenBucket {
    most: u32,
    earned_every: Duration,
    left: u32,
    earned_until: Duration,
}

impl TokenBucket {
    /// A full bucket of `most` tokens; each that is spent is earned again after `earned_every`, one after the other.
    pub(super) fn new(most: u32, earned_every: Duration) -> Self {
        Self { most, earned_every, left: most, earned_until: Duration::ZERO }
    }

    /// Spends a token at `now`, by a timer that only runs on; false where none is left.
    pub(super) fn spend(&mut self, now: Duration) -> bool {
        while self.left < self.most && self.earned_until + self.earned_every <= now {
            self.left += 1;
            self.earned_until += self.earned_every;
        }
        if self.left == self.most {
            self.earned_until = now;
        }
        let has_one = self.left > 0;
        self.left -= u32::from(has_one);
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_what_it_holds_and_then_one_for_each_interval() {
        let mut bucket = TokenBucket::new(3, Duration::from_millis(100));
        let mut spent_at = |ms| (0..10).filter(|_| bucket.spend(Duration::from_millis(ms))).count();
        assert_eq!(spent_at(1000), 3);
        assert_eq!(spent_at(1099), 0);
        assert_eq!(spent_at(1100), 1);
        assert_eq!(spent_at(1350), 2);
        assert_eq!(spent_at(1400), 1, "what was earned since is not lost to the asking");
        assert_eq!(spent_at(1_000_000), 3, "it holds no more after a long rest");
    }
}
