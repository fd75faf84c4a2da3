//! What travels between tasks: blocks of consecutive items, and gaps in-band with their exact count.
//!
//! This file knows neither sources nor stages; it only says what the channels between them carry.

use ecg_signal::PathInput;

use super::front_end::FrontEnd;

/// One sample of a source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SourceSample {
    /// What the signal path takes.
    pub ecg: PathInput,
    /// The respiration channel, in a unit of its own; `None` where the front end has none.
    pub respiration: Option<f64>,
}

impl From<PathInput> for SourceSample {
    /// A sample of a front end without a respiration channel.
    fn from(ecg: PathInput) -> Self {
        Self { ecg, respiration: None }
    }
}

/// Consecutive items, or the place where some are missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Flow<T> {
    /// Items that follow each other without a break, and follow the block before.
    Block(Vec<T>),
    /// Items that never came. History and evidence end here.
    Gap {
        /// How many source samples are missing: exact where the format counts, an estimate otherwise. Zero is a
        /// resync: nothing is known to be missing, but what follows must not be joined to what was before.
        missing: u64,
    },
}

/// What a source says, in the order in which it happened.
#[derive(Debug, Clone)]
pub enum SourceItem {
    /// Samples flow, of this kind. Comes before the first sample, and again after every reconnection.
    Online(FrontEnd),
    /// Samples, or the lack of them.
    Samples(Flow<SourceSample>),
    /// Frames that could not be used (checksum, garbage), since the last such item.
    Refused {
        /// How many.
        frames: u64,
    },
    /// The source is there and something is wrong with it; it goes on.
    Problem(Problem),
    /// The source is not there or has gone; it will be tried again.
    Offline {
        /// What was attempted, what came of it, and what to do.
        problem: String,
    },
}

/// Something is wrong with a source that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which kind.
    pub kind: ProblemKind,
    /// In words, with what to do.
    pub text: String,
}

/// Kinds of [`Problem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// Another format than the pinned one arrives: its samples are refused.
    FrontEndChanged,
    /// Bytes arrive in no format that is known.
    UnknownFormat,
    /// It is connected, and no sample has come since.
    NoSamples,
    /// Samples arrive at another rate than configured.
    Rate,
}
