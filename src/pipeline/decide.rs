//! The decision stage: embeddings in, identity events out.
//!
//! It holds the [`Decider`] and the references of the running front end, and knows neither samples nor topics.

use ecg_identity::{Decider, Decision, Lost, State, Why};
use tokio::sync::mpsc;

use super::classes::{Votes, WithClasses};
use super::gallery::Gallery;
use super::infer::Evidence;
use super::outlet::Outlet;
use super::pulse::Pulse;
use super::signal::Observation;
use super::{PipelineError, Settings};
use crate::event::{Event, IdentityEvent, IdentityState, Reason};

/// Runs until the inference stage has dropped its end, then says that nobody is watching any more.
pub(super) async fn run<G: Gallery>(
    mut input: mpsc::Receiver<Evidence>,
    events: Outlet,
    settings: Settings,
    model: String,
    gallery: WithClasses<G>,
    pulse: Pulse,
) -> Result<(), PipelineError> {
    let mut stage = Stage {
        decider: Decider::new(settings.decision, Vec::new()),
        votes: Votes::new(&gallery.classes),
        gallery: Some(gallery),
        model,
        front_end: None,
        fs_hz: 0.0,
        quality: 0.0,
        index: 0,
        said: None,
        events,
    };
    stage.say(None).await;
    while let Some(evidence) = input.recv().await {
        stage.take(evidence).await?;
        pulse.decided();
    }
    stage.decider.no_signal(Lost::Stopping);
    stage.say(None).await;
    Ok(())
}

struct Stage<G> {
    decider: Decider,
    votes: Votes,
    /// Lent to the blocking pool while it reads.
    gallery: Option<G>,
    model: String,
    front_end: Option<String>,
    fs_hz: f64,
    quality: f64,
    index: u64,
    /// What was last said: an event is said when this changes.
    said: Option<(IdentityState, Option<String>, Reason)>,
    events: Outlet,
}

impl<G: Gallery> Stage<G> {
    async fn take(&mut self, evidence: Evidence) -> Result<(), PipelineError> {
        let because = match &evidence {
            Evidence::Other(Observation::FrontEnd { front_end, chain_id }) => {
                self.fs_hz = front_end.fs_hz;
                self.front_end = Some(front_end.key(chain_id, &self.model));
                self.reload(true).await?;
                None
            }
            other => weigh(&mut self.decider, self.fs_hz, other),
        };
        match evidence {
            Evidence::Embedding { r_peak, class, .. } => {
                self.votes.push(class);
                self.index = self.index.max(r_peak as u64);
            }
            Evidence::PersonChanged { decided_at } => self.index = self.index.max(decided_at),
            Evidence::Other(Observation::Second { quality, index, .. }) => {
                (self.index, self.quality) = (index, quality);
                self.reload(false).await?;
            }
            Evidence::Other(
                Observation::Gap { index, .. }
                | Observation::Unusable { index, .. }
                | Observation::Liveness { index, .. },
            ) => {
                self.index = index;
            }
            Evidence::Other(Observation::Lost { index, .. }) => (self.index, self.quality) = (index, 0.0),
            Evidence::Other(Observation::FrontEnd { .. } | Observation::Beat(_)) => {}
        }
        self.say(because).await;
        Ok(())
    }

    /// Reads the references again where they may have changed: a subject was enrolled or deleted meanwhile.
    async fn reload(&mut self, always: bool) -> Result<(), PipelineError> {
        let (Some(front_end), Some(gallery)) = (self.front_end.clone(), self.gallery.take()) else { return Ok(()) };
        let model = self.model.clone();
        let (gallery, read) = tokio::task::spawn_blocking(move || {
            let mut gallery = gallery;
            let read = gallery.read(&front_end, &model, always);
            (gallery, read)
        })
        .await
        .map_err(|panic| PipelineError::Gallery(panic.to_string()))?;
        self.gallery = Some(gallery);
        if let Some(references) = read.map_err(PipelineError::Gallery)? {
            tracing::info!(references = references.len(), "the gallery of this front end is loaded");
            self.decider.set_references(references);
        }
        Ok(())
    }

    /// Says where things stand, if that has changed. Identity events wait for room.
    async fn say(&mut self, because: Option<Reason>) {
        let decision = &self.votes.checked(self.decider.decision());
        let state = state_of(decision.state);
        let mut reason = because.unwrap_or_else(|| reason_of(decision.why));
        if let Some((said, _, before)) = &self.said
            && *said == state
            && state == IdentityState::Acquiring
            && because.is_none()
        {
            reason = *before; // Still collecting, for the reason that was given when it began.
        }
        let now = (state, decision.subject.clone(), reason);
        if self.said.as_ref() == Some(&now) {
            return;
        }
        let event = self.event(decision, state, reason);
        self.said = Some(now);
        self.events.say(Event::Identity(event)).await;
    }

    fn event(&self, decision: &Decision, state: IdentityState, reason: Reason) -> IdentityEvent {
        IdentityEvent {
            state,
            subject: decision.subject.clone(),
            score: decision.score,
            // Extrapolated for rates that nobody has measured it can lie beyond what a cosine can be.
            threshold: decision.threshold.clamp(-1.0, 1.0),
            quality: self.quality,
            reason,
            model: self.model.clone(),
            template_revision: decision.revision,
            sample_index: self.index,
        }
    }
}

/// Shows the decider one piece of evidence; a reason where it is another than the decider's own. `fs_hz` is the unit of
/// its positions. This is all that the decision rests on: the evaluator of streams calls it too.
pub(crate) fn weigh(decider: &mut Decider, fs_hz: f64, evidence: &Evidence) -> Option<Reason> {
    match evidence {
        Evidence::Embedding { r_peak, beats, embedding, .. } => {
            decider.push_average(r_peak / fs_hz, *beats, embedding);
        }
        Evidence::PersonChanged { .. } => {
            decider.person_changed();
        }
        Evidence::Other(Observation::Gap { missing, .. }) => return gap(decider, *missing as f64 / fs_hz),
        Evidence::Other(Observation::Second { unusable, index, .. }) => match unusable.and_then(lost_of) {
            Some(lost) => {
                decider.no_signal(lost);
            }
            None => {
                decider.signal();
                decider.tick(*index as f64 / fs_hz);
            }
        },
        Evidence::Other(Observation::Unusable { reason, .. }) => {
            decider.no_signal(lost_of(*reason).unwrap_or(Lost::Noise));
        }
        Evidence::Other(Observation::Lost { reason, .. }) => {
            decider.no_signal(lost_of(*reason).unwrap_or(Lost::SourceLost));
        }
        Evidence::Other(Observation::Liveness { suspicion, .. }) => {
            decider.doubt(*suspicion);
        }
        Evidence::Other(Observation::FrontEnd { .. } | Observation::Beat(_)) => {}
    }
    None
}

/// Evidence ends at a gap. After a short one signal is still there, and collecting begins again because of it; after a
/// long one there was no signal. Where there was none before, the reason for that stands.
fn gap(decider: &mut Decider, missing_s: f64) -> Option<Reason> {
    if decider.decision().state == State::NoSignal {
        return None;
    }
    if missing_s >= 1.0 {
        decider.no_signal(Lost::Gap);
        return None;
    }
    let state = decider.interrupted().state;
    (state == State::Acquiring).then_some(Reason::Gap)
}

fn state_of(state: State) -> IdentityState {
    match state {
        State::NoSignal => IdentityState::NoSignal,
        State::Acquiring => IdentityState::Acquiring,
        State::Verified => IdentityState::Verified,
        State::Unknown => IdentityState::Unknown,
        State::Uncertain => IdentityState::Uncertain,
    }
}

fn reason_of(why: Why) -> Reason {
    match why {
        Why::Lost(Lost::Starting) => Reason::Starting,
        Why::Lost(Lost::SourceLost) => Reason::SourceLost,
        Why::Lost(Lost::Gap) => Reason::Gap,
        Why::Lost(Lost::LeadOff) => Reason::LeadOff,
        Why::Lost(Lost::FlatLine) => Reason::FlatLine,
        Why::Lost(Lost::Clipping) => Reason::Clipping,
        Why::Lost(Lost::Noise) => Reason::Noise,
        Why::Lost(Lost::FrontEndChanged) => Reason::FrontEndChanged,
        Why::Lost(Lost::Stopping) => Reason::Stopping,
        Why::Collecting | Why::Paused | Why::GalleryChanged => Reason::Collecting,
        Why::PersonChanged => Reason::PersonChanged,
        Why::ScoreAboveThreshold => Reason::ScoreAboveThreshold,
        Why::NoReferenceMatches => Reason::NoReferenceMatches,
        Why::ScoreNearThreshold => Reason::ScoreNearThreshold,
        Why::TwoReferencesMatch => Reason::TwoSubjectsMatch,
        Why::NobodyEnrolled => Reason::NobodyEnrolled,
        Why::NotAlive(suspicion) => suspicion.into(),
    }
}

fn lost_of(reason: Reason) -> Option<Lost> {
    match reason {
        Reason::SourceLost => Some(Lost::SourceLost),
        Reason::Gap => Some(Lost::Gap),
        Reason::LeadOff => Some(Lost::LeadOff),
        Reason::FlatLine => Some(Lost::FlatLine),
        Reason::Clipping => Some(Lost::Clipping),
        Reason::Noise => Some(Lost::Noise),
        Reason::FrontEndChanged => Some(Lost::FrontEndChanged),
        _ => None,
    }
}
