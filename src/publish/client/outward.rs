//! What one connection means to the lane: events of the client in, signals out; and what is handed over to be sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rumqttc::{
    AsyncClient, ConnAck, Event, Outgoing, Packet, PubAck, PubAckReason, Publish, SubAck, SubscribeReasonCode,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::endurance::Endurance;
use super::{ACK_TIMEOUT, Filter, Heard, MAX_PACKET, Signal, options};
use crate::publish::message::{Delivery, Message};

/// The one acknowledged message that is on its way.
pub(super) struct Awaited {
    /// Packet identifier, once the client has chosen one.
    packet: Option<u16>,
    pub(super) deadline: Instant,
}

/// The way to the lane, which outlives connections.
pub(super) struct Outward {
    signals: mpsc::Sender<Signal>,
    /// Counts connections; `up` says whether the last one stands.
    connection: u64,
    pub(super) up: bool,
    pub(super) awaited: Option<Awaited>,
    pub(super) endurance: Endurance,
    /// Telemetry that was handed over and not sent.
    dropped: Arc<AtomicU64>,
}

impl Outward {
    pub(super) fn new(signals: mpsc::Sender<Signal>, dropped: Arc<AtomicU64>) -> Self {
        Self { signals, connection: 0, up: false, awaited: None, endurance: Endurance::default(), dropped }
    }

    /// Takes what was meant for a connection that has ended.
    pub(super) fn drop_message(&self, message: &Message) {
        // What is acknowledged is due again.
        if message.is_telemetry() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn hand_over(&mut self, requests: &AsyncClient, connection: u64, message: Message) {
        if !self.up || connection != self.connection {
            return self.drop_message(&message);
        }
        let acknowledged = message.delivery == Delivery::Acknowledged;
        // It may have waited: the process was stopped.
        let life_left_s = message.life_left_s(Instant::now());
        if life_left_s == Some(0) {
            // With a full queue to the lane, the deadline makes a new connection of it, where all is due again.
            if acknowledged && self.signals.try_send(Signal::Late).is_err() {
                self.awaited = Some(Awaited { packet: None, deadline: Instant::now() + ACK_TIMEOUT });
            }
            return self.drop_message(&message);
        }
        let is_telemetry = message.is_telemetry();
        let options = options::of_message(&message, life_left_s);
        let handed = requests.try_publish(message.topic, message.payload.bytes, options);
        match handed {
            // A full queue means that no byte leaves; the deadline turns that into a new connection and a new attempt.
            Ok(()) | Err(_) if acknowledged => {
                self.awaited = Some(Awaited { packet: None, deadline: Instant::now() + ACK_TIMEOUT });
            }
            Ok(()) => {}
            Err(_) => {
                tracing::debug!("a message is dropped: the connection takes nothing");
                self.dropped.fetch_add(u64::from(is_telemetry), Ordering::Relaxed);
            }
        }
    }

    /// Tells the lane what an event means to it; false if the lane has gone.
    pub(super) async fn say(&mut self, event: Event) -> bool {
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

    /// Tells the lane which of the filters the broker denies; false if the lane has gone.
    pub(super) async fn denied(&self, filters: &[Filter], suback: &SubAck) -> bool {
        for (filter, code) in filters.iter().zip(&suback.return_codes) {
            if !matches!(code, SubscribeReasonCode::Success(_)) {
                let denied = Signal::Denied { filter: filter.topics.clone(), why: format!("{code:?}") };
                if self.signals.send(denied).await.is_err() {
                    return false;
                }
            }
        }
        true
    }

    /// Tells the lane that connections end early again and again, or that one lasts.
    pub(super) async fn tell_endurance(&self, brief: bool) {
        // A lane that has gone ends the next turn by itself.
        let _gone = self.signals.send(Signal::Brief(brief)).await;
    }

    fn connected(&mut self, connack: &ConnAck) -> Signal {
        self.connection += 1;
        self.up = true;
        self.awaited = None;
        self.endurance.began(Instant::now());
        let limit = connack.properties.as_ref().and_then(|properties| properties.max_packet_size);
        let max_packet = limit.unwrap_or(MAX_PACKET).min(MAX_PACKET) as usize;
        Signal::Up { connection: self.connection, max_packet }
    }

    pub(super) async fn down(&mut self) {
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
