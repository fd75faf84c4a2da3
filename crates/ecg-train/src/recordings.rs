//! Collections into memory: one lead of every record in millivolts, with whose it is and when.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ecg_data::{Collection, Record};
use ecg_signal::Hertz;

use crate::split::Person;

/// One lead of one record.
#[derive(Clone, Debug)]
pub struct Recording {
    /// Whose heart.
    pub person: Person,
    /// Name of the record within its collection.
    pub record: String,
    /// Session it belongs to.
    pub session: String,
    /// Sampling frequency.
    pub fs: Hertz,
    /// Samples, mV; NaN where the record has none.
    pub millivolts: Vec<f64>,
    /// Whether the converter was at its limit; empty where the record cannot tell.
    pub clipped: Vec<bool>,
}

/// Reads signal `signal` of every record below `directories`.
///
/// A collection is called as its folder. A record that lacks the signal is an error: a silent gap in the data
/// would show only as a worse model.
///
/// # Errors
/// A folder or record that cannot be read, or two folders of the same name.
pub fn load(directories: &[PathBuf], signal: usize) -> anyhow::Result<Vec<Recording>> {
    let mut recordings = Vec::new();
    let mut names = BTreeSet::new();
    for directory in directories {
        let name = collection_name(directory)?;
        if !names.insert(name.clone()) {
            bail!("two collections are called {name}; persons could not be told apart");
        }
        let collection = Collection::open(directory)?;
        for entry in &collection.entries {
            let record = entry.open().with_context(|| format!("reading record {} of {name}", entry.record))?;
            let person = Person { collection: name.clone(), subject: entry.subject.clone() };
            let place = (entry.record.clone(), entry.session.clone());
            recordings.push(recording(record, signal, person, place)?);
        }
    }
    Ok(recordings)
}

fn recording(
    mut record: Record,
    signal: usize,
    person: Person,
    (name, session): (String, String),
) -> anyhow::Result<Recording> {
    let count = record.signals.len();
    if signal >= count {
        bail!("record {name} of {} has {count} signals; --signal counts from 0", person.collection);
    }
    let lead = record.signals.swap_remove(signal);
    Ok(Recording {
        person,
        record: name,
        session,
        fs: Hertz(record.fs),
        millivolts: lead.samples,
        clipped: lead.clipped,
    })
}

/// The last part of the path of a collection.
fn collection_name(directory: &Path) -> anyhow::Result<String> {
    let full = directory.canonicalize().with_context(|| format!("opening collection {}", directory.display()))?;
    match full.file_name() {
        Some(name) => Ok(name.to_string_lossy().into_owned()),
        None => bail!("{} has no name that the collection could be called by", directory.display()),
    }
}

/// Everybody in the recordings.
pub fn persons(recordings: &[Recording]) -> BTreeSet<Person> {
    recordings.iter().map(|recording| recording.person.clone()).collect()
}
