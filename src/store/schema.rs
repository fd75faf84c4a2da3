//! The tables, and the way from each earlier version to the present one.
//!
//! A migration that has been released is never changed; the next one is added below it. `PRAGMA user_version` counts
//! those that a file has seen.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::error::StoreError;

/// Marks a file as ours (`PRAGMA application_id`): the letters "ecgi".
const APPLICATION_ID: i64 = 0x6563_6769;

/// One step each; the version of a file is the number of steps it has seen.
const MIGRATIONS: &[&str] = &[
    // 1: gallery and outbox.
    "CREATE TABLE subject (
         id INTEGER PRIMARY KEY,
         slug TEXT NOT NULL UNIQUE,
         created_at_unix_ms INTEGER NOT NULL
     ) STRICT;
     -- A template belongs to a front end and a model. Revisions count up, those of replaced templates included.
     CREATE TABLE template (
         subject_id INTEGER NOT NULL REFERENCES subject (id) ON DELETE CASCADE,
         front_end TEXT NOT NULL,
         model TEXT NOT NULL,
         revision INTEGER NOT NULL,
         beats INTEGER NOT NULL,
         embedding BLOB NOT NULL,
         created_at_unix_ms INTEGER NOT NULL,
         PRIMARY KEY (subject_id, front_end, model, revision)
     ) STRICT, WITHOUT ROWID;
     -- One row; counts every change of the two tables above, so that a running daemon sees that it must read again.
     CREATE TABLE gallery (revision INTEGER NOT NULL) STRICT;
     INSERT INTO gallery (revision) VALUES (0);
     -- Events that no broker has acknowledged, oldest first. No second index: each would be one more page per event.
     CREATE TABLE outbox (
         id INTEGER PRIMARY KEY,
         boot_id TEXT NOT NULL,
         seq INTEGER NOT NULL,
         body TEXT NOT NULL
     ) STRICT;",
    // 2: every enrolment is a change that can be undone, with one template for each placement of the electrodes.
    "-- One row for each enrolment, added day or update. Rows outlive their undoing, so that no revision comes twice.
     CREATE TABLE enrolment (
         id INTEGER PRIMARY KEY,
         subject_id INTEGER NOT NULL REFERENCES subject (id) ON DELETE CASCADE,
         front_end TEXT NOT NULL,
         model TEXT NOT NULL,
         revision INTEGER NOT NULL,
         kind TEXT NOT NULL CHECK (kind IN ('enrol', 'add', 'update')),
         made_at_unix_ms INTEGER NOT NULL,
         undone INTEGER NOT NULL DEFAULT 0,
         UNIQUE (subject_id, front_end, model, revision)
     ) STRICT;
     -- `retired_by` is the enrolment that put another in its place; undoing that one brings the template back.
     -- `anchor_id` is the enrolled template that an update came from, however many updates lie between.
     CREATE TABLE part (
         id INTEGER PRIMARY KEY,
         enrolment_id INTEGER NOT NULL REFERENCES enrolment (id) ON DELETE CASCADE,
         retired_by INTEGER REFERENCES enrolment (id) ON DELETE SET NULL,
         anchor_id INTEGER REFERENCES part (id) ON DELETE SET NULL,
         beats INTEGER NOT NULL,
         heart_rate_bpm REAL,
         embedding BLOB NOT NULL
     ) STRICT;
     CREATE INDEX part_of_enrolment ON part (enrolment_id);
     INSERT INTO enrolment (subject_id, front_end, model, revision, kind, made_at_unix_ms)
         SELECT subject_id, front_end, model, revision, 'add', created_at_unix_ms FROM template
         ORDER BY created_at_unix_ms, revision;
     INSERT INTO part (enrolment_id, beats, embedding)
         SELECT id, beats, embedding FROM template JOIN enrolment USING (subject_id, front_end, model, revision);
     DROP TABLE template;
     UPDATE gallery SET revision = revision + 1;",
    // One row; counts the events that were dropped undelivered, so that a restart does not hide them.
    "CREATE TABLE delivery (dropped_events INTEGER NOT NULL) STRICT;
     INSERT INTO delivery (dropped_events) VALUES (0);",
    // What the broker keeps for Home Assistant, so that a later start can take it back.
    "CREATE TABLE announced (topic TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",
];

/// Refuses a database of another program before anything in it is changed.
pub(super) fn check_owner(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        Ok(())
    } else {
        Err(StoreError::NotOurs { path: path.to_owned() })
    }
}

/// Brings the file to the present version, all or nothing.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Open { path: path.to_owned(), source };
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    // Immediate: two programs that start together must not both migrate.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", known).map_err(failed)?;
    transaction.commit().map_err(failed)
}
