//! What the daemon knows of itself, for the request `health`. No names in it, and nothing of the signal.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::config::Config;
use crate::event::{Event, IdentityState, SourceEvent};
use crate::publish::Health;

/// Facts that the pipeline's events bring.
#[derive(Debug)]
pub(super) struct Facts {
    gateway: String,
    device: String,
    model: String,
    started: Instant,
    newest: Mutex<Newest>,
}

#[derive(Debug)]
struct Newest {
    source: SourceEvent,
    identity: IdentityState,
    bridge: Option<Health>,
}

impl Facts {
    pub(super) fn new(config: &Config, model: &str) -> Self {
        let source = SourceEvent { online: false, format: None, fs_hz: None, problem: None };
        Self {
            gateway: config.gateway.to_string(),
            device: config.device.to_string(),
            model: model.to_owned(),
            started: Instant::now(),
            newest: Mutex::new(Newest { source, identity: IdentityState::NoSignal, bridge: None }),
        }
    }

    /// Takes what an event tells.
    pub(super) fn note(&self, event: &Event) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Source(source) => newest.source = source.clone(),
            Event::Identity(identity) => newest.identity = identity.state,
            Event::Hrv(_) | Event::Signal(_) => {}
        }
    }

    /// Takes what was published of the gateway.
    pub(super) fn note_health(&self, health: Health) {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).bridge = Some(health);
    }

    /// Why the source is not there, where it is not.
    pub(super) fn source_problem(&self) -> Option<String> {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.source.problem.clone().filter(|_| !newest.source.online)
    }

    /// As a JSON object: `outbox_waiting` events wait for the broker now, `bridge` is what `bridge/health` last said, at
    /// most a minute ago.
    pub(super) fn to_value(&self, outbox_waiting: u64) -> Value {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "gateway": self.gateway,
            "device": self.device,
            "model": self.model,
            "uptime_s": self.started.elapsed().as_secs(),
            "source": newest.source,
            "identity_state": newest.identity,
            "outbox_waiting": outbox_waiting,
            "bridge": newest.bridge,
        })
    }
}
