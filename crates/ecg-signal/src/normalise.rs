//! From accepted beats to the input of the identity model: the one place where beats become model input, shared by
//! daemon, trainer and evaluator.
//!
//! Five accepted segments (fewer where somebody asks for what there is) are averaged, laid by the middle of the QRS, the
//! part after it is brought to a common heart rate, and the result is z-scored: shape and size apart. Must not know the
//! model.

use std::collections::VecDeque;

use crate::SEGMENT_R_INDEX;
use crate::SEGMENT_SAMPLES;
use crate::beat::Beat;
use crate::cubic::cubic;
use crate::middle::qrs_middle;
use crate::segment::Segment;

/// Samples after R, or after the middle of the QRS, from which on the segment follows the heart rate: P and QRS keep their duration, ST and T shorten
/// with the QT interval. 13 samples are 52 ms.
const QRS_END: usize = SEGMENT_R_INDEX + 13;
/// Intervals that the median is taken over: a single one would carry the irregularity of the beat into its shape.
const INTERVALS: usize = 8;
/// Range of RR that is corrected for; beyond it (30 to 200 a minute) the power law is not to be trusted.
const RR_RANGE_S: (f64, f64) = (0.3, 2.0);

/// What lies at [`SEGMENT_R_INDEX`] of a model input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// R. Which deflection that is may change from one day to another.
    R,
    /// The middle of the QRS complex ([`qrs_middle`]), which does not depend on it; R where there is none.
    QrsMiddle,
}

/// How beats become model input; a model card states these numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preparation {
    /// Accepted beats averaged for one input.
    pub beats: usize,
    /// What of the average lies at [`SEGMENT_R_INDEX`].
    pub alignment: Alignment,
    /// Exponent of the QT correction: 0.5 is Bazett's, which identified better than Fridericia's 0.33.
    pub qt_exponent: f64,
    /// RR interval that all inputs are brought to, in seconds.
    pub qt_reference_rr_s: f64,
}

impl Default for Preparation {
    fn default() -> Self {
        Self { beats: 5, alignment: Alignment::QrsMiddle, qt_exponent: 0.5, qt_reference_rr_s: 0.8 }
    }
}

/// A beat's shape and its size, apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreparedBeat {
    /// The averaged, rate-corrected, z-scored segment (mean 0, standard deviation 1; all zero if it was constant).
    pub values: [f32; SEGMENT_SAMPLES],
    /// What z-scoring divided by: the segment's standard deviation, mV; 0 if it was constant.
    pub amplitude_mv: f64,
}

/// One input of the identity model.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInput {
    /// The averaged beat.
    pub beat: PreparedBeat,
    /// R of the newest beat in it, in source samples since the start.
    pub r_peak: f64,
    /// Number of beats averaged.
    pub beats: usize,
}

/// Averages `segments` (millivolts, R at [`SEGMENT_R_INDEX`]), lays the average by what the preparation asks for, corrects
/// the part after the QRS from `median_rr_s` to the reference RR, and takes shape and size apart.
///
/// Beyond the ends of the segment (a QRS beside its place, RR above the reference) the outermost sample is held. Without
/// segments the result is all zero.
pub fn prepare(segments: &[Segment], median_rr_s: f64, preparation: &Preparation) -> PreparedBeat {
    let mut sum = [0.0; SEGMENT_SAMPLES];
    for segment in segments {
        sum.iter_mut().zip(segment).for_each(|(sum, x)| *sum += x);
    }
    let (values, deviation) = z_scored(&laid_out(&sum, median_rr_s, preparation));
    PreparedBeat { values, amplitude_mv: deviation / segments.len().max(1) as f64 }
}

/// out[k] = in[k + m] up to the end of the QRS and in[E + m + (k − E)·(RR/reference)^exponent] from there on, E = R + 13 and
/// m what the middle of the QRS is away from its place; cubic between samples.
fn laid_out(segment: &Segment, median_rr_s: f64, preparation: &Preparation) -> Segment {
    let place = SEGMENT_R_INDEX as f64;
    let moved = match preparation.alignment {
        Alignment::R => 0.0,
        Alignment::QrsMiddle => qrs_middle(segment, place).map_or(0.0, |middle| middle - place),
    };
    let rr = median_rr_s.clamp(RR_RANGE_S.0, RR_RANGE_S.1);
    let step = (rr / preparation.qt_reference_rr_s).powf(preparation.qt_exponent);
    let step = if step.is_finite() { step } else { 1.0 };
    std::array::from_fn(|k| {
        let behind_qrs = k.saturating_sub(QRS_END) as f64;
        let position = k.min(QRS_END) as f64 + moved + behind_qrs * step;
        cubic(segment, position.clamp(0.0, (SEGMENT_SAMPLES - 1) as f64))
    })
}

/// The z-scored segment and what it was divided by; all zero for a constant.
fn z_scored(segment: &Segment) -> ([f32; SEGMENT_SAMPLES], f64) {
    let count = SEGMENT_SAMPLES as f64;
    let mean = segment.iter().sum::<f64>() / count;
    let deviation = (segment.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    let (scale, deviation) = if deviation > 1e-12 { (1.0 / deviation, deviation) } else { (0.0, 0.0) };
    (segment.map(|x| ((x - mean) * scale) as f32), deviation)
}

/// Collects beats and gives a model input for every accepted beat from the fifth on, each of the newest five; on request
/// also from the first one on, of as many as there are.
///
/// A refused beat is skipped. A beat without an interval before it (the first one after a start, a gap or a lost
/// contact) starts anew: beats from before it may be another person's.
#[derive(Clone, Debug)]
pub struct BeatAverager {
    preparation: Preparation,
    segments: VecDeque<Segment>,
    intervals_s: VecDeque<f64>,
    previous_accepted: bool,
    partial: bool,
}

impl BeatAverager {
    /// An empty averager that gives full averages only: what templates, training and figures are made of.
    pub fn new(preparation: &Preparation) -> Self {
        Self {
            preparation: *preparation,
            segments: VecDeque::with_capacity(preparation.beats.max(1)),
            intervals_s: VecDeque::with_capacity(INTERVALS),
            previous_accepted: false,
            partial: false,
        }
    }

    /// An empty averager that gives something from the first accepted beat on: [`ModelInput::beats`] says of how many.
    /// Full averages are those of [`BeatAverager::new`]. For a decision that need not wait, with a threshold for each
    /// number of beats.
    pub fn from_first_beat(preparation: &Preparation) -> Self {
        Self { partial: true, ..Self::new(preparation) }
    }

    /// Takes the next beat, accepted or not.
    pub fn push(&mut self, beat: &Beat) -> Option<ModelInput> {
        if beat.rr_ms.is_none() {
            self.reset();
        }
        let accepted = beat.quality.verdict.is_accepted();
        let both_ends_accepted = std::mem::replace(&mut self.previous_accepted, accepted) && accepted;
        if !accepted {
            return None;
        }
        if let (Some(rr_ms), true) = (beat.rr_ms, both_ends_accepted) {
            keep_newest(&mut self.intervals_s, rr_ms / 1000.0, INTERVALS);
        }
        keep_newest(&mut self.segments, beat.segment, self.preparation.beats.max(1));
        (self.partial || self.segments.len() == self.preparation.beats.max(1)).then(|| self.input(beat.r_peak))
    }

    /// The newest accepted beat alone, prepared as an average is; `None` before the first one.
    pub fn newest_alone(&self) -> Option<PreparedBeat> {
        let newest = self.segments.back()?;
        Some(prepare(std::slice::from_ref(newest), self.rate_s(), &self.preparation))
    }

    /// Forgets all but the newest accepted beat: those before it were another person's.
    pub fn keep_newest(&mut self) {
        self.segments.drain(..self.segments.len().saturating_sub(1));
        self.intervals_s.clear();
    }

    /// Forgets all beats.
    pub fn reset(&mut self) {
        self.segments.clear();
        self.intervals_s.clear();
        self.previous_accepted = false;
    }

    /// Median RR of the newest accepted intervals, in seconds; `None` until there is one.
    pub fn median_rr_s(&self) -> Option<f64> {
        let mut sorted = [0.0; INTERVALS];
        let known = &mut sorted[..self.intervals_s.len()];
        known.iter_mut().zip(&self.intervals_s).for_each(|(to, from)| *to = *from);
        known.sort_by(f64::total_cmp);
        let last = known.len().checked_sub(1)?;
        Some((known[last / 2] + known[last.div_ceil(2)]) / 2.0)
    }

    /// The newest accepted segments, oldest first.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter()
    }

    fn input(&mut self, r_peak: f64) -> ModelInput {
        let rr = self.rate_s();
        let beat = prepare(self.segments.make_contiguous(), rr, &self.preparation);
        ModelInput { beat, r_peak, beats: self.segments.len() }
    }

    /// The RR interval to correct from. Before there is one the reference, which corrects nothing.
    fn rate_s(&self) -> f64 {
        self.median_rr_s().unwrap_or(self.preparation.qt_reference_rr_s)
    }
}

fn keep_newest<T>(queue: &mut VecDeque<T>, value: T, most: usize) {
    if queue.len() == most {
        queue.pop_front();
    }
    queue.push_back(value);
}
