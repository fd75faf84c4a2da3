//! Enrolled subjects and their templates: reading, renaming, deleting.
//!
//! A template belongs to a front end (format, rate, filter chain) and to a model; [`Store::references`] returns those
//! of exactly one front end and one model, so that no other can be compared by mistake. Storing and undoing is
//! `history.rs`.

use ecg_identity::Cohort;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use super::error::StoreError;
use super::vault::Place;
use super::wipe::note_old_pages;
use super::{Store, outbox};
use crate::config::Slug;

pub use ecg_identity::Reference;

/// An enrolled subject.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// Pseudonymous name.
    pub subject: String,
    /// When it was first enrolled, ms since 1970.
    pub created_at_unix_ms: u64,
    /// The templates that count, without the embeddings. An enrolment makes one for each placement.
    pub templates: Vec<Template>,
}

/// What a template belongs to.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Template {
    /// Key of the front end.
    pub front_end: String,
    /// Name of the model.
    pub model: String,
    /// Counts the enrolments of this subject on this front end with this model, from 1.
    pub revision: u32,
    /// Heartbeats that it rests on.
    pub beats: u32,
    /// Heart rate while it was made; `None` where it is not known.
    pub heart_rate_bpm: Option<f64>,
    /// It was made by an update, not by an enrolment.
    pub updated: bool,
    /// When it was made, ms since 1970.
    pub created_at_unix_ms: u64,
    /// When the person came to be enrolled, ms since 1970: of an update, when the template was that it goes back to.
    pub enrolled_at_unix_ms: u64,
}

/// A template as it lies in the table.
pub(super) struct Sealed {
    pub(super) subject: String,
    pub(super) place: Place,
    bytes: Vec<u8>,
}

impl Sealed {
    /// Seven columns from `first` on: name and number of the subject, front end, model, number of the enrolment and of
    /// the part, what is sealed.
    pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let place = Place {
            subject: row.get(first + 1)?,
            front_end: row.get(first + 2)?,
            model: row.get(first + 3)?,
            enrolment: row.get(first + 4)?,
            part: row.get(first + 5)?,
        };
        Ok(Self { subject: row.get(first)?, place, bytes: row.get(first + 6)? })
    }
}

impl Store {
    /// The references that may be compared on this front end with this model, by name, normalised by the model's cohort.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], [`StoreError::Unreadable`].
    pub fn references(
        &self,
        front_end: &str,
        model: &str,
        cohort: Option<&Cohort>,
    ) -> Result<Vec<Reference>, StoreError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<(u32, Sealed)>> {
            connection
                .prepare(
                    "SELECT revision, slug, subject_id, front_end, model, enrolment_id, part.id, sealed FROM part
                     JOIN enrolment ON enrolment.id = enrolment_id JOIN subject ON subject.id = subject_id
                     WHERE front_end = ?1 AND model = ?2 AND retired_by IS NULL ORDER BY slug, revision, part.id",
                )?
                .query_map(params![front_end, model], |row| Ok((row.get(0)?, Sealed::from_row(row, 1)?)))?
                .collect()
        };
        let rows = read(&self.lock()).map_err(StoreError::during("reading the references"))?;
        rows.into_iter()
            .map(|(revision, sealed)| {
                let template = ecg_identity::Template::of(self.unseal(&sealed)?, cohort);
                Ok(Reference { subject: sealed.subject, revision, template })
            })
            .collect()
    }

    /// Decrypts every template, the replaced ones too, and counts them.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] with the name of the first whose template does not open, [`StoreError::Sqlite`].
    pub fn check_templates(&self) -> Result<usize, StoreError> {
        let read = |connection: &Connection| -> rusqlite::Result<Vec<Sealed>> {
            connection
                .prepare(
                    "SELECT slug, subject_id, front_end, model, enrolment_id, part.id, sealed FROM part
                     JOIN enrolment ON enrolment.id = enrolment_id JOIN subject ON subject.id = subject_id",
                )?
                .query_map([], |row| Sealed::from_row(row, 0))?
                .collect()
        };
        let rows = read(&self.lock()).map_err(StoreError::during("reading the templates"))?;
        rows.iter().try_for_each(|sealed| self.unseal(sealed).map(drop))?;
        Ok(rows.len())
    }

    /// Decrypts a template.
    pub(super) fn unseal(&self, sealed: &Sealed) -> Result<Vec<f32>, StoreError> {
        self.vault
            .open(&sealed.place, &sealed.bytes)
            .ok_or_else(|| StoreError::Unreadable { path: self.path.clone(), subject: sealed.subject.clone() })
    }

    /// Everybody who is enrolled, on whatever front end, by name.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn subjects(&self) -> Result<Vec<Subject>, StoreError> {
        read_subjects(&self.lock()).map_err(StoreError::during("reading the subjects"))
    }

    /// Gives a subject another name, in events that still wait for the broker too. The old one is in no file once
    /// [`Self::is_wiped`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchSubject`], [`StoreError::SubjectExists`], [`StoreError::Sqlite`].
    pub fn rename(&self, from: &Slug, to: &Slug) -> Result<(), StoreError> {
        if self.subject_exists(to)? {
            return Err(StoreError::SubjectExists(to.clone()));
        }
        let renamed = self.change("renaming the subject", |connection| {
            outbox::replace_subject(connection, from, Some(to))?;
            let names = params![from.as_str(), to.as_str()];
            let renamed = connection.execute("UPDATE subject SET slug = ?2 WHERE slug = ?1", names)?;
            if renamed > 0 {
                note_old_pages(connection)?;
            }
            Ok(renamed)
        })?;
        if renamed == 0 { Err(StoreError::NoSuchSubject(from.clone())) } else { Ok(()) }
    }

    /// Deletes a subject and everything of it: templates, the replaced ones too, and its name in events that still wait
    /// for the broker (they stay, so that the sequence has no gap). Its bytes are in no file of the database once
    /// [`Self::is_wiped`]; where that could not be reached at once, also deleting somebody who is gone tries it again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchSubject`], [`StoreError::Sqlite`].
    pub fn delete(&self, subject: &Slug) -> Result<(), StoreError> {
        let deleted = self.change("deleting the subject", |connection| delete_subject(connection, subject))?;
        if deleted == 0 { Err(StoreError::NoSuchSubject(subject.clone())) } else { Ok(()) }
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

    /// Somebody is enrolled under this name, on whatever front end.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn subject_exists(&self, subject: &Slug) -> Result<bool, StoreError> {
        self.lock()
            .query_row("SELECT 1 FROM subject WHERE slug = ?1", params![subject.as_str()], |_| Ok(()))
            .optional()
            .map(|found| found.is_some())
            .map_err(StoreError::during("looking for the subject"))
    }

    /// Runs `work` in one transaction that also counts the gallery's revision up; then wipes old pages, where it or an
    /// earlier change has left some.
    pub(super) fn change<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let run = || {
            let mut connection = self.lock();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.execute("UPDATE gallery SET revision = revision + 1", [])?;
            transaction.commit()?;
            Ok(result)
        };
        let result = run().map_err(StoreError::during(action))?;
        self.wipe_after_change();
        Ok(result)
    }
}

/// Takes a subject out of every table; 0 where it is in none.
pub(super) fn delete_subject(connection: &Connection, subject: &Slug) -> rusqlite::Result<usize> {
    outbox::replace_subject(connection, subject, None)?;
    let deleted = connection.execute("DELETE FROM subject WHERE slug = ?1", params![subject.as_str()])?;
    if deleted > 0 {
        note_old_pages(connection)?;
    }
    Ok(deleted)
}

fn read_subjects(connection: &Connection) -> rusqlite::Result<Vec<Subject>> {
    let mut statement = connection.prepare(
        "SELECT slug, created_at_unix_ms, front_end, model, revision, beats, heart_rate_bpm, kind, made_at_unix_ms,
             (SELECT made_at_unix_ms FROM part AS anchor JOIN enrolment AS first ON first.id = anchor.enrolment_id
              WHERE anchor.id = coalesce(part.anchor_id, part.id))
         FROM subject LEFT JOIN (enrolment JOIN part ON enrolment.id = enrolment_id AND retired_by IS NULL)
         ON subject.id = subject_id ORDER BY slug, front_end, model, revision, part.id",
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
            heart_rate_bpm: row.get(6)?,
            updated: row.get::<_, String>(7)? == "update",
            created_at_unix_ms: unsigned(row.get(8)?),
            enrolled_at_unix_ms: unsigned(row.get(9)?),
        });
    }
    Ok(subjects)
}

fn unsigned(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or(0)
}
