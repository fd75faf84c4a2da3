//! Files that are opened as a database: ours when sound, and those of others, which are left alone.

use std::os::unix::fs::{MetadataExt, chown};

use ecgid::store::DaemonLock;

use super::*;

#[test]
fn a_newer_database_is_refused_and_left_as_it_is() {
    let (_directory, store) = open();
    let path = store.path().to_owned();
    drop(store);
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 1000).unwrap();
    let error = Store::open(&path).expect_err("must be refused").to_string();
    assert!(error.contains("version 1000") && error.contains("update"), "{error}");
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::NotOurs { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("text");
    std::fs::write(&path, "this is not a database, it is a long enough line of text to be read as a header").unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Open { .. })));
    let error = Store::open(&directory.path().join("missing/ecgid.sqlite")).expect_err("no directory").to_string();
    assert!(error.contains("check that the directory exists"), "{error}");
}

#[test]
fn a_sound_database_passes_its_check() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    store.verify().unwrap();
}

#[test]
fn a_database_that_an_administrator_makes_belongs_to_the_owner_of_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    if chown(directory.path(), Some(12345), Some(12346)).is_err() {
        skipped!("SKIPPED: only an administrator can give a directory to somebody else");
        return;
    }
    let path = directory.path().join("ecgid.sqlite");
    let _daemon = DaemonLock::take(&path).unwrap();
    let store = Store::open(&path).unwrap();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    let owned = |name: &str| {
        let made = directory.path().join(name).metadata().unwrap();
        (made.uid(), made.gid(), made.permissions().mode() & 0o777)
    };
    for name in ["ecgid.sqlite", "ecgid.sqlite-wal", "ecgid.sqlite-shm", "ecgid.lock", "template-key"] {
        assert_eq!(owned(name), (12345, 12346, 0o600), "{name}");
    }
    drop(store);
    chown(&path, Some(0), Some(0)).unwrap();
    drop(Store::open(&path).unwrap());
    assert_eq!(owned("ecgid.sqlite").0, 0, "one that was there is not given away");
}
