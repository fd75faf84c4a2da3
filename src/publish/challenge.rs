//! Challenges: a door asks who is there now, with a nonce that it has just made up, and gets a claim with that nonce.
//!
//! Pure: what was asked goes in, what is to be said comes out. The answer is as fresh as the decision that it rests on, or
//! it is *not verified*; what is wrong, too much or unanswerable gets an error or silence, which no door takes for a yes.
//! Answers go below one topic of the device's own and nowhere else: the gateway's rights on the broker are not lent to
//! whoever asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::TokenBucket;
use super::payload::SCHEMA;
use crate::event::{IdentityEvent, IdentityState, Reason};

/// Life of an answer: the door opens now or not at all.
pub const ANSWER_EXPIRY: Duration = Duration::from_secs(5);

/// Answers and errors in a row, for a house of doors that all ask at once.
const BURST: u32 = 20;

/// Time that earns one more. Doors ask when somebody stands before them.
const EARNED_EVERY: Duration = Duration::from_millis(200);

/// Longest question; a nonce and its name are shorter than 100 bytes.
const MAX_QUESTION: usize = 256;

/// Longest correlation data that is given back.
const MAX_CORRELATION: usize = 128;

/// Longest response topic.
const MAX_TOPIC: usize = 256;

/// A message on the topic `…/challenge`.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `{"nonce": "…"}`
    pub payload: &'a [u8],
    /// The broker had kept it: nobody asks now.
    pub retained: bool,
    /// Where the answer goes.
    pub response_topic: Option<&'a str>,
    /// By what the door knows the answer again.
    pub correlation: Option<&'a [u8]>,
}

/// What is said to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A claim with this nonce.
    Claim {
        /// The nonce, which fits into a claim.
        nonce: String,
        /// The topic.
        to: String,
        /// Given back as it came.
        correlation: Vec<u8>,
    },
    /// What is wrong.
    Error {
        /// As JSON.
        body: Vec<u8>,
        /// The topic.
        to: String,
        /// Given back as it came, where it can be.
        correlation: Option<Vec<u8>>,
    },
    /// Nothing.
    Silence,
}

/// The body of a question.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    nonce: String,
}

/// The body of an error.
#[derive(Serialize)]
struct Wrong<'a> {
    schema: u32,
    error: &'a str,
}

/// Takes questions for one device.
#[derive(Debug)]
pub struct Desk {
    /// Answers go to topics that begin with this.
    below: String,
    answers: TokenBucket,
}

impl Desk {
    /// `answers` is the topic `…/answer` of the device.
    #[must_use]
    pub fn new(answers: &str) -> Self {
        Self { below: format!("{answers}/"), answers: TokenBucket::new(BURST, EARNED_EVERY) }
    }

    /// What is to be said to a question that comes at `now`, by a timer that only runs on. Bounded: 20 at once,
    /// then one every 200 ms, errors included; more get silence.
    pub fn take(&mut self, question: &Question<'_>, now: Duration) -> Reply {
        if question.retained || !self.answers.spend(now) {
            return Reply::Silence;
        }
        let correlation = question.correlation.filter(|data| data.len() <= MAX_CORRELATION);
        let to = question.response_topic.filter(|topic| self.may_answer(topic));
        let wrong = |error: &str| Reply::Error {
            // A number and a text: cannot fail.
            body: serde_json::to_vec(&Wrong { schema: SCHEMA, error }).unwrap_or_default(),
            to: to.map_or_else(|| format!("{}error", self.below), str::to_owned),
            correlation: correlation.map(<[u8]>::to_vec),
        };
        let Some(to) = to else {
            return wrong(&format!(
                "name a response topic (MQTT 5) below {}, for instance {}door",
                self.below, self.below
            ));
        };
        let Some(correlation) = correlation else {
            return wrong("add correlation data (MQTT 5) of up to 128 bytes");
        };
        match nonce(question.payload) {
            Some(nonce) => Reply::Claim { nonce, to: to.to_owned(), correlation: correlation.to_vec() },
            None => wrong("ask with {\"nonce\": \"…\"}: 16 to 64 letters, digits, - and _ that were never used before"),
        }
    }

    fn may_answer(&self, topic: &str) -> bool {
        let level = |level: &str| !level.is_empty() && !level.contains(['+', '#']) && !level.contains(char::is_control);
        topic.len() <= MAX_TOPIC && topic.strip_prefix(&self.below).is_some_and(|rest| rest.split('/').all(level))
    }
}

fn nonce(payload: &[u8]) -> Option<String> {
    if payload.len() > MAX_QUESTION {
        return None;
    }
    let Asked { nonce } = serde_json::from_slice(payload).ok()?;
    let plain = nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    (plain && (16..=64).contains(&nonce.len())).then_some(nonce)
}

/// The identity that an answer may state: what stands, if the pipeline has shown life within `window`, else nothing.
/// `silent_for` is the time since it last did.
#[must_use]
pub fn standing_now(standing: &IdentityEvent, silent_for: Duration, window: Duration) -> IdentityEvent {
    if silent_for <= window {
        return standing.clone();
    }
    IdentityEvent {
        state: IdentityState::NoSignal,
        reason: Reason::SourceLost,
        subject: None,
        score: None,
        template_revision: None,
        quality: 0.0,
        ..standing.clone()
    }
}
