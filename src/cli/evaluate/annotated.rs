//! WFDB records with beat annotations: which there are below a folder, and what is known of them.
//!
//! It knows no detector.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ecg_data::{AnnotationKind, Annotations, annotations};

use super::score::Truth;

/// Which annotated records are meant, as arguments of a command.
#[derive(Debug, clap::Args)]
pub struct Selection {
    /// Folder with WFDB records, searched with its subfolders: NAME.hea with NAME.atr
    dir: PathBuf,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    pub signal: usize,
    /// Annotator: the extension of the annotation files
    #[arg(long, default_value = "atr")]
    pub annotator: String,
    /// Only these records, by their name below DIR
    #[arg(long, value_delimiter = ',')]
    records: Vec<String>,
}

impl Selection {
    /// Their names, as [`records`] gives them.
    ///
    /// # Errors
    /// As [`records`].
    pub fn names(&self) -> anyhow::Result<Vec<String>> {
        records(&self.dir, &self.annotator, &self.records)
    }

    /// The path of one of them, without extension.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// Reads what the annotator knows of a record.
///
/// # Errors
/// The annotation file or the header cannot be read.
pub fn truth(path: &Path, annotator: &str) -> anyhow::Result<Truth> {
    Ok(truth_of(&annotations(path, annotator)?))
}

/// What annotations say of a record.
#[must_use]
pub fn truth_of(annotations: &Annotations) -> Truth {
    let mut truth = Truth::default();
    let mut fibrillates_from = None;
    for item in &annotations.items {
        let at = item.sample as f64 / annotations.fs;
        match item.kind {
            AnnotationKind::Beat(_) => truth.beats.push(at),
            AnnotationKind::VfStart => fibrillates_from = Some(at),
            AnnotationKind::VfEnd => truth.fibrillation.extend(fibrillates_from.take().map(|from| (from, at))),
            AnnotationKind::Other(_) => {}
        }
    }
    truth.fibrillation.extend(fibrillates_from.map(|from| (from, f64::INFINITY)));
    truth.beats.sort_by(f64::total_cmp);
    truth
}

/// Names of the records below `dir` that have annotations, sorted; only those named in `only`, where it names some.
///
/// # Errors
/// The folder cannot be read, holds none, or lacks one that is named.
pub fn records(dir: &Path, annotator: &str, only: &[String]) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    search(dir, dir, annotator, &mut names)?;
    names.sort();
    if names.is_empty() {
        bail!("no record under {}: looked for NAME.hea with NAME.{annotator} beside it", dir.display());
    }
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        bail!("no record {unknown} under {}; there are {}", dir.display(), names.join(", "));
    }
    names.retain(|name| only.is_empty() || only.contains(name));
    Ok(names)
}

fn search(root: &Path, dir: &Path, annotator: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", dir.display()))?.path();
        if path.is_dir() {
            search(root, &path, annotator, names)?;
        } else if path.extension().is_some_and(|e| e == "hea") && path.with_extension(annotator).is_file() {
            let below = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            names.push(below.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
