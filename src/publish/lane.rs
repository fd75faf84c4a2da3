//! The one lane of acknowledged messages: takes events in, sends what the [`Agenda`] says is due, passes answers back.
//!
//! Telemetry needs no acknowledgement and goes beside the lane. Nothing is decided here: what is due, and when something
//! counts as said, is the agenda's; what is on the disk is the journal's.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::Tools;
use super::agenda::{Agenda, Connection, Due, Slot};
use super::announcing::Announcing;
use super::client::{Client, Full, Heard, Signal};
use super::disk::Disk;
use super::health::{self, Reporter};
use super::hearing::{Hearing, Matter};
use super::info::Info;
use super::issue::Issuer;
use super::journal::Journal;
use super::message::Message;
use super::payload::{Encoder, Payload};
use super::requests::Requests;
use super::telemetry_queue::TelemetryQueue;
use super::topics::Topics;
use crate::config::{Config, MqttConfig};
use crate::event::{Event, IdentityEvent, SourceEvent};
use crate::pipeline::pulse::Pulse;
use crate::store::Store;

mod doors;
mod ending;

use doors::Doors;

/// Time between two attempts at what the disk has refused.
const RETRY: Duration = Duration::from_secs(2);

/// A summary that is older is history, not news.
const HRV_EXPIRY: Duration = Duration::from_secs(3600);

/// Events that are taken at one go: the newest words of the pipeline are heard before anything is said.
const BATCH: usize = 256;

/// The state of the publisher.
#[derive(Debug)]
pub(super) struct Lane<D = Store> {
    started: Instant,
    issuer: Issuer,
    encoder: Encoder,
    topics: Topics,
    expiry: Duration,
    journal: Journal<D>,
    client: Client,
    hearing: Hearing,
    announcing: Option<Announcing>,
    requests: Requests,
    doors: Doors,
    agenda: Agenda,
    pulse: Pulse,
    /// Observations that the decision stage had dealt with when it was last seen to move.
    decided: u64,
    health: Reporter,
    source: SourceEvent,
    telemetry: TelemetryQueue,
}

impl Lane {
    pub(super) fn new(boot_id: &str, tools: Tools, mqtt: &MqttConfig, config: &Config) -> Self {
        let Tools { store, signer, pulse, control, model } = tools;
        let topics = Topics::new(mqtt, &config.gateway, &config.device);
        let info = Info::new(config.gateway.as_str(), &model, &signer, &topics);
        let issuer = Issuer::new(boot_id, config, mqtt.identity_expiry, Some(signer));
        let will = availability(topics.gateway_availability(), false);
        let announcing = Announcing::new(config, store.clone());
        let hearing = Hearing::new(&topics, announcing.as_ref().and_then(Announcing::birth_topic));
        let client = Client::start(mqtt, will, hearing.filters());
        let requests = Requests::new(control, topics.clone());
        let mut lane =
            Self { hearing, announcing, requests, ..Self::between(store, client, issuer, pulse, mqtt, config) };
        lane.agenda.statements.set(Message::acknowledged(topics.bridge_info(), Payload::json(&info)).retained());
        lane
    }
}

impl<D: Disk> Lane<D> {
    /// The lane from a disk to a client; no request is answered, and Home Assistant is told nothing.
    pub(super) fn between(
        disk: D,
        client: Client,
        issuer: Issuer,
        pulse: Pulse,
        mqtt: &MqttConfig,
        config: &Config,
    ) -> Self {
        let topics = Topics::new(mqtt, &config.gateway, &config.device);
        let mut agenda = Agenda::new(mqtt.identity_expiry);
        agenda.statements.set(availability(topics.gateway_availability(), true));
        // Until the source says otherwise it is not there; an earlier start may have left another word, here and of the
        // source itself, which is stated with every connection.
        agenda.statements.set(availability(topics.device_availability(), false));
        Self {
            started: Instant::now(),
            issuer,
            encoder: Encoder(mqtt.payload),
            expiry: mqtt.identity_expiry,
            journal: Journal::new(disk, config.store.outbox_limit_bytes),
            client,
            hearing: Hearing::new(&topics, None),
            announcing: None,
            requests: Requests::new(None, topics.clone()),
            doors: Doors::new(&topics.answer(), config.identity.decision(0.0).window_s),
            topics,
            agenda,
            decided: pulse.read().decided,
            pulse,
            health: Reporter::default(),
            source: SourceEvent { online: false, format: None, fs_hz: None, problem: None },
            telemetry: TelemetryQueue::default(),
        }
    }

    /// Publishes until the channel closes, then hands over what is left.
    pub(super) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        let mut retry = interval(RETRY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.agenda.turn(self.now());
            self.doors.turn(self.now());
            self.send_what_is_due().await;
            let wake = self.started + self.wakes_at();
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.take_all(event, &mut events).await,
                    None => break,
                },
                signal = self.client.next() => match signal {
                    Some(signal) => self.hear(signal).await,
                    None => break,
                },
                answer = self.requests.next() => self.agenda.answer(answer),
                _ = retry.tick() => {
                    self.journal.settle().await;
                    self.report_health();
                    self.announce().await;
                }
                () = sleep_until(wake) => {}
            }
            if let Some(announcing) = &mut self.announcing {
                announcing.say_again(&mut self.agenda, self.started.elapsed());
            }
        }
        self.finish().await;
    }

    /// The agenda's time.
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// When something is due though nothing happens.
    fn wakes_at(&self) -> Duration {
        let idle = self.agenda.wakes_at(self.now());
        self.announcing.as_ref().and_then(Announcing::wakes_at).map_or(idle, |again| again.min(idle))
    }

    /// Home Assistant is told what has changed.
    async fn announce(&mut self) {
        if let Some(announcing) = &mut self.announcing {
            announcing.look(&mut self.agenda).await;
        }
    }

    /// An event of the pipeline, and what has come meanwhile.
    async fn take_all(&mut self, first: Event, events: &mut mpsc::Receiver<Event>) {
        self.agenda.turn(self.now());
        self.take(first).await;
        for _ in 0..BATCH {
            let Ok(event) = events.try_recv() else { return };
            self.take(event).await;
        }
    }

    async fn take(&mut self, event: Event) {
        // Stages before the decision speak by themselves: signals come also while the decision waits for a slow disk.
        let decided = self.pulse.read().decided;
        if std::mem::replace(&mut self.decided, decided) != decided {
            self.agenda.alive(self.now());
        }
        match event {
            Event::Identity(event) => self.take_identity(event).await,
            Event::Hrv(event) => {
                let payload = self.encoder.hrv(&self.issuer.telemetry(&*event));
                self.telemetry.push(Message::telemetry(self.topics.hrv(), payload, Instant::now() + HRV_EXPIRY));
            }
            Event::Signal(event) => {
                let payload = self.encoder.signal(&self.issuer.telemetry(&event));
                self.telemetry.push(Message::telemetry(self.topics.signal(), payload, Instant::now() + self.expiry));
            }
            Event::Source(event) => {
                self.agenda.statements.set(availability(self.topics.device_availability(), event.online));
                self.source = event;
                self.state_source();
            }
        }
    }

    async fn take_identity(&mut self, event: IdentityEvent) {
        let record = self.issuer.identity(event);
        self.agenda.hold(record.clone(), self.now());
        self.journal.record(record).await;
    }

    /// What is known of the source, as known now.
    fn state_source(&mut self) {
        let payload = self.encoder.source(&self.issuer.telemetry(&self.source));
        self.agenda.statements.set(Message::acknowledged(self.topics.source(), payload).retained());
    }

    /// A signal of the connection.
    async fn hear(&mut self, signal: Signal) {
        match signal {
            Signal::Up { connection: number, max_packet } => {
                self.state_source();
                self.health.connected();
                self.report_health();
                self.agenda.up(Connection { number, max_packet });
                self.announce().await;
            }
            Signal::Down => self.agenda.down(),
            Signal::Acknowledged => self.acknowledged().await,
            Signal::Heard(heard) => self.answer(heard),
            Signal::Refused { why } => {
                if let Some(slot) = self.agenda.refused(self.now()) {
                    self.note_refusal(&slot, &why);
                }
            }
            Signal::Late => self.agenda.late(),
            Signal::Denied { filter, why } => self.health.denied(&filter, &why),
            Signal::Brief(brief) => self.health.brief(brief),
        }
    }

    async fn acknowledged(&mut self) {
        let Some(slot) = self.agenda.acknowledged(self.now()) else { return };
        if let Some(topic) = self.topic_of(&slot) {
            self.health.accepted(&topic);
        }
        if let Slot::Event(id) = slot {
            self.journal.acknowledge(id).await;
        }
    }

    /// Somebody has said something on a topic that is listened to.
    fn answer(&mut self, heard: Heard) {
        match self.hearing.matter(&heard) {
            Some(Matter::HomeAssistant) => {
                let now = self.now();
                if let Some(announcing) = &mut self.announcing {
                    announcing.heard(&heard.payload, now);
                }
            }
            Some(Matter::Request(name)) => {
                let now = self.now();
                self.requests.take(name, heard, now);
            }
            None => tracing::debug!(heard.topic, "a retained message, or one that asks nothing, is not answered"),
            Some(Matter::Challenge) => self.answer_door(&heard),
        }
    }

    /// Sends everything that may be sent now: what is acknowledged first, telemetry beside it.
    async fn send_what_is_due(&mut self) {
        let Some(Connection { number, max_packet }) = self.agenda.connection() else { return };
        if let Some((slot, message)) = self.next_due().await {
            if message.wire_size() > max_packet {
                self.agenda.unwanted(&slot, self.now());
                self.note_refusal(&slot, "it is longer than the broker's longest packet");
            } else if self.client.publish(number, message).is_ok() {
                self.agenda.sent(slot, self.now());
            } else {
                self.agenda.due_again(&slot);
            }
        }
        while let Some(message) = self.telemetry.pop() {
            if message.wire_size() > max_packet {
                self.health.dropped_telemetry(1);
                continue;
            }
            if let Err(Full(message)) = self.client.publish(number, message) {
                self.telemetry.put_back(*message);
                break;
            }
        }
    }

    /// The next acknowledged message, in words.
    async fn next_due(&mut self) -> Option<(Slot, Message)> {
        match self.agenda.next(self.now())? {
            Due::Answer(message) => Some((Slot::Answer, message)),
            Due::Move(message) => Some((Slot::Move(message.topic.clone()), message)),
            Due::Statement(message) => Some((Slot::Statement(message.topic.clone()), message)),
            Due::Identity { record, age } => {
                let record = self.issuer.repeat(&record, age);
                let message = Message::acknowledged(self.topics.identity(), self.encoder.identity(&record));
                let expires = Instant::now() + self.expiry.saturating_sub(age);
                Some((Slot::Identity, message.retained().expiring(expires).numbered(record.seq)))
            }
            Due::Event => {
                let Some((id, record)) = self.journal.oldest().await else {
                    return self.agenda.instead_of_event().map(|answer| (Slot::Answer, answer));
                };
                let record = self.issuer.stored(record);
                let message = Message::acknowledged(self.topics.event(), self.encoder.identity(&record));
                Some((Slot::Event(id), message.numbered(record.seq)))
            }
        }
    }

    /// Says how the gateway is, where that is due.
    fn report_health(&mut self) {
        let dropped = self.telemetry.take_dropped() + self.client.take_dropped();
        if dropped > 0 {
            tracing::warn!(dropped, "telemetry was dropped: no broker took it in time");
        }
        self.health.dropped_telemetry(dropped);
        let Some(mut health) = self.health.take_due(self.journal.stock(), self.now()) else { return };
        health.rss_bytes = health::resident_bytes();
        self.requests.note(&health);
        let message = Message::acknowledged(self.topics.bridge_health(), Payload::json(&self.issuer.bridge(&health)));
        self.agenda.statements.set(message.retained().expiring(Instant::now() + health::EXPIRY));
    }

    /// Said aloud once for each topic and connection: it is tried again and again.
    fn note_refusal(&mut self, slot: &Slot, why: &str) {
        let news = self.topic_of(slot).is_some_and(|topic| self.health.refused(&topic, why));
        if news {
            tracing::error!(?slot, why, "the broker refuses a message; check its access rules for this user and topic");
        } else {
            tracing::debug!(?slot, why, "the broker refuses a message");
        }
    }

    /// Where it goes; `None` for an answer, whose topic the asker has named: it is not ours to mend.
    fn topic_of(&self, slot: &Slot) -> Option<String> {
        match slot {
            Slot::Answer => None,
            Slot::Statement(topic) | Slot::Move(topic) => Some(topic.clone()),
            Slot::Identity => Some(self.topics.identity()),
            Slot::Event(_) => Some(self.topics.event()),
        }
    }
}

fn availability(topic: String, online: bool) -> Message {
    Message::acknowledged(topic, Payload::text(if online { "online" } else { "offline" })).retained()
}
