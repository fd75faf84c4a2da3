//! Events on their way to the broker: appended and synced before the first publish, removed when the broker has
//! acknowledged them.
//!
//! A body is a JSON object; the store knows one field of it, `subject`, because deleting a subject reaches here too.

use rusqlite::{Connection, params};

use super::Store;
use super::error::StoreError;
use crate::config::Slug;

/// Names an entry within the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutboxId(i64);

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
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let read = |connection: &Connection| -> rusqlite::Result<Vec<OutboxEntry>> {
            connection
                .prepare("SELECT id, boot_id, seq, body FROM outbox ORDER BY id LIMIT ?1")?
                .query_map(params![limit], |row| {
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

    /// Removes an event that the broker has acknowledged. Not synced: a removal that a power cut undoes makes a
    /// duplicate with an equal id, never a loss, and the disk is spared one of two syncs per event.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn ack(&self, id: OutboxId) -> Result<(), StoreError> {
        let connection = self.lock();
        let run = || {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let removed = connection.execute("DELETE FROM outbox WHERE id = ?1", params![id.0]);
            connection.execute_batch("PRAGMA synchronous = FULL")?;
            removed.map(|_| ())
        };
        run().map_err(StoreError::during("removing an acknowledged event"))
    }
}

/// Puts another name, or none, in the place of a subject's name in every waiting event.
pub(super) fn replace_subject(connection: &Connection, from: &Slug, to: Option<&Slug>) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE outbox SET body = json_set(body, '$.subject', ?2) WHERE json_extract(body, '$.subject') = ?1",
        params![from.as_str(), to.map(Slug::as_str)],
    )?;
    Ok(())
}
