//! What a decision says: states, reasons and the figures behind them.

use crate::liveness::Suspicion;

/// Where a listener stands with the person on the electrodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// No usable ECG.
    NoSignal,
    /// ECG is there, not enough of it yet.
    Acquiring,
    /// An enrolled subject, above the threshold for long enough.
    Verified,
    /// Somebody who is not enrolled: a result, not silence.
    Unknown,
    /// Neither.
    Uncertain,
}

/// Why the signal, and with it all evidence, is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lost {
    /// Nothing has arrived yet.
    Starting,
    /// The source is not there or has gone.
    SourceLost,
    /// Samples are missing.
    Gap,
    /// An electrode is off.
    LeadOff,
    /// The line is flat.
    FlatLine,
    /// The converter is at its rail.
    Clipping,
    /// Noise, not ECG.
    Noise,
    /// The front end is no longer the one that was pinned.
    FrontEndChanged,
    /// The program was asked to stop.
    Stopping,
}

impl Lost {
    /// Samples come, and no heart can be seen in them.
    pub(super) fn is_of_the_signal(self) -> bool {
        matches!(self, Self::LeadOff | Self::FlatLine | Self::Clipping | Self::Noise)
    }
}

/// The reason of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The signal is lost.
    Lost(Lost),
    /// Embeddings are being collected.
    Collecting,
    /// No embedding came for too long although the signal is there.
    Paused,
    /// The gallery was changed.
    GalleryChanged,
    /// The newest embeddings are not of the person of the older ones.
    PersonChanged,
    /// A subject matches, long enough.
    ScoreAboveThreshold,
    /// No subject matches, long enough.
    NoReferenceMatches,
    /// The score lies between the thresholds, or parts of the evidence disagree.
    ScoreNearThreshold,
    /// Two subjects match about equally.
    TwoReferencesMatch,
    /// The gallery is empty.
    NobodyEnrolled,
    /// The heart is not believed to beat now.
    NotAlive(Suspicion),
}

/// What is known at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The state.
    pub state: State,
    /// The subject; only with [`State::Verified`].
    pub subject: Option<String>,
    /// Revision of the subject's template; only with [`State::Verified`].
    pub revision: Option<u32>,
    /// Window score: of the verified subject, else of the best one; `None` before the first comparison.
    pub score: Option<f64>,
    /// The threshold that the score was held against.
    pub threshold: f64,
    /// Why.
    pub why: Why,
    /// Embeddings that the decision rests on.
    pub embeddings: usize,
}
