//! `[mqtt]`: which broker, as whom, in which words.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::layers::{CREDENTIALS, Environment, word};
use super::slug::Slug;
use super::source::quoted;

/// Port of MQTT without TLS, and with it.
const PLAIN_PORT: u16 = 1883;
const TLS_PORT: u16 = 8883;

/// Names of the credentials that systemd may hand over (`LoadCredential=mqtt-password:…`).
const PASSWORD_CREDENTIAL: &str = "mqtt-password";
const KEY_CREDENTIAL: &str = "mqtt-client-key";

/// `[mqtt] payload`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayloadFormat {
    /// JSON objects, `snake_case` with unit suffixes.
    Json,
    /// The messages of `proto/ecgid/v1`.
    Protobuf,
}

/// `[mqtt]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct MqttFile {
    pub enabled: bool,
    pub url: String,
    pub client_id: String,
    pub username: String,
    pub password_file: String,
    pub ca_file: String,
    pub client_certificate_file: String,
    pub client_key_file: String,
    #[serde(deserialize_with = "word")]
    pub payload: PayloadFormat,
    pub topic_prefix: String,
    pub identity_expiry_s: u32,
    pub keep_alive_s: u16,
}

impl Default for MqttFile {
    fn default() -> Self {
        Self {
            enabled: true,
            url: "mqtt://127.0.0.1:1883".into(),
            client_id: String::new(),
            username: String::new(),
            password_file: String::new(),
            ca_file: String::new(),
            client_certificate_file: String::new(),
            client_key_file: String::new(),
            payload: PayloadFormat::Json,
            topic_prefix: "ecgid".into(),
            identity_expiry_s: 15,
            keep_alive_s: 10,
        }
    }
}

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
    /// How the connection is encrypted; `None`: not at all.
    pub tls: Option<TlsConfig>,
    /// Encoding of payloads.
    pub payload: PayloadFormat,
    /// First levels of every topic.
    pub topic_prefix: String,
    /// Life of a retained identity: nobody reads *verified* older than this.
    pub identity_expiry: Duration,
    /// Longest silence on the connection.
    pub keep_alive: Duration,
}

/// TLS to the broker, whose certificate is always verified. The files are read at every connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM file with the authorities that may vouch for the broker; `None`: those of this system.
    pub authority: Option<PathBuf>,
    /// By what the gateway proves who it is; `None`: by no certificate.
    pub client: Option<ClientCertificate>,
}

/// A certificate and its key, each in a PEM file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, followed by those of authorities between it and the root, if there are any.
    pub certificate: PathBuf,
    /// Its private key; `None` where neither a file nor a credential is named, as for a command by hand: it is missed where
    /// the broker is spoken to.
    pub key: Option<PathBuf>,
}

/// A file with a password on its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// `password_file`: must be there.
    File(PathBuf),
    /// systemd's credential: used if it is there and not empty.
    Credential(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Plain,
    Tls,
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
        let (scheme, host, port) = self.broker()?;
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
            port,
            client_id,
            username: (!self.username.is_empty()).then(|| self.username.clone()),
            password: self.password(environment),
            tls: self.tls(scheme, &host, environment)?,
            host,
            payload: self.payload,
            topic_prefix: self.topic_prefix.clone(),
            identity_expiry: Duration::from_secs(self.identity_expiry_s.into()),
            keep_alive: Duration::from_secs(self.keep_alive_s.into()),
        }))
    }

    fn broker(&self) -> Result<(Scheme, String, u16), ConfigError> {
        let refuse = |message: &str| Err(ConfigError::invalid("mqtt.url", quoted(&self.url), message));
        let Some((scheme, rest)) = self.url.split_once("://") else {
            return refuse("write mqtts://host:port, or mqtt://host:port without TLS");
        };
        let scheme = match scheme {
            "mqtt" | "tcp" => Scheme::Plain,
            "mqtts" | "ssl" => Scheme::Tls,
            _ => return refuse("the scheme must be mqtts:// or mqtt://"),
        };
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
            _ if scheme == Scheme::Tls => (rest, TLS_PORT),
            _ => (rest, PLAIN_PORT),
        };
        let bracketed = host.starts_with('[') && host.ends_with(']');
        if host.is_empty() || host.contains(['/', ' ']) || (host.contains(':') && !bracketed) {
            return refuse("write mqtts://host:port or mqtt://host:port; an IPv6 address goes in brackets");
        }
        if bracketed && scheme == Scheme::Tls {
            return refuse("with TLS write the broker's name instead of an IPv6 address: certificates name hosts");
        }
        Ok((scheme, host.to_owned(), port))
    }

    fn tls(&self, scheme: Scheme, host: &str, environment: &Environment) -> Result<Option<TlsConfig>, ConfigError> {
        let given = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
        let files = [
            ("mqtt.ca_file", &self.ca_file),
            ("mqtt.client_certificate_file", &self.client_certificate_file),
            ("mqtt.client_key_file", &self.client_key_file),
        ];
        if scheme == Scheme::Plain {
            return match files.into_iter().find(|(_, value)| !value.is_empty()) {
                None => Ok(None),
                Some((key, value)) => {
                    let message = format!("is for TLS: write mqtts://{host} in mqtt.url, or leave this empty");
                    Err(ConfigError::invalid(key, quoted(value), message))
                }
            };
        }
        let credential = || {
            let directory = environment.get(CREDENTIALS)?;
            Some(PathBuf::from(directory).join(KEY_CREDENTIAL))
        };
        let client = match (given(&self.client_certificate_file), given(&self.client_key_file)) {
            (None, None) => None,
            (Some(certificate), key) => Some(ClientCertificate { certificate, key: key.or_else(credential) }),
            (None, Some(_)) => {
                let message = "needs its certificate: name it in mqtt.client_certificate_file";
                return Err(ConfigError::invalid("mqtt.client_key_file", quoted(&self.client_key_file), message));
            }
        };
        Ok(Some(TlsConfig { authority: given(&self.ca_file), client }))
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
        let directory = environment.get(CREDENTIALS)?;
        Some(PasswordSource::Credential(PathBuf::from(directory).join(PASSWORD_CREDENTIAL)))
    }
}
