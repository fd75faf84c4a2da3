//! The way of an identity event onto the disk, and off it when the broker has acknowledged it.
//!
//! It hides that the store blocks and that a disk can be full: what cannot be stored waits in memory and is tried again.

use std::collections::VecDeque;

use super::payload::IdentityRecord;
use crate::store::{OutboxEntry, OutboxId, Store, StoreError};

/// Events that wait for a disk that takes nothing; a day of them at a change every minute.
const UNSAVED_CAPACITY: usize = 1440;

/// The outbox of this start and of those before.
#[derive(Debug)]
pub(super) struct Journal {
    store: Store,
    /// Issued, but not on the disk: not published either.
    unsaved: VecDeque<IdentityRecord>,
    /// Acknowledged, but still on the disk; removed before anything else is sent, so that it is not sent for ever.
    acknowledged: Option<OutboxId>,
    /// The outbox may hold something; saves a query for each look.
    may_hold_more: bool,
    failing: bool,
}

impl Journal {
    pub(super) fn new(store: Store) -> Self {
        // Events of earlier starts may wait.
        Self { store, unsaved: VecDeque::new(), acknowledged: None, may_hold_more: true, failing: false }
    }

    /// Takes an event and stores it, now if possible.
    pub(super) async fn record(&mut self, record: IdentityRecord) {
        if self.unsaved.len() == UNSAVED_CAPACITY {
            tracing::error!(seq = record.seq, "the disk has taken no event for long; an identity event is lost");
            return;
        }
        self.unsaved.push_back(record);
        self.settle().await;
    }

    /// Tries again what the disk refused.
    pub(super) async fn settle(&mut self) {
        if let Err(error) = self.try_settle().await {
            if !std::mem::replace(&mut self.failing, true) {
                tracing::error!(%error, waiting = self.unsaved.len(), "identity events cannot be stored; trying again");
            }
        } else if std::mem::take(&mut self.failing) {
            tracing::info!("identity events are stored again");
        }
    }

    /// The oldest event that no broker has acknowledged, with its name in the outbox.
    pub(super) async fn oldest(&mut self) -> Option<(OutboxId, IdentityRecord)> {
        while self.may_hold_more && self.acknowledged.is_none() {
            let entry = match self.blocking(|store| store.pending(1)).await {
                Ok(entries) => entries.into_iter().next(),
                Err(error) => {
                    tracing::error!(%error, "the outbox cannot be read; trying again");
                    return None;
                }
            };
            let Some(entry) = entry else {
                self.may_hold_more = false;
                return None;
            };
            match parse(&entry) {
                Some(record) => return Some((entry.id, record)),
                // It can never be delivered and would stand in the way of every later one.
                None => self.acknowledge(entry.id).await,
            }
        }
        None
    }

    /// The broker has it.
    pub(super) async fn acknowledge(&mut self, id: OutboxId) {
        self.acknowledged = Some(id);
        self.settle().await;
    }

    async fn try_settle(&mut self) -> Result<(), StoreError> {
        if let Some(id) = self.acknowledged {
            self.blocking(move |store| store.ack(id)).await?;
            self.acknowledged = None;
        }
        while let Some(record) = self.unsaved.front() {
            let (boot_id, seq) = (record.boot_id.clone(), record.seq);
            // Cannot fail: string keys, finite numbers.
            let body = serde_json::to_string(record).unwrap_or_default();
            self.blocking(move |store| store.append(&boot_id, seq, &body)).await?;
            self.may_hold_more = true;
            self.unsaved.pop_front();
        }
        Ok(())
    }

    /// Runs a call that waits for the disk beside the async tasks.
    async fn blocking<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || call(&store)).await {
            Ok(result) => result,
            Err(stopped) => match stopped.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down and polls nobody any more.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

fn parse(entry: &OutboxEntry) -> Option<IdentityRecord> {
    serde_json::from_str(&entry.body)
        .inspect_err(|error| {
            tracing::error!(boot_id = entry.boot_id, seq = entry.seq, %error, "a stored event is unreadable; removed");
        })
        .ok()
}
