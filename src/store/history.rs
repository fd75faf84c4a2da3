//! Enrolments as changes that can be undone: storing, adding a day, updating, going back.
//!
//! What an enrolment replaces is retired, not deleted, so that undoing brings it back. The newest [`HISTORY`] changes
//! of a subject on a front end are kept; what older ones had retired is wiped with the next change. It knows nothing of
//! what is a good template.

use rusqlite::{Connection, OptionalExtension, params};

use super::Store;
use super::error::StoreError;
use super::gallery::{Sealed, delete_subject};
use super::vault::{Place, Vault};
use super::wipe::note_old_pages;
use crate::clock;
use crate::config::Slug;

/// Changes of a subject on one front end and model that can be undone.
pub const HISTORY: u32 = 5;

/// One template to be stored, for callers who have no placements to tell apart.
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

/// What an enrolment does with the templates that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Takes the place of all earlier ones of this subject, front end and model.
    Enrol,
    /// Stands beside them: another day.
    Add,
    /// Takes the place of one, which it came from; the enrolled original stays its anchor.
    Update {
        /// Which, by [`OwnTemplate::id`].
        of: i64,
    },
}

/// An enrolment to be stored.
#[derive(Debug, Clone, Copy)]
pub struct NewEnrolment<'a> {
    /// Whose it is.
    pub subject: &'a Slug,
    /// Key of the front end.
    pub front_end: &'a str,
    /// Name of the model.
    pub model: &'a str,
    /// What it does with the templates that are there.
    pub change: Change,
    /// One for each placement; at least one.
    pub parts: &'a [NewPart],
}

/// A template of one placement.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPart {
    /// Unit length.
    pub embedding: Vec<f32>,
    /// Heartbeats that it rests on.
    pub beats: u32,
    /// Heart rate meanwhile; `None` where it is not known.
    pub heart_rate_bpm: Option<f64>,
}

/// A template of a subject that counts, with what it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnTemplate {
    /// Names it in [`Change::Update`].
    pub id: i64,
    /// What is compared.
    pub embedding: Vec<f32>,
    /// The enrolled original: equal to `embedding` where it was never updated.
    pub anchor: Vec<f32>,
}

/// What undoing did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Undone {
    /// The revision that is gone.
    pub revision: u32,
    /// On which front end.
    pub front_end: String,
    /// With which model.
    pub model: String,
    /// Templates that are back.
    pub restored: usize,
    /// Nothing of the subject was left: it is deleted.
    pub deleted: bool,
}

impl Store {
    /// Stores a single template. Returns its revision, as [`Self::enrol`] does.
    ///
    /// # Errors
    /// As [`Self::enrol`].
    pub fn add_template(&self, new: &NewTemplate<'_>) -> Result<u32, StoreError> {
        let part = NewPart { embedding: new.embedding.to_vec(), beats: new.beats, heart_rate_bpm: None };
        let change = if new.replaces { Change::Enrol } else { Change::Add };
        let NewTemplate { subject, front_end, model, .. } = *new;
        self.enrol(&NewEnrolment { subject, front_end, model, change, parts: &[part] })
    }

    /// Stores an enrolment, for a new subject or an enrolled one. Returns its revision: 1 for the first of this subject
    /// on this front end with this model, then counting up; a revision that was undone does not come again as long as the
    /// subject is there.
    ///
    /// # Errors
    /// [`StoreError::UnusableEmbedding`], [`StoreError::NoSuchTemplate`], [`StoreError::Sqlite`].
    pub fn enrol(&self, new: &NewEnrolment<'_>) -> Result<u32, StoreError> {
        let usable = |part: &NewPart| !part.embedding.is_empty() && part.embedding.iter().all(|v| v.is_finite());
        if new.parts.is_empty() || !new.parts.iter().all(usable) {
            return Err(StoreError::UnusableEmbedding(new.subject.clone()));
        }
        if let Change::Update { of } = new.change
            && !self.own_templates(new.subject, new.front_end, new.model)?.iter().any(|own| own.id == of)
        {
            return Err(StoreError::NoSuchTemplate(new.subject.clone()));
        }
        let now = i64::try_from(clock::unix_ms()).unwrap_or(i64::MAX);
        let vault = &self.vault;
        self.change("storing the enrolment", |connection| insert(connection, vault, new, now))
    }

    /// The templates of one subject that count on this front end with this model.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`], [`StoreError::Unreadable`].
    pub fn own_templates(&self, subject: &Slug, front_end: &str, model: &str) -> Result<Vec<OwnTemplate>, StoreError> {
        // The anchor of a template that was never updated is the template itself.
        let read = |connection: &Connection| -> rusqlite::Result<Vec<(Sealed, Sealed)>> {
            connection
                .prepare(
                    "SELECT slug, subject_id, front_end, model, part.enrolment_id, part.id, part.sealed,
                         slug, subject_id, front_end, model, anchor.enrolment_id, anchor.id, anchor.sealed FROM part
                     JOIN enrolment ON enrolment.id = part.enrolment_id JOIN subject ON subject.id = subject_id
                     JOIN part AS anchor ON anchor.id = coalesce(part.anchor_id, part.id)
                     WHERE slug = ?1 AND front_end = ?2 AND model = ?3 AND part.retired_by IS NULL ORDER BY part.id",
                )?
                .query_map(params![subject.as_str(), front_end, model], |row| {
                    Ok((Sealed::from_row(row, 0)?, Sealed::from_row(row, 7)?))
                })?
                .collect()
        };
        let rows = read(&self.lock()).map_err(StoreError::during("reading the subject's templates"))?;
        rows.iter()
            .map(|(own, anchor)| {
                Ok(OwnTemplate { id: own.place.part, embedding: self.unseal(own)?, anchor: self.unseal(anchor)? })
            })
            .collect()
    }

    /// Takes the newest change of a subject back, on whichever front end it was, and brings back what that had
    /// replaced. A subject of whom nothing is left is deleted. The bytes of what is taken back are in no file once
    /// [`Self::is_wiped`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchSubject`], [`StoreError::NothingToUndo`], [`StoreError::Sqlite`].
    pub fn undo(&self, subject: &Slug) -> Result<Undone, StoreError> {
        if !self.subject_exists(subject)? {
            return Err(StoreError::NoSuchSubject(subject.clone()));
        }
        let undone = self.change("taking the enrolment back", |connection| undo(connection, subject))?;
        undone.ok_or_else(|| StoreError::NothingToUndo(subject.clone()))
    }
}

/// Adds the rows, retires what they replace, deletes what is too old to be brought back. Gives the revision.
fn insert(connection: &Connection, vault: &Vault, new: &NewEnrolment<'_>, now: i64) -> rusqlite::Result<u32> {
    let slug = new.subject.as_str();
    connection.execute(
        "INSERT INTO subject (slug, created_at_unix_ms) VALUES (?1, ?2) ON CONFLICT (slug) DO NOTHING",
        params![slug, now],
    )?;
    let kind = match new.change {
        Change::Enrol => "enrol",
        Change::Add => "add",
        Change::Update { .. } => "update",
    };
    let (enrolment, revision, subject): (i64, u32, i64) = connection.query_row(
        "INSERT INTO enrolment (subject_id, front_end, model, revision, kind, made_at_unix_ms)
         SELECT id, ?2, ?3, (
             SELECT coalesce(max(revision), 0) + 1 FROM enrolment
             WHERE subject_id = subject.id AND front_end = ?2 AND model = ?3
         ), ?4, ?5 FROM subject WHERE slug = ?1
         RETURNING id, revision, subject_id",
        params![slug, new.front_end, new.model, kind, now],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let anchor: Option<i64> = match new.change {
        Change::Enrol => {
            connection.execute(
                "UPDATE part SET retired_by = ?1 WHERE retired_by IS NULL AND enrolment_id IN (
                     SELECT other.id FROM enrolment AS other JOIN enrolment AS this USING (subject_id, front_end, model)
                     WHERE this.id = ?1 AND other.id <> ?1)",
                [enrolment],
            )?;
            None
        }
        Change::Add => None,
        Change::Update { of } => {
            connection.execute("UPDATE part SET retired_by = ?1 WHERE id = ?2", [enrolment, of])?;
            Some(connection.query_row("SELECT coalesce(anchor_id, id) FROM part WHERE id = ?1", [of], |r| r.get(0))?)
        }
    };
    for part in new.parts {
        // The number is chosen here: the ciphertext is bound to it.
        let id = connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM part", [], |row| row.get(0))?;
        let (front_end, model) = (new.front_end.to_owned(), new.model.to_owned());
        let place = Place { subject, enrolment, part: id, front_end, model };
        let sealed = vault
            .seal(&place, &part.embedding)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        connection.execute(
            "INSERT INTO part (id, enrolment_id, anchor_id, beats, heart_rate_bpm, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id, enrolment, anchor, part.beats, part.heart_rate_bpm, sealed],
        )?;
    }
    if delete_old(connection, enrolment)? > 0 {
        note_old_pages(connection)?;
    }
    Ok(revision)
}

/// Deletes what was retired before the newest [`HISTORY`] changes, except for anchors of what is still there.
fn delete_old(connection: &Connection, enrolment: i64) -> rusqlite::Result<usize> {
    connection.execute(
        "DELETE FROM part WHERE retired_by IN (
             SELECT other.id FROM enrolment AS other JOIN enrolment AS this USING (subject_id, front_end, model)
             WHERE this.id = ?1 AND other.undone = 0 ORDER BY other.id DESC LIMIT -1 OFFSET ?2)
         AND id NOT IN (SELECT anchor_id FROM part WHERE anchor_id IS NOT NULL)",
        params![enrolment, HISTORY],
    )
}

fn undo(connection: &Connection, subject: &Slug) -> rusqlite::Result<Option<Undone>> {
    // A change that replaced something which has been wiped meanwhile cannot be taken back: nothing would be left.
    let newest = connection
        .query_row(
            "SELECT this.id, revision, front_end, model FROM enrolment AS this JOIN subject ON subject.id = subject_id
             WHERE slug = ?1 AND undone = 0 AND (
                 kind = 'add' OR EXISTS (SELECT 1 FROM part WHERE retired_by = this.id) OR NOT EXISTS (
                     SELECT 1 FROM enrolment AS earlier WHERE earlier.subject_id = this.subject_id
                     AND earlier.front_end = this.front_end AND earlier.model = this.model
                     AND earlier.undone = 0 AND earlier.id < this.id))
             AND this.id = (SELECT max(id) FROM enrolment WHERE subject_id = this.subject_id AND undone = 0)",
            [subject.as_str()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    let Some((id, revision, front_end, model)): Option<(i64, u32, String, String)> = newest else { return Ok(None) };
    connection.execute("UPDATE enrolment SET undone = 1 WHERE id = ?1", [id])?;
    connection.execute("DELETE FROM part WHERE enrolment_id = ?1", [id])?;
    let restored = connection.execute("UPDATE part SET retired_by = NULL WHERE retired_by = ?1", [id])?;
    let left: i64 = connection.query_row(
        "SELECT count(*) FROM part JOIN enrolment ON enrolment.id = enrolment_id JOIN subject ON subject.id = subject_id
         WHERE slug = ?1 AND retired_by IS NULL",
        [subject.as_str()],
        |row| row.get(0),
    )?;
    if left == 0 {
        delete_subject(connection, subject)?;
    }
    note_old_pages(connection)?;
    Ok(Some(Undone { revision, front_end, model, restored, deleted: left == 0 }))
}
