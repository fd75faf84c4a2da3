//! The way of an identity event onto the disk, and off it when the broker has acknowledged it.
//!
//! It hides that a disk can be full: what cannot be stored waits in memory and is tried again. It keeps the outbox
//! within its limit: the oldest events go first, and each that goes undelivered is counted on the disk.

use std::collections::VecDeque;

use super::disk::Disk;
use super::payload::IdentityRecord;
use crate::store::{OutboxEntry, OutboxId, Store, StoreError};

/// Events that wait for a disk that takes nothing; a day of them at a change every minute.
const UNSAVED_CAPACITY: usize = 1440;

/// How things stand with the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Stock {
    /// Events on the disk that no broker has acknowledged.
    pub(super) waiting: u64,
    /// What they count for, bytes.
    pub(super) bytes: u64,
    /// Events that were dropped undelivered, by this start and those before.
    pub(super) dropped: u64,
    /// Events that wait for the disk.
    pub(super) unsaved: u64,
    /// What is wrong and what to do.
    pub(super) problem: Option<String>,
}

/// The outbox of this start and of those before.
#[derive(Debug)]
pub(super) struct Journal<D = Store> {
    disk: D,
    /// What the outbox may hold, bytes.
    limit: u64,
    /// Issued, but not on the disk: not published either.
    unsaved: VecDeque<IdentityRecord>,
    /// The newest event that was handed out, and what it counts for.
    handed_out: Option<(OutboxId, u64)>,
    /// Acknowledged up to here, but still on the disk; nothing up to here is handed out again.
    acknowledged: Option<OutboxId>,
    /// The outbox may hold something; saves a query for each look.
    may_hold_more: bool,
    /// What the disk held when it was last asked, kept up since; `None` before that.
    tally: Option<crate::store::Tally>,
    /// Dropped, but not yet counted on the disk.
    uncounted: u64,
    problem: Option<String>,
    /// Dropped since the outbox was last empty.
    dropped_now: u64,
}

impl<D: Disk> Journal<D> {
    /// An outbox of at most `limit` bytes.
    pub(super) fn new(disk: D, limit: u64) -> Self {
        Self {
            disk,
            limit,
            unsaved: VecDeque::new(),
            handed_out: None,
            acknowledged: None,
            // Events of earlier starts may wait.
            may_hold_more: true,
            tally: None,
            uncounted: 0,
            problem: None,
            dropped_now: 0,
        }
    }

    /// Takes an event and stores it, now if possible.
    pub(super) async fn record(&mut self, record: IdentityRecord) {
        if self.unsaved.len() == UNSAVED_CAPACITY
            && let Some(oldest) = self.unsaved.pop_front()
        {
            tracing::error!(id = oldest.id, "the disk has taken no event for long; an identity event is dropped");
            self.uncounted += 1;
            self.dropped_now += 1;
        }
        self.unsaved.push_back(record);
        self.settle().await;
    }

    /// Tries again what the disk refused.
    pub(super) async fn settle(&mut self) {
        match self.try_settle().await {
            Err(error) => self.failed(&error),
            Ok(()) if self.problem.take().is_some() => tracing::info!("identity events are stored again"),
            Ok(()) => {}
        }
    }

    /// The oldest event that no broker has acknowledged, with its name in the outbox.
    pub(super) async fn oldest(&mut self) -> Option<(OutboxId, IdentityRecord)> {
        while self.may_hold_more {
            let entry = match self.disk.oldest(self.acknowledged).await {
                Ok(entry) => entry,
                Err(error) => {
                    self.failed(&error);
                    return None;
                }
            };
            let Some(entry) = entry else {
                self.may_hold_more = false;
                // The gap has been told, and the count of it stays.
                self.dropped_now = 0;
                // Events may have changed their size since they were counted: a subject was renamed or deleted.
                if let Some(tally) = &mut self.tally {
                    (tally.waiting, tally.bytes) = (0, 0);
                }
                return None;
            };
            self.handed_out = Some((entry.id, OutboxEntry::size_of(&entry.body)));
            match parse(&entry) {
                Some(record) => return Some((entry.id, record)),
                // It can never be delivered and would stand in the way of every later one.
                None => {
                    self.uncounted += 1;
                    self.dropped_now += 1;
                    self.acknowledge(entry.id).await;
                }
            }
        }
        None
    }

    /// The broker has it.
    pub(super) async fn acknowledge(&mut self, id: OutboxId) {
        self.acknowledged = Some(id);
        if let (Some(tally), Some((handed_out, size))) = (&mut self.tally, self.handed_out)
            && handed_out == id
        {
            tally.waiting = tally.waiting.saturating_sub(1);
            tally.bytes = tally.bytes.saturating_sub(size);
        }
        self.settle().await;
    }

    /// How things stand.
    pub(super) fn stock(&self) -> Stock {
        let tally = self.tally.unwrap_or_default();
        let dropped = self.dropped_now;
        let told = (dropped > 0).then(|| {
            format!(
                "{dropped} identity events were dropped undelivered, because no broker or no disk took them for long; \
                 subscribers see a gap in the sequence. store.outbox_limit_mib says how much may wait"
            )
        });
        Stock {
            waiting: tally.waiting,
            bytes: tally.bytes,
            dropped: tally.dropped + self.uncounted,
            unsaved: self.unsaved.len() as u64,
            problem: self.problem.clone().or(told),
        }
    }

    async fn try_settle(&mut self) -> Result<(), StoreError> {
        if self.tally.is_none() {
            self.tally = Some(self.disk.tally().await?);
        }
        if let Some(through) = self.acknowledged {
            self.disk.remove(through).await?;
            (self.acknowledged, self.handed_out) = (None, None);
        }
        if self.uncounted > 0 {
            self.disk.count_dropped(self.uncounted).await?;
            let counted = std::mem::take(&mut self.uncounted);
            self.tally.get_or_insert_default().dropped += counted;
        }
        while let Some(record) = self.unsaved.front() {
            let (boot_id, seq) = (record.boot_id.clone(), record.seq);
            // Cannot fail: string keys, finite numbers.
            let body = serde_json::to_string(record).unwrap_or_default();
            let size = OutboxEntry::size_of(&body);
            self.make_room(size).await?;
            self.disk.append(boot_id, seq, body).await?;
            let tally = self.tally.get_or_insert_default();
            tally.waiting += 1;
            tally.bytes += size;
            self.may_hold_more = true;
            self.unsaved.pop_front();
        }
        Ok(())
    }

    /// Keeps the limit before `size` bytes are added. What is on its way to the broker stays.
    async fn make_room(&mut self, size: u64) -> Result<(), StoreError> {
        let held = self.tally.unwrap_or_default().bytes;
        let excess = (held + size).saturating_sub(self.limit);
        if excess == 0 {
            return Ok(());
        }
        let dropped = self.disk.drop_oldest(excess, self.handed_out.map(|(id, _)| id)).await?;
        let tally = self.tally.get_or_insert_default();
        tally.waiting = tally.waiting.saturating_sub(dropped.events);
        tally.bytes = tally.bytes.saturating_sub(dropped.bytes);
        tally.dropped += dropped.events;
        if self.dropped_now == 0 {
            tracing::error!(
                limit_bytes = self.limit,
                "the outbox is full: no broker has taken events for long; the oldest identity events are dropped"
            );
        }
        self.dropped_now += dropped.events;
        Ok(())
    }

    fn failed(&mut self, error: &StoreError) {
        let waiting = self.unsaved.len();
        if self.problem.is_none() {
            tracing::error!(%error, waiting, "identity events cannot be stored; trying again");
        }
        self.problem = Some(format!(
            "identity events cannot be stored ({error}); free space on the disk of the database (store.path). \
             Until then they wait in memory and are lost at a restart; identity and telemetry go on"
        ));
    }
}

fn parse(entry: &OutboxEntry) -> Option<IdentityRecord> {
    serde_json::from_str(&entry.body)
        .inspect_err(|error| {
            tracing::error!(boot_id = entry.boot_id, seq = entry.seq, %error, "a stored event is unreadable; dropped");
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Slug;

    #[tokio::test]
    async fn an_empty_outbox_counts_for_nothing_though_a_subject_was_deleted_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("ecgid.sqlite")).unwrap();
        let body = r#"{"subject":"a-name-of-some-length"}"#;
        let id = store.append("boot", 1, body).unwrap();
        let mut journal = Journal::new(store.clone(), 1 << 20);
        journal.settle().await;
        assert_eq!(journal.stock().bytes, OutboxEntry::size_of(body));
        // Nobody of this name is enrolled; events are cleaned all the same.
        assert!(store.delete(&Slug::new("a-name-of-some-length").unwrap()).is_err());
        let entry = journal.disk.oldest(None).await.unwrap().unwrap();
        assert!(entry.body.len() < body.len());
        journal.handed_out = Some((id, OutboxEntry::size_of(&entry.body)));
        journal.acknowledge(id).await;
        assert_ne!(journal.stock().bytes, 0, "what was counted and what has left differ");
        assert!(journal.oldest().await.is_none());
        assert_eq!((journal.stock().waiting, journal.stock().bytes), (0, 0));
    }
}
