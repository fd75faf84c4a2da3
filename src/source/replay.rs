//! A recording as a source: any rate, any lead, at any multiple of real time.
//!
//! The one source that ends, and the one that waits for a slow consumer: a file does not run away.

use std::path::Path;
use std::time::Duration;

use ecg_data::Adc;
use ecg_signal::PathInput;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::pace::block_samples;
use super::{Closed, Source, SourceSender, WhenFull};
use crate::pipeline::flow::SourceSample;
use crate::pipeline::front_end::FrontEnd;
use crate::recording::{Recording, RecordingError};

/// The front end of a recording: its samples come from no wire.
pub const RECORD_FORMAT: &str = "record";

/// One lead of a recording.
#[derive(Debug, Clone)]
pub struct Replay {
    front_end: FrontEnd,
    samples: Vec<SourceSample>,
    speed: Option<f64>,
    /// What is odd about the file but does not stop its use.
    warnings: Vec<String>,
}

impl Replay {
    /// Opens signal number `signal` (from 0) of a record, whose codes, where it is a `.csv` of codes, `adc` made; `speed`
    /// in times real time, `None` as fast as it goes.
    ///
    /// # Errors
    /// [`RecordingError`].
    pub fn open(path: &Path, signal: usize, adc: Adc, speed: Option<f64>) -> Result<Self, RecordingError> {
        let Recording { warnings, stream, .. } = Recording::open_with(path, signal, adc)?;
        let mut replay = Self::from_inputs(stream.samples, stream.fs.0, speed);
        if let Some(respiration) = stream.respiration {
            let beside = replay.samples.iter_mut().zip(respiration);
            beside.for_each(|(sample, respiration)| sample.respiration = Some(respiration));
        }
        replay.warnings = warnings.into_iter().map(|warning| format!("{}: {warning}", path.display())).collect();
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
        Self { front_end, samples: inputs.into_iter().map(SourceSample::from).collect(), speed, warnings: Vec::new() }
    }

    /// Plays as if the samples had come from another front end, whose codes are taken for `scale` times the millivolts
    /// that are usual there.
    #[must_use]
    pub fn with_front_end(mut self, format: &str, scale: f64) -> Self {
        format.clone_into(&mut self.front_end.format);
        self.front_end.scale = scale;
        self
    }

    /// What is odd about the recording, for whoever tells the user; a source that still has it logs it when it plays.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// What it plays as.
    #[must_use]
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    async fn play(self, mut out: SourceSender) -> Result<(), Closed> {
        self.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
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
