//! A recording as a stream: one signal of a file through the signal path, sample by sample, as the daemon hears it.
//!
//! `analyze`, `evaluate` and `enrol --record` share it, so that none of them can look ahead. It knows nothing of
//! identities and prints nothing.

mod board;
mod trace;

use std::ops::Range;
use std::path::{Path, PathBuf};

use ecg_data::{Adc, Record, RecordError};
use ecg_signal::{
    Beat, Breathing, Hertz, Mains, PathConfig, PathDelay, PathError, PathInput, RespirationMonitor, RrInterval,
    RrSeries, SignalPath, Verdict, WindowQuality,
};

pub use board::{BoardError, through_board};

/// A recording that cannot be analysed.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The record has no such signal.
    #[error("{path} has no signal {asked}; it has {known} (numbers count from 0)")]
    NoSuchSignal {
        /// The record.
        path: PathBuf,
        /// What was asked for.
        asked: usize,
        /// What there is.
        known: String,
    },
    /// The record has no signal at all.
    #[error("{path} holds no signal, only annotations: `ecgid hrv FILE` takes the beats of an annotation file")]
    NoSignal {
        /// The record.
        path: PathBuf,
    },
    /// The signal path cannot run on it.
    #[error("cannot analyse {path}: {source}")]
    Path {
        /// The record.
        path: PathBuf,
        /// Why.
        source: PathError,
    },
    /// The simulated board cannot send it.
    #[error("cannot send {path} through a simulated board: {source}")]
    Board {
        /// The record.
        path: PathBuf,
        /// Why.
        source: BoardError,
    },
}

/// Samples that go through the path at once: breathing sees a beat at most so much before the samples beside it.
const BLOCK: usize = 64;

/// Samples as a source would deliver them, with their sampling frequency.
#[derive(Debug, Clone)]
pub struct Stream {
    /// What the front end of templates is called: `record`, or the wire format that it went through.
    pub format: String,
    /// Sampling frequency.
    pub fs: Hertz,
    /// The samples.
    pub samples: Vec<PathInput>,
    /// The respiration channel beside them, in a unit of its own; `None` where the record has none.
    pub respiration: Option<Vec<f64>>,
}

/// One signal of a record.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The record's name.
    pub name: String,
    /// The signal's name.
    pub signal: String,
    /// The signal's units in the file.
    pub units: String,
    /// What is odd about the file but does not stop its use.
    pub warnings: Vec<String>,
    /// The samples, in millivolts.
    pub stream: Stream,
}

impl Recording {
    /// Opens a WFDB record (path without extension, or `.hea`) or a `.csv`, and takes one signal of it.
    ///
    /// # Errors
    /// [`RecordingError`]: the file, and what to do.
    pub fn open(path: &Path, signal: usize) -> Result<Self, RecordingError> {
        Self::open_with(path, signal, Adc::default())
    }

    /// The same where the board is known that made the codes of a `.csv`.
    ///
    /// # Errors
    /// As [`Recording::open`].
    pub fn open_with(path: &Path, signal: usize, adc: Adc) -> Result<Self, RecordingError> {
        let mut record = Record::open_with(path, adc)?;
        if record.signals.is_empty() {
            return Err(RecordingError::NoSignal { path: path.to_owned() });
        }
        if signal >= record.signals.len() {
            let names = record.signals.iter().enumerate().map(|(i, s)| format!("{i} ({})", s.name));
            let known = names.collect::<Vec<_>>().join(", ");
            return Err(RecordingError::NoSuchSignal { path: path.to_owned(), asked: signal, known });
        }
        let mut warnings = std::mem::take(&mut record.warnings);
        let chosen = &record.signals[signal];
        if !chosen.is_voltage() {
            let unit = if chosen.units.is_empty() { "no unit" } else { &chosen.units };
            warnings.push(format!("signal {signal} ({}) has {unit}; it is taken as millivolts", chosen.name));
        }
        let sample =
            |(i, &millivolts): (usize, &f64)| PathInput { millivolts, clipped: chosen.is_clipped(i), lead_off: None };
        let samples = chosen.samples.iter().enumerate().map(sample).collect();
        let respiration = respiration_signal(&record, signal).map(|at| record.signals[at].samples.clone());
        Ok(Self {
            name: record.name.clone(),
            signal: chosen.name.clone(),
            units: chosen.units.clone(),
            warnings,
            stream: Stream { format: "record".into(), fs: Hertz(record.fs), samples, respiration },
        })
    }
}

/// Which signal of a record is its respiration: the first one besides `ecg` whose name begins with `resp`, as in the
/// files of boards and in the databases of PhysioNet.
fn respiration_signal(record: &Record, ecg: usize) -> Option<usize> {
    let is_respiration = |name: &str| name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("resp"));
    (0..record.signals.len()).find(|&at| at != ecg && is_respiration(record.signals[at].name.trim()))
}

/// What the signal path made of a stream.
#[derive(Debug, Clone)]
pub struct Passage {
    /// Beats, in order, refused ones included.
    pub beats: Vec<Beat>,
    /// The breathing, every few seconds.
    pub breathing: Vec<Breathing>,
    /// The verdict on the last ten seconds, once a second.
    pub windows: Vec<WindowQuality>,
    /// Delays of the path.
    pub delay: PathDelay,
    /// The electrodes were probably swapped, as known at the end.
    pub lead_inverted: Option<bool>,
    /// Identifies the chain, mains included.
    pub chain_id: String,
}

impl Passage {
    /// Beats that the quality gate accepted.
    pub fn accepted(&self) -> impl Iterator<Item = &Beat> {
        self.beats.iter().filter(|b| b.quality.verdict == Verdict::Accepted)
    }

    /// Times of R in seconds of the source, ascending, refused beats included; `fs` is the source's, in hertz.
    #[must_use]
    pub fn beat_times_s(&self, fs: f64) -> Vec<f64> {
        let mut times: Vec<f64> = self.beats.iter().map(|beat| beat.r_peak / fs).collect();
        times.sort_by(f64::total_cmp);
        times
    }

    /// Intervals between heartbeats that follow each other, ectopic ones among them; `fs` is the source's, in hertz.
    #[must_use]
    pub fn rr_intervals(&self, fs: f64) -> Vec<RrInterval> {
        let mut series = RrSeries::new();
        let mut intervals = Vec::new();
        for beat in &self.beats {
            if beat.rr_ms.is_none() {
                series.interrupt();
            }
            intervals.extend(series.push(beat.interval_end(fs) / fs, beat.quality.verdict.is_heartbeat()));
        }
        intervals
    }

    /// Share of accepted beats, 0…1; 0 without beats.
    #[must_use]
    pub fn accepted_share(&self) -> f64 {
        self.accepted().count() as f64 / self.beats.len().max(1) as f64
    }
}

impl Stream {
    /// Runs a part of the stream (all of it: `0..samples.len()`) through a new signal path, then flushes it.
    ///
    /// # Errors
    /// [`PathError`] where the path does not take this sampling frequency.
    pub fn pass(&self, part: Range<usize>, mains: Mains) -> Result<Passage, PathError> {
        let mut path = SignalPath::new(&PathConfig { fs: self.fs, mains })?;
        let mut monitor = RespirationMonitor::new(self.fs).map_err(PathError::Filter)?;
        let (mut beats, mut breathing) = (Vec::new(), Vec::new());
        let mut windows = Vec::new();
        let second_ends = |second: usize| part.start + (second as f64 * self.fs.0).round() as usize;
        let (mut met, mut second) = (part.start, 1);
        while met < part.end {
            let end = part.end.min(met + BLOCK).min(second_ends(second));
            path.push_block(&self.samples[met..end], &mut |beat| {
                monitor.push_beat(&beat);
                beats.push(beat);
            });
            for at in met..end {
                breathing.extend(monitor.push(self.respiration.as_ref().map(|respiration| respiration[at])));
            }
            met = end;
            if met == second_ends(second) {
                windows.extend(path.window_quality().copied());
                second += 1;
            }
        }
        let lead_inverted = path.signal_state().lead_inverted;
        path.flush(&mut |beat| beats.push(beat));
        Ok(Passage { beats, breathing, windows, delay: path.delay(), lead_inverted, chain_id: path.chain_id() })
    }

    /// Length, seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / self.fs.0
    }
}

/// Reads `--mains`.
///
/// # Errors
/// What is accepted.
pub fn parse_mains(text: &str) -> Result<Mains, String> {
    match text.to_ascii_lowercase().as_str() {
        "50" => Ok(Mains::Hz50),
        "60" => Ok(Mains::Hz60),
        "none" => Ok(Mains::None),
        _ => Err("50, 60 or none".into()),
    }
}

/// `--mains` as it is written back.
#[must_use]
pub fn mains_name(mains: Mains) -> &'static str {
    match mains {
        Mains::Hz50 => "50",
        Mains::Hz60 => "60",
        Mains::None => "none",
    }
}
