//! Wiping: what was deleted is in no file of the database afterwards.
//!
//! A change that deletes notes in its own transaction that old pages are left (`vault.wiped`), and wipes them once it is
//! committed. Where that cannot be done, because another program holds old pages or the disk is full, the change stands
//! all the same and the note stays: the next change, the next start and the running daemon try again. It knows nothing of
//! what was deleted.

use std::time::Duration;

use rusqlite::{Connection, ErrorCode, params};

use super::error::StoreError;
use super::{BUSY_TIMEOUT, Store};

/// What people are told where a change is done and old pages are left.
pub const NOT_WIPED: &str = "old pages of the database are still held by another program, or its disk is full: they are \
                             wiped as soon as that has passed, by the daemon or by the next command";

/// Notes that old pages are left; part of the transaction that leaves them.
pub(super) fn note_old_pages(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("UPDATE vault SET wiped = 0", []).map(drop)
}

impl Store {
    /// Whether nothing is left of what was deleted, in any file of the database.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn is_wiped(&self) -> Result<bool, StoreError> {
        is_wiped(&self.lock()).map_err(StoreError::during("reading whether old pages are left"))
    }

    /// Wipes old pages where some are left, and says whether none are left now. It does not wait for whoever holds them:
    /// the daemon calls it every now and then.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], for instance on a full disk.
    pub fn wipe_old_pages(&self) -> Result<bool, StoreError> {
        self.wipe(Duration::ZERO).map_err(StoreError::during("wiping old pages"))
    }

    /// The same after a change, which stands whatever comes of it; who holds old pages is waited for.
    pub(super) fn wipe_after_change(&self) {
        match self.wipe(BUSY_TIMEOUT) {
            Ok(true) => {}
            Ok(false) => tracing::warn!("old pages of the database are held by another program; to be wiped later"),
            Err(error) => tracing::warn!(%error, "old pages of the database cannot be wiped now; to be wiped later"),
        }
    }

    fn wipe(&self, patience: Duration) -> rusqlite::Result<bool> {
        let connection = self.lock();
        if is_wiped(&connection)? {
            return Ok(true);
        }
        connection.busy_timeout(patience)?;
        let wiped = match wipe(&connection) {
            Err(error) if is_busy(&error) => Ok(false),
            other => other,
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        wiped
    }
}

fn is_wiped(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT wiped FROM vault", [], |row| row.get(0))
}

/// Rewrites the file without its free space and empties the log: both may hold old pages. False where they are held.
fn wipe(connection: &Connection) -> rusqlite::Result<bool> {
    // First: while somebody reads an old state, rewriting the file would only make the log longer.
    if !empty_log(connection)? {
        return Ok(false);
    }
    let revision: i64 = connection.query_row("SELECT revision FROM gallery", [], |row| row.get(0))?;
    connection.execute_batch("VACUUM")?;
    if !empty_log(connection)? {
        return Ok(false);
    }
    // Not where another program has changed the gallery meanwhile: it may have left pages of its own.
    let noted = connection
        .execute("UPDATE vault SET wiped = 1 WHERE (SELECT revision FROM gallery) = ?1", params![revision])?;
    Ok(noted > 0)
}

/// False where somebody reads it.
fn empty_log(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map(|busy: i64| busy == 0)
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
