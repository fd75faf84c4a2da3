//! The pipeline: one task a stage, joined by bounded channels, in the order of the picture.
//!
//! ```text
//!  source ─▶ signal ─▶ inference ─▶ decision ─▶ events
//!               └────▶ rhythm (RR, HRV) ───────▶
//! ```
//!
//! Only the source sees the cancellation token. When it drops its end, each stage finishes what it holds and drops its
//! own; a deadline ends what does not. Every stage waits for the next one, so a slow stage shows at the source, and
//! what a live source cannot hand over becomes a gap there: nothing is lost in between.

use std::time::Duration;

use ecg_identity::{DecisionConfig, LivenessConfig};
use ecg_signal::{Mains, PathError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::HrvConfig;
use crate::event::Event;
use crate::source::{Source, SourceSender};

pub mod classes;
pub mod decide;
pub mod flow;
pub mod front_end;
pub mod gallery;
pub mod infer;
pub mod liveness;
pub mod outlet;
pub mod pulse;
mod respiration;
pub mod rhythm;
pub mod signal;
pub mod tap;
pub mod watchdog;

use gallery::Gallery;
use infer::Embedder;
use outlet::{Outlet, Telemetry};
use pulse::Pulse;
use tap::Tap;

/// Room between two stages: about ten seconds of beats.
const QUEUE: usize = 32;

/// How long the stages may take to finish after the source was told to stop.
const DEADLINE: Duration = Duration::from_secs(5);

/// What the stages need to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Mains frequency for the notch.
    pub mains: Mains,
    /// The decision over time.
    pub decision: DecisionConfig,
    /// Whether the heart beats now; `None` where that is not asked.
    pub liveness: Option<LivenessConfig>,
    /// The HRV summary.
    pub hrv: HrvConfig,
    /// What happens to telemetry when the sinks have no room.
    pub telemetry: Telemetry,
    /// Where an enrolment may listen in.
    pub tap: Tap,
}

/// Why a pipeline ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// No signal path can be built for the source, for instance because of its rate.
    #[error("the signal path cannot be built for this source")]
    Path(#[source] PathError),
    /// The network failed.
    #[error("inference failed: {0}")]
    Inference(String),
    /// The references cannot be read.
    #[error("the enrolled references cannot be read: {0}")]
    Gallery(String),
    /// A stage panicked: a defect.
    #[error("a stage of the pipeline died: {0}")]
    Died(String),
    /// The stages did not finish in time after the stop.
    #[error("the pipeline did not finish within {} seconds of being asked to", DEADLINE.as_secs())]
    Deadline,
}

/// The stage behind has ended, so there is nothing left to do.
#[derive(Debug, Clone, Copy)]
struct Ended;

/// Runs until the source ends, by `cancel` or at the end of a recording, and everything it delivered is dealt with.
/// Events go to `events`; identity events wait for room there, telemetry as [`Settings::telemetry`] says.
///
/// # Errors
/// [`PipelineError`].
pub async fn run<S: Source, E: Embedder, G: Gallery>(
    source: S,
    settings: Settings,
    model: E,
    gallery: G,
    events: mpsc::Sender<Event>,
    pulse: Pulse,
    cancel: CancellationToken,
) -> Result<(), PipelineError> {
    let outlet = Outlet::new(events, settings.telemetry);
    let name = model.id().to_owned();
    let gallery = classes::WithClasses::new(gallery, model.class_references());

    let (to_signal, samples) = SourceSender::channel(pulse.clone());
    let (to_inference, observations) = mpsc::channel(QUEUE);
    let (to_rhythm, beats) = mpsc::channel(QUEUE);
    let (to_decision, evidence) = mpsc::channel(QUEUE);
    let outputs = signal::Outputs { inference: to_inference, rhythm: to_rhythm, events: outlet.clone() };

    let mut stages = JoinSet::new();
    let stop = cancel.clone();
    stages.spawn(async move {
        source.run(to_signal, stop).await;
        Ok(())
    });
    stages.spawn(signal::run(samples, settings.mains, settings.liveness.clone(), outputs));
    stages.spawn(infer::run(observations, to_decision, model, settings.decision.change_floor(), settings.tap.clone()));
    stages.spawn(rhythm::run(beats, outlet.clone(), settings.hrv));
    stages.spawn(decide::run(evidence, outlet, settings, name, gallery, pulse));

    let mut deadline = std::pin::pin!(async {
        cancel.cancelled().await;
        sleep(DEADLINE).await;
    });
    loop {
        tokio::select! {
            ended = stages.join_next() => match ended {
                None => return Ok(()),
                Some(Ok(Ok(()))) => {}
                // Returning drops the other stages: one that failed cannot be done without.
                Some(Ok(Err(error))) => return Err(error),
                Some(Err(died)) => return Err(PipelineError::Died(died.to_string())),
            },
            () = &mut deadline => return Err(PipelineError::Deadline),
        }
    }
}

/// All that the decision stage would get of a source, from the same stages: for those who ask what different settings
/// would make of one stream.
///
/// # Errors
/// [`PipelineError`].
pub(crate) async fn evidence<S: Source, E: Embedder>(
    source: S,
    mains: Mains,
    model: E,
    change_floor: Option<f64>,
) -> Result<Vec<infer::Evidence>, PipelineError> {
    let (to_signal, samples) = SourceSender::channel(Pulse::default());
    let (to_inference, observations) = mpsc::channel(QUEUE);
    let (to_rhythm, mut beats) = mpsc::channel(QUEUE);
    let (to_decision, mut evidence) = mpsc::channel(QUEUE);
    let (events, mut unheard) = mpsc::channel(QUEUE);
    let outputs =
        signal::Outputs { inference: to_inference, rhythm: to_rhythm, events: Outlet::new(events, Telemetry::Drop) };
    let collect = async {
        let mut all = Vec::new();
        while let Some(one) = evidence.recv().await {
            all.push(one);
        }
        all
    };
    let (signal, inference, all, (), (), ()) = tokio::join!(
        // Strangers of five minutes are made of shorter records that repeat: liveness would refuse them as a replay.
        signal::run(samples, mains, None, outputs),
        infer::run(observations, to_decision, model, change_floor, Tap::default()),
        collect,
        source.run(to_signal, CancellationToken::new()),
        async { while beats.recv().await.is_some() {} },
        async { while unheard.recv().await.is_some() {} },
    );
    signal.and(inference).map(|()| all)
}
