//! Enrolled subjects and their templates.
//!
//! A template belongs to a front end (format, rate, filter chain) and to a model; [`Store::references`] returns those
//! of exactly one front end and one model, so that no other can be compared by mistake.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::error::StoreError;
use super::{Store, outbox};
use crate::clock;
use crate::config::Slug;

pub use ecg_identity::Reference;

/// An enrolled subject.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Subject {
    /// Pseudonymous name.
    pub subject: String,
    /// When it was first enrolled, ms since 1970.
    pub created_at_unix_ms: u64,
    /// Its templates, without the embeddings.
    pub templates: Vec<Template>,
}

/// What a template belongs to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Template {
    /// Key of the front end.
    pub front_end: String,
    /// Name of the model.
    pub model: String,
    /// Counts the enrolments of this subject on this front end with this model, from 1.
    pub revision: u32,
    /// Heartbeats that it rests on.
    pub beats: u32,
    /// When it was made, ms since 1970.
    pub created_at_unix_ms: u64,
}

/// A template to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewTemplate<'a> {
    /// Whose it is.
    pub subject: &'a Slug,
    /// Key of the front end.
    pub front_end: &'a str,
    /// Name of the model.
    pub model: &'a str,
    /// Heartbeats that it rests on.
    pub beats: u32,
    /// Unit length.
    pub embedding: &'a [f32],
    /// `true`: the earlier templates of this subject, front end and model go. `false`: they stay beside it (one for
    /// each day or placement of the electrodes).
    pub replaces: bool,
}

impl Store {
    /// Stores a template, for a new subject or an enrolled one. Returns its revision: 1 for the first of this subject on
    /// this front end with this model, then counting up.
    ///
    /// # Errors
    /// [`StoreError::UnusableEmbedding`], [`StoreError::Sqlite`].
    pub fn add_template(&self, new: &NewTemplate<'_>) -> Result<u32, StoreError> {
        if new.embedding.is_empty() || !new.embedding.iter().all(|value| value.is_finite()) {
            return Err(StoreError::UnusableEmbedding(new.subject.clone()));
        }
        let now = now_ms();
        self.change("storing the template", |connection| {
            connection.execute(
                "INSERT INTO subject (slug, created_at_unix_ms) VALUES (?1, ?2) ON CONFLICT (slug) DO NOTHING",
                params![new.subject.as_str(), now],
            )?;
            let revision = insert_template(connection, new, now)?;
            if new.replaces {
                connection.execute(
                    "DELETE FROM template WHERE front_end = ?2 AND model = ?3 AND revision < ?4
                     AND subject_id = (SELECT id FROM subject WHERE slug = ?1)",
                    params![new.subject.as_str(), new.front_end, new.model, revision],
                )?;
            }
            Ok(revision)
        })
    }

    /// The references that may be compared on this front end with this model, by name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn references(&self, front_end: &str, model: &str) -> Result<Vec<Reference>, StoreError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<Reference>> {
            connection
                .prepare(
                    "SELECT slug, revision, embedding FROM template JOIN subject ON subject.id = subject_id
                     WHERE front_end = ?1 AND model = ?2 ORDER BY slug, revision",
                )?
                .query_map(params![front_end, model], |row| {
                    let blob: Vec<u8> = row.get(2)?;
                    Ok(Reference { subject: row.get(0)?, revision: row.get(1)?, embedding: embedding_of(&blob) })
                })?
                .collect()
        };
        read(&self.lock()).map_err(StoreError::during("reading the references"))
    }

    /// Everybody who is enrolled, on whatever front end, by name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn subjects(&self) -> Result<Vec<Subject>, StoreError> {
        read_subjects(&self.lock()).map_err(StoreError::during("reading the subjects"))
    }

    /// Gives a subject another name, in events that still wait for the broker too.
    ///
    /// # Errors
    /// [`StoreError::NoSuchSubject`], [`StoreError::SubjectExists`], [`StoreError::Sqlite`],
    /// [`StoreError::PagesHeld`].
    pub fn rename(&self, from: &Slug, to: &Slug) -> Result<(), StoreError> {
        if self.subject_exists(to)? {
            return Err(StoreError::SubjectExists(to.clone()));
        }
        let renamed = self.change("renaming the subject", |connection| {
            outbox::replace_subject(connection, from, Some(to))?;
            connection.execute("UPDATE subject SET slug = ?2 WHERE slug = ?1", params![from.as_str(), to.as_str()])
        })?;
        if renamed == 0 { Err(StoreError::NoSuchSubject(from.clone())) } else { self.scrub() }
    }

    /// Deletes a subject and everything of it: templates, and its name in events that still wait for the broker (they
    /// stay, so that the sequence has no gap). Afterwards its bytes are in no file of the database.
    ///
    /// # Errors
    /// [`StoreError::NoSuchSubject`], [`StoreError::Sqlite`], [`StoreError::PagesHeld`].
    pub fn delete(&self, subject: &Slug) -> Result<(), StoreError> {
        let deleted = self.change("deleting the subject", |connection| {
            outbox::replace_subject(connection, subject, None)?;
            connection.execute("DELETE FROM subject WHERE slug = ?1", params![subject.as_str()])
        })?;
        if deleted == 0 { Err(StoreError::NoSuchSubject(subject.clone())) } else { self.scrub() }
    }

    /// A number that changes whenever the gallery does, by whichever process: a running daemon compares it with the one
    /// it has read and reads its references again. One page from the cache; no write.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn gallery_revision(&self) -> Result<u64, StoreError> {
        let revision: i64 = self
            .lock()
            .query_row("SELECT revision FROM gallery", [], |row| row.get(0))
            .map_err(StoreError::during("reading the gallery's revision"))?;
        Ok(u64::try_from(revision).unwrap_or(0))
    }

    fn subject_exists(&self, subject: &Slug) -> Result<bool, StoreError> {
        self.lock()
            .query_row("SELECT 1 FROM subject WHERE slug = ?1", params![subject.as_str()], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
            .map_err(StoreError::during("looking for the subject"))
    }

    /// Runs `work` in one transaction that also counts the gallery's revision up.
    fn change<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let run = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.execute("UPDATE gallery SET revision = revision + 1", [])?;
            transaction.commit()?;
            Ok(result)
        };
        run().map_err(StoreError::during(action))
    }

    /// Rewrites the file without its free space and empties the write-ahead log: both may hold old pages.
    fn scrub(&self) -> Result<(), StoreError> {
        let connection = self.lock();
        let failed = StoreError::during("wiping the deleted pages");
        connection.execute_batch("VACUUM").map_err(&failed)?;
        let busy: i64 =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(&failed)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::PagesHeld) }
    }
}

/// Adds the row under the next revision, which it returns.
fn insert_template(connection: &Connection, new: &NewTemplate<'_>, now: i64) -> rusqlite::Result<u32> {
    let blob: Vec<u8> = new.embedding.iter().flat_map(|value| value.to_le_bytes()).collect();
    connection.query_row(
        "INSERT INTO template (subject_id, front_end, model, revision, beats, embedding, created_at_unix_ms)
         SELECT id, ?2, ?3, (
             SELECT coalesce(max(revision), 0) + 1 FROM template
             WHERE subject_id = subject.id AND front_end = ?2 AND model = ?3
         ), ?4, ?5, ?6 FROM subject WHERE slug = ?1
         RETURNING revision",
        params![new.subject.as_str(), new.front_end, new.model, new.beats, blob, now],
        |row| row.get(0),
    )
}

fn read_subjects(connection: &Connection) -> rusqlite::Result<Vec<Subject>> {
    let mut statement = connection.prepare(
        "SELECT slug, subject.created_at_unix_ms, front_end, model, revision, beats, template.created_at_unix_ms
         FROM subject LEFT JOIN template ON subject.id = subject_id ORDER BY slug, front_end, model, revision",
    )?;
    let mut rows = statement.query([])?;
    let mut subjects: Vec<Subject> = Vec::new();
    while let Some(row) = rows.next()? {
        let slug: String = row.get(0)?;
        if subjects.last().is_none_or(|last| last.subject != slug) {
            subjects.push(Subject { subject: slug, created_at_unix_ms: unsigned(row.get(1)?), templates: Vec::new() });
        }
        let (Some(subject), Some(front_end)) = (subjects.last_mut(), row.get(2)?) else { continue };
        subject.templates.push(Template {
            front_end,
            model: row.get(3)?,
            revision: row.get(4)?,
            beats: row.get(5)?,
            created_at_unix_ms: unsigned(row.get(6)?),
        });
    }
    Ok(subjects)
}

fn embedding_of(blob: &[u8]) -> Vec<f32> {
    blob.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn now_ms() -> i64 {
    i64::try_from(clock::unix_ms()).unwrap_or(i64::MAX)
}

fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
