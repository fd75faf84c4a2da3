//! ECG biometrics without a world: comparison scores, the decision over time, biometric error rates.
//!
//! ```text
//! embedding ─▶ score with each Reference ─▶ Decider ─▶ Decision      (the daemon)
//!                                       │      ▲ Calibration
//!                                       └─▶ Comparison ─▶ error_rates (the evaluator)
//! ```
//!
//! This crate knows nothing of signals, networks, files or clocks: an embedding is a slice of `f32`, time is a number
//! of seconds that the caller counts from samples. It has no dependency, and its manifest is the proof.
//!
//! Terms follow ISO/IEC 2382-37 and 19795-1: a *reference* is what was enrolled, a *probe* is what is compared with
//! it, a comparison is *mated* when both are of one person, *FMR* and *FNMR* are rates of single comparisons.

mod amplitude;
pub mod calibration;
mod change;
mod cohort;
mod compare;
mod decision;
pub mod enrolment;
mod liveness;
pub mod rates;

pub use amplitude::Amplitude;
pub use calibration::{Calibration, CalibrationError};
pub use change::ChangeWatch;
pub use cohort::{Cohort, CohortRule};
pub use compare::{Match, Reference, Template, cosine, joined, mean_direction, mean_unit, rank, unit};
pub use decision::{
    Asked, Calibrated, Decider, Decision, DecisionConfig, Lost, State, Why, comparisons, since_contact,
};
pub use liveness::{BYTES_PER_BEAT, Heartbeat, Liveness, LivenessConfig, Suspicion, VARIED_S};
