//! Names, numbers and times for events: the edge where wall time is attached.

use std::time::Duration;

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
    last_seq: u64,
    /// Wall time, ms since 1970.
    wall: fn() -> u64,
}

impl Issuer {
    pub(super) fn new(boot_id: &str, config: &Config, expiry: Duration) -> Self {
        Self {
            boot_id: boot_id.to_owned(),
            gateway: config.gateway.to_string(),
            device: config.device.to_string(),
            expiry,
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
        event.score = event.score.filter(|score| score.is_finite());
        for value in [&mut event.threshold, &mut event.quality] {
            if !value.is_finite() {
                *value = 0.0;
            }
        }
        self.last_seq += 1;
        let now = (self.wall)();
        IdentityRecord {
            schema: SCHEMA,
            id: format!("{}:{}", self.boot_id, self.last_seq),
            boot_id: self.boot_id.clone(),
            seq: self.last_seq,
            issued_at_unix_ms: now,
            expires_at_unix_ms: self.expires_at(now),
            gateway: self.gateway.clone(),
            device: self.device.clone(),
            event,
        }
    }

    /// The record again, as it was known to be true `age` ago.
    pub(super) fn repeat(&self, record: &IdentityRecord, age: Duration) -> IdentityRecord {
        let then = (self.wall)().saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        IdentityRecord { issued_at_unix_ms: then, expires_at_unix_ms: self.expires_at(then), ..record.clone() }
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

    fn expires_at(&self, now: u64) -> u64 {
        now.saturating_add(u64::try_from(self.expiry.as_millis()).unwrap_or(u64::MAX))
    }
}
