//! The one lane of acknowledged messages: decides what is sent next, and when something counts as said.
//!
//! One acknowledged message is on its way at a time. On any error it is simply due again. What is due, first things
//! first: that the gateway is there, that the source is, the identity that holds, then the oldest event of the outbox.
//! Telemetry needs no acknowledgement and goes beside the lane.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};

use super::client::{Client, Full, Signal};
use super::issue::Issuer;
use super::journal::Journal;
use super::message::Message;
use super::payload::{Encoder, IdentityRecord, Payload};
use super::telemetry_queue::TelemetryQueue;
use super::topics::Topics;
use crate::config::{Config, MqttConfig};
use crate::event::{Event, IdentityEvent, IdentityState, Reason, SourceEvent};
use crate::store::{OutboxId, Store};

/// How long what is left may take when the daemon stops.
const FLUSH: Duration = Duration::from_secs(3);

/// How long the goodbye may take after that.
const GOODBYE: Duration = Duration::from_secs(1);

/// Time between two attempts at what the disk has refused.
const RETRY: Duration = Duration::from_secs(2);

/// Rest after the broker has refused an event: somebody must change its access rules first.
const REST: Duration = Duration::from_secs(30);

/// The identity is repeated only while the pipeline shows signs of life; it speaks about once a second.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// A summary that is older is history, not news.
const HRV_EXPIRY: Duration = Duration::from_secs(3600);

/// What an acknowledged message was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    GatewayAvailability,
    DeviceAvailability,
    Source,
    Identity,
    Event(OutboxId),
}

/// Something that is retained, and whether the broker knows it.
#[derive(Debug)]
struct Latch<T> {
    value: T,
    due: bool,
}

impl<T> Latch<T> {
    fn new(value: T) -> Self {
        Self { value, due: true }
    }

    fn set(&mut self, value: T) {
        *self = Self::new(value);
    }
}

/// The identity that holds.
#[derive(Debug)]
struct Standing {
    record: IdentityRecord,
    due: Instant,
}

/// The state of the publisher.
#[derive(Debug)]
pub(super) struct Lane {
    issuer: Issuer,
    encoder: Encoder,
    topics: Topics,
    expiry: Duration,
    journal: Journal,
    client: Client,
    /// Number of the connection and its longest packet, while there is one.
    up: Option<(u64, usize)>,
    in_flight: Option<Slot>,
    gateway: Latch<bool>,
    device: Latch<bool>,
    source: Option<Latch<SourceEvent>>,
    identity: Option<Standing>,
    telemetry: TelemetryQueue,
    last_sign_of_life: Instant,
    /// The outbox rests until then after a refusal.
    outbox_rests_until: Instant,
}

impl Lane {
    pub(super) fn new(boot_id: &str, store: Store, mqtt: &MqttConfig, config: &Config) -> Self {
        let topics = Topics::new(mqtt, &config.gateway, &config.device);
        let will = availability(topics.gateway_availability(), false);
        let now = Instant::now();
        Self {
            issuer: Issuer::new(boot_id, config, mqtt.identity_expiry),
            encoder: Encoder(mqtt.payload),
            expiry: mqtt.identity_expiry,
            journal: Journal::new(store),
            client: Client::start(mqtt, will, Vec::new()),
            topics,
            up: None,
            in_flight: None,
            gateway: Latch::new(true),
            // Until the source says otherwise it is not there; an earlier start may have left another word.
            device: Latch::new(false),
            source: None,
            identity: None,
            telemetry: TelemetryQueue::default(),
            last_sign_of_life: now,
            outbox_rests_until: now,
        }
    }

    /// Publishes until the channel closes, then hands over what is left.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.send_what_is_due().await;
            let wake = self.wakes_at();
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take(event).await,
                    None => break,
                },
                signal = self.client.next() => match signal {
                    Some(signal) => self.hear(signal).await,
                    None => break,
                },
                _ = retry.tick() => self.journal.settle().await,
                () = sleep_until(wake) => {}
            }
        }
        self.finish().await;
    }

    /// An event of the pipeline.
    async fn take(&mut self, event: Event) {
        self.last_sign_of_life = Instant::now();
        match event {
            Event::Identity(event) => self.take_identity(event).await,
            Event::Hrv(event) => {
                let payload = self.encoder.hrv(&self.issuer.telemetry(&*event));
                self.telemetry.push(Message::telemetry(self.topics.hrv(), payload, HRV_EXPIRY));
            }
            Event::Signal(event) => {
                let payload = self.encoder.signal(&self.issuer.telemetry(&event));
                self.telemetry.push(Message::telemetry(self.topics.signal(), payload, self.expiry));
            }
            Event::Source(event) => {
                if self.device.value != event.online {
                    self.device.set(event.online);
                }
                self.source = Some(Latch::new(event));
            }
        }
    }

    async fn take_identity(&mut self, event: IdentityEvent) {
        let record = self.issuer.identity(event);
        self.identity = Some(Standing { record: record.clone(), due: Instant::now() });
        self.journal.record(record).await;
    }

    /// A signal of the connection.
    async fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Up { connection, max_packet } => {
                self.up = Some((connection, max_packet));
                self.in_flight = None;
                self.all_is_due_again();
            }
            Signal::Down => {
                self.up = None;
                self.in_flight = None;
            }
            Signal::Acknowledged => {
                if let Some(slot) = self.in_flight.take() {
                    self.said(slot).await;
                }
            }
            // Nothing is subscribed yet.
            Signal::Heard(_) => {}
            Signal::Refused { why } => {
                if let Some(slot) = self.in_flight.take() {
                    self.refused(slot, &why);
                }
            }
        }
    }

    /// A broker may have forgotten everything, or have published the last will.
    fn all_is_due_again(&mut self) {
        self.gateway.due = true;
        self.device.due = true;
        if let Some(source) = &mut self.source {
            source.due = true;
        }
        if let Some(identity) = &mut self.identity {
            identity.due = Instant::now();
        }
        let dropped = self.telemetry.take_dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "telemetry was dropped while there was no broker");
        }
    }

    /// The broker has it. What is retained was said when it was sent; if it has changed since, it is due again by that.
    async fn said(&mut self, slot: Slot) {
        if let Slot::Event(id) = slot {
            self.journal.acknowledge(id).await;
        }
    }

    /// The broker does not want it. An event stays in the outbox; the rest is tried again with the next change or the
    /// next connection.
    fn refused(&mut self, slot: Slot, why: &str) {
        tracing::error!(?slot, why, "the broker refuses a message; check its access rules for this user and topic");
        if let Slot::Event(_) = slot {
            self.outbox_rests_until = Instant::now() + REST;
        }
    }

    /// It could not be handed to the connection.
    fn due_again(&mut self, slot: Slot) {
        match slot {
            Slot::GatewayAvailability => self.gateway.due = true,
            Slot::DeviceAvailability => self.device.due = true,
            Slot::Source => {
                if let Some(source) = &mut self.source {
                    source.due = true;
                }
            }
            Slot::Identity => {
                if let Some(standing) = &mut self.identity {
                    standing.due = Instant::now();
                }
            }
            // The journal has kept it.
            Slot::Event(_) => {}
        }
    }

    /// Sends everything that may be sent now: what is acknowledged first, telemetry beside it.
    async fn send_what_is_due(&mut self) {
        let Some((connection, max_packet)) = self.up else { return };
        if self.in_flight.is_none()
            && let Some((slot, message)) = self.next_due().await
        {
            if message.wire_size() > max_packet {
                self.refused(slot, "it is longer than the broker's longest packet");
            } else if self.client.publish(connection, message).is_ok() {
                self.in_flight = Some(slot);
            } else {
                self.due_again(slot);
            }
        }
        while let Some(message) = self.telemetry.pop() {
            if message.wire_size() > max_packet {
                continue;
            }
            if let Err(Full(message)) = self.client.publish(connection, message) {
                self.telemetry.put_back(*message);
                break;
            }
        }
    }

    /// The next acknowledged message. What is retained counts as said from here on; a lost connection makes it due.
    async fn next_due(&mut self) -> Option<(Slot, Message)> {
        if std::mem::take(&mut self.gateway.due) {
            let message = availability(self.topics.gateway_availability(), self.gateway.value);
            return Some((Slot::GatewayAvailability, message));
        }
        if std::mem::take(&mut self.device.due) {
            let message = availability(self.topics.device_availability(), self.device.value);
            return Some((Slot::DeviceAvailability, message));
        }
        if let Some(source) = self.source.as_mut().filter(|source| source.due) {
            source.due = false;
            let payload = self.encoder.source(&self.issuer.telemetry(&source.value));
            return Some((Slot::Source, Message::acknowledged(self.topics.source(), payload).retained()));
        }
        let now = Instant::now();
        if self.identity_due().is_some_and(|due| due <= now) {
            return self.standing_identity(now);
        }
        if self.outbox_rests_until <= now {
            let (id, record) = self.journal.oldest().await?;
            let message = Message::acknowledged(self.topics.event(), self.encoder.identity(&record));
            return Some((Slot::Event(id), message.numbered(record.seq)));
        }
        None
    }

    fn standing_identity(&mut self, now: Instant) -> Option<(Slot, Message)> {
        let standing = self.identity.as_mut()?;
        standing.due = now + self.expiry / 3;
        let record = self.issuer.repeat(&standing.record);
        let message = Message::acknowledged(self.topics.identity(), self.encoder.identity(&record));
        Some((Slot::Identity, message.retained().expiring(self.expiry).numbered(record.seq)))
    }

    /// When the identity must be said again; `None` while a silent pipeline makes it doubtful. That there is no signal
    /// stays true in silence.
    fn identity_due(&self) -> Option<Instant> {
        let standing = self.identity.as_ref()?;
        let alive = self.last_sign_of_life.elapsed() < SIGN_OF_LIFE;
        (alive || standing.record.event.state == IdentityState::NoSignal).then_some(standing.due)
    }

    /// When something is due though nothing happens.
    fn wakes_at(&self) -> Instant {
        let now = Instant::now();
        let rested = Some(self.outbox_rests_until).filter(|until| *until > now);
        // A little later than now: what was due now has just been sent, or the connection takes nothing.
        let identity = self.identity_due().filter(|_| self.up.is_some() && self.in_flight.is_none());
        let identity = identity.map(|due| due.max(now + Duration::from_millis(50)));
        let idle = now + Duration::from_secs(60);
        [rested, identity].into_iter().flatten().fold(idle, Instant::min)
    }

    /// The daemon stops: the identity is not known any more, what waits is handed over, then the gateway is offline.
    async fn finish(mut self) {
        if let Some(standing) = &self.identity {
            let event = &standing.record.event;
            if event.state != IdentityState::NoSignal {
                let stopping = IdentityEvent {
                    state: IdentityState::NoSignal,
                    reason: Reason::Stopping,
                    subject: None,
                    template_revision: None,
                    score: None,
                    ..event.clone()
                };
                self.take_identity(stopping).await;
            }
        }
        self.device.set(false);
        if timeout(FLUSH, self.flush()).await.is_err() {
            tracing::warn!("the broker did not take everything in time; identity events wait on disk");
        }
        if self.up.is_none() || !self.say_offline().await {
            // Without a goodbye the broker publishes the last will: offline, too.
            return;
        }
        self.client.disconnect(GOODBYE).await;
    }

    /// Sends until nothing is due and nothing is on its way.
    async fn flush(&mut self) {
        loop {
            self.send_what_is_due().await;
            if self.up.is_some() && self.in_flight.is_none() {
                return;
            }
            match self.client.next().await {
                Some(signal) => self.hear(signal).await,
                None => return,
            }
        }
    }

    /// True when the broker knows.
    async fn say_offline(&mut self) -> bool {
        self.gateway.set(false);
        let say = async {
            while self.up.is_some() {
                if self.in_flight.is_none() && !self.gateway.due {
                    return true;
                }
                self.send_what_is_due().await;
                match self.client.next().await {
                    Some(signal) => self.hear(signal).await,
                    None => return false,
                }
            }
            false
        };
        timeout(GOODBYE, say).await.unwrap_or(false)
    }
}

fn availability(topic: String, online: bool) -> Message {
    Message::acknowledged(topic, Payload::text(if online { "online" } else { "offline" })).retained()
}
