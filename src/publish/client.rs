//! The MQTT client behind a small door: messages in, signals out. With what is below it, the only code that knows which
//! client it is (ADR 20).
//!
//! It is rumqttc's maintained fork, used so that no client's memory can lose an event or repeat a stale one:
//!
//! - Every connection is a client of its own that starts clean and is thrown away. Nothing is in flight that is not
//!   also in the outbox; the [`lane`](super::lane) sends again.
//! - At most one acknowledged message is on its way, so that a PUBACK cannot be taken for another's.
//! - A poll that is dropped halfway loses the connection in progress. It is dropped here only to give the connection
//!   up, and it blocks for ever on a broker that takes no bytes, hence the deadlines.
//! - What was subscribed is subscribed anew on each connection, with QoS 0: a request that waited on the broker while
//!   the gateway was away is not carried out later.

use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnAck, Event, EventLoop, MqttOptions, Outgoing, Packet, PubAck, PubAckReason, Publish, QoS,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::message::{Delivery, Message};
use crate::config::MqttConfig;
use crate::source::backoff::Backoff;

mod options;
mod tls;

pub use options::read_password;
pub use tls::{TlsFilesError, named_key, read_tls_files};

/// Longest packet in either direction; ours are below 8 KiB.
pub(super) const MAX_PACKET: u32 = 64 * 1024;

/// Wait for TCP, TLS and CONNACK.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A broker that has not acknowledged after this is treated as gone.
const ACK_TIMEOUT: Duration = Duration::from_secs(15);

/// Messages between the lane and the connection: a full telemetry queue and what is acknowledged fit in.
const QUEUE: usize = 128;

/// Acknowledged messages on their way that the client makes room for. One is ever sent; the client's default is 65535, and
/// costs 14 MiB of memory.
const IN_FLIGHT: u16 = 16;

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
    /// The acknowledged message said nothing any more when it was to leave, and has not left.
    Late,
    /// Somebody has published on a topic that is subscribed.
    Heard(Heard),
}

/// A message of somebody else, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    /// The broker has kept it for a while: nobody says it now.
    pub(super) retained: bool,
    /// Where an answer is wanted.
    pub(super) response_topic: Option<String>,
    /// What the asker knows the answer by.
    pub(super) correlation: Option<Vec<u8>>,
}

/// What the lane asks of the connection.
#[derive(Debug)]
pub(super) enum Command {
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
pub(super) struct Full(pub(super) Box<Message>);

impl Client {
    /// Connects, and again for ever, in a task of its own. `will` is what the broker says when the gateway falls
    /// silent; `subscriptions` are the topic filters that are listened to.
    pub(super) fn start(mqtt: &MqttConfig, will: Message, subscriptions: Vec<String>) -> Self {
        let (commands, from_lane) = mpsc::channel(QUEUE);
        let (to_lane, signals) = mpsc::channel(QUEUE);
        let dialler = Dialler { mqtt: mqtt.clone(), will, subscriptions };
        let out = Outward { signals: to_lane, connection: 0, up: false, awaited: None };
        tokio::spawn(run(dialler, out, from_lane));
        Self { commands, signals }
    }

    /// The near side alone, and what the far side holds.
    #[cfg(test)]
    pub(super) fn detached() -> (Self, mpsc::Receiver<Command>, mpsc::Sender<Signal>) {
        let (commands, from_lane) = mpsc::channel(QUEUE);
        let (to_lane, signals) = mpsc::channel(QUEUE);
        (Self { commands, signals }, from_lane, to_lane)
    }

    /// The next signal; `None` after [`Client::disconnect`].
    pub(super) async fn next(&mut self) -> Option<Signal> {
        self.signals.recv().await
    }

    /// Hands a message to the connection of that number; it is dropped if that one has ended meanwhile.
    pub(super) fn publish(&self, connection: u64, message: Message) -> Result<(), Full> {
        self.commands.try_send(Command::Publish { connection, message }).map_err(|refused| match refused.into_inner() {
            Command::Publish { message, .. } => Full(Box::new(message)),
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

/// What every connection is made of.
struct Dialler {
    mqtt: MqttConfig,
    will: Message,
    subscriptions: Vec<String>,
}

impl Dialler {
    /// Reads password and certificates, beside the async tasks: a system's authorities are some hundred files.
    async fn options(&self) -> Result<MqttOptions, String> {
        let (mqtt, will) = (self.mqtt.clone(), self.will.clone());
        match tokio::task::spawn_blocking(move || options::options(&mqtt, &will)).await {
            Ok(read) => read.map_err(|error| error.to_string()),
            Err(stopped) => Err(stopped.to_string()),
        }
    }
}

/// How a connection ended.
enum End {
    /// It failed, or could not be made.
    Failed(String),
    /// The lane has gone, or the goodbye is said.
    Closed,
}

/// One connection after the other, until the lane goes.
async fn run(dialler: Dialler, mut out: Outward, mut commands: mpsc::Receiver<Command>) {
    let mut backoff = Backoff::default();
    let mut failing = false;
    loop {
        let connections = out.connection;
        let end = match dialler.options().await {
            Ok(options) => {
                let (requests, eventloop) = AsyncClient::builder(options).capacity(QUEUE).build();
                Line { dialler: &dialler, requests, eventloop }.run(&mut out, &mut commands).await
            }
            Err(why) => End::Failed(why),
        };
        out.down().await;
        let End::Failed(why) = end else { return };
        if out.connection > connections {
            backoff.succeeded();
            failing = false;
        }
        if !std::mem::replace(&mut failing, true) {
            let MqttConfig { host, port, .. } = &dialler.mqtt;
            tracing::warn!(host, port, why, "no broker; trying again");
        }
        if !wait(backoff.next_wait(), &mut commands).await {
            return;
        }
    }
}

/// The one acknowledged message that is on its way.
struct Awaited {
    /// Packet identifier, once the client has chosen one.
    packet: Option<u16>,
    deadline: Instant,
}

/// The way to the lane, which outlives connections.
struct Outward {
    signals: mpsc::Sender<Signal>,
    /// Counts connections; `up` says whether the last one stands.
    connection: u64,
    up: bool,
    awaited: Option<Awaited>,
}

/// One connection.
struct Line<'a> {
    dialler: &'a Dialler,
    requests: AsyncClient,
    eventloop: EventLoop,
}

/// How a wait for the event loop ended.
enum Turn {
    Event(Box<Event>),
    Ended(End),
}

impl Line<'_> {
    /// Until it fails or is closed.
    async fn run(mut self, out: &mut Outward, commands: &mut mpsc::Receiver<Command>) -> End {
        loop {
            let event = match self.turn(out, commands).await {
                Turn::Event(event) => event,
                Turn::Ended(end) => return end,
            };
            match &*event {
                Event::Outgoing(Outgoing::Disconnect) => return End::Closed,
                Event::Incoming(Packet::ConnAck(_)) => self.connected(),
                _ => {}
            }
            if !out.say(*event).await {
                return End::Closed;
            }
        }
    }

    fn connected(&self) {
        let MqttConfig { host, port, .. } = &self.dialler.mqtt;
        tracing::info!(host, port, tls = self.dialler.mqtt.tls.is_some(), "connected to the broker");
        for filter in &self.dialler.subscriptions {
            // The queue of a new connection is empty and longer than our few filters.
            if let Err(error) = self.requests.try_subscribe(filter.as_str(), QoS::AtMostOnce) {
                tracing::error!(filter, %error, "cannot subscribe; requests on this topic are not heard");
            }
        }
    }

    /// Polls until an event, an error or a deadline, handing messages over meanwhile.
    async fn turn(&mut self, out: &mut Outward, commands: &mut mpsc::Receiver<Command>) -> Turn {
        // A healthy event loop says something at every keep-alive, if only that it pings.
        let silence = self.dialler.mqtt.keep_alive * 2 + 2 * CONNECT_TIMEOUT;
        let silent_at = Instant::now() + silence;
        let poll = self.eventloop.poll();
        tokio::pin!(poll);
        loop {
            let (deadline, why) = match &out.awaited {
                Some(awaited) if awaited.deadline < silent_at => (awaited.deadline, "the broker does not acknowledge"),
                _ => (silent_at, "the broker takes no bytes"),
            };
            tokio::select! {
                biased;
                polled = &mut poll => return match polled {
                    Ok(event) => Turn::Event(Box::new(event)),
                    Err(error) => Turn::Ended(End::Failed(error.to_string())),
                },
                command = commands.recv() => match command {
                    None => return Turn::Ended(End::Closed),
                    Some(Command::Disconnect) if !out.up || self.requests.try_disconnect().is_err() => {
                        return Turn::Ended(End::Closed);
                    }
                    Some(Command::Disconnect) => {}
                    Some(Command::Publish { connection, message }) => {
                        out.hand_over(&self.requests, connection, message);
                    }
                },
                () = sleep_until(deadline) => return Turn::Ended(End::Failed(why.to_owned())),
            }
        }
    }
}

impl Outward {
    fn hand_over(&mut self, requests: &AsyncClient, connection: u64, message: Message) {
        if !self.up || connection != self.connection {
            return;
        }
        let acknowledged = message.delivery == Delivery::Acknowledged;
        // It may have waited: the process was stopped.
        let life_left_s = message.life_left_s(Instant::now());
        if life_left_s == Some(0) {
            // With a full queue to the lane, the deadline makes a new connection of it, where all is due again.
            if acknowledged && self.signals.try_send(Signal::Late).is_err() {
                self.awaited = Some(Awaited { packet: None, deadline: Instant::now() + ACK_TIMEOUT });
            }
            return;
        }
        let options = options::of_message(&message, life_left_s);
        let handed = requests.try_publish(message.topic, message.payload.bytes, options);
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
            Event::Incoming(Packet::Publish(publish)) => Signal::Heard(heard(publish)),
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

fn heard(publish: Publish) -> Heard {
    let properties = publish.properties.unwrap_or_default();
    Heard {
        topic: String::from_utf8_lossy(&publish.topic).into_owned(),
        payload: publish.payload.to_vec(),
        retained: publish.retain,
        response_topic: properties.response_topic,
        correlation: properties.correlation_data.map(|data| data.to_vec()),
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
