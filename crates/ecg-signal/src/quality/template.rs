//! The usual shapes of a lead, and whether a segment has the one that rules now.
//!
//! A heart may have more than one shape (ectopic beats, an aberrant conduction), and a running mean over all of them
//! looks like none. So up to three means are kept; a segment belongs to the one that it correlates with, and is usual
//! when that one has had the most beats of late. A lead that changes its shape for good (a change of posture, another
//! wearer) is followed after about a dozen beats, because the old count fades; one whose beats come upside down has been
//! turned, and its shapes are turned with the second of them. Must not know why a segment came here.

use super::{CORRELATION_FLOOR, PREMATURE_FLOOR};
use crate::SEGMENT_R_INDEX;
use crate::segment::Segment;
use crate::widest::widest;

/// The part of a segment that is compared, in samples before and after R: the QRS and what follows at once. Over the
/// whole segment baseline wander decides: normal beats of MIT-BIH called unusual fall from 4.6 % to 2.7 %.
const BEFORE: usize = 20;
const AFTER: usize = 50;
pub(super) const COMPARED: usize = BEFORE + AFTER;
/// The compared part of a segment without its line. Single precision holds what 24 bits of a converter can say.
pub(super) type Part = [f32; COMPARED];

/// Sums that run side by side.
pub(super) const LANES: usize = 8;

/// Shapes kept: the usual one, the ectopic one, and one for what is passing.
const SHAPES: usize = 3;
/// Beats in all before any shape is called unusual.
const TRUSTED_AFTER: u32 = 3;
/// Weight of a new segment in the mean of its shape once that is settled: it follows in about ten beats.
const RATE: f32 = 0.1;
/// What is left of a shape's count after one beat of another shape: the count remembers about twenty beats.
const FADE: f64 = 0.95;
/// R may be marked on another deflection of the same QRS: nearer than so many samples (52 ms). The segment waits for them.
const FARTHEST: i64 = 13;
/// Correlation from which on a segment is that shape, moved.
const UNMISTAKABLE: f64 = 0.9;
/// Another shape becomes the usual one when its count is this many times as large: in bigeminy the two have nearly equal
/// counts, and the lead must not take turns between them (208: normal beats called unusual fall from 8 to 5 %).
const TAKEOVER: f64 = 1.25;

/// A beat that correlates with the ruling shape by less than this is that shape upside down (at −0.9 the bundle branch
/// blocks of MIT-BIH 207 are, too) …
const UPSIDE_DOWN: f64 = -0.95;
/// … and so many of them in a row are a turned lead: a single one is an ectopic beat.
const TURNED: u32 = 2;

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
    /// Correlation from which on this segment has the same shape as others.
    floor: f64,
}

impl Likenesses {
    /// The same for a beat that came too soon: it is more often an ectopic one, which in many leads is half like a normal
    /// one.
    pub(super) fn of_premature(self) -> Self {
        Self { floor: PREMATURE_FLOOR, ..self }
    }

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
        !self.trusted || self.each[self.ruling] >= self.floor
    }
}

#[derive(Clone, Debug)]
pub(super) struct UsualShapes {
    shapes: [Shape; SHAPES],
    /// The one that is usual.
    ruling: usize,
    beats: u32,
    /// Beats in a row that have the ruling shape upside down.
    upside_down: u32,
}

impl UsualShapes {
    pub(super) fn new() -> Self {
        Self { shapes: [EMPTY; SHAPES], ruling: 0, beats: 0, upside_down: 0 }
    }

    /// Compares a segment with what is known; `size` is its scalar product with itself.
    #[inline(always)]
    pub(super) fn compare(&self, part: &Part, size: f32) -> Likenesses {
        let each = self.shapes.each_ref().map(|shape| correlation(&shape.mean, shape.square, part, size));
        Likenesses {
            each,
            nearest: largest(&each),
            ruling: self.ruling,
            trusted: self.beats >= TRUSTED_AFTER,
            floor: CORRELATION_FLOOR,
        }
    }

    /// How many samples later (or, below 0, earlier) than at its R a segment has the usual shape that it does not have
    /// there; 0 where it has it, or has another one.
    pub(super) fn misalignment(&self, segment: &Segment) -> i64 {
        let stands_right = || {
            widest(
                #[inline(always)]
                || self.likeness_at(segment, 0) >= CORRELATION_FLOOR,
            )
        };
        if self.beats < TRUSTED_AFTER || stands_right() {
            return 0;
        }
        let all = (-FARTHEST..=FARTHEST).map(|shift| (shift, self.likeness_at(segment, shift)));
        let best = all.max_by(|a, b| a.1.total_cmp(&b.1));
        // At the end of the range it may still be rising.
        best.filter(|(shift, likeness)| *likeness >= UNMISTAKABLE && shift.abs() < FARTHEST)
            .map_or(0, |(shift, _)| shift)
    }

    /// Correlation with the ruling shape as if R were so many samples later.
    #[inline(always)]
    fn likeness_at(&self, segment: &Segment, shift: i64) -> f64 {
        let ruling = &self.shapes[self.ruling];
        let part = part_without_line(segment, shift);
        correlation(&ruling.mean, ruling.square, &part, dot(&part, &part))
    }

    /// Whether the lead has been turned upside down, as this beat and those before it say; the shapes are then turned.
    pub(super) fn have_turned(&mut self, likenesses: &Likenesses) -> bool {
        let turned = likenesses.ruling().is_some_and(|ruling| ruling < UPSIDE_DOWN);
        self.upside_down = if turned { self.upside_down + 1 } else { 0 };
        if self.upside_down < TURNED {
            return false;
        }
        self.upside_down = 0;
        self.shapes.iter_mut().flat_map(|shape| &mut shape.mean).for_each(|x| *x = -*x);
        true
    }

    /// Learns from a beat: into the shape that it has, or in place of the rarest one.
    #[inline(always)]
    pub(super) fn learn(&mut self, part: &Part, likenesses: &Likenesses) {
        let repeats = likenesses.nearest() >= likenesses.floor;
        let slot = if repeats { likenesses.nearest } else { self.give_up_rarest() };
        self.beats = self.beats.saturating_add(1);
        for shape in &mut self.shapes {
            shape.count *= FADE;
        }
        self.shapes[slot].take(part);
        let counts = self.shapes.each_ref().map(|shape| shape.count);
        let most = largest(&counts);
        if counts[most] > TAKEOVER * counts[self.ruling] {
            self.ruling = most;
        }
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
    #[inline(always)]
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
#[inline(always)]
pub(super) fn without_line(segment: &Segment) -> Part {
    part_without_line(segment, 0)
}

/// The same as if R were so many samples later; at most [`FARTHEST`] either way.
#[inline(always)]
fn part_without_line(segment: &Segment, shift: i64) -> Part {
    let first = (SEGMENT_R_INDEX - BEFORE).saturating_add_signed(shift as isize);
    let part: &[f64; COMPARED] = segment[first..].first_chunk().unwrap_or(&[0.0; COMPARED]);
    let (mut sums, mut slopes) = ([0.0; LANES], [0.0; LANES]);
    for (part, places) in part.chunks(LANES).zip(PLACES.chunks(LANES)) {
        for (((sum, slope), x), place) in sums.iter_mut().zip(&mut slopes).zip(part).zip(places) {
            *sum += x;
            *slope += place * x;
        }
    }
    let mean = sums.iter().sum::<f64>() / COMPARED as f64;
    let slope = slopes.iter().sum::<f64>() / SPREAD;
    let mut rest = [0.0; COMPARED];
    for ((rest, x), place) in rest.iter_mut().zip(part).zip(&PLACES) {
        *rest = (x - mean - slope * place) as f32;
    }
    rest
}

/// Places of the samples of a part, from its middle.
const PLACES: [f64; COMPARED] = {
    let mut places = [0.0; COMPARED];
    let mut n = 0;
    while n < COMPARED {
        places[n] = n as f64 - (COMPARED - 1) as f64 / 2.0;
        n += 1;
    }
    places
};
/// Sum of their squares.
const SPREAD: f64 = (COMPARED * (COMPARED * COMPARED - 1)) as f64 / 12.0;

/// Cosine of two parts, which have no mean: their Pearson correlation. `a_square` and `b_square` are their scalar
/// products with themselves. 0 where one of them is nothing.
#[inline(always)]
pub(super) fn correlation(a: &Part, a_square: f32, b: &Part, b_square: f32) -> f64 {
    let norm = (a_square * b_square).sqrt();
    if norm > 0.0 { f64::from(dot(a, b) / norm).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Scalar product, in lanes that do not wait for each other.
#[inline(always)]
pub(super) fn dot(a: &Part, b: &Part) -> f32 {
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum += a * b);
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Q, an R and an S of nearly the same size, with R moved by so many samples.
    fn segment(moved: i32) -> Segment {
        let wave = |n: usize, at: i32, height: f64| {
            let distance = n as f64 - f64::from(SEGMENT_R_INDEX as i32 + at + moved);
            height * (-0.5 * (distance / 3.0).powi(2)).exp()
        };
        std::array::from_fn(|n| wave(n, -9, -0.5) + wave(n, 0, 1.0) + wave(n, 9, -0.9) + 0.2 * wave(n, 45, 1.0))
    }

    fn taught() -> UsualShapes {
        let mut shapes = UsualShapes::new();
        for _ in 0..5 {
            let part = without_line(&segment(0));
            let likenesses = shapes.compare(&part, dot(&part, &part));
            shapes.learn(&part, &likenesses);
        }
        shapes
    }

    #[test]
    fn a_segment_cut_round_another_deflection_is_seen_to_be_moved_and_no_other_is() {
        let shapes = taught();
        for moved in [-12, -9, 9, 12] {
            assert_eq!(shapes.misalignment(&segment(moved)), i64::from(moved));
        }
        assert_eq!(shapes.misalignment(&segment(1)), 0, "usual enough where it stands");
        assert_eq!(shapes.misalignment(&segment(20)), 0, "too far for one QRS");
        assert_eq!(shapes.misalignment(&segment(0).map(|x| -x)), 0, "another shape");
        assert_eq!(shapes.misalignment(&[0.0; crate::SEGMENT_SAMPLES]), 0);
        assert_eq!(UsualShapes::new().misalignment(&segment(9)), 0, "nothing is usual yet");
    }
}
