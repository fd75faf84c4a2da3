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

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, SubscribeFilterInput};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::message::Message;
use crate::config::MqttConfig;
use crate::source::backoff::Backoff;

mod endurance;
mod options;
mod outward;
mod tls;

use endurance::Past;
pub use options::read_password;
use outward::Outward;
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
    /// The broker does not let us listen to this filter.
    Denied { filter: String, why: String },
    /// Connections end early again and again; `false`: one lasts.
    Brief(bool),
}

/// What is listened to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// The topic filter.
    pub(super) topics: String,
    /// Whether a message that its sender wants retained is known by that also while it is new. Otherwise only those are
    /// marked as retained that the broker had kept.
    pub(super) retained_when_new: bool,
}

/// A message of somebody else, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heard {
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    /// The broker has kept it for a while and nobody says it now, or will keep it ([`Filter::retained_when_new`]).
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
    dropped: Arc<AtomicU64>,
}

/// The queue to the connection is full, or it has ended: here is the message back.
#[derive(Debug)]
pub(super) struct Full(pub(super) Box<Message>);

impl Client {
    /// Connects, and again for ever, in a task of its own. `will` is what the broker says when the gateway falls
    /// silent; `subscriptions` are the topic filters that are listened to.
    pub(super) fn start(mqtt: &MqttConfig, will: Message, subscriptions: Vec<Filter>) -> Self {
        let (commands, from_lane) = mpsc::channel(QUEUE);
        let (to_lane, signals) = mpsc::channel(QUEUE);
        let dialler = Dialler { mqtt: mqtt.clone(), will, subscriptions };
        let dropped = Arc::new(AtomicU64::new(0));
        tokio::spawn(run(dialler, Outward::new(to_lane, Arc::clone(&dropped)), from_lane));
        Self { commands, signals, dropped }
    }

    /// The near side alone, and what the far side holds.
    #[cfg(test)]
    pub(super) fn detached() -> (Self, mpsc::Receiver<Command>, mpsc::Sender<Signal>) {
        let (commands, from_lane) = mpsc::channel(QUEUE);
        let (to_lane, signals) = mpsc::channel(QUEUE);
        (Self { commands, signals, dropped: Arc::default() }, from_lane, to_lane)
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

    /// How much telemetry was handed over and not sent since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
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
    subscriptions: Vec<Filter>,
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
        let end = match dialler.options().await {
            Ok(options) => {
                let (requests, eventloop) = AsyncClient::builder(options).capacity(QUEUE).build();
                Line { dialler: &dialler, requests, eventloop }.run(&mut out, &mut commands).await
            }
            Err(why) => End::Failed(why),
        };
        out.down().await;
        let End::Failed(why) = end else { return };
        match out.endurance.ended(Instant::now()) {
            Past::None | Past::Brief => {}
            Past::Lasted => {
                backoff.succeeded();
                failing = false;
            }
            Past::BriefAgain => {
                let MqttConfig { host, port, client_id, .. } = &dialler.mqtt;
                tracing::warn!(
                    host,
                    port,
                    client_id,
                    why,
                    "connections to the broker end early; another client may use the same mqtt.client_id"
                );
                out.tell_endurance(true).await;
            }
        }
        if !std::mem::replace(&mut failing, true) {
            let MqttConfig { host, port, .. } = &dialler.mqtt;
            tracing::warn!(host, port, why, "no broker; trying again");
        }
        if !wait(backoff.next_wait(), &out, &mut commands).await {
            return;
        }
    }
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
                Event::Incoming(Packet::SubAck(ack)) if !out.denied(&self.dialler.subscriptions, ack).await => {
                    return End::Closed;
                }
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
        // In one packet: its acknowledgement has a code for each filter, in their order.
        let filters = self.dialler.subscriptions.iter().map(|filter| {
            SubscribeFilterInput::new(&filter.topics, QoS::AtMostOnce).preserve_retain(filter.retained_when_new)
        });
        // The queue of a new connection is empty.
        if let Err(error) = self.requests.try_subscribe_many(filters) {
            tracing::error!(%error, "cannot subscribe; neither doors nor requests are heard");
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
            let lasts_at = out.endurance.lasts_at();
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
                () = sleep_until(lasts_at.unwrap_or(deadline)), if lasts_at.is_some() => {
                    out.endurance.lasts();
                    out.tell_endurance(false).await;
                }
            }
        }
    }
}

/// Waits, throwing away what was meant for the connection that has ended; false if the lane has gone.
async fn wait(time: Duration, out: &Outward, commands: &mut mpsc::Receiver<Command>) -> bool {
    let until = Instant::now() + time;
    loop {
        tokio::select! {
            () = sleep_until(until) => return true,
            command = commands.recv() => match command {
                Some(Command::Publish { message, .. }) => out.drop_message(&message),
                Some(Command::Disconnect) | None => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests;
