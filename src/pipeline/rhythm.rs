//! The rhythm stage: beats in, a summary of heart-rate variability out, at regular sample time.
//!
//! It knows no identity. It is why the window is forgotten when the electrodes were off for a while, and the day when
//! they were off for long: who comes back may be another person, and variability is a figure of one heart.

use ecg_signal::{Hrv, HrvWindow};
use tokio::sync::mpsc;

use super::PipelineError;
use super::outlet::Outlet;
use super::signal::Observation;
use crate::config::HrvConfig;
use crate::event::{Event, HrvDayFigures, HrvEvent, HrvFigures, Reason, hrv_reason};

/// Seconds without contact or source after which the window begins anew.
const ABSENCE_S: u32 = 2;
/// …and after which the day does: an electrode that has come loose is put back within minutes, and its person's day goes
/// on.
const DAY_ABSENCE_S: u32 = 300;

/// Runs until the signal stage has dropped its end.
pub(super) async fn run(
    mut input: mpsc::Receiver<Observation>,
    events: Outlet,
    config: HrvConfig,
) -> Result<(), PipelineError> {
    let mut stage = Stage::new(config);
    while let Some(observation) = input.recv().await {
        if let Some(event) = stage.take(&observation) {
            events.mention(Event::Hrv(Box::new(event))).await;
        }
    }
    Ok(())
}

struct Stage {
    window: HrvWindow,
    every_s: f64,
    fs_hz: f64,
    next_s: f64,
    absent_s: u32,
}

impl Stage {
    fn new(config: HrvConfig) -> Self {
        let every_s = config.every.as_secs_f64();
        let window = HrvWindow::corrected(config.window.as_secs_f64());
        Self { window, every_s, fs_hz: 0.0, next_s: every_s, absent_s: 0 }
    }

    fn take(&mut self, observation: &Observation) -> Option<HrvEvent> {
        match observation {
            Observation::FrontEnd { front_end, .. } => self.fs_hz = front_end.fs_hz,
            Observation::Beat(beat) => {
                if beat.rr_ms.is_none() {
                    self.window.interrupt();
                }
                let end = beat.interval_end(self.fs_hz);
                self.window.push(end / self.fs_hz, beat.quality.verdict.is_heartbeat());
            }
            Observation::Gap { .. } | Observation::Unusable { .. } => self.window.interrupt(),
            Observation::Liveness { .. } => {}
            Observation::Lost { .. } => self.absent(),
            Observation::Second { unusable, index, .. } => {
                if *unusable == Some(Reason::LeadOff) {
                    self.absent()
                } else {
                    self.absent_s = 0
                }
                return self.due(*index);
            }
        }
        None
    }

    fn absent(&mut self) {
        self.window.interrupt();
        self.absent_s += 1;
        if self.absent_s == ABSENCE_S {
            self.window.reset();
        }
        if self.absent_s == DAY_ABSENCE_S {
            self.window.reset_day();
        }
    }

    /// The summary, when its time has come.
    fn due(&mut self, index: u64) -> Option<HrvEvent> {
        let now_s = index as f64 / self.fs_hz;
        if now_s < self.next_s {
            return None;
        }
        // After a long gap one summary is due, not one for every interval that was missed.
        self.next_s += self.every_s * ((now_s - self.next_s) / self.every_s).floor() + self.every_s;
        Some(self.event(&self.window.summary(now_s), now_s, index))
    }

    fn event(&self, hrv: &Hrv, now_s: f64, index: u64) -> HrvEvent {
        HrvEvent {
            window_s: self.window.window_s(),
            figures: HrvFigures::from(hrv),
            reason: hrv_reason(hrv),
            day: Some(HrvDayFigures::from(&self.window.day(now_s))),
            sample_index: index,
        }
    }
}
