//! Keeps what Home Assistant is told in step with the configuration and with who is enrolled, and remembers what was
//! announced, so that it can be taken back by a later start that announces something else.
//!
//! What is announced is decided in [`discovery`](super::discovery); when it goes out is the agenda's matter.

use std::time::Duration;

use super::agenda::Agenda;
use super::discovery::{Announcement, Announcer, Step, plan};
use super::message::Message;
use super::payload::Payload;
use crate::config::{Config, PayloadFormat};
use crate::store::{Store, StoreError};

/// The announcements of this start.
#[derive(Debug)]
pub(super) struct Announcing {
    announcer: Announcer,
    store: Store,
    /// Revision of the gallery that the newest messages rest on.
    read_at: Option<u64>,
    /// The topics to remember once the broker has everything.
    settles_as: Option<Vec<String>>,
    /// Home Assistant has started: then everything is said again.
    again_at: Option<Duration>,
    failing: bool,
}

/// What the store says when the gallery has changed.
struct Reading {
    revision: u64,
    subjects: Vec<String>,
    /// Topics that may hold an announcement, from this start or from an earlier one.
    announced: Vec<String>,
}

impl Announcing {
    /// `None` without a broker.
    pub(super) fn new(config: &Config, store: Store) -> Option<Self> {
        if config.mqtt.as_ref().is_some_and(|mqtt| mqtt.payload == PayloadFormat::Protobuf) {
            tracing::info!("payloads are protobuf, which Home Assistant cannot read: nothing is announced to it");
        }
        let announcer = Announcer::new(config)?;
        Some(Self { announcer, store, read_at: None, settles_as: None, again_at: None, failing: false })
    }

    /// The topic to listen to for Home Assistant's birth, where that matters.
    pub(super) fn birth_topic(&self) -> Option<&str> {
        self.announcer.birth_topic()
    }

    /// Home Assistant has said something about itself.
    pub(super) fn heard(&mut self, payload: &[u8], now: Duration) {
        if let Some(wait) = self.announcer.heard(payload, fastrand::f64()) {
            // One answer is enough for births in a row.
            self.again_at.get_or_insert(now + wait);
        }
    }

    /// When something is due though nothing happens.
    pub(super) fn wakes_at(&self) -> Option<Duration> {
        self.again_at
    }

    /// Says everything again if the time after a birth is over: a broker without a memory has nothing for somebody who
    /// subscribes now.
    pub(super) fn say_again(&mut self, agenda: &mut Agenda, now: Duration) {
        if self.again_at.is_some_and(|at| at <= now) {
            self.again_at = None;
            agenda.statements.all_due_again();
        }
    }

    /// Looks whether somebody was enrolled, renamed or deleted, and states what follows. Only with a broker: what moves
    /// is said once.
    pub(super) async fn look(&mut self, agenda: &mut Agenda) {
        if agenda.connection().is_none() {
            return;
        }
        self.settle(agenda).await;
        let known = self.read_at;
        let Some(Some(reading)) = self.stored(move |store| read(store, known)).await else { return };
        let wanted = self.announcer.messages(&reading.subjects);
        let topics: Vec<_> = wanted.iter().map(|message| message.topic.clone()).collect();
        // Before the first of them is sent: a start that is cut short leaves nothing that the next one cannot take back.
        let both = union(&reading.announced, &topics);
        if both != reading.announced && self.stored(move |store| store.set_announced(&both)).await.is_none() {
            return;
        }
        state(plan(&reading.announced, wanted), agenda);
        self.read_at = Some(reading.revision);
        self.settles_as = Some(topics);
    }

    /// The broker has everything: what was taken back is forgotten. What it refuses it has not.
    async fn settle(&mut self, agenda: &mut Agenda) {
        if agenda.all_said()
            && let Some(topics) = self.settles_as.clone()
            && self.stored(move |store| store.set_announced(&topics)).await.is_some()
        {
            self.settles_as = None;
            agenda.statements.forget_removed();
        }
    }

    /// Runs a call that waits for the disk beside the async tasks. `None`, said once: it has failed, and is tried again.
    async fn stored<T: Send + 'static>(
        &mut self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let store = self.store.clone();
        let result = match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(stopped) => Err(stopped.to_string()),
        };
        match result {
            Ok(value) => {
                self.failing = false;
                Some(value)
            }
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::error!(error, "what Home Assistant is told cannot be kept up to date; trying again");
                }
                None
            }
        }
    }
}

/// `None`: the gallery has not changed since `known`.
fn read(store: &Store, known: Option<u64>) -> Result<Option<Reading>, StoreError> {
    // Before the subjects: a change between the two is seen next time.
    let revision = store.gallery_revision()?;
    if known == Some(revision) {
        return Ok(None);
    }
    let subjects = store.subjects()?.into_iter().map(|subject| subject.subject).collect();
    Ok(Some(Reading { revision, subjects, announced: store.announced()? }))
}

fn state(steps: Vec<Step>, agenda: &mut Agenda) {
    for step in steps {
        match step {
            Step::Move { .. } => {
                let payload = Payload { bytes: step.body(), content_type: "application/json" };
                agenda.moves(Message::acknowledged(step.topic().to_owned(), payload));
            }
            Step::Announce(Announcement { topic, payload }) => {
                let payload = Payload { bytes: payload.to_string().into_bytes(), content_type: "application/json" };
                agenda.statements.set(Message::acknowledged(topic, payload).retained());
            }
            Step::Withdraw { topic } => agenda.statements.remove(&topic),
        }
    }
}

fn union(a: &[String], b: &[String]) -> Vec<String> {
    let new = b.iter().filter(|topic| !a.contains(topic));
    a.iter().chain(new).cloned().collect()
}
