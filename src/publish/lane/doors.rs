//! The lane's answers to doors: what stands now, or that it is not known any more.

use std::time::Duration;

use tokio::time::Instant;

use super::Lane;
use crate::event::IdentityEvent;
use crate::publish::challenge::{self, Desk, Question, Reply};
use crate::publish::client::Heard;
use crate::publish::disk::Disk;
use crate::publish::message::Message;
use crate::publish::payload::Payload;

/// What the pipeline said longer ago than this is not what it would say now; it speaks about once a second.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// A lane that has not turned for so long stood still, and the daemon with it (a stopped process): at least its retry turns
/// it more often.
const STOOD_STILL: Duration = Duration::from_secs(5);

/// What is asked and what may be said.
#[derive(Debug)]
pub(super) struct Doors {
    desk: Desk,
    /// Evidence older than this is no evidence any more.
    decision_window: Duration,
    last_turn: Duration,
    went_on_at: Option<Duration>,
}

impl Doors {
    /// `answers` is the topic below which doors are answered; `window_s` is the decision's memory in seconds.
    pub(super) fn new(answers: &str, window_s: f64) -> Self {
        let decision_window = Duration::from_secs_f64(window_s);
        Self { desk: Desk::new(answers), decision_window, last_turn: Duration::ZERO, went_on_at: None }
    }

    /// The lane turns. After a standstill the decision rests on what was before it, until a whole window has passed.
    pub(super) fn turn(&mut self, now: Duration) {
        if now.saturating_sub(std::mem::replace(&mut self.last_turn, now)) > STOOD_STILL {
            self.went_on_at = Some(now);
        }
    }

    /// What may be said of an identity now, if the pipeline has been silent for so long.
    fn standing(&self, said: &IdentityEvent, silent_for: Duration, now: Duration) -> IdentityEvent {
        let steady = self.went_on_at.is_none_or(|at| now.saturating_sub(at) > self.decision_window);
        let silent_for = if steady { silent_for } else { Duration::MAX };
        challenge::standing_now(said, silent_for, self.decision_window.min(SIGN_OF_LIFE))
    }
}

impl<D: Disk> Lane<D> {
    /// A door asks who is there. What cannot be answered now is not answered at all: the door asks again.
    pub(super) fn answer_door(&mut self, heard: &Heard) {
        let now = self.now();
        self.doors.turn(now);
        let (Some(connection), Some(said)) = (self.agenda.connection(), self.agenda.identity()) else { return };
        let question = Question {
            payload: &heard.payload,
            retained: heard.retained,
            response_topic: heard.response_topic.as_deref(),
            correlation: heard.correlation.as_deref(),
        };
        let (payload, to, correlation) = match self.doors.desk.take(&question, now) {
            Reply::Silence => return,
            Reply::Error { body, to, correlation } => (Payload::of_json(body), to, correlation),
            Reply::Claim { nonce, to, correlation } => {
                let standing = self.doors.standing(&said.event, self.agenda.silent_for(now), now);
                let record = self.issuer.answer(said, standing, nonce);
                (self.encoder.identity(&record), to, Some(correlation))
            }
        };
        let message = Message::telemetry(to, payload, Instant::now() + challenge::ANSWER_EXPIRY).answering(correlation);
        if message.wire_size() > connection.max_packet || self.client.publish(connection.number, message).is_err() {
            tracing::debug!("a challenge is not answered: the connection takes nothing");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{IdentityState, Reason};

    const SECOND: Duration = Duration::from_secs(1);

    fn verified() -> IdentityEvent {
        IdentityEvent {
            state: IdentityState::Verified,
            subject: Some("ada".into()),
            score: Some(0.75),
            threshold: 0.5,
            quality: 1.0,
            reason: Reason::ScoreAboveThreshold,
            model: "test".into(),
            template_revision: Some(1),
            sample_index: 1,
        }
    }

    #[test]
    fn after_a_standstill_nobody_is_verified_for_a_whole_window() {
        let mut doors = Doors::new("a", 12.0);
        let opens = |doors: &Doors, now| doors.standing(&verified(), SECOND, now).state == IdentityState::Verified;
        for second in 1..=100 {
            doors.turn(2 * second * SECOND);
        }
        assert!(opens(&doors, 200 * SECOND), "a lane that turns every two seconds has not stood still");
        doors.turn(206 * SECOND);
        assert!(!opens(&doors, 206 * SECOND));
        for second in 207..=218 {
            doors.turn(second * SECOND);
            assert!(!opens(&doors, second * SECOND), "{second}");
        }
        doors.turn(219 * SECOND);
        assert!(opens(&doors, 219 * SECOND));
        let silent = doors.standing(&verified(), 6 * SECOND, 219 * SECOND);
        assert_ne!(silent.state, IdentityState::Verified, "the decision has not been made for six seconds");
        let short = Doors::new("a", 0.5);
        assert!(!opens(&short, SECOND), "silent for longer than a short window");
    }
}
