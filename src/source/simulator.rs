//! The synthetic heart as a source: a person who does not exist, in this process, for trying the daemon without a board.

use std::time::Duration;

use ecg_data::heart::{HeartError, HeartParams, Noise, SyntheticHeart};
use ecg_signal::PathInput;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::pace::block_samples;
use super::{Closed, Source, SourceSender, WhenFull};
use crate::pipeline::flow::SourceSample;
use crate::pipeline::front_end::FrontEnd;

/// The front end of the simulator: its samples come from no wire.
pub const SIMULATOR_FORMAT: &str = "simulator";
/// Sampling frequency where none is asked for: that of the boards that most people have.
const FS_HZ: f64 = 250.0;

/// An endless synthetic ECG at rest.
#[derive(Debug)]
pub struct Simulator {
    heart: SyntheticHeart,
    speed: Option<f64>,
}

impl Simulator {
    /// Subject number `seed`, at `fs_hz` (250 Hz where `None`), at `speed` times real time (`None`: as fast as it goes).
    ///
    /// # Errors
    /// The sampling frequency is not one that a heart can be made at.
    pub fn new(seed: u64, fs_hz: Option<f64>, speed: Option<f64>) -> Result<Self, HeartError> {
        let heart = SyntheticHeart::new(&HeartParams::from_seed(seed), fs_hz.unwrap_or(FS_HZ), seed)?;
        Ok(Self { heart: heart.with_noise(Noise::at_rest()), speed })
    }

    async fn play(mut self, mut out: SourceSender) -> Result<(), Closed> {
        let fs_hz = self.heart.fs();
        out.online(FrontEnd { format: SIMULATOR_FORMAT.to_owned(), fs_hz, scale: 1.0 }).await?;
        let rate = self.speed.map(|speed| speed * fs_hz);
        let size = block_samples(rate);
        let (start, mut made) = (Instant::now(), 0);
        loop {
            let sample = |_| {
                let sample = self.heart.step();
                let ecg = PathInput { millivolts: sample.millivolts, clipped: false, lead_off: Some(sample.lead_off) };
                SourceSample { ecg, respiration: Some(sample.respiration) }
            };
            let block: Vec<_> = (0..size).map(sample).collect();
            made += size;
            if let Some(rate) = rate {
                sleep_until(start + Duration::from_secs_f64(made as f64 / rate)).await;
            }
            out.samples(block).await?;
        }
    }
}

impl Source for Simulator {
    async fn run(self, out: SourceSender, cancel: CancellationToken) {
        // In a hurry it waits for its reader; in real time it is as a board is.
        let out = if self.speed.is_none() { out.when_full(WhenFull::Wait) } else { out };
        let _ended = cancel.run_until_cancelled(self.play(out)).await;
    }
}
