//! A message for the broker, in plain types: what the client is given.

use std::time::Duration;

use tokio::time::Instant;

use super::payload::Payload;

/// What the way to the broker may take, so that nobody is told something older than its life.
const TRANSIT: Duration = Duration::from_millis(500);

/// How sure the broker must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// QoS 0: once or not at all.
    Unacknowledged,
    /// QoS 1: until the broker has acknowledged it.
    Acknowledged,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Payload,
    pub(super) delivery: Delivery,
    pub(super) retain: bool,
    /// From then on it says nothing any more. It counts from what the message is about, not from its sending.
    pub(super) expires: Option<Instant>,
    /// Number of the identity event, for subscribers that do not look into the payload.
    pub(super) seq: Option<u64>,
    /// Somebody has asked for it.
    pub(super) answers: bool,
    /// What the asker knows an answer by.
    pub(super) correlation: Option<Vec<u8>>,
}

impl Message {
    /// A message that is acknowledged, not retained, and never expires.
    pub(super) fn acknowledged(topic: String, payload: Payload) -> Self {
        Self {
            topic,
            payload,
            delivery: Delivery::Acknowledged,
            retain: false,
            expires: None,
            seq: None,
            answers: false,
            correlation: None,
        }
    }

    /// A message that may be lost.
    pub(super) fn telemetry(topic: String, payload: Payload, expires: Instant) -> Self {
        Self { delivery: Delivery::Unacknowledged, expires: Some(expires), ..Self::acknowledged(topic, payload) }
    }

    /// The same, retained.
    pub(super) fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// The same, forgotten by the broker from then on.
    pub(super) fn expiring(mut self, at: Instant) -> Self {
        self.expires = Some(at);
        self
    }

    /// What the broker is told of its life when it leaves now, in MQTT's whole seconds; 0: it comes too late. `None`
    /// where it does not expire.
    pub(super) fn life_left_s(&self, now: Instant) -> Option<u32> {
        let left = self.expires?.saturating_duration_since(now).saturating_sub(TRANSIT);
        Some(u32::try_from(left.as_secs()).unwrap_or(u32::MAX))
    }

    /// The same, with the number of its event.
    pub(super) fn numbered(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// The same, as the answer to what came with this correlation data.
    pub(super) fn answering(mut self, correlation: Option<Vec<u8>>) -> Self {
        self.answers = true;
        self.correlation = correlation;
        self
    }

    /// It is telemetry: neither acknowledged nor the answer to anybody.
    pub(super) fn is_telemetry(&self) -> bool {
        self.delivery == Delivery::Unacknowledged && !self.answers
    }

    /// Upper bound of its size on the wire: topic and payload, and room for the header and the properties.
    pub(super) fn wire_size(&self) -> usize {
        self.topic.len() + self.payload.bytes.len() + self.correlation.as_ref().map_or(0, Vec::len) + 512
    }
}
