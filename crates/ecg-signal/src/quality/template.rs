//! The running mean of accepted segments, and how much a segment looks like it.
//!
//! Must not know why a segment was accepted. It gives itself up when it has been wrong for a while: a mean that began on
//! a disturbance, or a person who has changed, must not refuse good beats for ever.

use crate::SEGMENT_SAMPLES;
use crate::segment::Segment;

/// Accepted segments before the mean is used.
const TRUSTED_AFTER: u32 = 3;
/// Weight of a new segment once the mean is settled: it follows in about ten beats.
const RATE: f64 = 0.1;
/// Beats refused by shape in a row after which the mean is given up.
const GIVE_UP_AFTER: u32 = 8;

#[derive(Clone, Debug)]
pub(super) struct SegmentTemplate {
    mean: Segment,
    learned: u32,
    refused: u32,
}

impl SegmentTemplate {
    pub(super) fn new() -> Self {
        Self { mean: [0.0; SEGMENT_SAMPLES], learned: 0, refused: 0 }
    }

    /// Pearson correlation with the mean; `None` until the mean is trusted.
    pub(super) fn correlation(&self, segment: &Segment) -> Option<f64> {
        (self.learned >= TRUSTED_AFTER).then(|| correlation(&self.mean, segment))
    }

    /// Takes the outcome of a beat that is refused by nothing but perhaps its shape.
    pub(super) fn learn(&mut self, segment: &Segment, accepted: bool) {
        if !accepted {
            self.refused += 1;
            if self.refused >= GIVE_UP_AFTER {
                self.reset();
            }
            return;
        }
        self.refused = 0;
        self.learned = self.learned.saturating_add(1);
        let rate = RATE.max(1.0 / f64::from(self.learned));
        self.mean.iter_mut().zip(segment).for_each(|(mean, x)| *mean += rate * (x - *mean));
    }

    pub(super) fn reset(&mut self) {
        *self = Self::new();
    }
}

fn correlation(a: &Segment, b: &Segment) -> f64 {
    let count = SEGMENT_SAMPLES as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / count, b.iter().sum::<f64>() / count);
    let (mut cross, mut square_a, mut square_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        cross += x * y;
        square_a += x * x;
        square_b += y * y;
    }
    let norm = (square_a * square_b).sqrt();
    if norm > 0.0 { cross / norm } else { 0.0 }
}
