//! A recording as a source: any rate, any lead, at any multiple of real time.
//!
//! The one source that ends, and the one that waits for a slow consumer: a file does not run away.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ecg_data::{Record, RecordError};
use ecg_signal::PathInput;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::pace::block_samples;
use super::{Closed, Source, SourceSender, WhenFull};
use crate::pipeline::flow::SourceSample;
use crate::pipeline::front_end::FrontEnd;
use crate::recording::respiration_signal;

/// The front end of a recording: its samples come from no wire.
pub const RECORD_FORMAT: &str = "record";

/// One lead of a recording.
#[derive(Debug, Clone)]
pub struct Replay {
    front_end: FrontEnd,
    samples: Vec<SourceSample>,
    speed: Option<f64>,
}

/// Why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read.
    #[error("cannot read the record {}", path.display())]
    Record {
        /// As it was given.
        path: PathBuf,
        /// The reader's own words.
        source: RecordError,
    },
    /// The record has no such signal.
    #[error("{} has {count} signals, counted from 0: there is no signal {signal}", path.display())]
    NoSuchSignal {
        /// As it was given.
        path: PathBuf,
        /// What was asked for.
        signal: usize,
        /// What there is.
        count: usize,
    },
}

impl Replay {
    /// Opens signal number `signal` (from 0) of a record; `speed` in times real time, `None` as fast as it goes.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub fn open(path: &Path, signal: usize, speed: Option<f64>) -> Result<Self, ReplayError> {
        let mut record = Record::open(path).map_err(|source| ReplayError::Record { path: path.to_owned(), source })?;
        let count = record.signals.len();
        if signal >= count {
            return Err(ReplayError::NoSuchSignal { path: path.to_owned(), signal, count });
        }
        let respiration = respiration_signal(&record, signal).map(|at| record.signals[at].samples.clone());
        let signal = record.signals.swap_remove(signal);
        let mut replay = Self::from_millivolts(&signal.samples, record.fs, speed);
        for (index, sample) in replay.samples.iter_mut().enumerate() {
            sample.ecg.clipped = signal.is_clipped(index);
            sample.respiration = respiration.as_ref().map(|samples| samples[index]);
        }
        Ok(replay)
    }

    /// Plays millivolts from memory; NaN is a sample without contact.
    #[must_use]
    pub fn from_millivolts(millivolts: &[f64], fs_hz: f64, speed: Option<f64>) -> Self {
        let input = |&millivolts: &f64| PathInput { millivolts, clipped: false, lead_off: None };
        Self::from_inputs(millivolts.iter().map(input), fs_hz, speed)
    }

    /// Plays samples from memory as they are, lead-off marks included.
    #[must_use]
    pub fn from_inputs(inputs: impl IntoIterator<Item = PathInput>, fs_hz: f64, speed: Option<f64>) -> Self {
        let front_end = FrontEnd { format: RECORD_FORMAT.to_owned(), fs_hz, scale: 1.0 };
        Self { front_end, samples: inputs.into_iter().map(SourceSample::from).collect(), speed }
    }

    /// Plays as if the samples had come from another front end.
    #[must_use]
    pub fn with_format(mut self, format: &str) -> Self {
        format.clone_into(&mut self.front_end.format);
        self
    }

    /// What it plays as.
    #[must_use]
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    async fn play(self, mut out: SourceSender) -> Result<(), Closed> {
        out.online(self.front_end.clone()).await?;
        let Some(rate) = self.speed.map(|speed| speed * self.front_end.fs_hz) else {
            for block in self.samples.chunks(block_samples(None)) {
                out.samples(block.to_vec()).await?;
            }
            return Ok(());
        };
        let start = Instant::now();
        let size = block_samples(Some(rate));
        for (index, block) in self.samples.chunks(size).enumerate() {
            let end = (index * size + block.len()) as f64 / rate;
            sleep_until(start + Duration::from_secs_f64(end)).await;
            out.samples(block.to_vec()).await?;
        }
        Ok(())
    }
}

impl Source for Replay {
    async fn run(self, out: SourceSender, cancel: CancellationToken) {
        let out = out.when_full(WhenFull::Wait);
        let _ended = cancel.run_until_cancelled(self.play(out)).await;
    }
}
