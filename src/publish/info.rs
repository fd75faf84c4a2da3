//! What this gateway is, for those who want to know whom they deal with: the payload of `bridge/info`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::claim::Signer;
use super::payload::SCHEMA;
use super::topics::Topics;

/// A gateway in its own words. It changes with a new version, a new model or a new key only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Version of the contract.
    pub schema: u32,
    /// Name of the gateway.
    pub gateway: String,
    /// Version of ecgid.
    pub version: &'static str,
    /// Name of the model that decides.
    pub model: String,
    /// Names the key that signs claims.
    pub key_id: String,
    /// Its public part, base64 of 32 bytes.
    pub public_key: String,
    /// The topics of this gateway, by what is said there.
    pub topics: BTreeMap<&'static str, String>,
}

impl Info {
    /// What the gateway of this name says of itself.
    #[must_use]
    pub fn new(gateway: &str, model: &str, signer: &Signer, topics: &Topics) -> Self {
        let topics = [
            ("availability", topics.gateway_availability()),
            ("challenge", topics.challenge()),
            ("event", topics.event()),
            ("health", topics.bridge_health()),
            ("hrv", topics.hrv()),
            ("identity", topics.identity()),
            ("request", topics.bridge_request()),
            ("signal", topics.signal()),
            ("source", topics.source()),
            ("source_availability", topics.device_availability()),
        ];
        Self {
            schema: SCHEMA,
            gateway: gateway.to_owned(),
            version: env!("CARGO_PKG_VERSION"),
            model: model.to_owned(),
            key_id: signer.key_id().to_owned(),
            public_key: data_encoding::BASE64.encode(signer.public_key()),
            topics: topics.into(),
        }
    }
}
