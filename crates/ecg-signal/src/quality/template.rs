//! The usual shapes of a lead, and whether a segment has the one that rules now.
//!
//! A heart may have more than one shape (ectopic beats, an aberrant conduction), and a running mean over all of them
//! looks like none. So up to three means are kept; a segment belongs to the one that it correlates with, and is usual
//! when that one has had the most beats of late. A lead that changes its shape for good (a change of posture, another
//! wearer) is followed after about a dozen beats, because the old count fades. Must not know why a segment came here.

use crate::SEGMENT_R_INDEX;
use crate::segment::Segment;

/// The part of a segment that is compared, in samples before and after R: the QRS and what follows at once. Over the
/// whole segment baseline wander decides: normal beats of MIT-BIH called unusual fall from 4.6 % to 2.7 %.
const BEFORE: usize = 20;
const AFTER: usize = 50;
const COMPARED: usize = BEFORE + AFTER;
type Part = [f64; COMPARED];

/// Shapes kept: the usual one, the ectopic one, and one for what is passing.
const SHAPES: usize = 3;
/// Beats in all before any shape is called unusual.
const TRUSTED_AFTER: u32 = 3;
/// Weight of a new segment in the mean of its shape once that is settled: it follows in about ten beats.
const RATE: f64 = 0.1;
/// What is left of a shape's count after one beat of another shape: the count remembers about twenty beats.
const FADE: f64 = 0.95;

/// The mean of the segments of one shape, without their line, and their fading count.
#[derive(Clone, Copy, Debug)]
struct Shape {
    mean: Part,
    learned: u32,
    count: f64,
}

const EMPTY: Shape = Shape { mean: [0.0; COMPARED], learned: 0, count: 0.0 };

/// What is known of the shape of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ShapeVerdict {
    /// Correlation with the ruling shape; `None` until there is one.
    pub(super) correlation: Option<f64>,
    /// The segment has the ruling shape, or nothing rules yet.
    pub(super) usual: bool,
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

    /// Correlation with the ruling shape; `None` until there is one.
    pub(super) fn correlation(&self, segment: &Segment) -> Option<f64> {
        (self.beats >= TRUSTED_AFTER).then(|| correlation(&self.shapes[self.ruling()].mean, &without_line(segment)))
    }

    /// Takes a segment that nothing else speaks against, and says whether its shape is the usual one. Two segments have
    /// the same shape when they correlate by at least `floor`.
    pub(super) fn learn(&mut self, segment: &Segment, floor: f64) -> ShapeVerdict {
        let level = without_line(segment);
        let similar = self.shapes.map(|shape| if shape.learned == 0 { -1.0 } else { correlation(&shape.mean, &level) });
        let nearest = largest(&similar);
        let trusted = self.beats >= TRUSTED_AFTER;
        let ruling = self.ruling();
        let repeats = similar[nearest] >= floor;
        let slot = if repeats { nearest } else { self.give_up_rarest() };
        self.beats = self.beats.saturating_add(1);
        for shape in &mut self.shapes {
            shape.count *= FADE;
        }
        self.shapes[slot].take(&level);
        // Noise has a new shape every time, and the newest of them would rule.
        let usual = !trusted || (repeats && slot == self.ruling());
        ShapeVerdict { correlation: trusted.then(|| similar[ruling]), usual }
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }

    fn ruling(&self) -> usize {
        largest(&self.shapes.map(|shape| shape.count))
    }

    /// Empties the shape with the smallest count and gives its place.
    fn give_up_rarest(&mut self) -> usize {
        let rarest = largest(&self.shapes.map(|shape| -shape.count));
        self.shapes[rarest] = EMPTY;
        rarest
    }
}

impl Shape {
    fn take(&mut self, segment: &Part) {
        self.learned = self.learned.saturating_add(1);
        self.count += 1.0;
        let rate = RATE.max(1.0 / f64::from(self.learned));
        self.mean.iter_mut().zip(segment).for_each(|(mean, x)| *mean += rate * (x - *mean));
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
fn without_line(segment: &Segment) -> Part {
    const CENTRE: f64 = (COMPARED - 1) as f64 / 2.0;
    // Σ (n − centre)² of N equally spaced samples.
    const SPREAD: f64 = (COMPARED * (COMPARED * COMPARED - 1)) as f64 / 12.0;
    let mut part = [0.0; COMPARED];
    part.copy_from_slice(&segment[SEGMENT_R_INDEX - BEFORE..SEGMENT_R_INDEX + AFTER]);
    let mean = part.iter().sum::<f64>() / COMPARED as f64;
    let slope = part.iter().enumerate().map(|(n, x)| (n as f64 - CENTRE) * x).sum::<f64>() / SPREAD;
    part.iter_mut().enumerate().for_each(|(n, x)| *x -= mean + slope * (n as f64 - CENTRE));
    part
}

/// Cosine of two segments without mean, which is their Pearson correlation.
fn correlation(a: &Part, b: &Part) -> f64 {
    let (mut cross, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        cross += x * y;
        square_a += x * x;
        square_b += y * y;
    }
    let norm = (square_a * square_b).sqrt();
    if norm > 0.0 { cross / norm } else { 0.0 }
}
