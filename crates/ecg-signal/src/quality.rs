//! The quality gate: may this beat be used, and if not, why.
//!
//! Decides on what the detector knows of the beat, on the shape of its segment and on the marks of its samples. Every
//! refusal has one reason, the plainest that holds: a beat without its samples is `Incomplete` before it is noise. Must
//! not know where R is in the source or what the beat is used for.

mod marks;
mod score;
mod template;

use std::fmt;

use crate::qrs::Detection;
use crate::segment::Segment;

pub use marks::{Mark, MarkBits, SpanMarks};
pub(crate) use marks::{Marker, STILL_LIMIT};
use template::UsualShapes;

/// Whether a beat may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It may.
    Accepted,
    /// It may not, for this reason.
    Refused(Refusal),
}

impl Verdict {
    /// Whether the beat may be used.
    pub fn is_accepted(self) -> bool {
        self == Self::Accepted
    }
}

/// Why a beat may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// What was found looks like noise, or is taller than an ECG can be.
    Noise,
    /// The signal does not move.
    FlatLine,
    /// The converter was at its limit within the segment.
    Clipping,
    /// An electrode was off, or samples were not numbers, within the segment.
    LeadOff,
    /// Samples of the segment are missing: start, gap or end.
    Incomplete,
    /// The segment does not look like the other beats of this lead (an ectopic beat, or a disturbed one).
    Shape,
}

impl Refusal {
    /// A word for reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::FlatLine => "flat_line",
            Self::Clipping => "clipping",
            Self::LeadOff => "lead_off",
            Self::Incomplete => "incomplete",
            Self::Shape => "shape",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The verdict on a beat and what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BeatQuality {
    /// May it be used?
    pub verdict: Verdict,
    /// 0 (surely noise) … 1 (surely a heartbeat); below [`SCORE_FLOOR`] the beat is refused as noise.
    pub score: f64,
    /// Envelope beside the QRS over that of the QRS, 0 … 1.
    pub noise_ratio: f64,
    /// Median of `noise_ratio` of the newest beats.
    pub noise_state: f64,
    /// How evenly slope is spread in time: about 0.96 for an ECG, 1.6 for noise.
    pub spread: f64,
    /// Similarity of the QRS with the lead's usual one, −1 … 1.
    pub shape: f64,
    /// Correlation of the segment with the usual shape of the lead, baseline slope taken off; `None` until there is one.
    pub correlation: Option<f64>,
    /// Peak-to-peak amplitude of the segment in millivolts.
    pub peak_to_peak_mv: f64,
}

/// Score below which a beat is refused as noise.
pub const SCORE_FLOOR: f64 = 0.5;
/// Correlation from which on two segments have the same shape (Orphanidou 2015 asks as much of a clean lead).
pub const CORRELATION_FLOOR: f64 = 0.66;
/// Peak-to-peak amplitudes that an ECG on the skin can have, in conditioned millivolts.
pub const AMPLITUDE_RANGE_MV: (f64, f64) = (0.05, 20.0);

/// Judges one beat after another.
#[derive(Clone, Debug)]
pub struct QualityGate {
    shapes: UsualShapes,
}

impl Default for QualityGate {
    fn default() -> Self {
        Self::new()
    }
}

impl QualityGate {
    /// A gate that has seen nothing.
    pub fn new() -> Self {
        Self { shapes: UsualShapes::new() }
    }

    /// Judges a beat by what the detector knows, its segment (`whole`: no sample of it is missing) and the marks of
    /// its samples.
    pub fn judge(&mut self, detection: &Detection, segment: &Segment, whole: bool, marks: SpanMarks) -> BeatQuality {
        let (low, high) = segment.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        let mut quality = BeatQuality {
            verdict: Verdict::Accepted,
            score: score::score(detection),
            noise_ratio: detection.noise_ratio,
            noise_state: detection.noise_state,
            spread: detection.spread,
            shape: detection.shape,
            correlation: if whole { self.shapes.correlation(segment) } else { None },
            peak_to_peak_mv: high - low,
        };
        if let Some(refusal) = first_refusal(&quality, whole, marks) {
            quality.verdict = Verdict::Refused(refusal);
            return quality;
        }
        let shape = self.shapes.learn(segment, CORRELATION_FLOOR);
        quality.correlation = shape.correlation;
        if !shape.usual {
            quality.verdict = Verdict::Refused(Refusal::Shape);
        }
        quality
    }

    /// Forgets all beats.
    pub fn reset(&mut self) {
        self.shapes.reset();
    }
}

/// The first reason, other than shape, that speaks against a beat.
fn first_refusal(quality: &BeatQuality, whole: bool, marks: SpanMarks) -> Option<Refusal> {
    let reasons = [
        (!whole, Refusal::Incomplete),
        (marks.lead_off, Refusal::LeadOff),
        (marks.clipped, Refusal::Clipping),
        (marks.still || quality.peak_to_peak_mv < AMPLITUDE_RANGE_MV.0, Refusal::FlatLine),
        (quality.peak_to_peak_mv > AMPLITUDE_RANGE_MV.1 || quality.score < SCORE_FLOOR, Refusal::Noise),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}
