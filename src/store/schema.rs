//! The tables, and the way from each earlier version to the present one.
//!
//! A migration that has been released is never changed; the next one is added below it. `PRAGMA user_version` counts
//! those that a file has seen.

use std::path::Path;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, TransactionBehavior};
use zeroize::Zeroizing;

use super::error::StoreError;
use super::vault::{Place, Vault};

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
    // 3: templates are encrypted. `seal` and `key_id` are functions of this program, see `with_vault`.
    "ALTER TABLE part RENAME COLUMN embedding TO sealed;
     UPDATE part SET sealed = (
         SELECT seal(subject_id, enrolment.id, part.id, front_end, model, part.sealed)
         FROM enrolment WHERE enrolment.id = enrolment_id);
     -- One row: which key the templates are encrypted with, and whether what they were before is wiped.
     CREATE TABLE vault (key_id TEXT NOT NULL, wiped INTEGER NOT NULL) STRICT;
     INSERT INTO vault (key_id, wiped) SELECT key_id(), NOT EXISTS (SELECT 1 FROM part);
     UPDATE gallery SET revision = revision + 1;",
    // 4: one row; counts the events that were dropped undelivered, so that a restart does not hide them.
    "CREATE TABLE delivery (dropped_events INTEGER NOT NULL) STRICT;
     INSERT INTO delivery (dropped_events) VALUES (0);",
    // 5: what the broker keeps for Home Assistant, so that a later start can take it back.
    "CREATE TABLE announced (topic TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;",
];

/// The first version whose templates are encrypted.
const ENCRYPTED: u32 = 3;

/// Whether the templates of the file are encrypted, so that their key must exist already.
pub(super) fn is_encrypted(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    version(connection).map(|found| found >= ENCRYPTED).map_err(|source| StoreError::opening(path, source))
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// What the migrations call.
fn with_vault(connection: &Connection, vault: &Arc<Vault>) -> rusqlite::Result<()> {
    let (sealing, naming) = (vault.clone(), vault.clone());
    connection.create_scalar_function("seal", 6, FunctionFlags::SQLITE_DIRECTONLY, move |call: &mut Context<'_>| {
        let place = Place {
            subject: call.get(0)?,
            enrolment: call.get(1)?,
            part: call.get(2)?,
            front_end: call.get(3)?,
            model: call.get(4)?,
        };
        let plain = Zeroizing::new(call.get::<Vec<u8>>(5)?);
        sealing.seal_bytes(&place, &plain).map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })?;
    connection.create_scalar_function("key_id", 0, FunctionFlags::SQLITE_DIRECTONLY, move |_: &mut Context<'_>| {
        Ok(naming.key_id().to_owned())
    })
}

/// Refuses a database of another program before anything in it is changed.
pub(super) fn check_owner(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::opening(path, source);
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
pub(super) fn migrate(connection: &mut Connection, path: &Path, vault: &Arc<Vault>) -> Result<(), StoreError> {
    let failed = |source| StoreError::opening(path, source);
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    // Immediate: two programs that start together must not both migrate.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let found = version(&transaction).map_err(failed)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    if found == known {
        return Ok(());
    }
    with_vault(&transaction, vault).map_err(failed)?;
    for migration in &MIGRATIONS[found as usize..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
    transaction.pragma_update(None, "user_version", known).map_err(failed)?;
    transaction.commit().map_err(failed)
}
