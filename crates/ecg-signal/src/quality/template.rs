//! The usual shapes of a lead, and whether a segment has the one that rules now.
//!
//! A heart may have more than one shape (ectopic beats, an aberrant conduction), and a running mean over all of them
//! looks like none. So up to three means are kept; a segment belongs to the one that it correlates with, and is usual
//! when that one has had the most beats of late. A lead that changes its shape for good (a change of posture, another
//! wearer) is followed after about a dozen beats, because the old count fades. Must not know why a segment came here.

use super::CORRELATION_FLOOR;
use crate::SEGMENT_R_INDEX;
use crate::segment::Segment;

/// The part of a segment that is compared, in samples before and after R: the QRS and what follows at once. Over the
/// whole segment baseline wander decides: normal beats of MIT-BIH called unusual fall from 4.6 % to 2.7 %.
const BEFORE: usize = 20;
const AFTER: usize = 50;
pub(super) const COMPARED: usize = BEFORE + AFTER;
/// The compared part of a segment without its line. Single precision holds what 24 bits of a converter can say.
pub(super) type Part = [f32; COMPARED];

/// Sums that run side by side.
const LANES: usize = 8;

/// Shapes kept: the usual one, the ectopic one, and one for what is passing.
const SHAPES: usize = 3;
/// Beats in all before any shape is called unusual.
const TRUSTED_AFTER: u32 = 3;
/// Weight of a new segment in the mean of its shape once that is settled: it follows in about ten beats.
const RATE: f32 = 0.1;
/// What is left of a shape's count after one beat of another shape: the count remembers about twenty beats.
const FADE: f64 = 0.95;

/// The mean of the segments of one shape, without their line, and their fading count.
#[derive(Clone, Copy, Debug)]
struct Shape {
    mean: Part,
    /// Scalar product of the mean with itself.
    square: f32,
    learned: u32,
    count: f64,
}

const EMPTY: Shape = Shape { mean: [0.0; COMPARED], square: 0.0, learned: 0, count: 0.0 };

/// How a segment compares with the shapes that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Likenesses {
    /// Correlation with each, 0 where there is none yet.
    each: [f64; SHAPES],
    nearest: usize,
    ruling: usize,
    /// Enough beats have come for one to rule.
    trusted: bool,
    /// Share of the nearest in the beats of late, 0 … 1.
    pub(super) share: f64,
}

impl Likenesses {
    /// Correlation with the nearest shape.
    pub(super) fn nearest(&self) -> f64 {
        self.each[self.nearest]
    }

    /// Correlation with the ruling shape; `None` until there is one.
    pub(super) fn ruling(&self) -> Option<f64> {
        self.trusted.then_some(self.each[self.ruling])
    }

    /// The segment has the ruling shape, or nothing rules yet.
    pub(super) fn is_usual(&self) -> bool {
        !self.trusted || self.each[self.ruling] >= CORRELATION_FLOOR
    }
}

#[derive(Clone, Debug)]
pub(super) struct UsualShapes {
    shapes: [Shape; SHAPES],
    beats: u32,
}

impl UsualShapes {
    pub(super) fn new() -> Self {
        Self { shapes: [EMPTY; SHAPES], beats: 0 }
    }

    /// Compares a segment with what is known.
    pub(super) fn compare(&self, part: &Part) -> Likenesses {
        let size = dot(part, part);
        let each = self.shapes.each_ref().map(|shape| correlation(&shape.mean, shape.square, part, size));
        let nearest = largest(&each);
        let all: f64 = self.shapes.iter().map(|shape| shape.count).sum();
        Likenesses {
            each,
            nearest,
            ruling: largest(&self.shapes.each_ref().map(|shape| shape.count)),
            trusted: self.beats >= TRUSTED_AFTER,
            share: if all > 0.0 { self.shapes[nearest].count / all } else { 0.0 },
        }
    }

    /// Learns from a beat: into the shape that it has, or in place of the rarest one.
    pub(super) fn learn(&mut self, part: &Part, likenesses: &Likenesses) {
        let repeats = likenesses.nearest() >= CORRELATION_FLOOR;
        let slot = if repeats { likenesses.nearest } else { self.give_up_rarest() };
        self.beats = self.beats.saturating_add(1);
        for shape in &mut self.shapes {
            shape.count *= FADE;
        }
        self.shapes[slot].take(part);
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    /// Empties the shape with the smallest count and gives its place.
    fn give_up_rarest(&mut self) -> usize {
        let rarest = largest(&self.shapes.each_ref().map(|shape| -shape.count));
        self.shapes[rarest] = EMPTY;
        rarest
    }
}

impl Shape {
    fn take(&mut self, part: &Part) {
        self.learned = self.learned.saturating_add(1);
        self.count += 1.0;
        let rate = RATE.max(1.0 / self.learned as f32);
        self.mean.iter_mut().zip(part).for_each(|(mean, x)| *mean += rate * (x - *mean));
        self.square = dot(&self.mean, &self.mean);
    }
}

fn largest(values: &[f64; SHAPES]) -> usize {
    let mut best = 0;
    for candidate in 1..SHAPES {
        if values[candidate] > values[best] {
            best = candidate;
        }
    }
    best
}

/// The compared part of a segment less its least-squares line: what is left of baseline wander says nothing about the
/// shape.
pub(super) fn without_line(segment: &Segment) -> Part {
    const CENTRE: f64 = (COMPARED - 1) as f64 / 2.0;
    // Σ (n − centre)² of N equally spaced samples.
    const SPREAD: f64 = (COMPARED * (COMPARED * COMPARED - 1)) as f64 / 12.0;
    let part: &[f64; COMPARED] = segment[SEGMENT_R_INDEX - BEFORE..].first_chunk().unwrap_or(&[0.0; COMPARED]);
    let (mut sums, mut slopes) = ([0.0; LANES], [0.0; LANES]);
    for (n, x) in part.iter().enumerate() {
        sums[n % LANES] += x;
        slopes[n % LANES] += (n as f64 - CENTRE) * x;
    }
    let mean = sums.iter().sum::<f64>() / COMPARED as f64;
    let slope = slopes.iter().sum::<f64>() / SPREAD;
    std::array::from_fn(|n| (part[n] - mean - slope * (n as f64 - CENTRE)) as f32)
}

/// Cosine of two parts, which have no mean: their Pearson correlation. `a_square` and `b_square` are their scalar
/// products with themselves. 0 where one of them is nothing.
pub(super) fn correlation(a: &Part, a_square: f32, b: &Part, b_square: f32) -> f64 {
    let norm = (a_square * b_square).sqrt();
    if norm > 0.0 { f64::from(dot(a, b) / norm).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Scalar product, in lanes that do not wait for each other.
pub(super) fn dot(a: &Part, b: &Part) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}
