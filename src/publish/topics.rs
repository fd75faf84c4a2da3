//! The names of the topics, and nothing else.

use crate::config::{MqttConfig, Slug};

/// The topics of one device on one gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    gateway: String,
    device: String,
}

impl Topics {
    /// `<prefix>/<gateway>` and `<prefix>/<gateway>/<device>`.
    #[must_use]
    pub fn new(mqtt: &MqttConfig, gateway: &Slug, device: &Slug) -> Self {
        let gateway = format!("{}/{gateway}", mqtt.topic_prefix);
        Self { device: format!("{gateway}/{device}"), gateway }
    }

    /// The identity that holds: retained with an expiry, QoS 1.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}/identity", self.device)
    }

    /// Every change of identity, once, in order: never retained, QoS 1.
    #[must_use]
    pub fn event(&self) -> String {
        format!("{}/event", self.device)
    }

    /// Heart-rate variability: not retained, QoS 0.
    #[must_use]
    pub fn hrv(&self) -> String {
        format!("{}/hrv", self.device)
    }

    /// Electrodes and signal: not retained, QoS 0.
    #[must_use]
    pub fn signal(&self) -> String {
        format!("{}/signal", self.device)
    }

    /// What is known of the source: retained, QoS 1.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}/source", self.device)
    }

    /// Answers to doors go below this: not retained, QoS 0.
    #[must_use]
    pub fn answer(&self) -> String {
        format!("{}/answer", self.device)
    }

    /// `online` while samples arrive: retained, QoS 1.
    #[must_use]
    pub fn device_availability(&self) -> String {
        format!("{}/availability", self.device)
    }

    /// `online` while the daemon is connected: retained, QoS 1, and the last will.
    #[must_use]
    pub fn gateway_availability(&self) -> String {
        format!("{}/availability", self.gateway)
    }

    /// What this gateway is: retained, QoS 1.
    #[must_use]
    pub fn bridge_info(&self) -> String {
        format!("{}/bridge/info", self.gateway)
    }

    /// Below it, by their names, lie the topics on which something is asked for.
    #[must_use]
    pub fn bridge_request(&self) -> String {
        format!("{}/bridge/request", self.gateway)
    }

    /// Where a request of that name is answered, unless the asker says where: not retained, QoS 1.
    #[must_use]
    pub fn bridge_response(&self, name: &str) -> String {
        format!("{}/{name}", self.bridge_responses())
    }

    /// Below it, and nowhere else, requests are answered.
    #[must_use]
    pub fn bridge_responses(&self) -> String {
        format!("{}/bridge/response", self.gateway)
    }

    /// A door asks here who is there.
    #[must_use]
    pub fn challenge(&self) -> String {
        format!("{}/challenge", self.device)
    }

    /// How the gateway itself is: retained with an expiry, QoS 1, always JSON.
    #[must_use]
    pub fn bridge_health(&self) -> String {
        format!("{}/bridge/health", self.gateway)
    }
}
