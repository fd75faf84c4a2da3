//! Names, numbers, times and signatures for events: the edge where wall time is attached.

use std::time::Duration;

use tokio::time::Instant;

use super::challenge;
use super::claim::{self, Signer};
use super::payload::{BridgeRecord, IdentityRecord, SCHEMA, TelemetryRecord};
use crate::clock;
use crate::config::Config;
use crate::event::IdentityEvent;

/// Issues records for one start of the daemon.
#[derive(Debug)]
pub(super) struct Issuer {
    boot_id: String,
    gateway: String,
    device: String,
    expiry: Duration,
    /// `None` where nothing is published: what is printed is not signed.
    signer: Option<Signer>,
    started: Instant,
    last_seq: u64,
    /// Wall time, ms since 1970.
    wall: fn() -> u64,
}

impl Issuer {
    pub(super) fn new(boot_id: &str, config: &Config, expiry: Duration, signer: Option<Signer>) -> Self {
        Self {
            boot_id: boot_id.to_owned(),
            gateway: config.gateway.to_string(),
            device: config.device.to_string(),
            expiry,
            signer,
            started: Instant::now(),
            last_seq: 0,
            wall: clock::unix_ms,
        }
    }

    /// The same by another wall clock.
    #[cfg(test)]
    pub(super) fn with_wall(mut self, wall: fn() -> u64) -> Self {
        self.wall = wall;
        self
    }

    /// Gives an event the next number. What is no number in it is taken out: JSON has no word for it.
    pub(super) fn identity(&mut self, mut event: IdentityEvent) -> IdentityRecord {
        event.score = event.score.filter(|score| score.is_finite()).map(claim::rounded);
        for value in [&mut event.threshold, &mut event.quality] {
            if !value.is_finite() {
                *value = 0.0;
            }
        }
        self.last_seq += 1;
        let now = (self.wall)();
        self.signed(IdentityRecord {
            schema: SCHEMA,
            id: format!("{}:{}", self.boot_id, self.last_seq),
            boot_id: self.boot_id.clone(),
            seq: self.last_seq,
            issued_at_unix_ms: now,
            expires_at_unix_ms: expires_at(now, self.expiry),
            gateway: self.gateway.clone(),
            device: self.device.clone(),
            uptime_ms: self.uptime_ms(),
            event,
            nonce: None,
            key_id: None,
            signature: None,
        })
    }

    /// The record again, as it was known to be true `age` ago.
    pub(super) fn repeat(&self, record: &IdentityRecord, age: Duration) -> IdentityRecord {
        self.reissued(record.clone(), self.expiry, millis(age))
    }

    /// What was stored, as it was issued. Its signature was taken off where its subject has been renamed or deleted
    /// since; it is ours all the same.
    pub(super) fn stored(&self, record: IdentityRecord) -> IdentityRecord {
        if record.signature.is_some() { record } else { self.signed(record) }
    }

    /// The record as the answer to a challenge: as it stands now, with the challenge's nonce and a short life.
    pub(super) fn answer(&self, record: &IdentityRecord, now: IdentityEvent, nonce: String) -> IdentityRecord {
        let answer = IdentityRecord { event: now, nonce: Some(nonce), ..record.clone() };
        self.reissued(answer, challenge::ANSWER_EXPIRY, 0)
    }

    fn reissued(&self, record: IdentityRecord, life: Duration, age_ms: u64) -> IdentityRecord {
        let then = (self.wall)().saturating_sub(age_ms);
        self.signed(IdentityRecord {
            issued_at_unix_ms: then,
            expires_at_unix_ms: expires_at(then, life),
            uptime_ms: self.uptime_ms().saturating_sub(age_ms),
            ..record
        })
    }

    fn signed(&self, mut record: IdentityRecord) -> IdentityRecord {
        if let Some(signer) = &self.signer {
            signer.sign(&mut record);
        }
        record
    }

    fn uptime_ms(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// What is said about the gateway itself.
    pub(super) fn bridge<'a, E>(&'a self, statement: &'a E) -> BridgeRecord<'a, E> {
        BridgeRecord {
            schema: SCHEMA,
            boot_id: &self.boot_id,
            issued_at_unix_ms: (self.wall)(),
            gateway: &self.gateway,
            statement,
        }
    }

    pub(super) fn telemetry<'a, E>(&'a self, event: &'a E) -> TelemetryRecord<'a, E> {
        TelemetryRecord {
            schema: SCHEMA,
            boot_id: &self.boot_id,
            issued_at_unix_ms: (self.wall)(),
            gateway: &self.gateway,
            device: &self.device,
            event,
        }
    }
}

fn expires_at(now: u64, life: Duration) -> u64 {
    now.saturating_add(millis(life))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
