//! The database: one SQLite file with the gallery of enrolled subjects and the outbox of events.
//!
//! Templates are encrypted (`vault.rs`); names, counts and waiting events are not. It knows nothing of MQTT, of models
//! and of how templates are compared. Calls block for milliseconds (a commit waits
//! for the disk): async code wraps them in `spawn_blocking`. Why SQLite, why a write-ahead log and which commits are
//! synced: `docs/adr/0005-store.md`; what is encrypted and why: `docs/adr/0023-keys-templates-and-claims.md`.

use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use crate::config::KeysConfig;
use crate::keys::{Purpose, SecretKey, hand_over};
use vault::Vault;

mod announced;
mod error;
mod gallery;
mod history;
mod lock;
mod outbox;
mod schema;
mod vault;
mod wipe;

pub use error::StoreError;
pub use gallery::{Reference, Subject, Template};
pub use history::{Change, HISTORY, NewEnrolment, NewPart, NewTemplate, OwnTemplate, Undone};
pub use lock::DaemonLock;
pub use outbox::{Dropped, OutboxEntry, OutboxId, Tally};
pub use wipe::NOT_WIPED;

/// Wait for another process (`ecgid subjects`, `ecgid enrol`) to finish its transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A handle on the database; clones share one connection.
#[derive(Debug, Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
    vault: Arc<Vault>,
}

impl Store {
    /// As [`Store::open_with`], with the key that lies beside the database.
    ///
    /// # Errors
    /// As [`Store::open_with`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &KeysConfig::default())
    }

    /// Opens the database, makes it where it does not exist (mode 0600; the directory must be there), and brings an
    /// older one up to date. The key of its templates is made with the first of them; a database that has encrypted ones
    /// needs that key.
    ///
    /// # Errors
    /// [`StoreError`]: no access, not one of our databases, made by a newer version, no key or another one.
    pub fn open_with(path: &Path, keys: &KeysConfig) -> Result<Self, StoreError> {
        make_private(path).map_err(|source| StoreError::File { path: path.to_owned(), source })?;
        let failed = |source| StoreError::opening(path, source);
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        schema::check_owner(&connection, path)?;
        configure(&connection).map_err(failed)?;
        let key = key(&connection, path, keys)?;
        let vault = Arc::new(Vault::new(&key));
        schema::migrate(&mut connection, path, &vault)?;
        let expected: String =
            connection.query_row("SELECT key_id FROM vault", [], |row| row.get(0)).map_err(failed)?;
        if expected != vault.key_id() {
            let (found, key) = (vault.key_id().to_owned(), key.found_in().to_owned());
            return Err(StoreError::WrongKey { path: path.to_owned(), key, expected, found });
        }
        let store = Self { connection: Arc::new(Mutex::new(connection)), path: path.to_owned(), vault };
        if let Err(error) = store.wipe_old_pages() {
            // The database can be used meanwhile.
            tracing::warn!(%error, "old pages of the database cannot be wiped now; to be wiped later");
        }
        Ok(store)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole file and checks that it is consistent and that every template opens; for `ecgid check`.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with what SQLite found, [`StoreError::Unreadable`].
    pub fn verify(&self) -> Result<(), StoreError> {
        let found: String = self
            .lock()
            .query_row("PRAGMA quick_check", [], |row| row.get(0))
            .map_err(StoreError::during("checking the database"))?;
        if found != "ok" {
            return Err(StoreError::Damaged { path: self.path.clone(), found });
        }
        self.check_templates().map(drop)
    }

    /// A panic in another thread leaves no half-done state behind: SQLite rolls its transaction back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of the templates. Only a database that has no encrypted ones gets a new key.
fn key(connection: &Connection, path: &Path, keys: &KeysConfig) -> Result<SecretKey, StoreError> {
    let place = keys.template(path);
    if schema::is_encrypted(connection, path)? {
        SecretKey::read(Purpose::Templates, &place)
            .map_err(|source| StoreError::NoKey { path: path.to_owned(), source })
    } else {
        SecretKey::read_or_make(Purpose::Templates, &place)
            .map_err(|source| StoreError::NewKey { path: path.to_owned(), source })
    }
}

/// Makes the file with mode 0600, or takes other people's rights from it. SQLite gives its side files the same mode and
/// owner.
fn make_private(path: &Path) -> std::io::Result<()> {
    let file = make_or_open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Makes a file with mode 0600 that belongs to the owner of its directory where root makes it, or opens what is there.
fn make_or_open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).truncate(false).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            hand_over(&file, path)?;
            Ok(file)
        }
        // A link that leads nowhere is there, too: its file is made.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => options.create(true).open(path),
        Err(error) => Err(error),
    }
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
