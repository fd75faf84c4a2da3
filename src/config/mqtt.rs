//! `[mqtt]`: which broker, as whom, in which words.

use std::path::PathBuf;
use std::time::Duration;

use super::error::ConfigError;
use super::file::{MqttFile, PayloadFormat};
use super::layers::Environment;
use super::slug::Slug;
use super::source::quoted;

/// Port of MQTT without TLS.
const DEFAULT_PORT: u16 = 1883;

/// Name of the credential that systemd may hand over (`LoadCredential=mqtt-password:…`).
const CREDENTIAL: &str = "mqtt-password";

/// The broker and the contract spoken with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// Host name or address; an IPv6 address in brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Client identifier: fixed, so that the broker knows the gateway again.
    pub client_id: String,
    /// User name, where the broker asks for one.
    pub username: Option<String>,
    /// Where the password is; it is read when the client starts and is never part of a configuration.
    pub password: Option<PasswordSource>,
    /// Encoding of payloads.
    pub payload: PayloadFormat,
    /// First levels of every topic.
    pub topic_prefix: String,
    /// Life of a retained identity: nobody reads *verified* older than this.
    pub identity_expiry: Duration,
    /// Longest silence on the connection.
    pub keep_alive: Duration,
}

/// A file with a password on its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// `password_file`: must be there.
    File(PathBuf),
    /// systemd's credential: used if it is there and not empty.
    Credential(PathBuf),
}

impl MqttFile {
    /// Checks the section; `None` where it is switched off.
    pub(super) fn validate(
        &self,
        gateway: &Slug,
        device: &Slug,
        environment: &Environment,
    ) -> Result<Option<MqttConfig>, ConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        let (host, port) = self.broker()?;
        if !(3..=3600).contains(&self.identity_expiry_s) {
            let message = "must lie between 3 and 3600 seconds";
            return Err(ConfigError::invalid("mqtt.identity_expiry_s", self.identity_expiry_s, message));
        }
        if !(5..=600).contains(&self.keep_alive_s) {
            let message = "must lie between 5 and 600 seconds";
            return Err(ConfigError::invalid("mqtt.keep_alive_s", self.keep_alive_s, message));
        }
        self.check_prefix()?;
        let client_id =
            if self.client_id.is_empty() { format!("ecgid-{gateway}-{device}") } else { self.client_id.clone() };
        Ok(Some(MqttConfig {
            host,
            port,
            client_id,
            username: (!self.username.is_empty()).then(|| self.username.clone()),
            password: self.password(environment),
            payload: self.payload,
            topic_prefix: self.topic_prefix.clone(),
            identity_expiry: Duration::from_secs(self.identity_expiry_s.into()),
            keep_alive: Duration::from_secs(self.keep_alive_s.into()),
        }))
    }

    fn broker(&self) -> Result<(String, u16), ConfigError> {
        let refuse = |message: &str| Err(ConfigError::invalid("mqtt.url", quoted(&self.url), message));
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return refuse("write mqtt://host:port");
        };
        match scheme {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "wss" => {
                return refuse(
                    "TLS is not available yet: use mqtt:// to a broker on this machine or on a network you trust, \
                     or through a local TLS tunnel",
                );
            }
            _ => return refuse("the scheme must be mqtt://"),
        }
        if rest.contains('@') {
            // The value is not repeated: it holds a password.
            let message = "credentials do not belong in the URL: use mqtt.username and mqtt.password_file";
            return Err(ConfigError::invalid("mqtt.url", "(hidden)", message));
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.rsplit_once(':') {
            // A colon inside brackets belongs to an IPv6 address.
            Some((host, port)) if !port.ends_with(']') => match port.parse() {
                Ok(number) if number != 0 => (host, number),
                _ => return refuse("the port must be a number from 1 to 65535"),
            },
            _ => (rest, DEFAULT_PORT),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || host.contains(['/', ' ']) || (host.contains(':') && !bracketed) {
            return refuse("write mqtt://host:port; an IPv6 address goes in brackets");
        }
        Ok((host.to_owned(), port))
    }

    fn check_prefix(&self) -> Result<(), ConfigError> {
        let level_is_fine =
            |level: &str| !level.is_empty() && level.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
        if self.topic_prefix.split('/').all(level_is_fine) {
            return Ok(());
        }
        let message = "one or more topic levels of letters, digits, _, - and ., separated by /";
        Err(ConfigError::invalid("mqtt.topic_prefix", quoted(&self.topic_prefix), message))
    }

    fn password(&self, environment: &Environment) -> Option<PasswordSource> {
        if !self.password_file.is_empty() {
            return Some(PasswordSource::File(PathBuf::from(&self.password_file)));
        }
        let directory = environment.get("CREDENTIALS_DIRECTORY")?;
        Some(PasswordSource::Credential(PathBuf::from(directory).join(CREDENTIAL)))
    }
}
