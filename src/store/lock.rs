//! One daemon on one database: a lock on a file beside it, for as long as the process lives.
//!
//! The system takes the lock back from a process that ends in whatever way, so the file may stay. Commands need no lock:
//! they share the database with the daemon.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::error::StoreError;
use super::make_or_open;

/// How often, and how long apart, the lock is tried again: a command that looks whether it is held has it for that moment.
const TRIES: usize = 25;
const REST: Duration = Duration::from_millis(20);

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
        let file = make_or_open(&path).map_err(|source| StoreError::File { path: path.clone(), source })?;
        let mut locked = file.try_lock();
        for _ in 1..TRIES {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::sleep(REST);
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::Taken { path: database.to_owned() }),
            // Some network file systems know no locks.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(%error, file = %path.display(), "cannot be locked: let no second daemon use the database");
            }
        }
        Ok(Self(file))
    }

    /// Whether a daemon works with this database; `None` where that cannot be known: this user may not look, or the file
    /// system knows no locks.
    #[must_use]
    pub fn is_taken(database: &Path) -> Option<bool> {
        let file = match File::open(database.with_extension("lock")) {
            Ok(file) => file,
            // Every daemon makes one.
            Err(error) if error.kind() == ErrorKind::NotFound => return Some(false),
            Err(_) => return None,
        };
        match file.try_lock_shared() {
            Ok(()) => Some(false),
            Err(TryLockError::WouldBlock) => Some(true),
            Err(TryLockError::Error(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_has_one_daemon_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("ecgid.sqlite");
        assert_eq!(DaemonLock::is_taken(&database), Some(false));
        let first = DaemonLock::take(&database).unwrap();
        assert_eq!(DaemonLock::is_taken(&database), Some(true));
        let refused = DaemonLock::take(&database).unwrap_err();
        assert!(matches!(refused, StoreError::Taken { .. }) && refused.may_pass());
        drop(first);
        assert_eq!(DaemonLock::is_taken(&database), Some(false));
        DaemonLock::take(&database).unwrap();
        assert!(DaemonLock::take(&directory.path().join("nowhere/ecgid.sqlite")).is_err());
    }

    #[test]
    fn a_command_that_only_looks_keeps_no_daemon_from_starting() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("ecgid.sqlite");
        drop(DaemonLock::take(&database).unwrap());
        let looking = File::open(database.with_extension("lock")).unwrap();
        looking.lock_shared().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(REST / 2);
                drop(looking);
            });
            DaemonLock::take(&database).unwrap();
        });
    }

    #[test]
    fn where_a_file_cannot_be_looked_at_nothing_is_known() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("ecgid.sqlite");
        std::os::unix::fs::symlink("ecgid.lock", database.with_extension("lock")).unwrap();
        assert_eq!(DaemonLock::is_taken(&database), None, "a link in a circle");
    }
}
