//! The only file that reads a clock; `clippy.toml` refuses it everywhere else.
//!
//! The sample index is the time of the signal path. Wall time is attached at the edge, when an event is issued, and
//! nothing is ever computed from it: a step of the wall clock can mislabel an event, not change a decision.

use std::time::{SystemTime, UNIX_EPOCH};

/// Wall time as milliseconds since 1970-01-01T00:00:00Z; 0 on a machine whose clock stands before that.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where wall time enters")]
pub fn unix_ms() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok())
        .unwrap_or(0)
}
