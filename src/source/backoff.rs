//! How long to wait before the next attempt: doubling, capped, jittered. Knows nothing of what is attempted.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);
/// Each wait is shortened or lengthened by up to this share, so that a room full of gateways does not call in step.
const JITTER: f64 = 0.2;

/// The waits between attempts: 0.5 s doubling to 5 s, each ± 20 %.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    random: fastrand::Rng,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST, random: fastrand::Rng::new() }
    }
}

impl Backoff {
    /// The same with a fixed seed, for tests.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { next: FIRST, random: fastrand::Rng::with_seed(seed) }
    }

    /// The wait after one more failure.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.next.mul_f64(1.0 + JITTER * (2.0 * self.random.f64() - 1.0));
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// An attempt has succeeded: the next failure starts from the shortest wait again.
    pub fn succeeded(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_half_a_second_to_five_and_start_again_after_a_success() {
        let mut backoff = Backoff::seeded(1);
        let waits: Vec<f64> = (0..8).map(|_| backoff.next_wait().as_secs_f64()).collect();
        for (wait, middle) in waits.iter().zip([0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0, 5.0]) {
            assert!((wait / middle - 1.0).abs() <= JITTER + 1e-9, "{wait} is not within a fifth of {middle}");
        }
        backoff.succeeded();
        assert!(backoff.next_wait() <= Duration::from_millis(600));
    }
}
