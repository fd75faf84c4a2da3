//! The signal path of ecgid: from millivolts at any rate to beats, segments, quality and heart-rate variability.
//!
//! Everything here is a pure computation on samples: no clock, no file, no log, no thread, no allocation per sample.
//! A kernel is built once (only building can fail) and then total: whatever finite numbers go in, finite numbers come
//! out. The crate must not know where samples come from (`ecg-wire`, `ecg-data`), who the heart belongs to
//! (`ecg-identity`) or how results travel. Time is the index of a sample.

pub mod beat;
pub mod conditioner;
mod cubic;
pub mod filter;
pub mod hrv;
pub mod kernel;
pub mod lead;
mod line;
pub mod mfcc;
pub mod middle;
pub mod normalise;
mod order;
pub mod path;
pub mod qrs;
pub mod quality;
pub mod resample;
pub mod respiration;
mod ring;
pub mod rr;
pub mod segment;
pub mod slew;
pub mod units;
pub mod wavelet;
mod widest;

pub use beat::Beat;
pub use conditioner::Conditioner;
pub use cubic::cubic;
pub use filter::notch::Mains;
pub use hrv::{Hrv, HrvWindow};
pub use kernel::{Kernel, Then};
pub use lead::LeadWatch;
pub use mfcc::Mfcc;
pub use middle::qrs_middle;
pub use normalise::{Alignment, BeatAverager, ModelInput, Preparation, PreparedBeat, prepare};
pub use path::{CHAIN, Contact, PathConfig, PathDelay, PathError, PathInput, SignalPath, SignalState};
pub use qrs::{Detection, Polarity, QrsDetector};
pub use quality::{BeatQuality, QualityIndices, Refusal, Verdict, WindowFault, WindowQuality};
pub use resample::{ResampleError, Resampler, resample};
pub use respiration::{Agreement, Breathing, NoRate, RespirationMonitor, RespirationRate, RespirationSource};
pub use rr::{RrInterval, RrSeries};
pub use units::{Hertz, SampleIndex};

/// The internal sampling frequency of the path: every source is resampled to it once, at the entrance.
pub const FS: Hertz = Hertz(250.0);

/// Samples in one segment at [`FS`]: 0.25 s before R and 0.45 s after it.
pub const SEGMENT_SAMPLES: usize = 175;

/// Index of R inside a segment (62 samples lie before it).
pub const SEGMENT_R_INDEX: usize = 62;
