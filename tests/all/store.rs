//! The database: migrations, isolation of front ends, real deletion, and the order of the outbox.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ecg_identity::{Cohort, CohortRule};
use ecgid::config::Slug;
use ecgid::store::{
    Change, Dropped, HISTORY, NewEnrolment, NewPart, NewTemplate, OutboxEntry, Store, StoreError, Tally,
};

#[path = "store/encrypted.rs"]
mod encrypted;
#[path = "store/opened.rs"]
mod opened;
#[path = "store/wiped.rs"]
mod wiped;

use encrypted::sealed_rows;

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

/// Sixty-four values that no other thing in the file looks like, that of another seed included.
/// Exact numbers: a sine may differ in its last digit between what the compiler works out and what the machine does.
fn embedding(seed: f32) -> Vec<f32> {
    (0..64).map(|i| ((7.0 * seed + (i * i * 3) as f32) % 131.0 - 64.0) / 512.0).collect()
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
    let references = store.references(FRONT_END, MODEL, None).unwrap();
    assert_eq!(references.len(), 1);
    assert_eq!(references[0].subject, "alice");
    assert_eq!(references[0].revision, 1);
    assert_eq!(references[0].template.embedding, embedding(1.0));
}

#[test]
fn templates_come_with_what_the_models_cohort_takes_off_their_scores() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    let offset = |cohort: Option<&Cohort>| store.references(FRONT_END, MODEL, cohort).unwrap()[0].template.offset;
    let strangers = [embedding(1.0), embedding(1.5), embedding(9.0)];
    let cohort = Cohort::new(&strangers, CohortRule::default()).unwrap();
    assert_eq!(offset(None), 0.0);
    assert!(offset(Some(&cohort)).abs() > 1e-6);
    assert!((offset(Some(&cohort)) - cohort.offset(&embedding(1.0))).abs() < 1e-6);
}

#[test]
fn a_template_of_another_front_end_or_model_is_never_returned() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    enrol(&store, "bob", "ov9/125/50/ecgid-chain-1", MODEL, &embedding(2.0));
    enrol(&store, "carol", FRONT_END, "ecgid-2", &embedding(3.0));
    let names: Vec<_> = store.references(FRONT_END, MODEL, None).unwrap().into_iter().map(|r| r.subject).collect();
    assert_eq!(names, ["alice"]);
    assert!(store.references("raw9/250/50/ecgid-chain-1", MODEL, None).unwrap().is_empty());
    assert_eq!(store.subjects().unwrap().len(), 3);
}

#[test]
fn enrolling_again_replaces_the_template_and_counts_its_revision() {
    let (directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    assert_eq!(enrol(&store, "alice", FRONT_END, MODEL, &embedding(9.0)), 2);
    assert_eq!(enrol(&store, "alice", "ov9/125/50/ecgid-chain-1", MODEL, &embedding(5.0)), 1);
    let references = store.references(FRONT_END, MODEL, None).unwrap();
    assert_eq!((references.len(), references[0].revision), (1, 2));
    assert_eq!(references[0].template.embedding, embedding(9.0));
    drop(directory);
}

#[test]
fn a_subject_may_keep_several_templates() {
    let (_directory, store) = open();
    enrol(&store, "alice", FRONT_END, MODEL, &embedding(1.0));
    let (front_end, model, embedding) = (FRONT_END, MODEL, &embedding(2.0)[..]);
    let second = NewTemplate { subject: &slug("alice"), front_end, model, beats: 20, embedding, replaces: false };
    assert_eq!(store.add_template(&second).unwrap(), 2);
    let revisions: Vec<_> = store.references(FRONT_END, MODEL, None).unwrap().iter().map(|r| r.revision).collect();
    assert_eq!(revisions, [1, 2]);
    assert_eq!(store.subjects().unwrap()[0].templates.len(), 2);
}

fn change(store: &Store, change: Change, seeds: &[f32]) -> u32 {
    let part = |&seed: &f32| NewPart { embedding: embedding(seed), beats: 20, heart_rate_bpm: Some(70.0) };
    let parts: Vec<NewPart> = seeds.iter().map(part).collect();
    let (subject, front_end, model) = (&slug("alice"), FRONT_END, MODEL);
    store.enrol(&NewEnrolment { subject, front_end, model, change, parts: &parts }).unwrap()
}

fn embeddings(store: &Store) -> Vec<Vec<f32>> {
    store.references(FRONT_END, MODEL, None).unwrap().into_iter().map(|r| r.template.embedding).collect()
}

#[test]
fn every_change_is_taken_back_in_turn_and_no_revision_comes_twice() {
    let (directory, store) = open();
    change(&store, Change::Enrol, &[1.0, 2.0, 3.0]);
    change(&store, Change::Add, &[4.0]);
    let nearest = store.own_templates(&slug("alice"), FRONT_END, MODEL).unwrap().remove(0);
    assert_eq!(nearest.anchor, nearest.embedding);
    change(&store, Change::Update { of: nearest.id }, &[5.0]);
    let updated = store.own_templates(&slug("alice"), FRONT_END, MODEL).unwrap().pop().unwrap();
    assert_eq!((updated.embedding, updated.anchor), (embedding(5.0), embedding(1.0)));
    change(&store, Change::Update { of: updated.id }, &[6.0]);
    let again = store.own_templates(&slug("alice"), FRONT_END, MODEL).unwrap().pop().unwrap();
    assert_eq!(again.anchor, embedding(1.0), "the anchor is what was enrolled, however many updates follow");
    let days = rusqlite::Connection::open(store.path()).unwrap();
    days.execute("UPDATE enrolment SET made_at_unix_ms = 86400000 * revision", []).unwrap();
    let newest = store.subjects().unwrap().remove(0).templates.into_iter().max_by_key(|t| t.revision).unwrap();
    let enrolled = (newest.updated, newest.created_at_unix_ms, newest.enrolled_at_unix_ms);
    assert_eq!(enrolled, (true, 4 * 86_400_000, 86_400_000), "an update counts for the day of its anchor");
    assert_eq!(change(&store, Change::Enrol, &[7.0]), 5);
    assert_eq!(embeddings(&store), [embedding(7.0)]);

    let undo = || store.undo(&slug("alice")).unwrap();
    assert_eq!((undo().restored, embeddings(&store).len()), (4, 4));
    assert!(!holds(&all_bytes(directory.path()), &bytes_of(&embedding(7.0))[..32]), "what is taken back is gone");
    assert_eq!(change(&store, Change::Enrol, &[8.0]), 6, "revision 5 was another template");
    undo();
    undo();
    assert!(embeddings(&store).contains(&embedding(5.0)));
    undo();
    assert_eq!(embeddings(&store), [1.0, 2.0, 3.0, 4.0].map(embedding));
    undo();
    assert_eq!(embeddings(&store), [1.0, 2.0, 3.0].map(embedding));
    assert!(undo().deleted);
    assert!(store.subjects().unwrap().is_empty());
    assert!(matches!(store.undo(&slug("alice")), Err(StoreError::NoSuchSubject(_))));
}

#[test]
fn the_history_is_bounded_and_its_end_deletes_nobody() {
    let (directory, store) = open();
    let changes = HISTORY + 3;
    for n in 1..=changes {
        change(&store, Change::Enrol, &[n as f32]);
    }
    assert!(!holds(&all_bytes(directory.path()), &bytes_of(&embedding(1.0))[..32]), "older than the history");
    for n in (changes - HISTORY..changes).rev() {
        store.undo(&slug("alice")).unwrap();
        assert_eq!(embeddings(&store), [embedding(n as f32)]);
    }
    assert!(matches!(store.undo(&slug("alice")), Err(StoreError::NothingToUndo(_))));
    assert_eq!(embeddings(&store).len(), 1);
}

#[test]
fn a_template_of_somebody_else_is_never_updated() {
    let (_directory, store) = open();
    change(&store, Change::Enrol, &[1.0]);
    enrol(&store, "bob", FRONT_END, MODEL, &embedding(2.0));
    let of = store.own_templates(&slug("bob"), FRONT_END, MODEL).unwrap()[0].id;
    let parts = [NewPart { embedding: embedding(3.0), beats: 20, heart_rate_bpm: None }];
    let (subject, front_end, model) = (&slug("alice"), FRONT_END, MODEL);
    let new = NewEnrolment { subject, front_end, model, change: Change::Update { of }, parts: &parts };
    assert!(matches!(store.enrol(&new), Err(StoreError::NoSuchTemplate(_))));
    assert_eq!(embeddings(&store), [embedding(1.0), embedding(2.0)]);
}

/// A database as the first version of this program made it.
const FIRST_VERSION: &str = "PRAGMA application_id = 0x65636769;
    CREATE TABLE subject (id INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, created_at_unix_ms INTEGER NOT NULL) STRICT;
    CREATE TABLE template (
        subject_id INTEGER NOT NULL REFERENCES subject (id) ON DELETE CASCADE, front_end TEXT NOT NULL,
        model TEXT NOT NULL, revision INTEGER NOT NULL, beats INTEGER NOT NULL, embedding BLOB NOT NULL,
        created_at_unix_ms INTEGER NOT NULL, PRIMARY KEY (subject_id, front_end, model, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE gallery (revision INTEGER NOT NULL) STRICT;
    INSERT INTO gallery (revision) VALUES (9);
    CREATE TABLE outbox (id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
    INSERT INTO subject VALUES (1, 'alice', 1000), (2, 'bob', 2000), (3, 'carol', 3000);
    INSERT INTO outbox VALUES (1, 'boot', 1, '{}');
    PRAGMA user_version = 1;";

#[test]
fn a_database_of_the_first_version_keeps_everybody_and_can_be_gone_back_in() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ecgid.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(FIRST_VERSION).unwrap();
    for (subject, revision, seed, at) in [(1, 3, 1.0, 1000_i64), (1, 4, 2.0, 5000), (2, 1, 3.0, 2000)] {
        let blob = bytes_of(&embedding(seed));
        let row = rusqlite::params![subject, FRONT_END, MODEL, revision, 20, blob, at];
        old.execute("INSERT INTO template VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", row).unwrap();
    }
    drop(old);

    let store = Store::open(&path).unwrap();
    store.verify().unwrap();
    assert_eq!(embeddings(&store), [1.0, 2.0, 3.0].map(embedding));
    let alice = &store.subjects().unwrap()[0];
    let template = &alice.templates[1];
    assert_eq!((template.revision, template.beats, template.created_at_unix_ms), (4, 20, 5000));
    assert_eq!((template.heart_rate_bpm, store.subjects().unwrap().len()), (None, 3));
    assert_eq!(store.pending(10).unwrap().len(), 1);
    assert!(store.gallery_revision().unwrap() > 9, "a running daemon reads again");
    assert_eq!(change(&store, Change::Enrol, &[4.0]), 5, "revisions count on");
    assert_eq!(store.undo(&slug("alice")).unwrap().restored, 2);
    assert_eq!(store.undo(&slug("alice")).unwrap().revision, 4);
    assert_eq!(embeddings(&store), [1.0, 3.0].map(embedding));
    store.delete(&slug("alice")).unwrap();
    assert!(!holds(&all_bytes(directory.path()), &bytes_of(&embedding(1.0))[..32]));
    drop(Store::open(&path).unwrap());
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
    // Retired by an update and by an enrolment: they lie in the history, and in the log too.
    enrol(&store, "zebra-quartz", FRONT_END, MODEL, &secret);
    let sealed = sealed_rows(store.path()).into_iter().filter(|(id, _)| *id != 3);
    let sealed: Vec<Vec<u8>> = sealed.map(|(_, bytes)| bytes).collect();
    assert_eq!(sealed.len(), 3);
    let found = all_bytes(directory.path());
    assert!(holds(&found, b"zebra-quartz") && sealed.iter().all(|blob| holds(&found, blob)), "the search finds");

    store.delete(&slug("zebra-quartz")).unwrap();

    let bytes = all_bytes(directory.path());
    assert!(!holds(&bytes, b"zebra-quartz"));
    assert!(!bytes_of(&secret).chunks(16).any(|part| holds(&bytes, part)));
    assert!(!sealed.iter().flat_map(|blob| blob.chunks(16)).any(|part| part.len() == 16 && holds(&bytes, part)));
    assert_eq!(store.subjects().unwrap().len(), 1, "nobody else is touched");
    let pending = store.pending(10).unwrap();
    assert_eq!(pending[0].body, r#"{"state":"verified","subject":null}"#, "the sequence keeps its event");
    assert_eq!(pending[1].body, r#"{"state":"verified","subject":"bob"}"#);
}

#[test]
fn a_subject_is_deleted_in_all_files_while_the_daemon_has_the_database_open() {
    let (directory, daemon) = open();
    enrol(&daemon, "zebra-quartz", FRONT_END, MODEL, &embedding(1.0));
    let sealed = sealed_rows(daemon.path()).remove(0).1;
    assert!(holds(&all_bytes(directory.path()), &sealed), "the search must be able to find it");
    let before = daemon.gallery_revision().unwrap();
    let command_line = Store::open(daemon.path()).unwrap();
    command_line.delete(&slug("zebra-quartz")).unwrap();
    let bytes = all_bytes(directory.path());
    assert!(!holds(&bytes, b"zebra-quartz"));
    assert!(!sealed.as_chunks::<16>().0.iter().any(|part| holds(&bytes, part)));
    assert_ne!(daemon.gallery_revision().unwrap(), before, "the daemon can see that it must read again");
    assert!(daemon.references(FRONT_END, MODEL, None).unwrap().is_empty());
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
    let names: Vec<_> = store.references(FRONT_END, MODEL, None).unwrap().into_iter().map(|r| r.subject).collect();
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
    for word in ["none", "unknown", "deleted", "unavailable", "Alice", "a b", "", "a/b", "+", "ä", "-x"] {
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
fn making_room_drops_the_oldest_events_spares_what_is_on_its_way_and_counts_over_restarts() {
    let (directory, store) = open();
    let path = store.path().to_owned();
    let body = "{\"n\":1}";
    let size = OutboxEntry::size_of(body);
    let ids: Vec<_> = (1..=5).map(|seq| store.append("boot-a", seq, body).unwrap()).collect();
    assert_eq!(store.tally().unwrap(), Tally { waiting: 5, bytes: 5 * size, dropped: 0 });
    let dropped = store.drop_oldest(size + 1, Some(ids[0])).unwrap();
    assert_eq!(dropped, Dropped { events: 2, bytes: 2 * size });
    store.count_dropped(1).unwrap();
    drop(store);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.tally().unwrap(), Tally { waiting: 3, bytes: 3 * size, dropped: 3 });
    let seqs = |entries: Vec<OutboxEntry>| entries.into_iter().map(|e| e.seq).collect::<Vec<_>>();
    assert_eq!(seqs(store.pending(10).unwrap()), [1, 4, 5]);
    assert_eq!(seqs(store.pending_after(Some(ids[0]), 10).unwrap()), [4, 5]);
    store.ack_through(ids[3]).unwrap();
    assert_eq!(seqs(store.pending(10).unwrap()), [5]);
    assert_eq!(store.drop_oldest(u64::MAX, None).unwrap().events, 1, "no more than there are");
    drop(directory);
}
