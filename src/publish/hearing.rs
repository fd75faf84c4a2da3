//! What others say to the gateway: which topics are listened to, and what a message on one of them is about.
//!
//! It only sorts. Who may ask for what, and what is answered, is decided by those whose matter it is.

use std::time::Duration;

use tokio::time::Instant;

use super::client::{Filter, Heard};
use super::message::Message;
use super::payload::Payload;
use super::topics::Topics;

/// Longest response topic that is answered on, bytes.
const MAX_RESPONSE_TOPIC: usize = 256;

/// Nobody waits longer for an answer.
const ANSWER_EXPIRY: Duration = Duration::from_secs(30);

/// Longest correlation data that is given back, bytes.
const MAX_CORRELATION: usize = 128;

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Matter {
    /// Home Assistant says how it is itself.
    HomeAssistant,
    /// A door asks who is there.
    Challenge,
    /// `bridge/request/<name>`: somebody wants something done; this is the name.
    Request(String),
}

/// Knows the topics that are listened to.
#[derive(Debug)]
pub(super) struct Hearing {
    birth: Option<String>,
    challenge: String,
    request: String,
}

impl Hearing {
    /// `birth` is the topic on which Home Assistant says that it has started, where that matters.
    pub(super) fn new(topics: &Topics, birth: Option<&str>) -> Self {
        Self { birth: birth.map(str::to_owned), challenge: topics.challenge(), request: topics.bridge_request() }
    }

    /// The filters to subscribe to. Whoever retains a question has asked wrongly, whether we were there to hear it or not;
    /// Home Assistant may retain its birth, and has started all the same.
    pub(super) fn filters(&self) -> Vec<Filter> {
        let asked = [self.challenge.clone(), format!("{}/#", self.request)];
        let asked = asked.into_iter().map(|topics| Filter { topics, retained_when_new: true });
        asked.chain(self.birth.clone().map(|topics| Filter { topics, retained_when_new: false })).collect()
    }

    /// What this message is about; `None`: nothing that is answered. A retained message is one of the past: whoever
    /// retains a request would have it carried out at every connection.
    pub(super) fn matter(&self, heard: &Heard) -> Option<Matter> {
        if heard.retained {
            return None;
        }
        if self.birth.as_ref() == Some(&heard.topic) {
            return Some(Matter::HomeAssistant);
        }
        if heard.topic == self.challenge {
            return Some(Matter::Challenge);
        }
        let name = heard.topic.strip_prefix(&self.request)?.strip_prefix('/')?;
        (!name.is_empty()).then(|| Matter::Request(name.to_owned()))
    }
}

/// Where the answer to this message goes: the topic that the asker names, if that lies below `answers`, else `usual`.
/// `None` where it names any other: whoever may ask us must not be able to have us speak where only we may.
pub(super) fn response_topic(heard: &Heard, usual: &str, answers: &str) -> Option<String> {
    let Some(topic) = &heard.response_topic else { return Some(usual.to_owned()) };
    let below = topic.strip_prefix(answers).and_then(|rest| rest.strip_prefix('/'));
    let usable = topic.len() <= MAX_RESPONSE_TOPIC && !topic.contains(['+', '#', '\0']);
    (usable && below.is_some_and(|rest| !rest.is_empty())).then(|| topic.clone())
}

/// The answer to a message, as it is sent: with what the asker knows it by.
pub(super) fn answer(heard: &Heard, topic: String, json: Vec<u8>) -> Message {
    let payload = Payload { bytes: json, content_type: "application/json" };
    let correlation = heard.correlation.clone().filter(|data| data.len() <= MAX_CORRELATION);
    Message { correlation, ..Message::acknowledged(topic, payload).expiring(Instant::now() + ANSWER_EXPIRY) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn topics() -> Topics {
        let config = Config::default();
        Topics::new(config.mqtt.as_ref().unwrap(), &config.gateway, &config.device)
    }

    fn heard(topic: &str) -> Heard {
        Heard {
            topic: topic.into(),
            payload: Vec::new(),
            retained: false,
            response_topic: None,
            correlation: Some(b"7".to_vec()),
        }
    }

    #[test]
    fn a_message_is_sorted_by_its_topic() {
        let hearing = Hearing::new(&topics(), Some("homeassistant/status"));
        let matter = |topic: &str| hearing.matter(&heard(topic));
        assert_eq!(matter("homeassistant/status"), Some(Matter::HomeAssistant));
        assert_eq!(matter("ecgid/home/ecg0/challenge"), Some(Matter::Challenge));
        assert_eq!(matter("ecgid/home/bridge/request/enrol/start"), Some(Matter::Request("enrol/start".into())));
        for other in ["ecgid/home/bridge/request", "ecgid/home/bridge/request/", "ecgid/home/ecg1/challenge", ""] {
            assert_eq!(matter(other), None, "{other}");
        }
        assert_eq!(Hearing::new(&topics(), None).matter(&heard("homeassistant/status")), None);
    }

    #[test]
    fn a_retained_message_asks_nothing() {
        let hearing = Hearing::new(&topics(), Some("homeassistant/status"));
        for topic in ["homeassistant/status", "ecgid/home/ecg0/challenge", "ecgid/home/bridge/request/health"] {
            assert_eq!(hearing.matter(&Heard { retained: true, ..heard(topic) }), None, "{topic}");
        }
    }

    #[test]
    fn answers_to_requests_go_below_the_topic_of_answers_and_nowhere_else() {
        let answers = "ecgid/home/bridge/response";
        let asked = |topic: &str| {
            let heard = Heard { response_topic: Some(topic.into()), ..heard("q") };
            response_topic(&heard, "ecgid/home/bridge/response/health", answers)
        };
        assert_eq!(response_topic(&heard("q"), "usual", answers).as_deref(), Some("usual"));
        for fine in ["ecgid/home/bridge/response/health", "ecgid/home/bridge/response/me/7"] {
            assert_eq!(asked(fine).as_deref(), Some(fine));
        }
        let long = format!("{answers}/{}", "x".repeat(256));
        let foreign =
            ["ecgid/home", "ecgid/home/ecg0/event", "homeassistant/device/x/config", "zigbee2mqtt/lock/set", ""];
        let odd = ["ecgid/home/bridge/response", "ecgid/home/bridge/response/", "ecgid/home/bridge/response/+", &long];
        for wrong in foreign.into_iter().chain(odd) {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }

    #[tokio::test]
    async fn an_answer_carries_what_the_asker_knows_it_by() {
        assert_eq!(answer(&heard("q"), "a".into(), b"{}".to_vec()).correlation.as_deref(), Some(&b"7"[..]));
        let long = Heard { correlation: Some(vec![0; 129]), ..heard("q") };
        assert_eq!(answer(&long, "a".into(), b"{}".to_vec()).correlation, None);
    }
}
