//! Events on their way to the broker: appended and synced before the first publish, removed when the broker has
//! acknowledged them.
//!
//! A body is a JSON object; the store knows two fields of it: `subject`, because deleting a subject reaches here too, and
//! `signature`, which does not fit any more then.

use rusqlite::{Connection, Row, TransactionBehavior, params};

use super::Store;
use super::error::StoreError;
use crate::config::Slug;

/// What an entry takes beside its body: the name of its start, its numbers, and its share of a page.
const ENTRY_OVERHEAD: u64 = 64;

/// Names an entry within the outbox; a later entry has a greater name than those that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutboxId(pub(crate) i64);

/// An event that no broker has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Names it for [`Store::ack`].
    pub id: OutboxId,
    /// The start of the daemon that issued it.
    pub boot_id: String,
    /// Its number among the events of that start, from 1, without gaps.
    pub seq: u64,
    /// The event as a JSON object.
    pub body: String,
}

impl OutboxEntry {
    /// What an entry with this body counts for, bytes.
    #[must_use]
    pub fn size_of(body: &str) -> u64 {
        body.len() as u64 + ENTRY_OVERHEAD
    }
}

/// What the outbox holds, and what it could not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that wait.
    pub waiting: u64,
    /// What they count for, bytes.
    pub bytes: u64,
    /// Events that were dropped undelivered, by all starts on this database.
    pub dropped: u64,
}

/// What was dropped to make room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Events.
    pub events: u64,
    /// What they counted for, bytes.
    pub bytes: u64,
}

impl Store {
    /// Stores an event; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], for instance on a full disk; nothing is stored then.
    pub fn append(&self, boot_id: &str, seq: u64, body: &str) -> Result<OutboxId, StoreError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        let connection = self.lock();
        // Not `RETURNING`: after its first row the commit happens when the statement is reset, and a disk that is full
        // only then would not be heard of.
        connection
            .execute("INSERT INTO outbox (boot_id, seq, body) VALUES (?1, ?2, ?3)", params![boot_id, seq, body])
            .map_err(StoreError::during("storing an event"))?;
        Ok(OutboxId(connection.last_insert_rowid()))
    }

    /// The oldest events, at most `limit`, in the order in which they were stored.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn pending(&self, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        self.pending_after(None, limit)
    }

    /// The same, of those that were stored after `after`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn pending_after(&self, after: Option<OutboxId>, limit: usize) -> Result<Vec<OutboxEntry>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let after = after.map_or(0, |id| id.0);
        let read = |connection: &Connection| -> rusqlite::Result<Vec<OutboxEntry>> {
            connection
                .prepare("SELECT id, boot_id, seq, body FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2")?
                .query_map(params![after, limit], |row| {
                    Ok(OutboxEntry {
                        id: OutboxId(row.get(0)?),
                        boot_id: row.get(1)?,
                        seq: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                        body: row.get(3)?,
                    })
                })?
                .collect()
        };
        read(&self.lock()).map_err(StoreError::during("reading the outbox"))
    }

    /// How many events wait.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn pending_count(&self) -> Result<u64, StoreError> {
        let count: i64 = self
            .lock()
            .query_row("SELECT count(*) FROM outbox", [], |row| row.get(0))
            .map_err(StoreError::during("counting the outbox"))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// What waits, and what was dropped. Reads the whole outbox.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn tally(&self) -> Result<Tally, StoreError> {
        let count = |row: &Row<'_>, column: usize| row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0));
        self.lock()
            .query_row(
                "SELECT count(*), coalesce(sum(octet_length(body) + ?1), 0), (SELECT dropped_events FROM delivery)
                 FROM outbox",
                [ENTRY_OVERHEAD as i64],
                |row| Ok(Tally { waiting: count(row, 0)?, bytes: count(row, 1)?, dropped: count(row, 2)? }),
            )
            .map_err(StoreError::during("counting the outbox"))
    }

    /// Removes an event that the broker has acknowledged. Not synced: a removal that a power cut undoes makes a
    /// duplicate with an equal id, never a loss, and the disk is spared one of two syncs per event.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn ack(&self, id: OutboxId) -> Result<(), StoreError> {
        self.remove_unsynced("DELETE FROM outbox WHERE id = ?1", id)
    }

    /// The same for an event and all that were stored before it.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn ack_through(&self, id: OutboxId) -> Result<(), StoreError> {
        self.remove_unsynced("DELETE FROM outbox WHERE id <= ?1", id)
    }

    fn remove_unsynced(&self, delete: &str, id: OutboxId) -> Result<(), StoreError> {
        let connection = self.lock();
        let run = || {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let removed = connection.execute(delete, params![id.0]);
            connection.execute_batch("PRAGMA synchronous = FULL")?;
            removed.map(|_| ())
        };
        run().map_err(StoreError::during("removing an acknowledged event"))
    }

    /// Makes room for `bytes` by dropping the oldest events stored after `spare`, as few as possible, and counts them on
    /// the disk: all of that or nothing.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn drop_oldest(&self, bytes: u64, spare: Option<OutboxId>) -> Result<Dropped, StoreError> {
        let mut connection = self.lock();
        let mut run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let dropped = drop_oldest(&transaction, bytes, spare.map_or(0, |id| id.0))?;
            add_dropped(&transaction, dropped.events)?;
            transaction.commit()?;
            Ok(dropped)
        };
        run().map_err(StoreError::during("making room in the outbox"))
    }

    /// Counts events that were dropped before they could be stored.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn count_dropped(&self, events: u64) -> Result<(), StoreError> {
        add_dropped(&self.lock(), events).map_err(StoreError::during("counting dropped events"))
    }
}

fn drop_oldest(connection: &Connection, bytes: u64, spare: i64) -> rusqlite::Result<Dropped> {
    let (mut dropped, mut last) = (Dropped::default(), spare);
    let mut oldest = connection.prepare("SELECT id, octet_length(body) FROM outbox WHERE id > ?1 ORDER BY id")?;
    let mut rows = oldest.query([spare])?;
    while dropped.bytes < bytes
        && let Some(row) = rows.next()?
    {
        last = row.get(0)?;
        dropped.events += 1;
        dropped.bytes += u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0) + ENTRY_OVERHEAD;
    }
    connection.execute("DELETE FROM outbox WHERE id > ?1 AND id <= ?2", [spare, last])?;
    Ok(dropped)
}

fn add_dropped(connection: &Connection, events: u64) -> rusqlite::Result<()> {
    let events = i64::try_from(events).unwrap_or(i64::MAX);
    connection.execute("UPDATE delivery SET dropped_events = dropped_events + ?1", [events])?;
    Ok(())
}

/// Puts another name, or none, in the place of a subject's name in every waiting event, and takes its signature off.
pub(super) fn replace_subject(connection: &Connection, from: &Slug, to: Option<&Slug>) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE outbox SET body = json_replace(json_set(body, '$.subject', ?2), '$.signature', NULL)
         WHERE json_extract(body, '$.subject') = ?1",
        params![from.as_str(), to.map(Slug::as_str)],
    )?;
    Ok(())
}
