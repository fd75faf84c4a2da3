//! Liveness beside the signal path: finished beats in, what is suspected of them out.
//!
//! It knows no queue. It needs no word of gaps: the first beat after one has no interval.

use ecg_identity::{Heartbeat, Liveness, LivenessConfig, Suspicion};
use ecg_signal::{Beat, FS, SEGMENT_R_INDEX, qrs_middle};

use super::signal::Observation;
use crate::event::Reason;

/// The history of one board, and what it says of the newest beats.
#[derive(Debug)]
pub(crate) struct LivenessGuard {
    liveness: Option<Liveness>,
    suspicion: Option<Suspicion>,
    suspicions: u64,
}

impl LivenessGuard {
    /// `None`: nothing is ever suspected.
    pub(crate) fn new(config: Option<LivenessConfig>) -> Self {
        Self { liveness: config.map(Liveness::new), suspicion: None, suspicions: 0 }
    }

    /// Takes the next beat of a source at `fs_hz`, refused ones too; what has changed with it.
    pub(crate) fn beat(&mut self, beat: &Beat, fs_hz: f64) -> Option<Observation> {
        let suspicion = self.liveness.as_mut()?.push(&heartbeat(beat, fs_hz));
        if std::mem::replace(&mut self.suspicion, suspicion) == suspicion {
            return None;
        }
        if let Some(suspicion) = suspicion {
            self.suspicions += 1;
            tracing::warn!(reason = ?Reason::from(suspicion), "this heart is not believed to beat now");
        }
        Some(Observation::Liveness { suspicion, index: beat.decided_at })
    }

    /// What is suspected.
    pub(crate) fn suspicion(&self) -> Option<Suspicion> {
        self.suspicion
    }

    /// How often something was.
    pub(super) fn suspicions(&self) -> u64 {
        self.suspicions
    }
}

/// A beat of a source at `fs_hz`, for [`Liveness`].
#[must_use]
pub fn heartbeat(beat: &Beat, fs_hz: f64) -> Heartbeat<'_> {
    let r = beat.interval_end(fs_hz) * FS.0 / fs_hz;
    let r_index = SEGMENT_R_INDEX as f64 + r - r.round();
    let middle = qrs_middle(&beat.segment, r_index);
    Heartbeat { interval_ms: beat.rr_ms, segment: &beat.segment, r_index, middle }
}

impl From<Suspicion> for Reason {
    fn from(suspicion: Suspicion) -> Self {
        match suspicion {
            Suspicion::Replay => Self::ReplaySuspected,
            Suspicion::TooRegular => Self::RhythmTooRegular,
        }
    }
}
