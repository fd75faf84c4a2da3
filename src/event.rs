//! What the daemon has to say: one closed set of events, in plain types.
//!
//! This file knows neither topics (`publish/topics.rs`) nor encodings (`proto.rs` and serde in `publish/payload.rs`).

mod hrv;

use ecg_signal::WindowFault;
use serde::{Deserialize, Serialize};

pub use hrv::{HrvCorrection, HrvDayFigures, HrvFigures, HrvHour, hrv_reason};

/// Where a subscriber stands with the person on the electrodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityState {
    /// No usable ECG: source absent, lead off, flat, clipping or noise.
    NoSignal,
    /// ECG is there; not enough beats yet.
    Acquiring,
    /// An enrolled subject, above the threshold for long enough.
    Verified,
    /// Somebody who is not enrolled: a result, not silence.
    Unknown,
    /// Neither clearly an enrolled subject nor clearly a stranger.
    Uncertain,
}

/// Why the state is what it is; `snake_case` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The daemon has just started.
    Starting,
    /// The source (port, socket, file) is not there or has gone.
    SourceLost,
    /// Samples went missing.
    Gap,
    /// An electrode is off, by the board's bit or by the signal.
    LeadOff,
    /// The line is flat.
    FlatLine,
    /// The converter is at its rail.
    Clipping,
    /// What arrives is noise, not ECG.
    Noise,
    /// Collecting beats.
    Collecting,
    /// The comparison score is above the threshold, long enough.
    ScoreAboveThreshold,
    /// No enrolled subject scores above the threshold.
    NoReferenceMatches,
    /// The score lies between the thresholds, or beats disagree.
    ScoreNearThreshold,
    /// Nobody is enrolled on this front end.
    NobodyEnrolled,
    /// The source format changed after it had been pinned.
    FrontEndChanged,
    /// The daemon was asked to stop.
    Stopping,
    /// The newest beats are earlier ones played again, once or in a loop.
    ReplaySuspected,
    /// The rhythm does not vary as that of a heart does.
    RhythmTooRegular,
    /// Another person is on the electrodes than before; collecting beats anew.
    PersonChanged,
    /// Two enrolled subjects match: one person under two names, or two who are much alike.
    TwoSubjectsMatch,
}

/// One statement about identity. Every change of state is one, and each is numbered without gaps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdentityEvent {
    /// The state.
    pub state: IdentityState,
    /// Pseudonymous slug of the subject; only with [`IdentityState::Verified`].
    pub subject: Option<String>,
    /// Comparison score of the best reference, cosine scale −1…1; `None` before the first comparison.
    pub score: Option<f64>,
    /// The score above which a reference counts as a match.
    pub threshold: f64,
    /// Share of accepted beats among the recent ones, 0…1.
    pub quality: f64,
    /// Why.
    pub reason: Reason,
    /// Name of the model.
    pub model: String,
    /// Revision of the matching subject's template.
    pub template_revision: Option<u32>,
    /// Position in the stream, source samples since start.
    pub sample_index: u64,
}

/// Heart-rate variability over a sliding window, and over the day so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HrvEvent {
    /// Length of the window that was asked for, seconds.
    pub window_s: f64,
    /// The figures.
    #[serde(flatten)]
    pub figures: HrvFigures,
    /// Why figures are missing, where they are: the reason that stands longest.
    pub reason: Option<String>,
    /// The last 24 hours.
    pub day: Option<HrvDayFigures>,
    /// Position in the stream, source samples since start.
    pub sample_index: u64,
}

/// What the breathing was seen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RespirationFrom {
    /// The board's respiration channel.
    Impedance,
    /// The size of the QRS.
    Ecg,
}

/// Why no rate of breathing is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoRespiration {
    /// Too little has come since the start, a gap or a lost contact: half a minute is needed.
    Collecting,
    /// The respiration channel does not move or is not there, and the QRS has always the same size.
    Still,
    /// Movement hides the breath.
    Motion,
    /// No period is clear.
    Irregular,
}

/// The breathing over the last minute, estimated every 5 s. `None` where no rate can be trusted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RespirationFigures {
    /// Breaths a minute, 4 to 40: by the impedance where it has a rate, else by the ECG.
    pub respiration_rate_per_min: Option<f64>,
    /// Where that rate is from.
    pub respiration_source: Option<RespirationFrom>,
    /// Breaths a minute by the board's respiration channel.
    pub respiration_impedance_per_min: Option<f64>,
    /// Breaths a minute by the size of the QRS.
    pub respiration_ecg_per_min: Option<f64>,
    /// Rate by impedance minus rate by ECG, where both have one.
    pub respiration_difference_per_min: Option<f64>,
    /// How alike the two waveforms are, 0…1, where both have a rate; strangers reach about a third.
    pub respiration_similarity: Option<f64>,
    /// Why there is no rate, where there is none.
    pub respiration_reason: Option<NoRespiration>,
}

/// What is wrong with the last ten seconds of the signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowReason {
    /// No beat is found, or nothing moves.
    NoBeats,
    /// Two detectors do not find the same beats.
    DetectorsDisagree,
    /// The values are spread as those of no ECG.
    Distribution,
    /// Too much power above the QRS: muscles or mains.
    HighFrequency,
    /// Too much power below 1 Hz: the electrodes move, or the person does.
    BaselineWander,
    /// The beats do not look like each other.
    BeatsDiffer,
}

impl From<WindowFault> for WindowReason {
    fn from(fault: WindowFault) -> Self {
        match fault {
            WindowFault::NoBeats => Self::NoBeats,
            WindowFault::DetectorsDisagree => Self::DetectorsDisagree,
            WindowFault::Distribution => Self::Distribution,
            WindowFault::HighFrequency => Self::HighFrequency,
            WindowFault::BaselineWander => Self::BaselineWander,
            WindowFault::BeatsDiffer => Self::BeatsDiffer,
        }
    }
}

/// State of the electrodes and of the signal, about once a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignalEvent {
    /// Electrode contact is lost, by the board's bit or by the signal.
    pub lead_off: bool,
    /// Share of accepted beats among the recent ones, 0…1.
    pub quality: f64,
    /// Why beats are refused, where they are: a [`Reason`].
    pub reason: Option<Reason>,
    /// Heart rate over the last beats, beats per minute.
    pub heart_rate_bpm: Option<f64>,
    /// Samples that never arrived, since start.
    pub missing_samples: u64,
    /// Frames refused (checksum, garbage), since start.
    pub refused_frames: u64,
    /// Delay from an R peak to its finished segment, ms.
    pub delay_ms: f64,
    /// The electrodes are probably swapped: P, QRS and T point down. `None` while that is not known.
    #[serde(default)]
    pub lead_inverted: Option<bool>,
    /// Probability, 0…1, that the beats of the last ten seconds are found and show the shape of the heart, judged every
    /// second; `None` in the first four seconds after the start or a gap.
    #[serde(default)]
    pub window_quality: Option<f64>,
    /// What speaks most against these ten seconds; `None` where `window_quality` is 0.5 or more.
    #[serde(default)]
    pub window_reason: Option<WindowReason>,
    /// Why the heart is not believed to beat now: [`Reason::ReplaySuspected`] or [`Reason::RhythmTooRegular`].
    #[serde(default)]
    pub liveness: Option<Reason>,
    /// How often such a suspicion has begun, since start.
    #[serde(default)]
    pub liveness_suspicions: u64,
    /// The breathing.
    #[serde(flatten)]
    pub respiration: RespirationFigures,
    /// Position in the stream, source samples since start.
    pub sample_index: u64,
}

/// State of the source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceEvent {
    /// Samples are arriving.
    pub online: bool,
    /// Wire format, once it is known.
    pub format: Option<String>,
    /// Sampling frequency of the source in Hz, once it is known.
    pub fs_hz: Option<f64>,
    /// What is wrong and what to do, where something is.
    pub problem: Option<String>,
}

/// Everything the pipeline says to its sinks.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Identity: never lost, waits on disk.
    Identity(IdentityEvent),
    /// HRV summary: telemetry, the oldest is dropped when a queue is full.
    Hrv(Box<HrvEvent>),
    /// Signal state: telemetry.
    Signal(SignalEvent),
    /// Source state: telemetry, retained as availability.
    Source(SourceEvent),
}
