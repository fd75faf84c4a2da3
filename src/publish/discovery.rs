//! What Home Assistant and openHAB are told, so that they show this gateway by themselves: pure, from the configuration
//! and the names of the enrolled subjects to messages, and from what they say to when it is said again.
//!
//! It knows no broker, no clock and no store: [`plan`] compares what is wanted with what was announced last, and the
//! [`lane`](super) sends and remembers. Why it is like this, and what Home Assistant's own code asks for:
//! `docs/adr/0022-home-assistant-and-the-payload-contract.md`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::topics::Topics;
use crate::config::{Config, DiscoveryStyle, HomeAssistantConfig};

mod entities;
mod plan;

pub use plan::{Step, plan};

/// After Home Assistant's start every gateway of the house would speak at once, before it has set itself up; this
/// spreads them.
const JITTER: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));

/// One discovery message: retained, QoS 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement {
    /// Where.
    pub topic: String,
    /// What: keys abbreviated as Home Assistant allows.
    pub payload: Value,
}

/// One entity.
struct Entity {
    /// Names it in topics and in its `unique_id`: never changed once it has been published.
    id: &'static str,
    /// Home Assistant's word for its kind.
    platform: &'static str,
    config: Map<String, Value>,
}

/// Says what is announced for one device on one gateway.
#[derive(Debug, Clone)]
pub struct Announcer {
    /// `None`: nothing is announced.
    config: Option<HomeAssistantConfig>,
    id: String,
    name: String,
    serial: String,
    topics: Topics,
    identity_expiry: Duration,
    hrv_every: Duration,
}

impl Announcer {
    /// For the gateway and the device of a configuration; says nothing where it has no broker or announces nothing.
    #[must_use]
    pub fn new(config: &Config) -> Option<Self> {
        let mqtt = config.mqtt.as_ref()?;
        let (gateway, device) = (config.gateway.as_str(), config.device.as_str());
        Some(Self {
            config: config.homeassistant.clone(),
            id: device_id(gateway, device),
            name: format!("ECG {gateway} {device}"),
            serial: format!("{gateway}/{device}"),
            topics: Topics::new(mqtt, &config.gateway, &config.device),
            identity_expiry: mqtt.identity_expiry,
            hrv_every: config.hrv.every,
        })
    }

    /// The topic on which Home Assistant says that it has started; `None` where nothing is announced.
    #[must_use]
    pub fn birth_topic(&self) -> Option<&str> {
        self.config.as_ref().map(|config| config.birth_topic.as_str())
    }

    /// After which time everything is to be said again because of what Home Assistant says on that topic now; `None`: it
    /// is no birth. `chance`, 0 to 1, chooses within the jitter.
    #[must_use]
    pub fn heard(&self, payload: &[u8], chance: f64) -> Option<Duration> {
        let born = self.config.is_some() && payload == b"online";
        born.then(|| JITTER.0 + (JITTER.1 - JITTER.0).mul_f64(chance.clamp(0.0, 1.0)))
    }

    /// What is to be retained, with the names of everybody who is enrolled. Empty where nothing is announced.
    #[must_use]
    pub fn messages(&self, subjects: &[String]) -> Vec<Announcement> {
        let Some(config) = &self.config else { return Vec::new() };
        let entities = entities::all(self, subjects);
        match config.style {
            DiscoveryStyle::Device => vec![self.whole(config, entities)],
            DiscoveryStyle::Single => entities.into_iter().map(|entity| self.single(config, entity)).collect(),
        }
    }

    fn whole(&self, config: &HomeAssistantConfig, entities: Vec<Entity>) -> Announcement {
        let mut components = Map::new();
        for mut entity in entities {
            entity.config.insert("p".into(), entity.platform.into());
            components.insert(entity.id.into(), entity.config.into());
        }
        let mut payload = self.shared();
        payload.insert("cmps".into(), components.into());
        Announcement { topic: format!("{}/device/{}/config", config.prefix, self.id), payload: payload.into() }
    }

    fn single(&self, config: &HomeAssistantConfig, entity: Entity) -> Announcement {
        let mut payload = self.shared();
        payload.extend(entity.config);
        let topic = format!("{}/{}/{}/{}/config", config.prefix, entity.platform, self.id, entity.id);
        Announcement { topic, payload: payload.into() }
    }

    /// What all entities have, unless they say otherwise themselves.
    fn shared(&self) -> Map<String, Value> {
        let device = json!({
            "ids": [self.id],
            "name": self.name,
            "mf": "ecgid",
            "mdl": "ECG identity gateway",
            "sn": self.serial,
            "sw": env!("CARGO_PKG_VERSION"),
        });
        Map::from_iter([
            ("dev".into(), device),
            ("o".into(), json!({ "name": "ecgid", "sw": env!("CARGO_PKG_VERSION") })),
            (
                "avty".into(),
                json!([{ "t": self.topics.gateway_availability() }, { "t": self.topics.device_availability() }]),
            ),
            ("avty_mode".into(), "all".into()),
            ("qos".into(), 1.into()),
        ])
    }
}

/// `ecgid_<gateway>_<device>`, with every `_` inside of a name doubled: no two pairs of names share an id, since a name
/// does not begin with `_` and so the one odd run of `_` is the border.
fn device_id(gateway: &str, device: &str) -> String {
    format!("ecgid_{}_{}", gateway.replace('_', "__"), device.replace('_', "__"))
}

#[cfg(test)]
mod tests;
