//! Templates in the file: encrypted, bound to their rows, and what was plain before is gone.

use super::*;

#[test]
fn a_database_of_an_earlier_version_holds_no_plain_template_once_it_was_opened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecgid.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    // Everything stays in the log, as a daemon that was killed leaves it.
    old.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    old.execute_batch("PRAGMA wal_autocheckpoint = 0").unwrap();
    old.execute_batch(FIRST_VERSION).unwrap();
    for subject in 1..=3 {
        let blob = bytes_of(&embedding(subject as f32));
        let row = rusqlite::params![subject, FRONT_END, MODEL, 1, 20, blob, 1000];
        old.execute("INSERT INTO template VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row).unwrap();
    }
    drop(old);
    let plain = |bytes: &[u8]| {
        [1.0, 2.0, 3.0].iter().any(|&seed| bytes_of(&embedding(seed)).chunks(16).any(|part| holds(bytes, part)))
    };
    assert!(plain(&all_bytes(directory.path())), "the search must be able to find it");
    let store = Store::open(&path).unwrap();
    assert!(!plain(&all_bytes(directory.path())));
    assert_eq!(embeddings(&store), [1.0, 2.0, 3.0].map(embedding));
    drop(store);
    assert_eq!(embeddings(&Store::open(&path).unwrap()), [1.0, 2.0, 3.0].map(embedding));
}

#[test]
fn plain_templates_that_could_not_be_wiped_are_wiped_by_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecgid.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    old.execute_batch(FIRST_VERSION).unwrap();
    let row = rusqlite::params![1, FRONT_END, MODEL, 1, 20, bytes_of(&embedding(1.0)), 1000];
    old.execute("INSERT INTO template VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row).unwrap();
    // Another program that reads keeps the old pages where they are.
    old.execute_batch("BEGIN").unwrap();
    old.query_row("SELECT count(*) FROM template", [], |_| Ok(())).unwrap();
    let store = Store::open(&path).unwrap();
    let plain = |bytes: &[u8]| holds(bytes, &bytes_of(&embedding(1.0))[..32]);
    assert!(plain(&all_bytes(directory.path())), "the reader holds them");
    assert_eq!(embeddings(&store), [embedding(1.0)], "the database can be used meanwhile");
    old.execute_batch("COMMIT").unwrap();
    drop((old, store));
    let _store = Store::open(&path).unwrap();
    assert!(!plain(&all_bytes(directory.path())));
}

#[test]
fn a_template_is_encrypted_with_the_key_beside_the_database() {
    let (directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    let bytes = all_bytes(directory.path());
    assert!(!bytes_of(&embedding(1.0)).chunks(16).any(|part| holds(&bytes, part)));
    let path = store.path().to_owned();
    drop(store);
    let key = directory.path().join("template-key");
    let text = std::fs::read_to_string(&key).unwrap();
    std::fs::rename(&key, directory.path().join("elsewhere")).unwrap();

    let error = Store::open(&path).expect_err("no key").to_string();
    assert!(error.contains("cannot be decrypted") && error.contains("template-key"), "{error}");
    assert!(!key.exists(), "a new key would only hide that the old one is missing");

    let other = tempfile::tempdir().unwrap();
    drop(Store::open(&other.path().join("ecgid.sqlite")).unwrap());
    std::fs::copy(other.path().join("template-key"), &key).unwrap();
    let error = Store::open(&path).expect_err("another key").to_string();
    assert!(error.contains("encrypted with the key"), "{error}");
    assert!(!error.contains(text.split(' ').nth(1).unwrap().trim()), "the error does not say the key");

    std::fs::rename(directory.path().join("elsewhere"), &key).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!(embeddings(&store), [embedding(1.0)]);
    assert!(!format!("{store:?}").contains(text.split(' ').nth(1).unwrap().trim()));
}

#[test]
fn two_templates_with_the_same_values_look_nothing_alike() {
    let (_directory, store) = open();
    change(&store, Change::Enrol, &[1.0, 1.0]);
    let sealed = sealed_rows(store.path());
    assert_eq!(sealed[0].1.len(), sealed[1].1.len());
    let equal = sealed[0].1.iter().zip(&sealed[1].1).filter(|(a, b)| a == b).count();
    assert!(equal < sealed[0].1.len() / 8, "{equal} bytes are equal");
}

/// What lies in the table, by part.
pub(super) fn sealed_rows(path: &Path) -> Vec<(i64, Vec<u8>)> {
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT id, sealed FROM part ORDER BY id").unwrap();
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_template_that_was_moved_or_changed_is_refused() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    enrol(&store, "bob", FRONT_END, MODEL, &embedding(2.0));
    let path = store.path().to_owned();
    let rows = sealed_rows(&path);
    let tampered = |statement: &str, bytes: &[u8]| {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute(statement, [bytes]).unwrap();
        let error = store.references(FRONT_END, MODEL, None).expect_err(statement);
        assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
        assert!(store.own_templates(&slug("alice"), FRONT_END, MODEL).is_err());
        connection.execute("UPDATE part SET sealed = ?1 WHERE id = 1", [&rows[0].1]).unwrap();
        assert_eq!(store.references(FRONT_END, MODEL, None).unwrap().len(), 2);
    };
    tampered("UPDATE part SET sealed = ?1 WHERE id = 1", &rows[1].1);
    for at in [0, 30, rows[0].1.len() - 1] {
        let mut changed = rows[0].1.clone();
        changed[at] ^= 1;
        tampered("UPDATE part SET sealed = ?1 WHERE id = 1", &changed);
    }
    tampered("UPDATE part SET sealed = ?1 WHERE id = 1", &rows[0].1[..20]);

    // Whole rows given to somebody else, or to another front end or model.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE enrolment SET subject_id = 3 - subject_id, revision = revision + 10").unwrap();
    assert!(matches!(store.references(FRONT_END, MODEL, None), Err(StoreError::Unreadable { .. })));
    connection.execute_batch("UPDATE enrolment SET subject_id = 3 - subject_id, model = 'other'").unwrap();
    assert!(matches!(store.references(FRONT_END, "other", None), Err(StoreError::Unreadable { .. })));
    store.delete(&slug("alice")).unwrap();
    store.delete(&slug("bob")).unwrap();
}
