//! Tests of the public interface, one binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

/// Says that a test is skipped. The test runner swallows `eprintln!` of a test that passes, but not this.
macro_rules! skipped {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _unheard = writeln!(std::io::stderr(), $($text)*);
    }};
}

#[path = "all/calibration.rs"]
mod calibration;
#[path = "all/change.rs"]
mod change;
#[path = "all/closed_set.rs"]
mod closed_set;
#[path = "all/decision.rs"]
mod decision;
#[path = "all/decision_calibrated.rs"]
mod decision_calibrated;
#[path = "all/enrolment.rs"]
mod enrolment;
#[path = "all/liveness.rs"]
mod liveness;
#[path = "all/rates.rs"]
mod rates;
