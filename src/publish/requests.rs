//! Requests that come through the broker, on their way to `control`, and the answers on their way back.
//!
//! It knows no request: what may be asked and what is answered is `control`'s.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::client::Heard;
use super::health::Health;
use super::hearing::{answer, response_topic};
use super::message::Message;
use super::payload::Payload;
use super::topics::Topics;
use crate::control::{Control, ErrorCode, News, Refusal, Way};

/// Requests that are being answered, and answers that the lane has not taken. A request beyond them is dropped: whoever
/// floods the broker gets no answer, and the others ask again.
const ANSWERS: usize = 16;

/// Longest answer, bytes: some hundred subjects. Brokers may take no more than 64 KiB of a packet.
const LONGEST: usize = 48 * 1024;

/// A step of an enrolment that is older is history.
const NEWS_EXPIRY: Duration = Duration::from_secs(30);

/// The desk where requests are taken and answers given out; without a control it is closed.
#[derive(Debug)]
pub(super) struct Requests {
    open: Option<(Control, News)>,
    topics: Topics,
    to_lane: mpsc::Sender<Message>,
    answers: mpsc::Receiver<Message>,
}

impl Requests {
    pub(super) fn new(control: Option<Control>, topics: Topics) -> Self {
        let (to_lane, answers) = mpsc::channel(ANSWERS);
        let open = control.map(|control| (control.clone(), control.news()));
        Self { open, topics, to_lane, answers }
    }

    /// Begins to answer the request of this name.
    pub(super) fn take(&self, name: String, heard: Heard) {
        let Some((control, _)) = &self.open else { return };
        let usual = self.topics.bridge_response(&name);
        let Some(topic) = response_topic(&heard, &usual, &self.topics.bridge_responses()) else {
            tracing::debug!(request = name, "a request names a response topic on which nobody is answered");
            return;
        };
        let Ok(place) = self.to_lane.clone().try_reserve_owned() else {
            tracing::debug!(request = name, "a request is dropped: {ANSWERS} are being answered");
            return;
        };
        let control = control.clone();
        tokio::spawn(async move {
            let mut said = control.ask(&name, &heard.payload, Way::Mqtt).await;
            if said.to_json().len() > LONGEST {
                let message = "the answer is too long for MQTT; ask on the gateway: ecgid subjects list";
                said.outcome = Err(Refusal::new(ErrorCode::TooLarge, message));
            }
            place.send(answer(&heard, topic, said.to_json()));
        });
    }

    /// What is published of the gateway's health is answered, too.
    pub(super) fn note(&self, health: &Health) {
        if let Some((control, _)) = &self.open {
            control.note_health(health.clone());
        }
    }

    /// The next answer, or what is to be said of an enrolment unasked. Losing the future loses nothing.
    pub(super) async fn next(&mut self) -> Message {
        let Some((_, news)) = &mut self.open else { return std::future::pending().await };
        tokio::select! {
            // Never `None`: this holds a sender itself.
            Some(answer) = self.answers.recv() => answer,
            news = news.next() => {
                let payload = Payload { bytes: news, content_type: "application/json" };
                Message::acknowledged(self.topics.bridge_response("enrol/status"), payload).expiring(Instant::now() + NEWS_EXPIRY)
            }
        }
    }
}
