//! One recording in memory: signals in millivolts at one sampling frequency, whatever file it came from.
//!
//! Responsible for choosing the reader by path and for the errors that a reader can give.
//! Must not know how a file is laid out: that is [`crate::wfdb`] and [`crate::csv`].

use std::path::{Path, PathBuf};

use crate::adc::Adc;

/// A recording, read whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Name of the record: the header's own, or the file's stem for CSV.
    pub name: String,
    /// Sampling frequency of all its signals, in hertz.
    pub fs: f64,
    /// The signals, all of one length. Empty for a record that has only annotations.
    pub signals: Vec<Signal>,
    /// Comments of the header, without `#` and outer spaces.
    pub comments: Vec<String>,
    /// Time of day of the first sample as the header writes it, e.g. `12:30:00`.
    pub base_time: Option<String>,
    /// Date of the first sample as the header writes it, e.g. `07/12/2004`.
    pub base_date: Option<String>,
    /// What is odd about the file but does not stop its use: a wrong checksum, a cut last line, a gap in time.
    pub warnings: Vec<String>,
}

/// One signal of a recording.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    /// Its description in the file, e.g. `MLII`, `ECG I`, `ecg`.
    pub name: String,
    /// Units that the file gives: `mV`, `uV`, `V`, `au`, or something that is no voltage.
    pub units: String,
    /// Millivolts where [`Signal::is_voltage`], else the file's own units. NaN: the sample is missing or invalid.
    pub samples: Vec<f64>,
    /// True for each sample on a rail of the converter. Empty where no sample is.
    pub clipped: Vec<bool>,
    /// Step between neighbouring converter codes, in the units of `samples`; `None` where the file does not say.
    pub step: Option<f64>,
    /// False where the file says that its gain is unknown and a default was taken.
    pub calibrated: bool,
    /// Whether the samples sum to what the header says.
    pub checksum: Checksum,
}

/// Outcome of the header's checksum over one signal: the sum of all its codes, modulo 2^16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Checksum {
    /// The file has none.
    #[default]
    Absent,
    /// It agrees.
    Verified,
    /// It does not: the samples are not those that the header was written for.
    Mismatch {
        /// The header's value, modulo 2^16.
        header: u16,
        /// The sum of what was read.
        data: u16,
    },
}

impl Signal {
    /// True where [`Signal::samples`] are millivolts.
    pub fn is_voltage(&self) -> bool {
        millivolts_per_unit(&self.units).is_some()
    }

    /// True where the sample lies on a rail of the converter.
    pub fn is_clipped(&self, index: usize) -> bool {
        self.clipped.get(index).copied().unwrap_or(false)
    }
}

/// Millivolts of one physical unit; `None` for what is no voltage.
///
/// `au` is the arbitrary unit of Heartprint: 0.1 mV. Its device gives no scale; the median R peak of all its records is
/// 10.4 au, so that this factor puts R at about 1 mV, where a human R peak between two hands lies.
pub fn millivolts_per_unit(units: &str) -> Option<f64> {
    match units {
        "mV" | "mv" | "MV" => Some(1.0),
        "uV" | "uv" | "UV" | "µV" | "μV" => Some(1e-3),
        "V" | "v" => Some(1e3),
        "au" | "AU" => Some(0.1),
        _ => None,
    }
}

/// Why a record, or its annotations, could not be read. Each names the file and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Nothing of that name.
    #[error(
        "no record at {path}: neither {path}.hea nor {path}.csv exists; give a WFDB record without extension, a .hea or a .csv"
    )]
    Absent {
        /// What was asked for.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line of text that cannot be understood.
    #[error("{path}, line {line}: {problem}")]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, counted from 1.
        line: usize,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A file that as a whole cannot be understood.
    #[error("{path}: {problem}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl RecordError {
    pub(crate) fn content(path: &Path, problem: impl Into<String>) -> Self {
        Self::Content { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn line(path: &Path, line: usize, problem: impl Into<String>) -> Self {
        Self::Line { path: path.to_owned(), line, problem: problem.into() }
    }
}

impl Record {
    /// Reads a record: a WFDB path without extension, a `.hea`, or a `.csv`.
    ///
    /// # Errors
    /// [`RecordError`], with the path, the line where there is one, and what to do.
    pub fn open(path: &Path) -> Result<Record, RecordError> {
        Self::open_with(path, Adc::default())
    }

    /// The same where the board is known: a `.csv` of codes is read as `adc` made them. WFDB says itself what a code is
    /// worth.
    ///
    /// # Errors
    /// As [`Record::open`].
    pub fn open_with(path: &Path, adc: Adc) -> Result<Record, RecordError> {
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("hea") => return crate::wfdb::read(path),
            Some("csv") => return crate::csv::read(path, adc),
            _ => {}
        }
        let header = with_suffix(path, "hea");
        if header.is_file() {
            return crate::wfdb::read(&header);
        }
        let table = with_suffix(path, "csv");
        if table.is_file() {
            return crate::csv::read(&table, adc);
        }
        if path.is_file() {
            return Err(RecordError::content(
                path,
                "not a record; give its .hea, its path without extension, or a .csv",
            ));
        }
        Err(RecordError::Absent { path: path.to_owned() })
    }

    /// Samples of each signal; 0 without signals.
    pub fn len(&self) -> usize {
        self.signals.first().map_or(0, |signal| signal.samples.len())
    }

    /// True without a single sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in seconds.
    pub fn duration_s(&self) -> f64 {
        self.len() as f64 / self.fs
    }
}

/// Appends an extension. `Path::with_extension` would cut a record's name at its own dot.
pub(crate) fn with_suffix(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Reads a whole file, with its path in the error.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, RecordError> {
    std::fs::read(path).map_err(|source| RecordError::Read { path: path.to_owned(), source })
}

/// Reads a text file; bytes that are not UTF-8 (old headers are Latin-1 in comments) become replacement characters.
pub(crate) fn read_text(path: &Path) -> Result<String, RecordError> {
    let bytes = read_bytes(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned())
}
