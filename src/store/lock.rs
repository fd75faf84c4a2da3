//! One daemon on one database: a lock on a file beside it, for as long as the process lives.
//!
//! The system takes the lock back from a process that ends in whatever way, so the file may stay. Commands need no lock:
//! they share the database with the daemon.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::StoreError;

/// The right to be the daemon of a database; it ends when this is dropped.
#[derive(Debug)]
pub struct DaemonLock(#[expect(dead_code, reason = "held, not used")] File);

impl DaemonLock {
    /// Takes the lock of this database.
    ///
    /// # Errors
    /// [`StoreError::Taken`]: another daemon has it. [`StoreError::File`]: its file cannot be made.
    pub fn take(database: &Path) -> Result<Self, StoreError> {
        let path = database.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(|source| StoreError::File { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Taken { path: database.to_owned() }),
            // Some network file systems know no locks.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, file = %path.display(), "cannot be locked: let no second daemon use the database");
            }
        }
        Ok(Self(file))
    }

    /// A daemon works with this database; false where this user may not know.
    #[must_use]
    pub fn is_taken(database: &Path) -> bool {
        let file = File::open(database.with_extension("lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_daemon_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("ecgid.sqlite");
        assert!(!DaemonLock::is_taken(&database));
        let first = DaemonLock::take(&database).unwrap();
        assert!(DaemonLock::is_taken(&database));
        let refused = DaemonLock::take(&database).unwrap_err();
        assert!(matches!(refused, StoreError::Taken { .. }) && refused.may_pass());
        drop(first);
        assert!(!DaemonLock::is_taken(&database));
        DaemonLock::take(&database).unwrap();
        assert!(DaemonLock::take(&directory.path().join("nowhere/ecgid.sqlite")).is_err());
    }
}
