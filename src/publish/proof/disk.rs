//! A disk for the journal that can refuse, stop before or after it has done something, and forget what was not synced.
//!
//! It keeps the rows itself or in the real [`Store`].

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};

use super::super::disk::Disk;
use crate::store::{Dropped, OutboxEntry, OutboxId, Store, StoreError, Tally};

/// Where the rows are.
enum Rows {
    Memory {
        /// As the process sees them.
        now: Vec<OutboxEntry>,
        /// As a power cut leaves them.
        synced: Vec<OutboxEntry>,
        dropped: u64,
    },
    Sqlite(Store, PathBuf),
}

struct Platter {
    rows: Rows,
    refuses: bool,
    refuses_writes: bool,
    /// Each call stops before and after its effect until it is let go.
    stepwise: bool,
    steps: u32,
    waiting: Option<Waker>,
    /// Every event that was ever stored, in order.
    stored: Vec<(String, u64)>,
    /// What the subscriber has, as the world says.
    delivered: HashSet<(String, u64)>,
    /// What was removed though nobody had it.
    lost: Vec<(String, u64)>,
}

/// A handle; clones are the same disk.
#[derive(Clone)]
pub(super) struct ModelDisk(Arc<Mutex<Platter>>);

impl ModelDisk {
    pub(super) fn in_memory() -> Self {
        Self::new(Rows::Memory { now: Vec::new(), synced: Vec::new(), dropped: 0 })
    }

    pub(super) fn in_sqlite(path: PathBuf) -> Self {
        Self::new(Rows::Sqlite(Store::open(&path).unwrap(), path))
    }

    fn new(rows: Rows) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            rows,
            refuses: false,
            refuses_writes: false,
            stepwise: false,
            steps: 0,
            waiting: None,
            stored: Vec::new(),
            delivered: HashSet::new(),
            lost: Vec::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    pub(super) fn refuse(&self, refuses: bool) {
        self.lock().refuses = refuses;
    }

    /// Reads go on.
    pub(super) fn refuse_writes(&self, refuses: bool) {
        self.lock().refuses_writes = refuses;
    }

    /// Stops each call before and after its effect, or lets all of them through again.
    pub(super) fn go_stepwise(&self, stepwise: bool) {
        let mut platter = self.lock();
        (platter.stepwise, platter.steps) = (stepwise, 0);
        platter.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// Lets a call go on by one step.
    pub(super) fn step(&self) {
        let mut platter = self.lock();
        platter.steps = 1;
        platter.waiting.take().into_iter().for_each(Waker::wake);
    }

    /// The process has died, and with it whatever call was in progress. A power cut takes what was not synced, too.
    pub(super) fn crash(&self, power: bool) {
        let mut platter = self.lock();
        platter.steps = 0;
        match &mut platter.rows {
            Rows::Memory { now, synced, .. } if power => now.clone_from(synced),
            Rows::Memory { .. } => {}
            Rows::Sqlite(store, path) => *store = Store::open(path).unwrap(),
        }
    }

    pub(super) fn delivered(&self, boot_id: &str, seq: u64) {
        self.lock().delivered.insert((boot_id.to_owned(), seq));
    }

    pub(super) fn has_stored(&self, boot_id: &str, seq: u64) -> bool {
        self.lock().stored.iter().any(|(boot, number)| boot == boot_id && *number == seq)
    }

    pub(super) fn stored(&self) -> Vec<(String, u64)> {
        self.lock().stored.clone()
    }

    pub(super) fn lost(&self) -> Vec<(String, u64)> {
        self.lock().lost.clone()
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().rows.all().len()
    }

    async fn gate(&self) {
        std::future::poll_fn(|context| {
            let mut platter = self.lock();
            if !platter.stepwise {
                return Poll::Ready(());
            }
            if platter.steps > 0 {
                platter.steps -= 1;
                return Poll::Ready(());
            }
            platter.waiting = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    async fn reads<T>(&self, effect: impl FnOnce(&mut Platter) -> T) -> Result<T, StoreError> {
        self.call(false, effect).await
    }

    async fn writes<T>(&self, effect: impl FnOnce(&mut Platter) -> T) -> Result<T, StoreError> {
        self.call(true, effect).await
    }

    async fn call<T>(&self, write: bool, effect: impl FnOnce(&mut Platter) -> T) -> Result<T, StoreError> {
        self.gate().await;
        let result = {
            let mut platter = self.lock();
            if platter.refuses || (write && platter.refuses_writes) { Err(full()) } else { Ok(effect(&mut platter)) }
        };
        self.gate().await;
        result
    }
}

fn full() -> StoreError {
    let source = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None);
    StoreError::Sqlite { action: "storing an event", source }
}

impl Rows {
    fn all(&self) -> Vec<OutboxEntry> {
        match self {
            Self::Memory { now, .. } => now.clone(),
            Self::Sqlite(store, _) => store.pending(usize::MAX).unwrap(),
        }
    }
}

impl Disk for ModelDisk {
    async fn tally(&self) -> Result<Tally, StoreError> {
        self.reads(|platter| match &platter.rows {
            Rows::Memory { now, dropped, .. } => Tally {
                waiting: now.len() as u64,
                bytes: now.iter().map(|entry| OutboxEntry::size_of(&entry.body)).sum(),
                dropped: *dropped,
            },
            Rows::Sqlite(store, _) => store.tally().unwrap(),
        })
        .await
    }

    async fn append(&self, boot_id: String, seq: u64, body: String) -> Result<OutboxId, StoreError> {
        self.writes(|platter| {
            platter.stored.push((boot_id.clone(), seq));
            match &mut platter.rows {
                Rows::Memory { now, synced, .. } => {
                    let id = OutboxId(now.last().map_or(1, |entry| entry.id.0 + 1));
                    now.push(OutboxEntry { id, boot_id, seq, body });
                    // A log is synced as a whole: the removals before it are as lasting from now on.
                    synced.clone_from(now);
                    id
                }
                Rows::Sqlite(store, _) => store.append(&boot_id, seq, &body).unwrap(),
            }
        })
        .await
    }

    async fn oldest(&self, after: Option<OutboxId>) -> Result<Option<OutboxEntry>, StoreError> {
        self.reads(|platter| match &platter.rows {
            Rows::Memory { now, .. } => now.iter().find(|entry| Some(entry.id) > after).cloned(),
            Rows::Sqlite(store, _) => store.pending_after(after, 1).unwrap().into_iter().next(),
        })
        .await
    }

    async fn remove(&self, through: OutboxId) -> Result<(), StoreError> {
        self.writes(|platter| {
            let removed = platter.rows.all().into_iter().filter(|entry| entry.id <= through);
            let removed: Vec<_> = removed.map(|entry| (entry.boot_id, entry.seq)).collect();
            let lost = removed.into_iter().filter(|name| !platter.delivered.contains(name));
            platter.lost.extend(lost);
            match &mut platter.rows {
                Rows::Memory { now, .. } => now.retain(|entry| entry.id > through),
                Rows::Sqlite(store, _) => store.ack_through(through).unwrap(),
            }
        })
        .await
    }

    async fn drop_oldest(&self, bytes: u64, spare: Option<OutboxId>) -> Result<Dropped, StoreError> {
        self.writes(|platter| match &mut platter.rows {
            Rows::Memory { now, synced, dropped } => {
                let mut gone = Dropped::default();
                now.retain(|entry| {
                    let goes = Some(entry.id) > spare && gone.bytes < bytes;
                    if goes {
                        gone.events += 1;
                        gone.bytes += OutboxEntry::size_of(&entry.body);
                    }
                    !goes
                });
                *dropped += gone.events;
                synced.clone_from(now);
                gone
            }
            Rows::Sqlite(store, _) => store.drop_oldest(bytes, spare).unwrap(),
        })
        .await
    }

    async fn count_dropped(&self, events: u64) -> Result<(), StoreError> {
        self.writes(|platter| match &mut platter.rows {
            Rows::Memory { dropped, .. } => *dropped += events,
            Rows::Sqlite(store, _) => store.count_dropped(events).unwrap(),
        })
        .await
    }
}
