//! The quality gate: may this beat be used, and if not, why.
//!
//! Decides on what the detector knows of the beat, on the shape of its segment and on the marks of its samples. Every
//! refusal has one reason, the plainest that holds: a beat without its samples is `Incomplete` before it is noise. Must
//! not know where R is in the source or what the beat is used for.

mod features;
pub mod half_rate;
pub mod indices;
pub mod length;
mod marks;
pub mod moments;
mod recent;
mod score;
pub mod spectrum;
mod template;
mod trust;
mod window;

use std::fmt;

use crate::qrs::Detection;
use crate::segment::Segment;
use crate::widest::widest;

pub use features::BeatFeatures;
use indices::IndexMeter;
pub use indices::QualityIndices;
pub(crate) use marks::Marker;
pub use marks::{Mark, MarkBits, SpanMarks};
use template::UsualShapes;
use trust::LeadOffTrust;
pub use window::{WindowFault, WindowQuality};

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

    /// Whether the heart beat there: accepted, or refused for its shape alone. An ectopic beat ends an interval as a normal
    /// one does, and what is done about such intervals is known to those who count them.
    pub fn is_heartbeat(self) -> bool {
        matches!(self, Self::Accepted | Self::Refused(Refusal::Shape))
    }

    /// Why the beat may not be used; `None` where it may.
    pub fn refusal(self) -> Option<Refusal> {
        match self {
            Self::Accepted => None,
            Self::Refused(why) => Some(why),
        }
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
    /// Probability, 0 … 1, that this is a heartbeat whose segment shows its shape (correlation with the noiseless one at
    /// least 0.9); below [`SCORE_FLOOR`] (in a noisy lead sometimes 0.6) the beat is refused as noise.
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
    /// What the score is made of.
    pub features: BeatFeatures,
}

/// Score below which a beat is refused as noise: of the beats found in recorded electrode motion 1.2 % reach it out of
/// fold (0.35: 1.9 %, 0.5: 0.6 %), of normal beats of MIT-BIH 97.6 % (98.1, 97.1), of ECG-ID 98.4 % (98.8, 98.0). At 0.45
/// a record of ECG-ID with muscle noise has no five beats left to average.
pub const SCORE_FLOOR: f64 = 0.42;
/// In a lead noisier than this a regular heart is still found, but its shape is not seen: with added noise half or fewer
/// of the segments that the score lets pass there are like the noiseless ones. Of 74,000 accepted beats of the recordings
/// as they are, one is noisier (99.9 % are below 0.30 in MIT-BIH, 0.38 in ECG-ID).
const LARGEST_NOISE_STATE: f64 = 0.4;
/// In a lead noisier than this (noise over the QRS alone, [`BeatFeatures::noise_state`]) …
const NOISY: f64 = 0.25;
/// … a beat less steep than this for its height …
const GENTLE: f64 = 0.07;
/// … must be surer. Each alone is a heart's: muscles make a lead noisy and leave its QRS steep, a wide QRS is gentle in a
/// quiet lead. Both are what moving electrodes give, and the score, a sum, cannot say "both". Of 74,000 accepted beats of
/// the recordings none is refused for it; of those accepted in recorded electrode motion alone nearly half.
const GENTLE_SCORE_FLOOR: f64 = 0.6;
/// Correlation from which on two segments have the same shape (Orphanidou 2015 asks as much of a clean lead).
pub const CORRELATION_FLOOR: f64 = 0.66;
/// The same for a beat that came too soon. With the lower floor 38 % of the ventricular beats of MIT-BIH were accepted, with
/// this one 19 %; 0.9 leaves 13 %, but takes 0.1 % of the normal ones: those of 203, in fibrillation with noise.
pub const PREMATURE_FLOOR: f64 = 0.85;
/// Peak-to-peak amplitudes that an ECG on the skin can have, in conditioned millivolts.
pub const AMPLITUDE_RANGE_MV: (f64, f64) = (0.05, 20.0);

/// Jumps within a segment that pacemakers explain: two spikes a beat, each up and down over some samples. Hum of 10 mV
/// and more, of an open input, jumps all the time, and what is left of it can look like beats.
const MOST_JUMPS: u32 = 20;
/// Samples before the first window: the spectrum has its first segment.
const FIRST_WINDOW: u64 = 1000;
/// Score from which on a beat is surely one: it speaks against a lead-off bit.
const SURE_SCORE: f64 = 0.9;

/// Samples of a segment that are looked at side by side.
const LANES: usize = 8;

/// Judges one beat after another, and a window each second.
#[derive(Clone, Debug)]
pub struct QualityGate {
    shapes: UsualShapes,
    meter: IndexMeter,
    window: Option<WindowQuality>,
    trust: LeadOffTrust,
    turned: bool,
}

impl Default for QualityGate {
    fn default() -> Self {
        Self::new()
    }
}

impl QualityGate {
    /// A gate that has seen nothing.
    pub fn new() -> Self {
        Self {
            shapes: UsualShapes::new(),
            meter: IndexMeter::new(),
            window: None,
            trust: LeadOffTrust::default(),
            turned: false,
        }
    }

    /// Looks at a block of samples after the notch before it comes, in one or in several parts, to
    /// [`QualityGate::run_block`]. Not needed, but it takes less time.
    pub(crate) fn run_ahead(&mut self, notched: &[f64]) {
        self.meter.run_ahead(notched);
    }

    /// Takes a block of samples in the two forms of the path, with the marks of each: where the board
    /// said that an electrode is off and is believed, the mark becomes one of lost contact.
    pub fn run_block(&mut self, notched: &[f64], conditioned: &[f64], marks: &mut [Mark]) {
        if self.trust.is_contradicted() || Mark::any(marks).is_board_off() {
            for mark in marks.iter_mut() {
                if mark.is_board_off() && !self.trust.is_contradicted() {
                    mark.set_lead_off();
                }
                self.trust.sample(mark.is_board_off());
            }
        }
        if let Some(indices) = self.meter.run_block(notched, conditioned, FIRST_WINDOW) {
            self.window = Some(WindowQuality::of(indices));
        }
    }

    /// The verdict on the newest window of ten seconds, moved each second; `None` in the first four seconds.
    pub fn window(&self) -> Option<&WindowQuality> {
        self.window.as_ref()
    }

    /// The signal has contradicted the board's lead-off bits; they are not believed.
    pub fn lead_off_contradicted(&self) -> bool {
        self.trust.is_contradicted()
    }

    /// Judges a beat by what the detector knows, its segment (`whole`: no sample of it is missing), the segment of the
    /// beat behind it, where that has been found already, and the marks of its samples.
    pub fn judge(
        &mut self,
        detection: &Detection,
        segment: &Segment,
        whole: bool,
        behind: Option<&Segment>,
        marks: SpanMarks,
    ) -> BeatQuality {
        widest(
            #[inline(always)]
            || self.weigh(detection, segment, whole, behind, marks),
        )
    }

    #[inline(always)]
    fn weigh(
        &mut self,
        detection: &Detection,
        segment: &Segment,
        whole: bool,
        behind: Option<&Segment>,
        marks: SpanMarks,
    ) -> BeatQuality {
        let (low, high) = extent(segment);
        let part = template::without_line(segment);
        let size = template::dot(&part, &part);
        let mut likenesses = self.shapes.compare(&part, size);
        self.turned = whole && self.shapes.have_turned(&likenesses);
        if self.turned {
            likenesses = self.shapes.compare(&part, size);
        }
        let behind = behind.map(template::without_line);
        let company = self.meter.beats().company(detection.r_peak, (&part, size), behind.as_ref());
        if company.premature {
            likenesses = likenesses.of_premature();
        }
        let features = BeatFeatures::new(detection, &company, &likenesses, high - low);
        self.meter.beats().first(detection.r_peak, whole.then_some((&part, size)));
        let mut quality = BeatQuality {
            verdict: Verdict::Accepted,
            score: score::score(&features),
            noise_ratio: detection.noise_ratio,
            noise_state: detection.noise_state,
            spread: detection.spread,
            shape: detection.shape,
            correlation: likenesses.ruling().filter(|_| whole),
            peak_to_peak_mv: high - low,
            features,
        };
        let refusal = first_refusal(&quality, whole, marks);
        let sure = quality.score >= SURE_SCORE && matches!(refusal, None | Some(Refusal::LeadOff));
        let age = (self.meter.samples() as f64 - detection.r_peak).max(0.0);
        self.trust.beat(marks.board_off, sure && !marks.clipped && !marks.still, age as u32);
        if let Some(refusal) = refusal {
            quality.verdict = Verdict::Refused(refusal);
            return quality;
        }
        self.shapes.learn(&part, &likenesses);
        if !likenesses.is_usual() {
            quality.verdict = Verdict::Refused(Refusal::Shape);
        }
        quality
    }

    /// How many samples later (or, below 0, earlier) than at its R a segment has the lead's usual shape: there stands the
    /// deflection that is R in the other beats. 0 where R stands right, or the segment has another shape.
    pub fn misalignment(&self, segment: &Segment) -> i64 {
        self.shapes.misalignment(segment)
    }

    /// With the beat that was judged last it became plain that the lead is upside down now, from the beat before it on.
    pub fn has_turned(&self) -> bool {
        self.turned
    }

    /// The shapes known so far are too few to judge by: the segment of the beat behind helps.
    pub fn wants_company(&self) -> bool {
        self.meter.wants_company()
    }

    /// What comes now may be another wearer's heart: shapes and beats of before say nothing of it. The window goes on.
    pub fn forget_heart(&mut self) {
        self.shapes.reset();
        self.meter.forget_heart();
        self.turned = false;
    }

    /// Forgets the signal. What is known of the board's bits stays.
    pub fn reset(&mut self) {
        self.shapes.reset();
        self.meter.reset();
        self.window = None;
        self.turned = false;
    }
}

/// The lowest and the highest sample, in lanes that do not wait for each other.
#[inline(always)]
fn extent(segment: &Segment) -> (f64, f64) {
    let (several, rest) = segment.as_chunks::<LANES>();
    let (mut low, mut high) = ([f64::MAX; LANES], [f64::MIN; LANES]);
    let rest = std::array::from_fn(|lane| rest.get(lane).copied().unwrap_or(segment[0]));
    for some in several.iter().chain([&rest]) {
        for lane in 0..LANES {
            low[lane] = if some[lane] < low[lane] { some[lane] } else { low[lane] };
            high[lane] = if some[lane] > high[lane] { some[lane] } else { high[lane] };
        }
    }
    (low.into_iter().fold(f64::MAX, f64::min), high.into_iter().fold(f64::MIN, f64::max))
}

/// The score that a beat must have.
fn score_floor(quality: &BeatQuality) -> f64 {
    let gentle_in_noise = quality.features.noise_state > NOISY && quality.features.steepness < GENTLE;
    if gentle_in_noise { GENTLE_SCORE_FLOOR } else { SCORE_FLOOR }
}

/// The first reason, other than shape, that speaks against a beat.
fn first_refusal(quality: &BeatQuality, whole: bool, marks: SpanMarks) -> Option<Refusal> {
    let reasons = [
        (!whole, Refusal::Incomplete),
        (marks.lead_off, Refusal::LeadOff),
        (marks.clipped, Refusal::Clipping),
        (marks.still || quality.peak_to_peak_mv < AMPLITUDE_RANGE_MV.0, Refusal::FlatLine),
        (marks.jumps > MOST_JUMPS, Refusal::Noise),
        (quality.noise_state > LARGEST_NOISE_STATE, Refusal::Noise),
        (quality.peak_to_peak_mv > AMPLITUDE_RANGE_MV.1 || quality.score < score_floor(quality), Refusal::Noise),
    ];
    reasons.into_iter().find_map(|(holds, reason)| holds.then_some(reason))
}
