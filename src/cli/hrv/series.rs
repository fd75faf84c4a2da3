//! Intervals from a file. Must not know what is computed from them.

use std::path::{Path, PathBuf};

use ecg_data::{AnnotationKind, Annotations, annotations};
use ecg_signal::rr::RR_RANGE_MS;
use ecg_signal::{RrInterval, RrSeries};

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) intervals: Vec<RrInterval>,
    /// Distances outside of [`RR_RANGE_MS`].
    pub(super) refused: usize,
    /// From the first beat to the last, seconds.
    pub(super) length_s: f64,
}

/// Why there is no series.
#[derive(Debug, thiserror::Error)]
pub(super) enum SeriesError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}, line {line}: {text:?} is no RR interval; one number in milliseconds a line is read", path.display())]
    Line { path: PathBuf, line: usize, text: String },
    #[error("{}: its intervals look like seconds (median {median}); write milliseconds", path.display())]
    Seconds { path: PathBuf, median: f64 },
    #[error("{}: no two beats, no interval", path.display())]
    Empty { path: PathBuf },
    #[error(
        "{} is neither UTF-8 text nor a WFDB annotation file with its header beside it ({} is not there)",
        path.display(), path.with_extension("hea").display()
    )]
    Neither { path: PathBuf },
    #[error("cannot read the beats of {}", path.display())]
    Annotations { path: PathBuf, source: ecg_data::RecordError },
}

impl Series {
    /// Reads text or annotations, whichever the file is.
    pub(super) fn read(path: &Path) -> Result<Self, SeriesError> {
        let bytes = std::fs::read(path).map_err(|source| SeriesError::Read { path: path.to_owned(), source })?;
        let is_text = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\t' | b' '..=b'~');
        // A byte-order mark and letters beyond ASCII are text, the words of an annotation file are not.
        let series = match std::str::from_utf8(&bytes) {
            Ok(text) if bytes.iter().all(|byte| is_text(byte) || *byte >= 0x80) => Self::of_text(path, text)?,
            _ => Self::of_annotations(path)?,
        };
        if series.intervals.is_empty() {
            return Err(SeriesError::Empty { path: path.to_owned() });
        }
        Ok(series)
    }

    fn of_text(path: &Path, text: &str) -> Result<Self, SeriesError> {
        let mut values = Vec::new();
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let word = line.trim();
            if word.is_empty() || word.starts_with('#') {
                continue;
            }
            let value: Option<f64> = word.parse().ok().filter(|value: &f64| value.is_finite());
            values.push(value.ok_or_else(|| SeriesError::Line {
                path: path.to_owned(),
                line: number,
                text: word.chars().take(40).collect(),
            })?);
        }
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        if let Some(&median) = sorted.get(sorted.len() / 2).filter(|median| (0.2..=3.0).contains(*median)) {
            return Err(SeriesError::Seconds { path: path.to_owned(), median });
        }
        let mut series = Self::default();
        let mut follows = false;
        for rr_ms in values {
            series.length_s += rr_ms.max(0.0) / 1000.0;
            let possible = (RR_RANGE_MS.0..=RR_RANGE_MS.1).contains(&rr_ms);
            if possible {
                series.intervals.push(RrInterval { end_s: series.length_s, rr_ms, follows });
            }
            series.refused += usize::from(!possible);
            follows = possible;
        }
        Ok(series)
    }

    fn of_annotations(path: &Path) -> Result<Self, SeriesError> {
        let annotator = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let annotations = annotations(&path.with_extension(""), &annotator).map_err(|source| {
            let path = path.to_owned();
            // The fault that is found in other bytes ("cut short") says nothing; a header says that they are annotations.
            if path.with_extension("hea").exists() {
                SeriesError::Annotations { path, source }
            } else {
                SeriesError::Neither { path }
            }
        })?;
        Ok(Self::of_beats(&annotations))
    }

    /// Beats of every kind count: what is not normal is told by its intervals.
    fn of_beats(annotations: &Annotations) -> Self {
        let mut series = Self::default();
        let mut rr = RrSeries::new();
        let (mut first, mut previous) = (None, None);
        for item in &annotations.items {
            let at = item.sample as f64 / annotations.fs;
            match item.kind {
                AnnotationKind::Beat(_) => {
                    let interval = rr.push(at, true);
                    series.refused += usize::from(previous.is_some() && interval.is_none());
                    series.intervals.extend(interval);
                    series.length_s = at - *first.get_or_insert(at);
                    previous = Some(at);
                }
                AnnotationKind::VfStart | AnnotationKind::VfEnd => {
                    rr.interrupt();
                    previous = None;
                }
                AnnotationKind::Other(_) => {}
            }
        }
        series
    }
}

/// The intervals of annotated beats.
pub(crate) fn annotated_intervals(annotations: &Annotations) -> Vec<RrInterval> {
    Series::of_beats(annotations).intervals
}
