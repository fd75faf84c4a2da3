//! Decides which acknowledged message is due, and what the broker's answers mean for it.
//!
//! One acknowledged message is on its way at a time; on any error it is simply due again. What is due, first things
//! first: answers, the [`Statements`], the identity that holds, then the oldest event of the outbox. It is a plain state machine:
//! no socket, no disk, no clock. Time is handed in as what has passed since the start.

use std::collections::VecDeque;
use std::time::Duration;

use super::message::Message;
use super::payload::IdentityRecord;
use super::statements::Statements;
use crate::event::IdentityState;
use crate::store::OutboxId;

/// Rest after the broker has refused an event: somebody must change its access rules first.
const REST: Duration = Duration::from_secs(30);

/// The identity is repeated only while the pipeline shows signs of life; it speaks about once a second.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Longest time without a look at the agenda.
const IDLE: Duration = Duration::from_secs(60);

/// A little later than now: what was due now has just been sent, or the connection takes nothing.
const SOON: Duration = Duration::from_millis(50);

/// An answer that does not say itself how long it is worth something is worth it for this long.
const ANSWER_EXPIRY: Duration = Duration::from_secs(30);

/// Answers that wait for their turn; an asker who gets none asks again.
const ANSWERS: usize = 16;

/// What an acknowledged message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// The answer to somebody's question.
    Answer,
    /// A retained statement, by its topic.
    Statement(String),
    /// The identity that holds.
    Identity,
    /// An event of the outbox.
    Event(OutboxId),
}

/// What must be said next.
#[derive(Debug, PartialEq)]
pub(super) enum Due {
    /// This answer.
    Answer(Message),
    /// This statement.
    Statement(Message),
    /// That this identity holds.
    Identity(IdentityRecord),
    /// The oldest event of the outbox, if it holds one.
    Event,
}

/// The connection that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection {
    /// Its number.
    pub(super) number: u64,
    /// Longest packet that the broker takes, bytes.
    pub(super) max_packet: usize,
}

/// The identity that holds.
#[derive(Debug)]
struct Standing {
    record: IdentityRecord,
    due: Duration,
}

/// What is to be said, and what of it is on its way.
#[derive(Debug)]
pub(super) struct Agenda {
    /// What is retained for good.
    pub(super) statements: Statements,
    expiry: Duration,
    standing: Option<Standing>,
    up: Option<Connection>,
    in_flight: Option<Slot>,
    /// With the time from which nobody waits for it any more.
    answers: VecDeque<(Duration, Message)>,
    last_sign_of_life: Duration,
    /// The outbox rests until then after a refusal.
    outbox_rests_until: Duration,
}

impl Agenda {
    /// An agenda without anything on it. An identity lives for `expiry`.
    pub(super) fn new(expiry: Duration) -> Self {
        Self {
            statements: Statements::default(),
            expiry,
            standing: None,
            up: None,
            in_flight: None,
            answers: VecDeque::new(),
            last_sign_of_life: Duration::ZERO,
            outbox_rests_until: Duration::ZERO,
        }
    }

    /// The connection, while one stands.
    pub(super) fn connection(&self) -> Option<Connection> {
        self.up
    }

    /// The identity that was stated last.
    pub(super) fn identity(&self) -> Option<&IdentityRecord> {
        self.standing.as_ref().map(|standing| &standing.record)
    }

    /// The pipeline has spoken.
    pub(super) fn alive(&mut self, now: Duration) {
        self.last_sign_of_life = now;
    }

    /// From now on this identity holds.
    pub(super) fn hold(&mut self, record: IdentityRecord, now: Duration) {
        self.standing = Some(Standing { record, due: now });
    }

    /// This answers a question; it is worth nothing after its expiry. When too many wait the oldest goes: its asker is the
    /// one who has waited longest.
    pub(super) fn answer(&mut self, answer: Message, now: Duration) {
        if self.answers.len() == ANSWERS {
            self.answers.pop_front();
        }
        let patience = answer.expiry.unwrap_or(ANSWER_EXPIRY);
        self.answers.push_back((now + patience, answer));
    }

    /// A broker may have forgotten everything, or have published the last will.
    pub(super) fn up(&mut self, connection: Connection, now: Duration) {
        self.up = Some(connection);
        self.in_flight = None;
        self.statements.all_due_again();
        if let Some(standing) = &mut self.standing {
            standing.due = now;
        }
    }

    /// What was not acknowledged may or may not have arrived.
    pub(super) fn down(&mut self) {
        self.up = None;
        self.in_flight = None;
    }

    /// The broker has what was on its way. What is retained was said when it was sent; if it has changed since, it is
    /// due again by that.
    pub(super) fn acknowledged(&mut self) -> Option<Slot> {
        self.in_flight.take()
    }

    /// The broker does not want what was on its way.
    pub(super) fn refused(&mut self, now: Duration) -> Option<Slot> {
        let slot = self.in_flight.take()?;
        self.unwanted(&slot, now);
        Some(slot)
    }

    /// No broker takes this. An event stays in the outbox; the rest is tried again with the next change or the next
    /// connection.
    pub(super) fn unwanted(&mut self, slot: &Slot, now: Duration) {
        if let Slot::Event(_) = slot {
            self.outbox_rests_until = now + REST;
        }
    }

    /// It is on its way now.
    pub(super) fn sent(&mut self, slot: Slot) {
        self.in_flight = Some(slot);
    }

    /// It could not be handed to the connection.
    pub(super) fn due_again(&mut self, slot: &Slot, now: Duration) {
        match slot {
            Slot::Statement(topic) => self.statements.due_again(topic),
            Slot::Identity => {
                if let Some(standing) = &mut self.standing {
                    standing.due = now;
                }
            }
            // The journal has kept the event; an answer is asked for again.
            Slot::Event(_) | Slot::Answer => {}
        }
    }

    /// The next acknowledged message, if one may be sent now. What is retained counts as said from here on; a lost
    /// connection makes it due.
    pub(super) fn next(&mut self, now: Duration) -> Option<Due> {
        if self.up.is_none() || self.in_flight.is_some() {
            return None;
        }
        while let Some((until, message)) = self.answers.pop_front() {
            if now < until {
                return Some(Due::Answer(message.expiring(until - now)));
            }
        }
        if let Some(message) = self.statements.take_due() {
            return Some(Due::Statement(message));
        }
        if self.identity_due(now).is_some_and(|due| due <= now) {
            let standing = self.standing.as_mut()?;
            standing.due = now + self.expiry / 3;
            return Some(Due::Identity(standing.record.clone()));
        }
        (self.outbox_rests_until <= now).then_some(Due::Event)
    }

    /// Nothing is on its way to the broker that is there.
    pub(super) fn is_idle(&self) -> bool {
        self.up.is_some() && self.in_flight.is_none()
    }

    /// When something is due though nothing happens.
    pub(super) fn wakes_at(&self, now: Duration) -> Duration {
        let rested = Some(self.outbox_rests_until).filter(|until| *until > now);
        let identity = self.identity_due(now).filter(|_| self.is_idle()).map(|due| due.max(now + SOON));
        [rested, identity].into_iter().flatten().fold(now + IDLE, Duration::min)
    }

    /// When the identity must be said again; `None` while a silent pipeline makes it doubtful. That there is no signal
    /// stays true in silence.
    fn identity_due(&self, now: Duration) -> Option<Duration> {
        let standing = self.standing.as_ref()?;
        let alive = now.saturating_sub(self.last_sign_of_life) < SIGN_OF_LIFE;
        (alive || standing.record.event.state == IdentityState::NoSignal).then_some(standing.due)
    }
}
