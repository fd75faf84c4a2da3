//! Guided enrolment as the command line and the daemon share it: what is said, how far it is, what is stored.
//!
//! The rules are in `ecg_identity::enrolment`; here they get words, a form that travels, and the gallery. It knows no
//! screen, no topic and no source: beats come from `cli/enrol` or from the running daemon (`control/enrol.rs`).

mod keep;
mod known;
mod plan;
mod progress;
mod report;
mod signal;
mod words;

pub(crate) use keep::{KeepError, Offer, Question, keep};
pub(crate) use known::{nothing_to_update, replaces};
pub(crate) use plan::{Asked, gave_up};
pub(crate) use progress::Progress;
pub(crate) use report::Report;
pub(crate) use signal::{contact, contact_of_second, fault_of};
pub(crate) use words::refusal;
