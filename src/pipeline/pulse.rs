//! Proof of life, taken from the sample path itself: the watchdog is fed only while both of its ends move.
//!
//! This file knows no systemd; `watchdog.rs` does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts the turns of the source's loop and the observations that reached the end of the pipeline.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    source: AtomicU64,
    decided: AtomicU64,
}

/// How far both ends have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Beats {
    /// Turns of the source's loop: a block, a second of silence, or one attempt to connect.
    pub source: u64,
    /// Observations that the decision stage has seen: about one a second, in silence too.
    pub decided: u64,
}

impl Pulse {
    /// The source's loop has turned once.
    pub fn source_turned(&self) {
        self.0.source.fetch_add(1, Ordering::Relaxed);
    }

    /// The decision stage has dealt with one observation.
    pub fn decided(&self) {
        self.0.decided.fetch_add(1, Ordering::Relaxed);
    }

    /// Where both ends are now.
    #[must_use]
    pub fn read(&self) -> Beats {
        Beats { source: self.0.source.load(Ordering::Relaxed), decided: self.0.decided.load(Ordering::Relaxed) }
    }
}

impl Beats {
    /// Whether both ends have moved since `before`.
    #[must_use]
    pub fn moved_since(self, before: Self) -> bool {
        self.source != before.source && self.decided != before.decided
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_end_alone_is_not_alive() {
        let pulse = Pulse::default();
        let start = pulse.read();
        pulse.source_turned();
        assert!(!pulse.read().moved_since(start));
        pulse.decided();
        assert!(pulse.read().moved_since(start));
    }
}
