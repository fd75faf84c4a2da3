//! Where the outbox lies, as the journal sees it: each call waits for the disk without holding up other tasks.
//!
//! The store is behind it; the proofs put a disk in its place that refuses, stops and forgets.

use crate::store::{Dropped, OutboxEntry, OutboxId, Store, StoreError, Tally};

/// An outbox on a disk. A call that has returned an error may have taken effect all the same.
pub(super) trait Disk: Send + Sync + 'static {
    /// What waits, and what was dropped.
    fn tally(&self) -> impl Future<Output = Result<Tally, StoreError>> + Send;
    /// Stores an event; it outlives a power cut when this returns.
    fn append(
        &self,
        boot_id: String,
        seq: u64,
        body: String,
    ) -> impl Future<Output = Result<OutboxId, StoreError>> + Send;
    /// The oldest event after that one.
    fn oldest(&self, after: Option<OutboxId>) -> impl Future<Output = Result<Option<OutboxEntry>, StoreError>> + Send;
    /// Removes that event and all before it; a power cut may undo that.
    fn remove(&self, through: OutboxId) -> impl Future<Output = Result<(), StoreError>> + Send;
    /// Drops the oldest events after `spare` until so many bytes are free, and counts them.
    fn drop_oldest(
        &self,
        bytes: u64,
        spare: Option<OutboxId>,
    ) -> impl Future<Output = Result<Dropped, StoreError>> + Send;
    /// Counts events that were dropped before they could be stored.
    fn count_dropped(&self, events: u64) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl Disk for Store {
    async fn tally(&self) -> Result<Tally, StoreError> {
        blocking(self, Store::tally).await
    }

    async fn append(&self, boot_id: String, seq: u64, body: String) -> Result<OutboxId, StoreError> {
        blocking(self, move |store| store.append(&boot_id, seq, &body)).await
    }

    async fn oldest(&self, after: Option<OutboxId>) -> Result<Option<OutboxEntry>, StoreError> {
        blocking(self, move |store| store.pending_after(after, 1)).await.map(|entries| entries.into_iter().next())
    }

    async fn remove(&self, through: OutboxId) -> Result<(), StoreError> {
        blocking(self, move |store| store.ack_through(through)).await
    }

    async fn drop_oldest(&self, bytes: u64, spare: Option<OutboxId>) -> Result<Dropped, StoreError> {
        blocking(self, move |store| store.drop_oldest(bytes, spare)).await
    }

    async fn count_dropped(&self, events: u64) -> Result<(), StoreError> {
        blocking(self, move |store| store.count_dropped(events)).await
    }
}

/// Runs a call that waits for the disk beside the async tasks.
async fn blocking<T: Send + 'static>(
    store: &Store,
    call: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let store = store.clone();
    match tokio::task::spawn_blocking(move || call(&store)).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and polls nobody any more.
            Err(_) => std::future::pending().await,
        },
    }
}
