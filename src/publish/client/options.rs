//! Our configuration and messages in the words of the MQTT client.

use rumqttc::{Broker, LastWill, LastWillProperties, MqttOptions, PublishOptions, PublishProperties, QoS, Transport};

use super::{CONNECT_TIMEOUT, IN_FLIGHT, MAX_PACKET, TlsFilesError, tls};
use crate::config::{MqttConfig, PasswordSource};
use crate::publish::message::{Delivery, Message};
use crate::publish::payload::SCHEMA;

/// Why a connection cannot be attempted; each attempt reads the files anew, so that it passes when they are mended.
#[derive(Debug, thiserror::Error)]
pub(super) enum OptionsError {
    #[error("cannot read the password of the broker: {0}")]
    Password(#[source] std::io::Error),
    #[error(transparent)]
    Tls(#[from] TlsFilesError),
}

/// The password on the first line of its file. `None`: none is configured, or the credential is absent or empty.
///
/// # Errors
/// The file cannot be read. The error names the file, never its content.
pub fn read_password(source: Option<&PasswordSource>) -> Result<Option<String>, std::io::Error> {
    let (path, required) = match source {
        None => return Ok(None),
        Some(PasswordSource::File(path)) => (path, true),
        Some(PasswordSource::Credential(path)) => (path, false),
    };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)),
        Err(error) if !required && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// What one connection is made with; password and certificates are read now.
pub(super) fn options(mqtt: &MqttConfig, will: &Message) -> Result<MqttOptions, OptionsError> {
    let mut options = MqttOptions::new(&mqtt.client_id, Broker::tcp(&mqtt.host, mqtt.port));
    options
        .set_clean_start(true)
        .set_max_packet_size(Some(MAX_PACKET))
        .set_keep_alive(u16::try_from(mqtt.keep_alive.as_secs()).unwrap_or(u16::MAX))
        .set_connect_timeout(CONNECT_TIMEOUT)
        .set_outgoing_inflight_upper_limit(IN_FLIGHT)
        .set_last_will(last_will(will));
    if let Some(tls) = &mqtt.tls {
        options.set_transport(Transport::tls_with_config(tls::configuration(tls)?));
    }
    let password = read_password(mqtt.password.as_ref()).map_err(OptionsError::Password)?;
    match (&mqtt.username, password) {
        (Some(name), Some(password)) => drop(options.set_credentials(name, password)),
        (Some(name), None) => drop(options.set_username(name)),
        (None, Some(password)) => drop(options.set_password(password)),
        (None, None) => {}
    }
    Ok(options)
}

fn last_will(will: &Message) -> LastWill {
    let properties = LastWillProperties {
        delay_interval: None,
        payload_format_indicator: Some(u8::from(will.payload.is_text())),
        message_expiry_interval: None,
        content_type: Some(will.payload.content_type.to_owned()),
        response_topic: None,
        correlation_data: None,
        user_properties: vec![("schema".to_owned(), SCHEMA.to_string())],
    };
    LastWill::new(&will.topic, will.payload.bytes.clone(), QoS::AtLeastOnce, will.retain, Some(properties))
}

/// `life_left_s` is what is left of its expiry, whole seconds.
pub(super) fn of_message(message: &Message, life_left_s: Option<u32>) -> PublishOptions {
    let mut user_properties = vec![("schema".to_owned(), SCHEMA.to_string())];
    user_properties.extend(message.seq.map(|seq| ("seq".to_owned(), seq.to_string())));
    let properties = PublishProperties {
        payload_format_indicator: Some(u8::from(message.payload.is_text())),
        message_expiry_interval: life_left_s,
        content_type: Some(message.payload.content_type.to_owned()),
        correlation_data: message.correlation.clone().map(Into::into),
        user_properties,
        ..PublishProperties::default()
    };
    let qos = match message.delivery {
        Delivery::Acknowledged => QoS::AtLeastOnce,
        Delivery::Unacknowledged => QoS::AtMostOnce,
    };
    PublishOptions::new(qos).retain(message.retain).properties(properties)
}
