//! What the signal path says of a heartbeat. Must not know how it was found.

use crate::qrs::Polarity;
use crate::quality::BeatQuality;
use crate::segment::Segment;

/// One heartbeat.
#[derive(Clone, Debug, PartialEq)]
pub struct Beat {
    /// Position of R in source samples since the start, fractional, lost samples counted, every delay taken off.
    pub r_peak: f64,
    /// Source samples (lost ones counted) that had come when the beat was decided.
    pub decided_at: u64,
    /// Time since the beat before, in milliseconds, between their [`Beat::interval_end`]s. `None` for the first beat after
    /// a start, a gap or a lost contact, and when more than 3 s have passed.
    pub rr_ms: Option<f64>,
    /// Which way R points in this lead.
    pub polarity: Polarity,
    /// Conditioned amplitude at the R of the segment in millivolts, signed.
    pub amplitude_mv: f64,
    /// Whether the beat may be used, and why not.
    pub quality: BeatQuality,
    /// Conditioned millivolts at 250 Hz round R (index 62). Where the verdict is `Incomplete`, missing samples are 0.
    pub segment: Segment,
    /// From `r_peak` to the R of the segment in milliseconds, −48 … 48: not 0 where the detector marked another deflection
    /// of the QRS than the lead's other beats have R on. The segment is cut like theirs.
    pub realigned_by_ms: f64,
}

impl Beat {
    /// Where intervals between beats begin and end, source samples: the R of the segment, which stands on the same
    /// deflection in all beats of a shape. `fs` is the source's, in hertz.
    pub fn interval_end(&self, fs: f64) -> f64 {
        self.r_peak + self.realigned_by_ms / 1000.0 * fs
    }
}
