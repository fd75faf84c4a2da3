//! The MQTT client behind a small door: messages in, signals out. The only file that knows which client it is.
//!
//! It is rumqttc's MQTT 5 client, used so that its weaknesses cannot lose an event:
//!
//! - It forgets what was in flight when a broker returns without the session. So here nothing is in flight that is not
//!   also in the outbox; after every error its memory is emptied and the [`lane`](super::lane) sends again.
//! - It does not say which publish a PUBACK belongs to. So at most one acknowledged message is on its way.
//! - Its poll must not be dropped halfway, or a connection in progress is lost with it. It is dropped here only to give
//!   the connection up, and it blocks for ever on a broker that takes no bytes, hence the deadlines.
//! - It does not pause between two attempts to connect; [`Backoff`] does.

use std::time::Duration;

use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnAck, LastWill, LastWillProperties, Packet, PubAck, PubAckReason, PublishProperties,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::message::{Delivery, Message};
use crate::config::{MqttConfig, PasswordSource};
use crate::source::backoff::Backoff;

/// Longest packet in either direction; ours are below 1 KiB.
const MAX_PACKET: u32 = 64 * 1024;

/// Wait for TCP and CONNACK, seconds.
const CONNECT_TIMEOUT_S: u64 = 5;

/// A broker that has not acknowledged after this is treated as gone.
const ACK_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the broker keeps the session of a gateway that is away.
const SESSION_EXPIRY_S: u32 = 3600;

/// Messages between the lane and the connection: a full telemetry queue and what is acknowledged fit in.
const QUEUE: usize = 128;

/// What the connection says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// Connected. Messages must name this connection; no longer packet than this is taken.
    Up { connection: u64, max_packet: usize },
    /// No longer connected; what was not acknowledged may or may not have arrived.
    Down,
    /// The broker has the acknowledged message.
    Acknowledged,
    /// The broker has refused the acknowledged message.
    Refused { why: String },
}

enum Command {
    Publish { connection: u64, message: Message },
    Disconnect,
}

/// The near side of the door.
#[derive(Debug)]
pub(super) struct Client {
    commands: mpsc::Sender<Command>,
    signals: mpsc::Receiver<Signal>,
}

/// The queue to the connection is full, or it has ended: here is the message back.
#[derive(Debug)]
pub(super) struct Full(pub(super) Message);

impl Client {
    /// Connects, and again for ever, in a task of its own. `will` is what the broker says when the gateway falls
    /// silent.
    pub(super) fn start(mqtt: &MqttConfig, will: &Message) -> Self {
        let (commands, from_lane) = mpsc::channel(QUEUE);
        let (to_lane, signals) = mpsc::channel(QUEUE);
        tokio::spawn(Connection::new(mqtt, will, to_lane).run(from_lane));
        Self { commands, signals }
    }

    /// The next signal; `None` after [`Client::disconnect`].
    pub(super) async fn next(&mut self) -> Option<Signal> {
        self.signals.recv().await
    }

    /// Hands a message to the connection of that number; it is dropped if that one has ended meanwhile.
    pub(super) fn publish(&self, connection: u64, message: Message) -> Result<(), Full> {
        self.commands.try_send(Command::Publish { connection, message }).map_err(|refused| match refused.into_inner() {
            Command::Publish { message, .. } => Full(message),
            Command::Disconnect => unreachable!("a publish comes back as it was sent"),
        })
    }

    /// Says goodbye, so that the broker does not publish the last will, and waits until that is said.
    pub(super) async fn disconnect(mut self, patience: Duration) {
        if self.commands.send(Command::Disconnect).await.is_ok() {
            let said = async { while self.signals.recv().await.is_some() {} };
            if timeout(patience, said).await.is_err() {
                tracing::debug!("the broker was left without a goodbye");
            }
        }
    }
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

/// The one acknowledged message that is on its way.
struct Awaited {
    /// Packet identifier, once the client has chosen one.
    packet: Option<u16>,
    deadline: Instant,
}

/// The far side of the door.
struct Connection {
    mqtt: MqttConfig,
    requests: AsyncClient,
    eventloop: EventLoop,
    out: Outward,
}

/// What one connection needs to hand messages over, apart from the event loop that is being polled meanwhile.
struct Outward {
    signals: mpsc::Sender<Signal>,
    /// Counts connections; `up` says whether the last one stands.
    connection: u64,
    up: bool,
    awaited: Option<Awaited>,
}

/// How a wait for the event loop ended.
enum Turn {
    Event(Box<Event>),
    Failed(ConnectionError),
    Stalled(&'static str),
    Closed,
}

impl Connection {
    fn new(mqtt: &MqttConfig, will: &Message, signals: mpsc::Sender<Signal>) -> Self {
        let (requests, eventloop) = AsyncClient::new(options(mqtt, will), QUEUE);
        let out = Outward { signals, connection: 0, up: false, awaited: None };
        Self { mqtt: mqtt.clone(), requests, eventloop, out }
    }

    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut backoff = Backoff::default();
        let mut failing = false;
        loop {
            if !self.out.up {
                self.renew_options();
            }
            match self.turn(&mut commands).await {
                Turn::Closed => return,
                Turn::Event(event) => {
                    if matches!(*event, Event::Incoming(Packet::ConnAck(_))) {
                        tracing::info!(host = self.mqtt.host, port = self.mqtt.port, "connected to the broker");
                        backoff.succeeded();
                        failing = false;
                    }
                    if matches!(*event, Event::Outgoing(Outgoing::Disconnect)) || !self.out.say(*event).await {
                        return;
                    }
                }
                Turn::Failed(error) => {
                    self.give_up(&mut failing, &error.to_string()).await;
                    if !wait(backoff.next_wait(), &mut commands).await {
                        return;
                    }
                }
                Turn::Stalled(why) => self.give_up(&mut failing, why).await,
            }
        }
    }

    /// Polls until an event, an error or a deadline, handing messages over meanwhile.
    async fn turn(&mut self, commands: &mut mpsc::Receiver<Command>) -> Turn {
        // A healthy event loop says something at every keep-alive, if only that it pings.
        let silence = self.mqtt.keep_alive * 2 + Duration::from_secs(2 * CONNECT_TIMEOUT_S);
        let silent_at = Instant::now() + silence;
        let poll = self.eventloop.poll();
        tokio::pin!(poll);
        loop {
            let (deadline, why) = match &self.out.awaited {
                Some(awaited) if awaited.deadline < silent_at => (awaited.deadline, "the broker does not acknowledge"),
                _ => (silent_at, "the broker takes no bytes"),
            };
            tokio::select! {
                biased;
                polled = &mut poll => return match polled {
                    Ok(event) => Turn::Event(Box::new(event)),
                    Err(error) => Turn::Failed(error),
                },
                command = commands.recv() => match command {
                    None => return Turn::Closed,
                    Some(Command::Disconnect) if !self.out.up || self.requests.try_disconnect().is_err() => {
                        return Turn::Closed;
                    }
                    Some(Command::Disconnect) => {}
                    Some(Command::Publish { connection, message }) => {
                        self.out.hand_over(&self.requests, connection, message);
                    }
                },
                () = sleep_until(deadline) => return Turn::Stalled(why),
            }
        }
    }

    /// Ends the connection and empties the client's memory: the outbox is the only truth about what must be sent.
    async fn give_up(&mut self, failing: &mut bool, why: &str) {
        if !std::mem::replace(failing, true) {
            tracing::warn!(host = self.mqtt.host, port = self.mqtt.port, why, "no broker; trying again");
        }
        self.eventloop.clean();
        self.eventloop.pending.clear();
        self.eventloop.state.collision = None;
        self.eventloop.state.events.clear();
        self.out.down().await;
    }

    /// What the broker may have overruled, and the password, which may have been changed since.
    fn renew_options(&mut self) {
        let options = &mut self.eventloop.options;
        options.set_keep_alive(self.mqtt.keep_alive);
        options.set_session_expiry_interval(Some(SESSION_EXPIRY_S));
        let password = read_password(self.mqtt.password.as_ref()).unwrap_or_else(|error| {
            tracing::error!(%error, "the password of the broker cannot be read; connecting without it");
            None
        });
        if password.is_some() || self.mqtt.username.is_some() {
            options.set_credentials(self.mqtt.username.clone().unwrap_or_default(), password.unwrap_or_default());
        }
    }
}

impl Outward {
    fn hand_over(&mut self, requests: &AsyncClient, connection: u64, message: Message) {
        if !self.up || connection != self.connection {
            return;
        }
        let acknowledged = message.delivery == Delivery::Acknowledged;
        let qos = if acknowledged { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let properties = properties(&message);
        let Message { topic, payload, retain, .. } = message;
        let handed = requests.try_publish_with_properties(topic, qos, retain, payload.bytes, properties);
        match handed {
            // A full queue means that no byte leaves; the deadline turns that into a new connection and a new attempt.
            Ok(()) | Err(_) if acknowledged => {
                self.awaited = Some(Awaited { packet: None, deadline: Instant::now() + ACK_TIMEOUT });
            }
            Ok(()) => {}
            Err(_) => tracing::debug!("telemetry dropped: the connection takes nothing"),
        }
    }

    /// Tells the lane what an event means to it; false if the lane has gone.
    async fn say(&mut self, event: Event) -> bool {
        let signal = match event {
            Event::Incoming(Packet::ConnAck(connack)) => self.connected(&connack),
            Event::Outgoing(Outgoing::Publish(packet)) if packet != 0 => {
                if let Some(awaited) = &mut self.awaited {
                    awaited.packet.get_or_insert(packet);
                }
                return true;
            }
            Event::Incoming(Packet::PubAck(puback)) => {
                if self.awaited.as_ref().and_then(|awaited| awaited.packet) != Some(puback.pkid) {
                    return true;
                }
                self.awaited = None;
                verdict(&puback)
            }
            _ => return true,
        };
        self.signals.send(signal).await.is_ok()
    }

    fn connected(&mut self, connack: &ConnAck) -> Signal {
        self.connection += 1;
        self.up = true;
        self.awaited = None;
        let limit = connack.properties.as_ref().and_then(|properties| properties.max_packet_size);
        let max_packet = limit.unwrap_or(MAX_PACKET).min(MAX_PACKET) as usize;
        Signal::Up { connection: self.connection, max_packet }
    }

    async fn down(&mut self) {
        self.awaited = None;
        if std::mem::take(&mut self.up) {
            // A lane that has gone ends the next turn by itself.
            let _gone = self.signals.send(Signal::Down).await;
        }
    }
}

fn verdict(puback: &PubAck) -> Signal {
    match puback.reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Signal::Acknowledged,
        reason => Signal::Refused { why: format!("{reason:?}") },
    }
}

fn options(mqtt: &MqttConfig, will: &Message) -> MqttOptions {
    let mut options = MqttOptions::new(&mqtt.client_id, &mqtt.host, mqtt.port);
    options
        .set_clean_start(false)
        .set_session_expiry_interval(Some(SESSION_EXPIRY_S))
        .set_max_packet_size(Some(MAX_PACKET))
        .set_keep_alive(mqtt.keep_alive)
        .set_connection_timeout(CONNECT_TIMEOUT_S);
    let of_will = LastWillProperties {
        delay_interval: None,
        payload_format_indicator: Some(u8::from(will.payload.is_text())),
        message_expiry_interval: None,
        content_type: Some(will.payload.content_type.to_owned()),
        response_topic: None,
        correlation_data: None,
        user_properties: Vec::new(),
    };
    let payload = will.payload.bytes.clone();
    options.set_last_will(LastWill::new(&will.topic, payload, QoS::AtLeastOnce, will.retain, Some(of_will)));
    options
}

fn properties(message: &Message) -> PublishProperties {
    let mut user_properties = vec![("schema".to_owned(), super::payload::SCHEMA.to_string())];
    user_properties.extend(message.seq.map(|seq| ("seq".to_owned(), seq.to_string())));
    PublishProperties {
        payload_format_indicator: Some(u8::from(message.payload.is_text())),
        message_expiry_interval: message
            .expiry
            .map(|expiry| u32::try_from(expiry.as_secs().max(1)).unwrap_or(u32::MAX)),
        content_type: Some(message.payload.content_type.to_owned()),
        user_properties,
        ..PublishProperties::default()
    }
}

/// Waits, throwing away what was meant for the connection that has ended; false if the lane has gone.
async fn wait(time: Duration, commands: &mut mpsc::Receiver<Command>) -> bool {
    let until = Instant::now() + time;
    loop {
        tokio::select! {
            () = sleep_until(until) => return true,
            command = commands.recv() => match command {
                Some(Command::Publish { .. }) => {}
                Some(Command::Disconnect) | None => return false,
            },
        }
    }
}
