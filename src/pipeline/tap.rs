//! A tap on the live stream: what an enrolment in the running daemon hears, while the decision goes on as usual.
//!
//! The inference stage offers what passes; one listener at a time gets copies, through a bounded queue. When that is
//! full the copy is dropped: a lost heartbeat is one beat less of an enrolment, and the pipeline never waits. Segments
//! and samples are not handed out. It knows no enrolment.

use std::sync::{Arc, Mutex, PoisonError};

use ecg_identity::Suspicion;
use ecg_signal::{Beat, Refusal, Verdict};
use tokio::sync::mpsc;

use super::front_end::FrontEnd;
use super::infer::Evidence;
use super::signal::Observation;
use crate::event::Reason;

/// Room for what a listener has not taken yet: about fifteen seconds of beats, their embeddings and seconds.
const QUEUE: usize = 64;

/// What a listener hears, in the order of the samples.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// What follows comes from this front end. A new listener is told of the present one first.
    FrontEnd(Signal),
    /// A good beat; seconds since the one before, where that is known.
    Accepted {
        /// Seconds.
        rr_s: Option<f64>,
    },
    /// A beat that the quality gate refused.
    Refused(Refusal),
    /// A beat while the heart is not believed to beat now. Said of each, so that a copy that is lost hides no doubt.
    Doubted {
        /// Why.
        suspicion: Suspicion,
        /// Why the quality gate refused it; `None` for a good one.
        refused: Option<Refusal>,
    },
    /// What the network makes of a full average of beats: what templates are made of. Not while the heart is doubted.
    Embedding(Vec<f32>),
    /// The signal has become unusable.
    Unusable(Reason),
    /// A second has passed: of the signal, or of waiting for one.
    Second {
        /// Why the signal is not usable; `None` where it is.
        unusable: Option<Reason>,
        /// Beats a minute.
        heart_rate_bpm: Option<f64>,
    },
}

/// The front end that a listener hears, and what its templates belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Format and rate.
    pub front_end: FrontEnd,
    /// What the signal path does.
    pub chain_id: String,
}

/// Both ends of the tap; clones share it. The default has no listener.
#[derive(Debug, Clone, Default)]
pub struct Tap(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    signal: Option<Signal>,
    doubt: Option<Suspicion>,
    listener: Option<mpsc::Sender<Heard>>,
}

impl Tap {
    /// Listens from now on, in the place of whoever listened before.
    #[must_use]
    pub fn listen(&self) -> mpsc::Receiver<Heard> {
        let (listener, heard) = mpsc::channel(QUEUE);
        self.with(|state| {
            if let Some(signal) = &state.signal {
                let _first_of_an_empty_queue = listener.try_send(Heard::FrontEnd(signal.clone()));
            }
            state.listener = Some(listener);
        });
        heard
    }

    /// Offers what comes in; before [`Self::offer_found`] of the same observation.
    pub(super) fn offer(&self, observation: &Observation) {
        let heard = match observation {
            Observation::FrontEnd { front_end, chain_id } => {
                let signal = Signal { front_end: front_end.clone(), chain_id: chain_id.clone() };
                self.with(|state| state.signal = Some(signal.clone()));
                Heard::FrontEnd(signal)
            }
            Observation::Beat(beat) => match self.with(|state| state.doubt) {
                Some(suspicion) => Heard::Doubted { suspicion, refused: beat.quality.verdict.refusal() },
                None => beat_heard(beat),
            },
            Observation::Unusable { reason, .. } => Heard::Unusable(*reason),
            Observation::Second { unusable, heart_rate_bpm, .. } => {
                Heard::Second { unusable: *unusable, heart_rate_bpm: *heart_rate_bpm }
            }
            // Said every second of a silence.
            Observation::Lost { reason, .. } => Heard::Second { unusable: Some(*reason), heart_rate_bpm: None },
            Observation::Liveness { suspicion, .. } => return self.with(|state| state.doubt = *suspicion),
            // The stage behind averages no beats across a gap, so there is nothing to tell.
            Observation::Gap { .. } => return,
        };
        self.hand_over(heard);
    }

    /// Offers what the network made of a beat. Only averages of `full` beats count for templates.
    pub(super) fn offer_found(&self, found: &[Evidence], full: usize) {
        for evidence in found {
            if let Evidence::Embedding { beats, embedding, .. } = evidence
                && *beats >= full
                && self.with(|state| state.listener.is_some() && state.doubt.is_none())
            {
                self.hand_over(Heard::Embedding(embedding.clone()));
            }
        }
    }

    fn hand_over(&self, heard: Heard) {
        self.with(|state| {
            if let Some(listener) = &state.listener
                && let Err(mpsc::error::TrySendError::Closed(_)) = listener.try_send(heard)
            {
                state.listener = None;
            }
        });
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        // A panic elsewhere leaves no half-done state behind: each change is one assignment.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn beat_heard(beat: &Beat) -> Heard {
    match beat.quality.verdict {
        Verdict::Accepted => Heard::Accepted { rr_s: beat.rr_ms.map(|rr_ms| rr_ms / 1000.0) },
        Verdict::Refused(why) => Heard::Refused(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second() -> Observation {
        Observation::Second { unusable: None, quality: 1.0, heart_rate_bpm: Some(60.0), index: 250 }
    }

    fn embedding(beats: usize) -> Evidence {
        Evidence::Embedding { r_peak: 1.0, decided_at: 2, beats, embedding: vec![1.0], class: None }
    }

    #[test]
    fn a_listener_that_comes_late_is_told_of_the_front_end_first() {
        let tap = Tap::default();
        let front_end = FrontEnd { format: "ov9".to_owned(), fs_hz: 250.0, scale: 1.0 };
        tap.offer(&Observation::FrontEnd { front_end: front_end.clone(), chain_id: "chain".to_owned() });
        tap.offer(&second());
        let mut heard = tap.listen();
        tap.offer(&second());
        assert_eq!(heard.try_recv(), Ok(Heard::FrontEnd(Signal { front_end, chain_id: "chain".to_owned() })));
        assert_eq!(heard.try_recv(), Ok(Heard::Second { unusable: None, heart_rate_bpm: Some(60.0) }));
        assert!(heard.try_recv().is_err(), "what was before it is not repeated");
    }

    #[test]
    fn a_listener_that_takes_nothing_loses_copies_and_holds_nobody_up() {
        let tap = Tap::default();
        let mut heard = tap.listen();
        for _ in 0..10 * QUEUE {
            tap.offer(&second());
        }
        let mut taken = 0;
        while heard.try_recv().is_ok() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE);
    }

    #[test]
    fn templates_are_made_of_full_averages_only() {
        let tap = Tap::default();
        let mut heard = tap.listen();
        tap.offer_found(&[embedding(1), embedding(5)], 5);
        assert_eq!(heard.try_recv(), Ok(Heard::Embedding(vec![1.0])));
        assert!(heard.try_recv().is_err());
    }
}
