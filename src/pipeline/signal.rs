//! The signal stage: samples in, beats and a statement about the signal out, all through the one signal path.
//!
//! It is the only task that owns a [`SignalPath`]. It knows no identity, no model and no topic.

mod running;

use std::time::Duration;

use ecg_identity::{LivenessConfig, Suspicion};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathError, PathInput, SignalPath};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::running::Running;
use super::flow::{Flow, Problem, ProblemKind, SourceItem, SourceSample};
use super::front_end::FrontEnd;
use super::liveness::LivenessGuard;
use super::outlet::Outlet;
use super::respiration::Respiration;
use super::{Ended, PipelineError};
use crate::event::{Event, Reason, SignalEvent, SourceEvent, WindowReason};

/// Silence after which the source counts as lost: longer than any block, short enough to be believed at a door.
const SILENCE: Duration = Duration::from_secs(1);

/// What is said of a lead-off bit that the signal has contradicted.
const BIT_IGNORED: &str = "the board's lead-off bit is set while a heart is seen; it is ignored";

/// What the signal stage hands on, in the order of the samples.
#[derive(Debug, Clone)]
pub enum Observation {
    /// What follows comes from this front end.
    FrontEnd {
        /// Format and rate; the rate is the unit of every position that follows.
        front_end: FrontEnd,
        /// What the signal path does.
        chain_id: String,
    },
    /// A heartbeat, accepted or refused.
    Beat(Box<Beat>),
    /// Samples are missing here, or must not be joined to those before.
    Gap {
        /// How many.
        missing: u64,
        /// Where the stream goes on, source samples since start.
        index: u64,
    },
    /// From here on the signal is not usable: said at once, where the next second would say it too.
    Unusable {
        /// Why.
        reason: Reason,
        /// Position, source samples since start.
        index: u64,
    },
    /// From here on the heart is not believed to beat now, or is believed again. Comes before the beat that told.
    Liveness {
        /// What is suspected; `None`: nothing any more.
        suspicion: Option<Suspicion>,
        /// Position, source samples since start.
        index: u64,
    },
    /// A second of sample time has passed.
    Second {
        /// Why the signal is not usable; `None` where it is.
        unusable: Option<Reason>,
        /// Share of accepted beats among the recent ones, 0…1.
        quality: f64,
        /// Heart rate over the last beats, beats a minute.
        heart_rate_bpm: Option<f64>,
        /// Position, source samples since start.
        index: u64,
    },
    /// Nothing comes. Said again every second while it lasts.
    Lost {
        /// Why.
        reason: Reason,
        /// Position, source samples since start.
        index: u64,
    },
}

/// Where the signal stage sends to.
pub(super) struct Outputs {
    pub(super) inference: mpsc::Sender<Observation>,
    pub(super) rhythm: mpsc::Sender<Observation>,
    pub(super) events: Outlet,
}

/// Runs until the source has dropped its end.
pub(super) async fn run(
    mut input: mpsc::Receiver<SourceItem>,
    mains: Mains,
    liveness: Option<LivenessConfig>,
    outputs: Outputs,
) -> Result<(), PipelineError> {
    let mut stage = Stage::new(mains, liveness, outputs);
    // Refused frames and complaints are no samples: only samples end a silence.
    let mut silent_at = Instant::now() + SILENCE;
    let done = loop {
        let received = timeout_at(silent_at, input.recv()).await;
        if matches!(received, Err(_) | Ok(Some(SourceItem::Samples(Flow::Block(_))))) {
            silent_at = Instant::now() + SILENCE;
        }
        let done = match received {
            Ok(Some(SourceItem::Online(front_end))) => {
                stage.build(&front_end).map_err(PipelineError::Path)?;
                stage.online(front_end).await
            }
            Ok(Some(item)) => stage.take(item).await,
            Ok(None) => break stage.finish().await,
            Err(_elapsed) => stage.silence().await,
        };
        if done.is_err() {
            break done;
        }
    };
    // A stage behind that has ended says itself why; there is nothing to add.
    let _ended = done;
    Ok(())
}

struct Stage {
    mains: Mains,
    outputs: Outputs,
    path: Option<Running>,
    /// Outlives a front end: what was heard by one board may be played to another.
    liveness: LivenessGuard,
    missing_samples: u64,
    refused_frames: u64,
    format: Option<String>,
    fs_hz: Option<f64>,
    /// What was last said of the source.
    said: Option<SourceEvent>,
    /// Samples arrive now.
    flowing: bool,
    /// Another format has taken the place of the pinned one.
    foreign: bool,
    /// What was said of the rate of this connection: it stands over a silence.
    rate_problem: Option<String>,
}

impl Stage {
    fn new(mains: Mains, liveness: Option<LivenessConfig>, outputs: Outputs) -> Self {
        Self {
            mains,
            outputs,
            path: None,
            liveness: LivenessGuard::new(liveness),
            missing_samples: 0,
            refused_frames: 0,
            format: None,
            fs_hz: None,
            said: None,
            flowing: false,
            foreign: false,
            rate_problem: None,
        }
    }

    async fn take(&mut self, item: SourceItem) -> Result<(), Ended> {
        match item {
            SourceItem::Online(front_end) => self.online(front_end).await,
            SourceItem::Samples(Flow::Block(block)) => self.block(&block).await,
            SourceItem::Samples(Flow::Gap { missing }) => self.gap(missing).await,
            SourceItem::Refused { frames } => {
                self.refused_frames += frames;
                Ok(())
            }
            SourceItem::Problem(problem) => self.problem(problem).await,
            SourceItem::Offline { problem } => {
                self.foreign = false;
                self.say_source(false, Some(problem)).await;
                self.lost(Reason::SourceLost).await
            }
        }
    }

    /// Builds the path of a front end, unless it is there already.
    fn build(&mut self, front_end: &FrontEnd) -> Result<(), PathError> {
        if self.path.as_ref().is_some_and(|running| running.front_end == *front_end) {
            return Ok(());
        }
        let fs = Hertz(front_end.fs_hz);
        let path = SignalPath::new(&PathConfig { fs, mains: self.mains })?;
        self.path = Some(Running::new(front_end.clone(), path, Respiration::new(fs)?));
        Ok(())
    }

    /// Samples of `front_end` follow.
    async fn online(&mut self, front_end: FrontEnd) -> Result<(), Ended> {
        self.format = Some(front_end.format);
        self.fs_hz = Some(front_end.fs_hz);
        self.rate_problem = None;
        self.say_source(true, None).await;
        let Some(running) = &mut self.path else { return Ok(()) };
        if std::mem::replace(&mut running.told, true) {
            return Ok(());
        }
        let observation =
            Observation::FrontEnd { front_end: running.front_end.clone(), chain_id: running.path.chain_id() };
        self.send(observation).await
    }

    async fn block(&mut self, block: &[SourceSample]) -> Result<(), Ended> {
        if !std::mem::replace(&mut self.flowing, true) {
            self.foreign = false;
            self.say_source(true, None).await;
        }
        let Some(running) = &mut self.path else { return Ok(()) };
        let mut found = Vec::new();
        let ecg: Vec<PathInput> = block.iter().map(|sample| sample.ecg).collect();
        let mut met = 0;
        let ignored_before = running.bit_ignored;
        while met < block.len() {
            let now = met..met + running.until_watch(&ecg[met..]);
            let Running { path, respiration, bit_ignored, .. } = running;
            let bit_ignored = *bit_ignored;
            path.push_block(&ecg[now.clone()], &mut |beat| {
                respiration.beat(&beat);
                found.push(Observation::Beat(Box::new(beat)));
            });
            block[now.clone()].iter().for_each(|sample| respiration.sample(sample, bit_ignored));
            running.index += now.len() as u64;
            running.watch(running.is_off(&ecg[now.end - 1]), &mut found);
            met = now.end;
        }
        let ignored = running.bit_ignored;
        if ignored != ignored_before {
            self.say_bit(ignored).await;
        }
        self.send_all(found).await
    }

    async fn gap(&mut self, missing: u64) -> Result<(), Ended> {
        self.interrupt(missing).await?;
        let index = self.index();
        self.send(Observation::Gap { missing, index }).await
    }

    /// Ends the history of the path. The beats that it still owes belong to the rhythm alone: nobody is verified at the
    /// very moment at which the signal breaks off.
    async fn interrupt(&mut self, missing: u64) -> Result<(), Ended> {
        self.missing_samples += missing;
        let Some(running) = &mut self.path else { return Ok(()) };
        let mut owed = Vec::new();
        running.path.gap(missing, &mut |beat| owed.push(Observation::Beat(Box::new(beat))));
        running.respiration.gap(missing);
        running.index += missing;
        running.begin_stretch();
        for observation in owed {
            self.outputs.rhythm.send(observation).await.map_err(|_| Ended)?;
        }
        Ok(())
    }

    async fn problem(&mut self, problem: Problem) -> Result<(), Ended> {
        tracing::warn!("{}", problem.text);
        if problem.kind == ProblemKind::Rate {
            self.rate_problem = Some(problem.text);
            self.say_source(true, None).await;
            return Ok(());
        }
        self.foreign = problem.kind == ProblemKind::FrontEndChanged;
        self.lost(self.lost_reason()).await?;
        self.say_source(false, Some(problem.text)).await;
        Ok(())
    }

    /// Nothing has come for a second.
    async fn silence(&mut self) -> Result<(), Ended> {
        if self.flowing && !self.foreign {
            self.say_source(false, Some("no samples arrive: is the board powered and its cable in place?".to_owned()))
                .await;
        }
        self.lost(self.lost_reason()).await
    }

    fn lost_reason(&self) -> Reason {
        if self.foreign { Reason::FrontEndChanged } else { Reason::SourceLost }
    }

    async fn lost(&mut self, reason: Reason) -> Result<(), Ended> {
        if std::mem::replace(&mut self.flowing, false) {
            // What comes after the silence is another stretch of the signal, whatever the counter says.
            self.interrupt(0).await?;
            self.say_signal(Some(reason), 0.0, None, self.index()).await;
        }
        let index = self.index();
        self.send(Observation::Lost { reason, index }).await
    }

    /// The source has ended: what the path still holds is decided.
    async fn finish(&mut self) -> Result<(), Ended> {
        let Some(running) = self.path.as_mut().filter(|_| self.flowing) else { return Ok(()) };
        let mut found = Vec::new();
        running.path.flush(&mut |beat| found.push(Observation::Beat(Box::new(beat))));
        found.push(running.second());
        self.send_all(found).await
    }

    /// Hands on what was found; of every beat first whether the heart is believed.
    async fn send_all(&mut self, found: Vec<Observation>) -> Result<(), Ended> {
        for observation in found {
            if let Observation::Beat(beat) = &observation
                && let Some(change) = self.liveness.beat(beat, self.fs_hz.unwrap_or_default())
            {
                self.send(change).await?;
            }
            self.send(observation).await?;
        }
        Ok(())
    }

    fn index(&self) -> u64 {
        self.path.as_ref().map_or(0, |running| running.index)
    }

    /// Hands an observation to both branches, and tells the sinks of every second.
    async fn send(&mut self, observation: Observation) -> Result<(), Ended> {
        match observation {
            Observation::Second { unusable, quality, heart_rate_bpm, index } => {
                self.say_signal(unusable, quality, heart_rate_bpm, index).await;
            }
            Observation::Unusable { reason, index } => self.say_signal(Some(reason), 0.0, None, index).await,
            _ => {}
        }
        self.outputs.rhythm.send(observation.clone()).await.map_err(|_| Ended)?;
        self.outputs.inference.send(observation).await.map_err(|_| Ended)
    }

    async fn say_signal(&self, reason: Option<Reason>, quality: f64, heart_rate_bpm: Option<f64>, sample_index: u64) {
        let window = self.path.as_ref().and_then(|running| running.path.window_quality());
        let event = Event::Signal(SignalEvent {
            lead_off: reason == Some(Reason::LeadOff),
            quality,
            reason,
            heart_rate_bpm,
            missing_samples: self.missing_samples,
            refused_frames: self.refused_frames,
            delay_ms: self.path.as_ref().map_or(0.0, |running| running.path.delay().r_to_segment_ms),
            lead_inverted: self.path.as_ref().and_then(|running| running.path.signal_state().lead_inverted),
            respiration: self.path.as_ref().map(|running| running.respiration.figures()).unwrap_or_default(),
            window_quality: window.map(|window| window.score),
            liveness: self.liveness.suspicion().map(Reason::from),
            liveness_suspicions: self.liveness.suspicions(),
            window_reason: window.and_then(|window| window.fault).map(WindowReason::from),
            sample_index,
        });
        self.outputs.events.mention(event).await;
    }

    /// The board's lead-off bit is no longer believed, or is believed again.
    async fn say_bit(&mut self, ignored: bool) {
        if ignored {
            tracing::warn!("{BIT_IGNORED}");
        } else {
            tracing::info!("the board's lead-off bit has proved itself; it is believed again");
        }
        self.say_source(true, None).await;
    }

    /// Says how the source is, if that is new. A source that is online has the problem of its rate, or else that of a
    /// bit that is ignored.
    async fn say_source(&mut self, online: bool, problem: Option<String>) {
        let ignored = online && self.path.as_ref().is_some_and(|running| running.bit_ignored);
        let standing = self.rate_problem.clone().filter(|_| online);
        let problem = problem.or(standing).or_else(|| ignored.then(|| BIT_IGNORED.to_owned()));
        let event = SourceEvent { online, format: self.format.clone(), fs_hz: self.fs_hz, problem };
        if self.said.as_ref() != Some(&event) && self.outputs.events.mention(Event::Source(event.clone())).await {
            self.said = Some(event);
        }
    }
}
