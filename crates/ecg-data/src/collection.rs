//! A collection: recordings of several persons, in sessions, below one folder.
//!
//! With `manifest.csv` (`record,subject,session,date`; columns in any order, others ignored; records as paths without
//! extension relative to the folder) the folder says who and when. Without it every `.hea` and `.csv` below it is a
//! record. The first folder on its path is the subject, and further ones are the session: `anna/day1/rest.csv` is of
//! anna's `day1`. Straight in the subject's folder it is a session of its own, at the top a subject of its own as well.
//! Must not know how a record is laid out.

mod manifest;
mod session;

use std::path::{Path, PathBuf};

pub use session::{ParseSelectionError, SessionSelection};

use crate::record::{Record, RecordError, with_suffix};

/// Folders below a collection that are searched without a manifest.
const DEPTH: usize = 4;

/// Recordings of several persons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its folder.
    pub dir: PathBuf,
    /// Its records, in the order of the manifest, or by path without one.
    pub entries: Vec<Entry>,
}

/// One record of a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: the path below the collection's folder without extension, with `/`.
    pub record: String,
    /// Where it lies, as [`Record::open`] takes it.
    pub path: PathBuf,
    /// Whose heart it is.
    pub subject: String,
    /// Its session; empty where nothing says.
    pub session: String,
    /// Its date, best as YYYY-MM-DD so that it sorts; empty where nothing says.
    pub date: String,
}

impl Entry {
    /// Reads the record.
    ///
    /// # Errors
    /// As [`Record::open`].
    pub fn open(&self) -> Result<Record, RecordError> {
        Record::open(&self.path)
    }
}

/// Why a collection could not be opened, or a session not be found in it.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A manifest that cannot be understood.
    #[error("{path}, line {line}: {problem}")]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: String,
    },
    /// No record in the folder.
    #[error("{dir} holds no record: neither manifest.csv nor any .hea or .csv lies below it")]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// A session that no record belongs to.
    #[error("no session {name:?} in {dir}; there are: first, rest, {known}")]
    UnknownSession {
        /// The folder.
        dir: PathBuf,
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
}

impl Collection {
    /// Opens a folder; records are not read yet.
    ///
    /// # Errors
    /// [`CollectionError`] where the folder or its manifest cannot be read, or names a record that is not there.
    pub fn open(dir: impl AsRef<Path>) -> Result<Collection, CollectionError> {
        let dir = dir.as_ref();
        let path = dir.join("manifest.csv");
        let entries = match std::fs::read(&path) {
            Ok(bytes) => manifest::parse(dir, &String::from_utf8_lossy(&bytes))
                .map_err(|(line, problem)| CollectionError::Manifest { path, line, problem })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => search(dir)?,
            Err(source) => return Err(CollectionError::Read { path, source }),
        };
        if entries.is_empty() {
            return Err(CollectionError::Empty { dir: dir.to_owned() });
        }
        Ok(Collection { dir: dir.to_owned(), entries })
    }

    /// Subjects, each once, in the order of their first record.
    pub fn subjects(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
        self.entries.iter().map(|entry| entry.subject.as_str()).filter(|subject| seen.insert(*subject)).collect()
    }

    /// Records of one subject.
    pub fn of_subject<'a>(&'a self, subject: &'a str) -> impl Iterator<Item = &'a Entry> + 'a {
        self.entries.iter().filter(move |entry| entry.subject == subject)
    }

    /// Records of the sessions that are selected, in the collection's order.
    ///
    /// # Errors
    /// [`CollectionError::UnknownSession`] where a name fits no record at all.
    pub fn select(&self, selection: &SessionSelection) -> Result<Vec<&Entry>, CollectionError> {
        session::select(&self.entries, selection).map_err(|name| CollectionError::UnknownSession {
            dir: self.dir.clone(),
            name,
            known: session::names(&self.entries).join(", "),
        })
    }
}

/// Every record below a folder without a manifest, in the natural order of paths.
fn search(dir: &Path) -> Result<Vec<Entry>, CollectionError> {
    let mut found = Vec::new();
    walk(dir, dir, DEPTH, &mut found)?;
    found.sort_by(|a, b| session::natural(&a.record, &b.record));
    found.dedup_by(|a, b| a.record == b.record);
    Ok(found)
}

fn walk(dir: &Path, folder: &Path, depth: usize, found: &mut Vec<Entry>) -> Result<(), CollectionError> {
    let refused = |source| CollectionError::Read { path: folder.to_owned(), source };
    for item in std::fs::read_dir(folder).map_err(refused)? {
        let path = item.map_err(refused)?.path();
        if path.is_dir() {
            if depth > 0 {
                walk(dir, &path, depth - 1, found)?;
            }
        } else if path.extension().is_some_and(|e| e == "hea" || e == "csv") && !path.ends_with("manifest.csv") {
            let inside = path.strip_prefix(dir).unwrap_or(&path).with_extension("");
            let names: Vec<String> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            let (subject, session) = owner(&names);
            found.push(Entry { record: names.join("/"), path, subject, session, date: String::new() });
        }
    }
    Ok(())
}

/// Subject and session of a record by the parts of its path below the collection.
fn owner(names: &[String]) -> (String, String) {
    let (subject, session) = match names {
        [subject, days @ .., _] if !days.is_empty() => (Some(subject), days.join("/")),
        [subject, .., record] => (Some(subject), record.clone()),
        _ => (names.first(), names.concat()),
    };
    (subject.cloned().unwrap_or_default(), session)
}

/// Where the record of a manifest lies: WFDB before CSV; `None` where neither exists.
fn locate(dir: &Path, record: &str) -> Option<PathBuf> {
    let path = dir.join(record);
    if path.is_file() {
        return Some(path);
    }
    ["hea", "csv"].iter().map(|extension| with_suffix(&path, extension)).find(|path| path.is_file())
}
