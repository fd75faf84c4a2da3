//! Events as they are published: with their names and times, in JSON or protobuf.

use serde::{Deserialize, Serialize};

use crate::config::PayloadFormat;
use crate::event::{HrvEvent, IdentityEvent, SignalEvent, SourceEvent};
use crate::proto;

/// Version of the contract; a change that breaks a subscriber counts it up.
pub const SCHEMA: u32 = 1;

/// An identity event with everything that a subscriber needs to trust it, place it and drop it when it comes twice.
///
/// As JSON it is what the outbox keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// Version of the contract.
    pub schema: u32,
    /// `boot_id:seq`; equal in messages that say the same thing again.
    pub id: String,
    /// The start of the daemon that issued it.
    pub boot_id: String,
    /// Number among the events of that start, from 1, without gaps.
    pub seq: u64,
    /// Wall time at which it was issued, ms since 1970.
    pub issued_at_unix_ms: u64,
    /// Wall time from which it says nothing any more, ms since 1970.
    pub expires_at_unix_ms: u64,
    /// Name of the gateway.
    pub gateway: String,
    /// Name of the device.
    pub device: String,
    /// Time since that start at which it was issued, ms, by a clock that is never set.
    #[serde(default)]
    pub uptime_ms: u64,
    /// The event itself.
    #[serde(flatten)]
    pub event: IdentityEvent,
    /// What a challenge has asked for; only in its answer.
    #[serde(default)]
    pub nonce: Option<String>,
    /// Which key has signed it.
    #[serde(default)]
    pub key_id: Option<String>,
    /// Ed25519 signature over the claim in it, base64; `None` where it is not published.
    #[serde(default)]
    pub signature: Option<String>,
}

/// Telemetry with its names and its time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct TelemetryRecord<'a, E> {
    /// Version of the contract.
    pub schema: u32,
    /// The start of the daemon that issued it.
    pub boot_id: &'a str,
    /// Wall time at which it was issued, ms since 1970.
    pub issued_at_unix_ms: u64,
    /// Name of the gateway.
    pub gateway: &'a str,
    /// Name of the device.
    pub device: &'a str,
    /// The event itself.
    #[serde(flatten)]
    pub event: &'a E,
}

/// A statement about the gateway itself, with its names and its time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct BridgeRecord<'a, E> {
    /// Version of the contract.
    pub schema: u32,
    /// The start of the daemon that issued it.
    pub boot_id: &'a str,
    /// Wall time at which it was issued, ms since 1970.
    pub issued_at_unix_ms: u64,
    /// Name of the gateway.
    pub gateway: &'a str,
    /// The statement itself.
    #[serde(flatten)]
    pub statement: &'a E,
}

/// Bytes and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// MIME type; text, if it begins with `text/` or is JSON.
    pub content_type: &'static str,
}

impl Payload {
    /// Plain text.
    pub(crate) fn text(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), content_type: "text/plain" }
    }

    /// MQTT's payload format indicator: UTF-8 text or not.
    pub(crate) fn is_text(&self) -> bool {
        self.content_type != PROTOBUF
    }

    /// Bytes that are JSON.
    pub(crate) fn of_json(bytes: Vec<u8>) -> Self {
        Self { bytes, content_type: "application/json" }
    }

    /// A record as JSON, whatever encoding is configured.
    pub(crate) fn json(record: &impl Serialize) -> Self {
        // Our records have string keys and no failing serialiser; an empty object would be seen by the tests.
        Self::of_json(serde_json::to_vec(record).unwrap_or_default())
    }

    fn protobuf(bytes: Vec<u8>) -> Self {
        Self { bytes, content_type: PROTOBUF }
    }
}

const PROTOBUF: &str = "application/x-protobuf";

/// Writes records in the configured encoding.
#[derive(Debug, Clone, Copy)]
pub struct Encoder(pub PayloadFormat);

impl Encoder {
    /// The bytes of an identity event.
    #[must_use]
    pub fn identity(self, record: &IdentityRecord) -> Payload {
        match self.0 {
            PayloadFormat::Json => Payload::json(record),
            PayloadFormat::Protobuf => Payload::protobuf(proto::identity(record)),
        }
    }

    /// The bytes of a summary of heart-rate variability.
    #[must_use]
    pub fn hrv(self, record: &TelemetryRecord<'_, HrvEvent>) -> Payload {
        match self.0 {
            PayloadFormat::Json => Payload::json(record),
            PayloadFormat::Protobuf => Payload::protobuf(proto::hrv(record)),
        }
    }

    /// The bytes of a state of the signal.
    #[must_use]
    pub fn signal(self, record: &TelemetryRecord<'_, SignalEvent>) -> Payload {
        match self.0 {
            PayloadFormat::Json => Payload::json(record),
            PayloadFormat::Protobuf => Payload::protobuf(proto::signal(record)),
        }
    }

    /// The bytes of a state of the source.
    #[must_use]
    pub fn source(self, record: &TelemetryRecord<'_, SourceEvent>) -> Payload {
        match self.0 {
            PayloadFormat::Json => Payload::json(record),
            PayloadFormat::Protobuf => Payload::protobuf(proto::source(record)),
        }
    }
}
