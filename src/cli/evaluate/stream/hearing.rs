//! What the daemon says of a session: its own stages give the evidence once, its own decision hears it at any setting.
//!
//! It knows no figures. Times are those at which the gateway knows, seconds of the session: of a beat, the sample with
//! which it was decided.

use anyhow::Context;
use ecg_identity::{Decider, DecisionConfig, Reference, State};
use ecg_signal::Mains;

use super::session::Session;
use crate::inference::Model;
use crate::pipeline::decide::weigh;
use crate::pipeline::infer::Evidence;
use crate::pipeline::signal::Observation;
use crate::pipeline::{self};
use crate::source::replay::Replay;

/// The evidence of one session.
#[derive(Debug, Clone)]
pub struct Heard {
    evidence: Vec<Evidence>,
    fs_hz: f64,
    /// When the first wearer's signal begins, and ends, seconds.
    pub contact_s: f64,
    /// The swap, or the end, seconds.
    pub until_s: f64,
    /// Seconds of different signal of the first wearer.
    pub own_s: f64,
}

/// From when to when somebody was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Who.
    pub subject: String,
    /// From, seconds.
    pub from_s: f64,
    /// Until, seconds; infinite where it held to the end.
    pub until_s: f64,
}

impl Heard {
    /// Sends a session through source, signal and inference stage.
    ///
    /// # Errors
    /// The stages cannot run on it.
    pub fn new(session: &Session, model: &Model, mains: Mains, change_floor: Option<f64>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let source = Replay::from_inputs(session.samples.iter().copied(), session.fs.0, None);
        let evidence = runtime
            .block_on(pipeline::evidence(source, mains, model.clone(), change_floor))
            .context("the pipeline does not run on a spliced session")?;
        let Session { fs, contact_s, until_s, own_s, .. } = *session;
        Ok(Self { evidence, fs_hz: fs.0, contact_s, until_s, own_s })
    }

    /// Everybody who is verified in it, in order.
    #[must_use]
    pub fn decide(&self, config: &DecisionConfig, gallery: &[Reference]) -> Vec<Verified> {
        let mut decider = Decider::new(config.clone(), gallery.to_vec());
        let mut found: Vec<Verified> = Vec::new();
        for evidence in &self.evidence {
            weigh(&mut decider, self.fs_hz, evidence);
            let Some(index) = known_at(evidence) else { continue };
            let at_s = index as f64 / self.fs_hz;
            let decision = decider.decision();
            let subject = decision.subject.as_ref().filter(|_| decision.state == State::Verified);
            let open = found.last_mut().filter(|last| last.until_s.is_infinite());
            match (open, subject) {
                (Some(last), Some(subject)) if last.subject == *subject => {}
                (open, subject) => {
                    open.into_iter().for_each(|last| last.until_s = at_s);
                    let begin =
                        |subject: &String| Verified { subject: subject.clone(), from_s: at_s, until_s: f64::INFINITY };
                    found.extend(subject.map(begin));
                }
            }
        }
        found
    }
}

/// Source samples that had come when the evidence was known.
fn known_at(evidence: &Evidence) -> Option<u64> {
    match evidence {
        Evidence::Embedding { decided_at, .. } | Evidence::PersonChanged { decided_at } => Some(*decided_at),
        Evidence::Other(
            Observation::Gap { index, .. }
            | Observation::Unusable { index, .. }
            | Observation::Second { index, .. }
            | Observation::Lost { index, .. }
            | Observation::Liveness { index, .. },
        ) => Some(*index),
        Evidence::Other(Observation::FrontEnd { .. } | Observation::Beat(_)) => None,
    }
}
