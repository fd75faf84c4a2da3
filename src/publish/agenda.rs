//! Decides which acknowledged message is due, and what the broker's answers mean for it.
//!
//! One acknowledged message is on its way at a time; on any error it is simply due again. What is due, first things
//! first: the identity that holds, so that nobody is told `online` over an older one and nobody's questions keep it from
//! doors (it lets one other message go where it is only repeated because the broker is slow); answers; what moves in Home
//! Assistant; the [`Statements`]; then the oldest event of the outbox. After an answer one message of what comes behind it
//! goes first, so that a flood of questions takes half of the rest at most. It is a plain state machine: no socket, no
//! disk, no clock. Time is handed in as what has passed since the start.

use std::collections::VecDeque;
use std::time::Duration;

use super::message::Message;
use super::payload::IdentityRecord;
use super::statements::Statements;
use crate::event::IdentityState;
use crate::store::OutboxId;

/// Rest after the broker has refused an event or a statement: somebody must change its access rules first.
const REST: Duration = Duration::from_secs(30);

/// Life below which an identity is not sent any more: it would reach nobody in time.
const TOO_LATE: Duration = Duration::from_millis(1500);

/// An acknowledgement that took longer tells that the message was held on its way, and that its life began late.
const HELD: Duration = Duration::from_millis(500);

/// The lane looks at the agenda more often than this, unless the process was stopped.
const STOPPED: Duration = Duration::from_secs(3);

/// After that, what the pipeline said before may still be in the queue; it speaks about once a second.
const STALE_WORDS: Duration = Duration::from_secs(1);

/// Longest time without a look at the agenda.
const IDLE: Duration = Duration::from_secs(60);

/// A little later than now: what was due now has just been sent, or the connection takes nothing.
const SOON: Duration = Duration::from_millis(50);

/// Answers that wait for their turn; an asker who gets none asks again.
const ANSWERS: usize = 16;

/// What an acknowledged message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// The answer to somebody's question.
    Answer,
    /// The word to Home Assistant that an entity moves, by its topic.
    Move(String),
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
    /// This word that an entity moves.
    Move(Message),
    /// This statement.
    Statement(Message),
    /// That this identity holds, and how long ago that was known.
    Identity {
        /// The identity.
        record: IdentityRecord,
        /// Time since the pipeline's last word.
        age: Duration,
    },
    /// The oldest event of the outbox, if it holds one; else [`Agenda::instead_of_event`].
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
    /// The pipeline's last word that it does; `None` while that may be an old one.
    known: Option<Duration>,
    /// The word that the broker was told of on this connection.
    told: Option<Duration>,
    /// Not to be repeated before.
    due: Duration,
    /// It was held on its way the last time.
    held: bool,
    /// Something else goes first: it was held time after time, and nothing else would ever be said.
    yields: bool,
}

impl Standing {
    /// When it was last known to hold. That there is no signal stays true in silence.
    fn known(&self, now: Duration) -> Option<Duration> {
        if self.record.event.state == IdentityState::NoSignal { Some(now) } else { self.known }
    }
}

/// What is to be said, and what of it is on its way.
#[derive(Debug)]
pub(super) struct Agenda {
    /// What is retained for good.
    pub(super) statements: Statements,
    expiry: Duration,
    standing: Option<Standing>,
    up: Option<Connection>,
    /// What is on its way, and since when.
    in_flight: Option<(Slot, Duration)>,
    answers: VecDeque<Message>,
    /// The last of what is not the identity was an answer: the rest has its turn.
    answered: bool,
    /// One for each topic that is moved.
    moves: VecDeque<Message>,
    last_turn: Duration,
    /// Words of the pipeline count from then on.
    words_count_from: Duration,
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
            answered: false,
            moves: VecDeque::new(),
            last_turn: Duration::ZERO,
            words_count_from: Duration::ZERO,
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

    /// The lane looks again. If it has not for long, the process was stopped, and what it is told first may be old.
    pub(super) fn turn(&mut self, now: Duration) {
        if now.saturating_sub(self.last_turn) > STOPPED {
            self.words_count_from = now + STALE_WORDS;
        }
        self.last_turn = now;
    }

    /// The decision has been made again: what was last said of the identity holds.
    pub(super) fn alive(&mut self, now: Duration) {
        if now >= self.words_count_from
            && let Some(standing) = &mut self.standing
        {
            standing.known = Some(now);
        }
    }

    /// How long ago the identity was last known to hold; [`Duration::MAX`] while that is not known.
    pub(super) fn silent_for(&self, now: Duration) -> Duration {
        let known = self.standing.as_ref().and_then(|standing| standing.known(now));
        known.map_or(Duration::MAX, |known| now.saturating_sub(known))
    }

    /// From now on this identity holds.
    pub(super) fn hold(&mut self, record: IdentityRecord, now: Duration) {
        let known = (now >= self.words_count_from).then_some(now);
        self.standing = Some(Standing { record, known, told: None, due: now, held: false, yields: false });
    }

    /// This answers a question. When too many wait the oldest goes: its asker has waited longest, and asks again.
    pub(super) fn answer(&mut self, answer: Message) {
        if self.answers.len() == ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back(answer);
    }

    /// An entity of Home Assistant moves away from the topic of this message: said once, before the statements.
    pub(super) fn moves(&mut self, message: Message) {
        if self.moves.iter().all(|waiting| waiting.topic != message.topic) {
            self.moves.push_back(message);
        }
    }

    /// A broker may have forgotten everything, or have published the last will.
    pub(super) fn up(&mut self, connection: Connection) {
        self.up = Some(connection);
        self.in_flight = None;
        self.say_all_again();
    }

    /// Somebody has asked anew, or may have forgotten: all that is retained is due again.
    pub(super) fn say_all_again(&mut self) {
        self.statements.all_due_again();
        self.identity_due_again();
    }

    fn identity_due_again(&mut self) {
        if let Some(standing) = &mut self.standing {
            standing.told = None;
        }
    }

    /// What was not acknowledged may or may not have arrived.
    pub(super) fn down(&mut self) {
        self.up = None;
        self.in_flight = None;
    }

    /// The broker has what was on its way. What is retained was said when it was sent; if it has changed since, it is
    /// due again by that. An identity that was held on its way lives too long at the broker: a fresh one takes its place.
    pub(super) fn acknowledged(&mut self, now: Duration) -> Option<Slot> {
        let (slot, since) = self.in_flight.take()?;
        if slot == Slot::Identity {
            let held = now.saturating_sub(since) > HELD;
            if let Some(standing) = &mut self.standing {
                standing.yields = held && standing.held;
                standing.held = held;
            }
            if held {
                self.identity_due_again();
            }
        }
        self.moved(&slot);
        Some(slot)
    }

    /// Nobody is told of this move again.
    fn moved(&mut self, slot: &Slot) {
        if let Slot::Move(topic) = slot {
            self.moves.retain(|waiting| waiting.topic != *topic);
        }
    }

    /// What was on its way has not left in time. The identity is due as it is known now; a statement that is too old is
    /// made anew by whoever states it.
    pub(super) fn late(&mut self) {
        if let Some((Slot::Identity, _)) = self.in_flight.take() {
            self.identity_due_again();
        }
    }

    /// The broker does not want what was on its way.
    pub(super) fn refused(&mut self, now: Duration) -> Option<Slot> {
        let (slot, _) = self.in_flight.take()?;
        self.unwanted(&slot, now);
        Some(slot)
    }

    /// The broker does not take this. An event stays in the outbox and is tried again after a rest, a statement too; the
    /// identity with the next word of the pipeline. Moves and answers are not: they say nothing any more then.
    pub(super) fn unwanted(&mut self, slot: &Slot, now: Duration) {
        match slot {
            Slot::Event(_) => self.outbox_rests_until = now + REST,
            Slot::Statement(topic) => self.statements.refused(topic, now + REST),
            Slot::Move(_) => self.moved(slot),
            Slot::Identity | Slot::Answer => {}
        }
    }

    /// The broker has everything but the events of the outbox.
    pub(super) fn all_said(&self) -> bool {
        self.is_idle() && self.moves.is_empty() && self.statements.all_said()
    }

    /// It is on its way now.
    pub(super) fn sent(&mut self, slot: Slot, now: Duration) {
        self.in_flight = Some((slot, now));
    }

    /// It could not be handed to the connection.
    pub(super) fn due_again(&mut self, slot: &Slot) {
        match slot {
            Slot::Statement(topic) => self.statements.due_again(topic),
            Slot::Identity => self.identity_due_again(),
            // The journal has kept the event, the agenda the move; an answer is asked for again.
            Slot::Event(_) | Slot::Move(_) | Slot::Answer => {}
        }
    }

    /// The next acknowledged message, if one may be sent now. What is retained counts as said from here on; a lost
    /// connection makes it due.
    pub(super) fn next(&mut self, now: Duration) -> Option<Due> {
        if self.up.is_none() || self.in_flight.is_some() {
            return None;
        }
        let yields = self.standing.as_mut().is_some_and(|standing| std::mem::take(&mut standing.yields));
        if !yields && self.identity_due(now).is_some_and(|due| due <= now) {
            let pause = self.pause();
            let standing = self.standing.as_mut()?;
            let known = standing.known(now)?;
            standing.told = Some(known);
            standing.due = now + pause;
            return Some(Due::Identity { record: standing.record.clone(), age: now.saturating_sub(known) });
        }
        if !std::mem::take(&mut self.answered)
            && let Some(answer) = self.take_answer()
        {
            return Some(Due::Answer(answer));
        }
        if let Some(message) = self.moves.front() {
            return Some(Due::Move(message.clone()));
        }
        if let Some(message) = self.statements.take_due(now) {
            return Some(Due::Statement(message));
        }
        if self.outbox_rests_until <= now { Some(Due::Event) } else { self.take_answer().map(Due::Answer) }
    }

    /// The outbox was found empty: what goes out in the place of its event.
    pub(super) fn instead_of_event(&mut self) -> Option<Message> {
        self.take_answer()
    }

    fn take_answer(&mut self) -> Option<Message> {
        let answer = self.answers.pop_front();
        self.answered = answer.is_some();
        answer
    }

    /// Rest before the identity is repeated. The first word of the pipeline after that comes about a second later, so
    /// that it is repeated three times in its life. Never none: it would leave no room for anything else.
    fn pause(&self) -> Duration {
        (self.expiry / 3).saturating_sub(STALE_WORDS).max(HELD)
    }

    /// Nothing is on its way to the broker that is there.
    pub(super) fn is_idle(&self) -> bool {
        self.up.is_some() && self.in_flight.is_none()
    }

    /// When something is due though nothing happens.
    pub(super) fn wakes_at(&self, now: Duration) -> Duration {
        let rested = Some(self.outbox_rests_until).filter(|until| *until > now);
        let identity = self.identity_due(now).filter(|_| self.is_idle()).map(|due| due.max(now + SOON));
        let refused = self.statements.rested_at().filter(|_| self.is_idle()).map(|due| due.max(now + SOON));
        [rested, refused, identity].into_iter().flatten().fold(now + IDLE, Duration::min)
    }

    /// When the identity must be said: at once where the broker does not know it, later where the pipeline has spoken
    /// since. `None` where a silent pipeline makes it doubtful: it is not repeated, and the broker forgets it.
    fn identity_due(&self, now: Duration) -> Option<Duration> {
        let standing = self.standing.as_ref()?;
        let known = standing.known(now)?;
        if now.saturating_sub(known) + TOO_LATE > self.expiry {
            return None;
        }
        match standing.told {
            None => Some(now),
            Some(told) => (known > told).then_some(standing.due),
        }
    }
}

#[cfg(test)]
mod tests;
