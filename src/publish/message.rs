//! A message for the broker, in plain types: what the client is given.

use std::time::Duration;

use super::payload::Payload;

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
    /// After this the broker hands it to nobody any more; whole seconds, at least one.
    pub(super) expiry: Option<Duration>,
    /// Number of the identity event, for subscribers that do not look into the payload.
    pub(super) seq: Option<u64>,
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
            expiry: None,
            seq: None,
            correlation: None,
        }
    }

    /// A message that may be lost.
    pub(super) fn telemetry(topic: String, payload: Payload, expiry: Duration) -> Self {
        Self { delivery: Delivery::Unacknowledged, expiry: Some(expiry), ..Self::acknowledged(topic, payload) }
    }

    /// The same, retained.
    pub(super) fn retained(mut self) -> Self {
        self.retain = true;
        self
    }

    /// The same, forgotten by the broker after `expiry`.
    pub(super) fn expiring(mut self, expiry: Duration) -> Self {
        self.expiry = Some(expiry);
        self
    }

    /// The same, with the number of its event.
    pub(super) fn numbered(mut self, seq: u64) -> Self {
        self.seq = Some(seq);
        self
    }

    /// Upper bound of its size on the wire: topic and payload, and room for the header and the properties.
    pub(super) fn wire_size(&self) -> usize {
        self.topic.len() + self.payload.bytes.len() + 256
    }
}
