//! The database: migrations, isolation of front ends, real deletion, and the order of the outbox.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ecgid::config::Slug;
use ecgid::store::{NewTemplate, Store, StoreError};

const FRONT_END: &str = "cwxs-bin/250/50/ecgid-chain-1";
const MODEL: &str = "ecgid-1";

fn slug(text: &str) -> Slug {
    Slug::subject(text).unwrap()
}

fn enrol(store: &Store, subject: &str, front_end: &str, model: &str, embedding: &[f32]) -> u32 {
    let new = NewTemplate { subject: &slug(subject), front_end, model, beats: 20, embedding, replaces: true };
    store.add_template(&new).unwrap()
}

fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("ecgid.sqlite")).unwrap();
    (directory, store)
}

/// Every byte that the database has in its directory, side files included.
fn all_bytes(directory: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// Sixty-four values that no other thing in the file looks like.
fn embedding(seed: f32) -> Vec<f32> {
    (0..64).map(|i| (seed + i as f32 * 0.7).sin() / 6.0).collect()
}

fn bytes_of(embedding: &[f32]) -> Vec<u8> {
    embedding.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn a_new_database_and_its_side_files_are_private() {
    let (directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    for entry in std::fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
}

#[test]
fn a_database_that_others_could_read_becomes_private() {
    let (directory, store) = open();
    let path = store.path().to_owned();
    drop(store);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    drop(directory);
}

#[test]
fn a_template_is_returned_as_it_was_stored() {
    let (_directory, store) = open();
    assert_eq!(enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0)), 1);
    let references = store.references(FRONT_END, MODEL).unwrap();
    assert_eq!(references.len(), 1);
    assert_eq!(references[0].subject, "alice");
    assert_eq!(references[0].revision, 1);
    assert_eq!(references[0].embedding, embedding(1.0));
}

#[test]
fn a_template_of_another_front_end_or_model_is_never_returned() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    enrol(&store, "bob", "ov9/125/50/ecgid-chain-1", MODEL, &embedding(2.0));
    enrol(&store, "carol", FRONT_END, "ecgid-2", &embedding(3.0));
    let names: Vec<_> = store.references(FRONT_END, MODEL).unwrap().into_iter().map(|r| r.subject).collect();
    assert_eq!(names, ["alice"]);
    assert!(store.references("raw9/250/50/ecgid-chain-1", MODEL).unwrap().is_empty());
    assert_eq!(store.subjects().unwrap().len(), 3);
}

#[test]
fn enrolling_again_replaces_the_template_and_counts_its_revision() {
    let (directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    assert_eq!(enrol(&store, "alice", FRONT_END, MODEL, &embedding(9.0)), 2);
    assert_eq!(enrol(&store, "alice", "ov9/125/50/ecgid-chain-1", MODEL, &embedding(5.0)), 1);
    let references = store.references(FRONT_END, MODEL).unwrap();
    assert_eq!((references.len(), references[0].revision), (1, 2));
    assert_eq!(references[0].embedding, embedding(9.0));
    drop(directory);
}

#[test]
fn a_subject_may_keep_several_templates() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    let (front_end, model, embedding) = (FRONT_END, MODEL, &embedding(2.0)[..]);
    let second = NewTemplate { subject: &slug("alice"), front_end, model, beats: 20, embedding, replaces: false };
    assert_eq!(store.add_template(&second).unwrap(), 2);
    let revisions: Vec<_> = store.references(FRONT_END, MODEL).unwrap().iter().map(|r| r.revision).collect();
    assert_eq!(revisions, [1, 2]);
    assert_eq!(store.subjects().unwrap()[0].templates.len(), 2);
}

#[test]
fn an_embedding_that_is_empty_or_not_finite_is_refused() {
    let (_directory, store) = open();
    for values in [&[][..], &[0.5, f32::NAN], &[f32::INFINITY]] {
        let (subject, front_end, model) = (&slug("alice"), FRONT_END, MODEL);
        let new = NewTemplate { subject, front_end, model, beats: 1, embedding: values, replaces: true };
        assert!(matches!(store.add_template(&new), Err(StoreError::UnusableEmbedding(_))));
    }
    assert!(store.subjects().unwrap().is_empty());
}

#[test]
fn a_deleted_subject_leaves_no_byte_in_any_file() {
    let (directory, store) = open();
    let secret = embedding(4.2);
    enrol(&store, "zebra-quartz", FRONT_END, MODEL, &secret);
    enrol(&store, "zebra-quartz", "ov9/125/50/x", MODEL, &secret);
    enrol(&store, "bob", FRONT_END, MODEL, &embedding(2.0));
    store.append("boot", 1, r#"{"state":"verified","subject":"zebra-quartz"}"#).unwrap();
    store.append("boot", 2, r#"{"state":"verified","subject":"bob"}"#).unwrap();
    assert!(holds(&all_bytes(directory.path()), b"zebra-quartz"), "the search must be able to find it");
    assert!(holds(&all_bytes(directory.path()), &bytes_of(&secret)[..32]));

    store.delete(&slug("zebra-quartz")).unwrap();

    let bytes = all_bytes(directory.path());
    assert!(!holds(&bytes, b"zebra-quartz"));
    assert!(!bytes_of(&secret).chunks(16).any(|part| holds(&bytes, part)));
    assert_eq!(store.subjects().unwrap().len(), 1, "nobody else is touched");
    let pending = store.pending(10).unwrap();
    assert_eq!(pending[0].body, r#"{"state":"verified","subject":null}"#, "the sequence keeps its event");
    assert_eq!(pending[1].body, r#"{"state":"verified","subject":"bob"}"#);
}

#[test]
fn a_subject_is_deleted_in_all_files_while_the_daemon_has_the_database_open() {
    let (directory, daemon) = open();
    enrol(&daemon, "zebra-quartz", FRONT_END, MODEL, &embedding(1.0));
    let before = daemon.gallery_revision().unwrap();
    let command_line = Store::open(daemon.path()).unwrap();
    command_line.delete(&slug("zebra-quartz")).unwrap();
    assert!(!holds(&all_bytes(directory.path()), b"zebra-quartz"));
    assert_ne!(daemon.gallery_revision().unwrap(), before, "the daemon can see that it must read again");
    assert!(daemon.references(FRONT_END, MODEL).unwrap().is_empty());
}

#[test]
fn a_renamed_subject_leaves_nothing_of_its_old_name() {
    let (directory, store) = open();
    enrol(&store, "zebra-quartz", FRONT_END, MODEL, &embedding(1.0));
    enrol(&store, "bob", FRONT_END, MODEL, &embedding(2.0));
    store.append("boot", 1, r#"{"subject":"zebra-quartz"}"#).unwrap();
    assert!(matches!(store.rename(&slug("zebra-quartz"), &slug("bob")), Err(StoreError::SubjectExists(_))));
    assert!(matches!(store.rename(&slug("nobody"), &slug("carol")), Err(StoreError::NoSuchSubject(_))));
    store.rename(&slug("zebra-quartz"), &slug("carol")).unwrap();
    let names: Vec<_> = store.references(FRONT_END, MODEL).unwrap().into_iter().map(|r| r.subject).collect();
    assert_eq!(names, ["bob", "carol"]);
    assert_eq!(store.pending(1).unwrap()[0].body, r#"{"subject":"carol"}"#);
    assert!(!holds(&all_bytes(directory.path()), b"zebra-quartz"));
}

#[test]
fn deleting_somebody_who_is_not_enrolled_says_so() {
    let (_directory, store) = open();
    assert!(matches!(store.delete(&slug("nobody")), Err(StoreError::NoSuchSubject(_))));
}

#[test]
fn words_of_the_contract_cannot_name_a_subject() {
    for word in ["none", "unknown", "deleted", "Alice", "a b", "", "a/b", "+", "ä", "-x"] {
        assert!(Slug::subject(word).is_err(), "{word}");
    }
}

#[test]
fn the_outbox_keeps_order_across_restarts_and_forgets_only_what_was_acknowledged() {
    let (directory, store) = open();
    let path = store.path().to_owned();
    let ids: Vec<_> = (1..=5).map(|seq| store.append("boot-a", seq, &format!("{{\"n\":{seq}}}")).unwrap()).collect();
    store.ack(ids[0]).unwrap();
    store.ack(ids[2]).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    store.append("boot-b", 1, "{}").unwrap();
    let pending: Vec<_> = store.pending(10).unwrap().into_iter().map(|e| (e.boot_id, e.seq)).collect();
    let expected = [("boot-a", 2), ("boot-a", 4), ("boot-a", 5), ("boot-b", 1)];
    assert_eq!(pending, expected.map(|(boot, seq)| (boot.to_owned(), seq)));
    assert_eq!(store.pending(2).unwrap().len(), 2);
    assert_eq!(store.pending_count().unwrap(), 4);
    drop(directory);
}

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
