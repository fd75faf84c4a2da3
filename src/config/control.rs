//! `[control]`: which way requests may come, and which of them.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::source::quoted;

/// What stands in the file for "no HTTP interface".
const OFF: &str = "off";

/// `[control]` as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct ControlFile {
    pub http: String,
    pub http_allow_remote: bool,
    pub mqtt_health: bool,
    pub mqtt_enrol: bool,
    pub mqtt_subjects: bool,
}

impl Default for ControlFile {
    /// The command line needs the interface on this machine, and its token keeps others out; a broker asks for no
    /// token, so nothing is permitted there unasked.
    fn default() -> Self {
        Self {
            http: "127.0.0.1:8788".into(),
            http_allow_remote: false,
            mqtt_health: false,
            mqtt_enrol: false,
            mqtt_subjects: false,
        }
    }
}

/// `[control]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlConfig {
    /// Where the HTTP interface listens; `None` where it is off. Port 0: one that is free.
    pub http: Option<SocketAddr>,
    /// What may be asked over MQTT.
    pub mqtt: Permissions,
}

/// Which requests are answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions {
    /// How the daemon is.
    pub health: bool,
    /// Starting, following and cancelling an enrolment. Status messages name the person.
    pub enrol: bool,
    /// Listing, renaming and deleting subjects, and taking an enrolment back.
    pub subjects: bool,
}

impl Permissions {
    /// Everything.
    pub const ALL: Self = Self { health: true, enrol: true, subjects: true };

    /// Whether anything at all may be asked.
    #[must_use]
    pub fn any(self) -> bool {
        self.health || self.enrol || self.subjects
    }
}

impl ControlFile {
    /// Checks the section.
    pub(super) fn validate(&self) -> Result<ControlConfig, ConfigError> {
        let Self { mqtt_health: health, mqtt_enrol: enrol, mqtt_subjects: subjects, .. } = *self;
        Ok(ControlConfig { http: self.address()?, mqtt: Permissions { health, enrol, subjects } })
    }

    fn address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        if self.http == OFF {
            return Ok(None);
        }
        let refuse = |message: &str| Err(ConfigError::invalid("control.http", quoted(&self.http), message));
        let Ok(address) = self.http.parse::<SocketAddr>() else {
            return refuse("write address:port, for instance 127.0.0.1:8788 or [::1]:8788, or \"off\"");
        };
        if !address.ip().is_loopback() && !self.http_allow_remote {
            return refuse(
                "others could reach this address, and nothing on the way is encrypted: use 127.0.0.1, or set \
                 control.http_allow_remote = true on a network that you trust",
            );
        }
        Ok(Some(address))
    }
}
