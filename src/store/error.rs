//! What can go wrong with the database, said so that the reader can mend it.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::config::Slug;
use crate::keys::{KeyError, disk_may_recover};

/// Why an operation on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made, read or written.
    #[error("cannot open the database {}: {source}; check that the directory exists and is writable", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite cannot use the file.
    #[error("cannot open the database {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// Another daemon works with it.
    #[error(
        "another ecgid runs on the database {}: stop that one, or give this one a database of its own in [store] path",
        path.display()
    )]
    Taken {
        /// The database.
        path: PathBuf,
    },
    /// A database, but not one of ours.
    #[error("{} is a database of another program; name another file in [store] path", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Made by a newer version of this program.
    #[error("the database {} has version {found}, this program knows versions up to {known}; update it", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Version of the file.
        found: u32,
        /// Newest version that is known here.
        known: u32,
    },
    /// The file is inconsistent.
    #[error("the database {} is damaged ({found}); restore it from a backup or enrol again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        found: String,
    },
    /// There is no key, or none that may be used.
    #[error(
        "the templates in {} cannot be decrypted: {source}; put the key back, or remove the database and enrol again",
        path.display()
    )]
    NoKey {
        /// The database.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// A key for a new database cannot be made.
    #[error("the templates in {} are to be encrypted: {source}", path.display())]
    NewKey {
        /// The database.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// The key is that of another database.
    #[error(
        "the templates in {} are encrypted with the key {expected}, {} holds the key {found}; put the right one there, or \
         remove the database and enrol again",
        path.display(),
        key.display()
    )]
    WrongKey {
        /// The database.
        path: PathBuf,
        /// File of the key.
        key: PathBuf,
        /// Id of the key that it needs.
        expected: String,
        /// Id of the key that there is.
        found: String,
    },
    /// A template that the key does not open: changed, or moved from another row.
    #[error(
        "a template of {subject} in {} is damaged or was put there by somebody else; delete {subject} and enrol again: \
         ecgid subjects delete {subject}",
        path.display()
    )]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// Whose it seems to be.
        subject: String,
    },
    /// An operation failed.
    #[error("{action} failed: {source}")]
    Sqlite {
        /// What was attempted.
        action: &'static str,
        /// Why.
        source: rusqlite::Error,
    },
    /// Nobody is enrolled under this name.
    #[error("no subject is named {0}; `ecgid subjects list` shows who is enrolled")]
    NoSuchSubject(Slug),
    /// Somebody is enrolled under this name.
    #[error("a subject is already named {0}")]
    SubjectExists(Slug),
    /// An embedding is empty or has a value that is no number.
    #[error("the template for {0} is not usable: its embedding is empty or not finite")]
    UnusableEmbedding(Slug),
    /// The template that an update came from does not count any more.
    #[error("the template of {0} that was to be updated has been replaced meanwhile; run the command again")]
    NoSuchTemplate(Slug),
    /// No enrolment of this subject is left that could be taken back.
    #[error("there is no enrolment of {0} to take back")]
    NothingToUndo(Slug),
}

impl StoreError {
    /// It may pass without anybody changing the configuration: a disk that is full or fails, another program that holds
    /// the database.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        use ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};
        match self {
            Self::Taken { .. } => true,
            Self::File { source, .. } => disk_may_recover(source),
            Self::NewKey { source, .. } => source.may_pass(),
            Self::Open { source, .. } | Self::Sqlite { source, .. } => source
                .sqlite_error_code()
                .is_some_and(|code| matches!(code, DatabaseBusy | DatabaseLocked | DiskFull | SystemIoFailure)),
            _ => false,
        }
    }

    /// SQLite cannot use the file at `path`. Where it cannot make a file beside it, it does not say why: the directory is
    /// asked for the reason.
    pub(super) fn opening(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        if source.sqlite_error_code() == Some(ErrorCode::CannotOpen)
            && let Err(source) = probe(&path)
        {
            return Self::File { path, source };
        }
        Self::Open { path, source }
    }

    /// Turns an error of SQLite into one that says what was attempted.
    pub(super) fn during(action: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| Self::Sqlite { action, source }
    }
}

/// Makes a file beside the database and removes it.
fn probe(database: &Path) -> std::io::Result<()> {
    let file = database.with_extension("probe");
    File::create(&file)?;
    std::fs::remove_file(&file)
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn a_full_disk_may_pass_and_a_foreign_file_does_not() {
        let open = |code| StoreError::Open {
            path: "db".into(),
            source: rusqlite::Error::SqliteFailure(ffi::Error::new(code), None),
        };
        assert!(open(ffi::SQLITE_FULL).may_pass());
        assert!(open(ffi::SQLITE_IOERR_SHMSIZE).may_pass(), "what a full disk says to the first program that opens it");
        assert!(!open(ffi::SQLITE_CANTOPEN).may_pass());
        assert!(!open(ffi::SQLITE_NOTADB).may_pass());
        assert!(!StoreError::NotOurs { path: "db".into() }.may_pass());
        let file = |code| std::io::Error::from_raw_os_error(code);
        // ENOSPC, which no free inode is, too; EDQUOT; EIO; ENOENT; EACCES.
        for (code, passes) in [(28, true), (122, true), (5, true), (2, false), (13, false)] {
            assert_eq!(StoreError::File { path: "db".into(), source: file(code) }.may_pass(), passes, "{code}");
            let key = KeyError::File { action: "make", path: "key".into(), source: file(code) };
            assert_eq!(StoreError::NewKey { path: "db".into(), source: key }.may_pass(), passes, "{code}");
        }
    }

    #[test]
    fn where_sqlite_cannot_make_a_file_the_directory_says_why() {
        let cannot = || rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), None);
        let nowhere = StoreError::opening(Path::new("/nowhere/ecgid.sqlite"), cannot());
        assert!(matches!(&nowhere, StoreError::File { source, .. } if source.kind() == std::io::ErrorKind::NotFound));
        let directory = tempfile::tempdir().unwrap();
        let fine = StoreError::opening(&directory.path().join("ecgid.sqlite"), cannot());
        assert!(matches!(fine, StoreError::Open { .. }));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing stays");
    }
}
