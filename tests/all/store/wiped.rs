//! Changes while another program holds old pages of the file: they stand, and the pages go as soon as they can.

use super::{Change, HISTORY, all_bytes, bytes_of, change, embedding, holds, open, sealed_rows, slug};
use ecgid::store::{Store, StoreError};

/// Another program in the middle of reading.
fn reader(store: &Store) -> rusqlite::Connection {
    let reader = rusqlite::Connection::open(store.path()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM part;").unwrap();
    reader
}

/// `work` deletes `secret` while somebody reads: it succeeds once, and a retry wipes when the reader has gone.
fn is_done_though_pages_are_held(directory: &std::path::Path, store: &Store, secret: &[u8], work: impl FnOnce(&Store)) {
    assert!(store.is_wiped().unwrap());
    let reader = reader(store);
    work(store);
    assert!(!store.is_wiped().unwrap());
    assert!(!store.wipe_old_pages().unwrap(), "the reader holds them");
    assert!(holds(&all_bytes(directory), secret), "the search finds");
    drop(reader);
    assert!(store.wipe_old_pages().unwrap() && store.is_wiped().unwrap());
    assert!(!secret.chunks(16).any(|part| part.len() == 16 && holds(&all_bytes(directory), part)));
}

#[test]
fn an_enrolment_is_stored_once_though_what_it_ends_for_good_is_held() {
    let (directory, store) = open();
    for n in 0..=HISTORY {
        change(&store, Change::Enrol, &[n as f32]);
    }
    let oldest = sealed_rows(store.path()).remove(0).1;
    is_done_though_pages_are_held(directory.path(), &store, &oldest, |store| {
        assert_eq!(change(store, Change::Enrol, &[20.0]), HISTORY + 2);
    });
}

#[test]
fn undoing_is_done_once_though_what_it_takes_back_is_held() {
    let (directory, store) = open();
    change(&store, Change::Enrol, &[1.0]);
    change(&store, Change::Enrol, &[2.0]);
    let newest = sealed_rows(store.path()).remove(1).1;
    is_done_though_pages_are_held(directory.path(), &store, &newest, |store| {
        assert_eq!(store.undo(&slug("alice")).unwrap().revision, 2);
    });
    assert_eq!(super::embeddings(&store), [embedding(1.0)]);
}

#[test]
fn renaming_is_done_though_the_old_name_is_held() {
    let (directory, store) = open();
    super::enrol(&store, "zebra-quartz-of-old", super::FRONT_END, super::MODEL, &embedding(1.0));
    is_done_though_pages_are_held(directory.path(), &store, b"zebra-quartz-of-old", |store| {
        store.rename(&slug("zebra-quartz-of-old"), &slug("carol")).unwrap();
    });
}

#[test]
fn deleting_is_done_though_the_template_is_held() {
    let (directory, store) = open();
    change(&store, Change::Enrol, &[1.0]);
    let sealed = sealed_rows(store.path()).remove(0).1;
    is_done_though_pages_are_held(directory.path(), &store, &sealed, |store| store.delete(&slug("alice")).unwrap());
}

#[test]
fn what_is_left_is_wiped_by_the_next_opening_and_by_deleting_once_more() {
    for opened_anew in [true, false] {
        let (directory, store) = open();
        change(&store, Change::Enrol, &[1.0]);
        let sealed = sealed_rows(store.path()).remove(0).1;
        let reader = reader(&store);
        store.delete(&slug("alice")).unwrap();
        drop(reader);
        if opened_anew {
            drop(Store::open(store.path()).unwrap());
        } else {
            assert!(matches!(store.delete(&slug("alice")), Err(StoreError::NoSuchSubject(_))));
        }
        assert!(store.is_wiped().unwrap(), "{opened_anew}");
        assert!(!holds(&all_bytes(directory.path()), &sealed[..32]));
        assert!(!holds(&all_bytes(directory.path()), &bytes_of(&embedding(1.0))[..32]));
    }
}
