//! `[homeassistant]`: whether Home Assistant and openHAB are told what this gateway has, and how.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::layers::word;
use super::mqtt::{MqttConfig, PayloadFormat};
use super::source::quoted;

/// `[homeassistant] discovery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiscoveryStyle {
    /// One message for the whole device.
    Device,
    /// One message for each entity, for programs that do not know the other.
    Single,
}

/// `[homeassistant]` as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct HomeAssistantFile {
    pub enabled: bool,
    #[serde(deserialize_with = "word")]
    pub discovery: DiscoveryStyle,
    pub prefix: String,
    pub birth_topic: String,
}

impl Default for HomeAssistantFile {
    fn default() -> Self {
        Self {
            enabled: true,
            discovery: DiscoveryStyle::Device,
            prefix: "homeassistant".into(),
            birth_topic: "homeassistant/status".into(),
        }
    }
}

/// What is announced, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeAssistantConfig {
    /// One message for the device, or one for each entity.
    pub style: DiscoveryStyle,
    /// First levels of the discovery topics.
    pub prefix: String,
    /// Where Home Assistant says `online` when it has started.
    pub birth_topic: String,
}

impl HomeAssistantFile {
    /// Checks the section; `None` where nothing is to be announced: it is switched off, MQTT is, or the payloads are
    /// protobuf, which no template of Home Assistant can read.
    pub(super) fn validate(&self, mqtt: Option<&MqttConfig>) -> Result<Option<HomeAssistantConfig>, ConfigError> {
        let config = HomeAssistantConfig {
            style: self.discovery,
            prefix: levels("homeassistant.prefix", &self.prefix)?,
            birth_topic: levels("homeassistant.birth_topic", &self.birth_topic)?,
        };
        let readable = mqtt.is_some_and(|mqtt| mqtt.payload == PayloadFormat::Json);
        Ok(Some(config).filter(|_| self.enabled && readable))
    }
}

fn levels(key: &'static str, topic: &str) -> Result<String, ConfigError> {
    let level_is_fine =
        |level: &str| !level.is_empty() && level.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if topic.split('/').all(level_is_fine) {
        return Ok(topic.to_owned());
    }
    let message = "one or more topic levels of letters, digits, _, - and ., separated by /";
    Err(ConfigError::invalid(key, quoted(topic), message))
}
