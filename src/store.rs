//! The database: one SQLite file with the gallery of enrolled subjects and the outbox of events.
//!
//! It knows nothing of MQTT, of models and of how templates are compared. Calls block for milliseconds (a commit waits
//! for the disk): async code wraps them in `spawn_blocking`. Why SQLite, why a write-ahead log and which commits are
//! synced: `docs/adr/0005-store.md`.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

mod announced;
mod error;
mod gallery;
mod history;
mod outbox;
mod schema;

pub use error::StoreError;
pub use gallery::{Reference, Subject, Template};
pub use history::{Change, HISTORY, NewEnrolment, NewPart, NewTemplate, OwnTemplate, Undone};
pub use outbox::{Dropped, OutboxEntry, OutboxId, Tally};

/// Wait for another process (`ecgid subjects`, `ecgid enrol`) to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle on the database; clones share one connection.
#[derive(Debug, Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
}

impl Store {
    /// Opens the database, makes it where it does not exist (mode 0600; the directory must be there), and brings an
    /// older one up to date.
    ///
    /// # Errors
    /// [`StoreError`]: no access, not one of our databases, or made by a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        let failed = |source| StoreError::Open { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        schema::check_owner(&connection, path)?;
        configure(&connection).map_err(failed)?;
        schema::migrate(&mut connection, path)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), path: path.to_owned() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file and checks that it is consistent; for `ecgid check`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what SQLite found.
    pub fn verify(&self) -> Result<(), StoreError> {
        let found: String = self
            .lock()
            .query_row("PRAGMA quick_check", [], |row| row.get(0))
            .map_err(StoreError::during("checking the database"))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { path: self.path.clone(), found }) }
    }

    /// A panic in another thread leaves no half-done state behind: SQLite rolls its transaction back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the file with mode 0600, or takes other people's rights from it. SQLite gives its side files the same mode.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // The answer is a row, hence `query_row`.
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch(
        // FULL: a commit is on the disk when it returns. secure_delete: what is deleted is overwritten. A temporary
        // file (VACUUM makes one) would be a copy of the gallery outside of its 0600 file, hence memory.
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.query_row("PRAGMA secure_delete = ON", [], |_| Ok(()))?;
    connection.query_row("PRAGMA journal_size_limit = 1048576", [], |_| Ok(()))
}
