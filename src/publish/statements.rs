//! What a broker must know of this gateway for as long as it is there: retained messages, each under a topic of its own.
//!
//! Each is said when it changes, and all are said again when a broker may have forgotten them; one that the broker refuses
//! is said again after a rest, since somebody may mend its access rules. The list knows neither topics nor payloads; it
//! has as many entries as the daemon has topics.

use std::time::Duration;

use super::message::Message;
use super::payload::Payload;

/// Whether the broker knows a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Due,
    /// It does, or is being told.
    Said,
    /// It does not want to; due again then.
    Refused {
        until: Duration,
    },
}

/// A retained message, and whether the broker knows it.
#[derive(Debug)]
struct Latch {
    message: Message,
    standing: Standing,
}

impl Latch {
    fn is_due(&self, now: Duration) -> bool {
        match self.standing {
            Standing::Due => true,
            Standing::Said => false,
            Standing::Refused { until } => until <= now,
        }
    }
}

/// Retained messages by topic, in the order in which they were first stated; that is also the order of saying.
#[derive(Debug, Default)]
pub(super) struct Statements(Vec<Latch>);

impl Statements {
    /// States `message` in place of what its topic said before. The same words again are not due again.
    pub(super) fn set(&mut self, message: Message) {
        debug_assert!(message.retain, "{} is stated, so it is retained", message.topic);
        match self.0.iter_mut().find(|latch| latch.message.topic == message.topic) {
            Some(latch) if latch.message == message => {}
            Some(latch) => *latch = Latch { message, standing: Standing::Due },
            None => self.0.push(Latch { message, standing: Standing::Due }),
        }
    }

    /// Takes back what the topic says, also what an earlier start of the daemon has said there: an empty retained
    /// message, which stays in the list because the removal can be missed by a broker as well.
    pub(super) fn remove(&mut self, topic: &str) {
        self.set(Message::acknowledged(topic.to_owned(), Payload::text("")).retained());
    }

    /// Every removal has arrived and need not be repeated: a broker that forgets does not remember it again.
    pub(super) fn forget_removed(&mut self) {
        self.0.retain(|latch| !latch.message.payload.bytes.is_empty());
    }

    /// A broker may have forgotten everything, or somebody has asked anew.
    pub(super) fn all_due_again(&mut self) {
        for latch in &mut self.0 {
            latch.standing = Standing::Due;
        }
    }

    /// What was taken could not be said.
    pub(super) fn due_again(&mut self, topic: &str) {
        if let Some(latch) = self.0.iter_mut().find(|latch| latch.message.topic == topic) {
            latch.standing = Standing::Due;
        }
    }

    /// The broker does not want what was taken: it rests until then, unless it has changed since.
    pub(super) fn refused(&mut self, topic: &str, until: Duration) {
        let said = |latch: &&mut Latch| latch.message.topic == topic && latch.standing == Standing::Said;
        if let Some(latch) = self.0.iter_mut().find(said) {
            latch.standing = Standing::Refused { until };
        }
    }

    /// The first that is due. It counts as said from here on.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<Message> {
        let latch = self.0.iter_mut().find(|latch| latch.is_due(now))?;
        latch.standing = Standing::Said;
        Some(latch.message.clone())
    }

    /// When the first rest after a refusal is over.
    pub(super) fn rested_at(&self) -> Option<Duration> {
        let rests = self.0.iter().filter_map(|latch| match latch.standing {
            Standing::Refused { until } => Some(until),
            Standing::Due | Standing::Said => None,
        });
        rests.min()
    }

    /// Nothing is left to say, not even after a rest.
    pub(super) fn all_said(&self) -> bool {
        self.0.iter().all(|latch| latch.standing == Standing::Said)
    }

    /// Nothing is due now; what the broker refuses rests.
    pub(super) fn is_quiet(&self, now: Duration) -> bool {
        !self.0.iter().any(|latch| latch.is_due(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(topic: &str, text: &str) -> Message {
        Message::acknowledged(topic.to_owned(), Payload::text(text)).retained()
    }

    fn said(statements: &mut Statements) -> Vec<String> {
        let text = |m: Message| format!("{}={}", m.topic, String::from_utf8(m.payload.bytes).unwrap());
        std::iter::from_fn(|| statements.take_due(Duration::ZERO)).map(text).collect()
    }

    #[test]
    fn a_statement_is_said_once_and_again_when_it_changes_or_when_all_are_due() {
        let mut statements = Statements::default();
        statements.set(statement("a", "1"));
        statements.set(statement("b", "1"));
        assert!(!statements.all_said());
        assert_eq!(said(&mut statements), ["a=1", "b=1"]);
        statements.set(statement("b", "1"));
        assert_eq!(said(&mut statements), [""; 0], "the same words are no news");
        statements.set(statement("b", "2"));
        assert_eq!(said(&mut statements), ["b=2"]);
        statements.due_again("a");
        assert_eq!(said(&mut statements), ["a=1"]);
        statements.all_due_again();
        assert_eq!(said(&mut statements), ["a=1", "b=2"]);
        assert!(statements.all_said());
    }

    #[test]
    fn what_is_refused_is_due_again_after_its_rest_or_when_it_changes() {
        let (mut statements, rested) = (Statements::default(), Duration::from_secs(30));
        statements.set(statement("a", "1"));
        statements.set(statement("b", "1"));
        assert_eq!(said(&mut statements), ["a=1", "b=1"]);
        statements.refused("a", rested);
        statements.refused("b", rested);
        assert!(statements.is_quiet(Duration::ZERO) && !statements.all_said());
        assert_eq!(said(&mut statements), [""; 0]);
        statements.set(statement("b", "2"));
        statements.refused("b", rested);
        assert_eq!(said(&mut statements), ["b=2"], "the refusal was one of its older words");
        assert_eq!(statements.rested_at(), Some(rested));
        assert_eq!(statements.take_due(rested).unwrap().topic, "a");
        assert!(statements.all_said(), "until it is refused again");
        assert_eq!(statements.rested_at(), None);
    }

    #[test]
    fn what_is_removed_is_said_as_an_empty_message_on_every_connection() {
        let mut statements = Statements::default();
        statements.set(statement("a", "1"));
        statements.remove("a");
        statements.remove("left by an earlier start");
        assert_eq!(said(&mut statements), ["a=", "left by an earlier start="]);
        statements.all_due_again();
        assert_eq!(said(&mut statements), ["a=", "left by an earlier start="]);
        statements.set(statement("b", "1"));
        statements.forget_removed();
        statements.all_due_again();
        assert_eq!(said(&mut statements), ["b=1"], "once it is known to have arrived it is not repeated");
    }
}
