//! Requests that come through the broker, on their way to `control`, and the answers on their way back.
//!
//! It knows no request: what may be asked and what is answered is `control`'s.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::bucket::TokenBucket;
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

/// Requests in a row: an assistant asks several things at once.
const BURST: u32 = 20;

/// Time that earns one more. Refusals count too: whoever may not ask anything may still publish requests.
const EARNED_EVERY: Duration = Duration::from_millis(100);

/// Longest answer, bytes: some hundred subjects. Brokers may take no more than 64 KiB of a packet.
const LONGEST: usize = 48 * 1024;

/// A step of an enrolment that is older is history.
const NEWS_EXPIRY: Duration = Duration::from_secs(30);

/// The desk where requests are taken and answers given out; without a control it is closed.
#[derive(Debug)]
pub(super) struct Requests {
    open: Option<(Control, News)>,
    topics: Topics,
    taken: TokenBucket,
    to_lane: mpsc::Sender<Message>,
    answers: mpsc::Receiver<Message>,
}

impl Requests {
    pub(super) fn new(control: Option<Control>, topics: Topics) -> Self {
        let (to_lane, answers) = mpsc::channel(ANSWERS);
        let open = control.map(|control| (control.clone(), control.news()));
        Self { open, topics, taken: TokenBucket::new(BURST, EARNED_EVERY), to_lane, answers }
    }

    /// Begins to answer the request of this name, which has come at `now`. Bounded: 20 at once, then one every 100 ms;
    /// more get silence.
    pub(super) fn take(&mut self, name: String, heard: Heard, now: Duration) {
        let Some((control, _)) = &self.open else { return };
        if !self.taken.spend(now) {
            tracing::debug!(request = name, "a request is dropped: too many have come");
            return;
        }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::cli::run;
    use crate::config::{Config, Environment};
    use crate::inference::Model;
    use crate::pipeline::outlet::Telemetry;
    use crate::store::Store;

    #[tokio::test]
    async fn of_a_flood_of_requests_twenty_are_answered_and_then_one_every_tenth_of_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load_in(None, &Environment::new(), &[]).unwrap();
        let model = Model::load(Path::new("models/ecgid-1.onnx")).unwrap();
        let store = Store::open(&folder.path().join("gallery.sqlite")).unwrap();
        let settings = run::settings(&config, &model, Telemetry::Drop);
        let control = Control::new(&config, &model, &settings, store, CancellationToken::new());
        let topics = Topics::new(config.mqtt.as_ref().unwrap(), &config.gateway, &config.device);
        let mut requests = Requests::new(Some(control), topics);
        let heard = Heard {
            topic: "ecgid/home/bridge/request/health".into(),
            payload: Vec::new(),
            retained: false,
            response_topic: None,
            correlation: None,
        };
        let mut answered = 0;
        for (asked, now) in [(30, Duration::ZERO), (3, Duration::from_millis(100)), (30, Duration::from_millis(350))] {
            for _ in 0..asked {
                requests.take("health".into(), heard.clone(), now);
                // Nothing is permitted: a refusal is an answer, too.
                answered += u32::from(timeout(Duration::from_millis(100), requests.next()).await.is_ok());
            }
        }
        assert_eq!(answered, 20 + 1 + 2);
    }
}
