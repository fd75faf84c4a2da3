//! From events to a broker: what is said, under which topic, and the promise that no identity event is lost.
//!
//! - An identity event gets `boot_id` and a gap-free `seq`, is on the disk before it is first published, and leaves the
//!   outbox on the broker's acknowledgement only ([`lane`](self)). A subscriber may see one twice, with an equal `id`.
//! - The identity that holds is retained, but only with an expiry, and repeated while it is true; a gateway that falls
//!   silent leaves no *verified* behind.
//! - The outbox is bounded: the oldest events go first, and each that goes undelivered is counted in `bridge/health`.
//! - Every statement of identity is signed ([`claim`]), and a challenge is answered with a fresh one ([`challenge`]).
//! - Telemetry is worth less than memory: it waits in a bounded queue whose oldest entry goes first, and never on disk.
//!
//! The MQTT client is behind `client`; nothing outside of that file knows which one it is.

use tokio::sync::mpsc;

use crate::config::{Config, MqttConfig};
use crate::control::Control;
use crate::event::Event;
use crate::pipeline::pulse::Pulse;
use crate::store::Store;

mod agenda;
mod announcing;
#[cfg(feature = "demo")]
pub mod broker;
mod bucket;
pub mod challenge;
pub mod claim;
mod client;
pub mod discovery;
mod disk;
mod health;
mod hearing;
mod info;
mod issue;
mod journal;
mod lane;
pub mod lines;
mod message;
pub mod payload;
#[cfg(test)]
mod proof;
mod requests;
mod statements;
mod telemetry_queue;
pub mod topics;

pub use claim::Signer;
pub use client::{TlsFilesError, named_key, read_password, read_tls_files};
pub use health::Health;
pub(crate) use health::resident_bytes;
pub use info::Info;

/// What a publisher works with.
#[derive(Debug)]
pub struct Tools {
    /// Where events wait.
    pub store: Store,
    /// Signs statements of identity.
    pub signer: Signer,
    /// Tells whether the decision is still being made.
    pub pulse: Pulse,
    /// Answers requests; `None`: nobody does.
    pub control: Option<Control>,
    /// Name of the model, for `bridge/info`.
    pub model: String,
}

/// Publishes until the channel closes, then hands over what is left, says `offline`, and returns; a deadline of four
/// seconds ends that. Never fails: a broker that is away is waited for, and identity events wait on disk.
///
/// Every call is one start of the daemon: it makes a new `boot_id`.
pub async fn run(events: mpsc::Receiver<Event>, tools: Tools, mqtt: &MqttConfig, config: &Config) {
    run_as(&new_boot_id(), events, tools, mqtt, config).await;
}

/// As [`run`], as the start of the daemon that `boot_id` names.
pub async fn run_as(boot_id: &str, events: mpsc::Receiver<Event>, tools: Tools, mqtt: &MqttConfig, config: &Config) {
    lane::Lane::new(boot_id, tools, mqtt, config).run(events).await;
}

/// A name for one start of the daemon.
#[must_use]
pub fn new_boot_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
