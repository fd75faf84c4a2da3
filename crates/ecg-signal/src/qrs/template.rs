//! The lead's usual QRS shape, and how like it a candidate is.
//!
//! Must not know what a low likeness means.

use super::history::History;
use crate::units::Hertz;
use crate::widest::widest;

/// Half the width of the shape: with its centre 116 ms, one QRS.
const HALF_S: f64 = 0.056;
/// A candidate is compared at shifts up to this either way.
const SHIFT_S: f64 = 0.016;
/// Share of a new beat in the template.
const STEP: f64 = 0.1;
/// Samples that a shape with its shifts may need: enough for 500 Hz.
const CAPACITY: usize = 80;
/// Shifts that are compared at once.
const TOGETHER: usize = 4;

/// The detection band round the centre of a candidate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape([f64; CAPACITY]);

/// How like the template a shape is, at the shift where it is most so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Likeness {
    /// Cosine similarity, −1 … 1; 0 while there is no template.
    pub(super) similarity: f64,
    /// The same with the template upside down, at the shift where that is most so.
    pub(super) turned: f64,
    shift: usize,
}

/// The running mean of the shapes of beats.
#[derive(Clone, Debug)]
pub(super) struct Template {
    half: usize,
    shift: usize,
    mean: Option<[f64; CAPACITY]>,
}

impl Template {
    pub(super) fn new(fs: Hertz) -> Self {
        let (half, shift) = (fs.samples(HALF_S), fs.samples(SHIFT_S));
        assert!(2 * (half + shift) + TOGETHER <= CAPACITY, "a shape at {fs} does not fit");
        Self { half, shift, mean: None }
    }

    /// Cuts the shape round `centre` out of the detection band.
    pub(super) fn cut(&self, band: &History, centre: i64) -> Shape {
        let mut shape = [0.0; CAPACITY];
        let reach = (self.half + self.shift) as i64;
        band.copy(centre - reach, &mut shape[..=2 * reach as usize]);
        Shape(shape)
    }

    /// Compares a shape with the template.
    pub(super) fn compare(&self, shape: &Shape) -> Likeness {
        let Some(mean) = &self.mean else { return Likeness { similarity: 0.0, turned: 0.0, shift: self.shift } };
        self.liken(shape, &mean[..self.length()])
    }

    /// How like two shapes are: cosine similarity, −1 … 1.
    pub(super) fn likeness_of(&self, a: &Shape, b: &Shape) -> f64 {
        self.liken(a, &b.0[self.shift..self.shift + self.length()]).similarity
    }

    fn liken(&self, shape: &Shape, mean: &[f64]) -> Likeness {
        widest(
            #[inline(always)]
            || self.liken_at_all_shifts(shape, mean),
        )
    }

    #[inline(always)]
    fn liken_at_all_shifts(&self, shape: &Shape, mean: &[f64]) -> Likeness {
        let own: f64 = mean.iter().map(|v| v * v).sum();
        let mut best = Likeness { similarity: f64::NEG_INFINITY, turned: f64::NEG_INFINITY, shift: self.shift };
        for first in (0..=2 * self.shift).step_by(TOGETHER) {
            let (products, sizes) = sums_from(&shape.0[first..], mean);
            for (shift, (product, size)) in (first..=2 * self.shift).zip(products.into_iter().zip(sizes)) {
                let norm = (size * own).sqrt();
                let similarity = if norm > 0.0 { product / norm } else { 0.0 };
                best.turned = best.turned.max(-similarity);
                if similarity > best.similarity {
                    (best.similarity, best.shift) = (similarity, shift);
                }
            }
        }
        best
    }

    /// The first beat becomes the template.
    pub(super) fn begin(&mut self, shape: &Shape) {
        if self.mean.is_none() {
            let mut mean = [0.0; CAPACITY];
            let length = self.length();
            mean[..length].copy_from_slice(&shape.0[self.shift..self.shift + length]);
            self.mean = Some(mean);
        }
    }

    /// Moves the template a step towards a beat, at the shift where they are most alike.
    pub(super) fn learn(&mut self, shape: &Shape, likeness: &Likeness) {
        let length = self.length();
        if let Some(mean) = &mut self.mean {
            let cut = &shape.0[likeness.shift..likeness.shift + length];
            for (slot, sample) in mean[..length].iter_mut().zip(cut) {
                *slot += STEP * (sample - *slot);
            }
        }
    }

    /// A beat has been seen.
    pub(super) fn is_known(&self) -> bool {
        self.mean.is_some()
    }

    /// The lead has been turned upside down.
    pub(super) fn turn(&mut self) {
        self.mean.iter_mut().flatten().for_each(|v| *v = -*v);
    }

    pub(super) fn reset(&mut self) {
        self.mean = None;
    }

    fn length(&self) -> usize {
        2 * self.half + 1
    }
}

/// Scalar products with `mean` and with itself of what begins at the first value, at the next one, and so on.
#[inline(always)]
fn sums_from(values: &[f64], mean: &[f64]) -> ([f64; TOGETHER], [f64; TOGETHER]) {
    let [mut products, mut sizes] = [[0.0; TOGETHER]; 2];
    for (values, mean) in values.windows(TOGETHER).zip(mean) {
        for lane in 0..TOGETHER {
            products[lane] += values[lane] * mean;
            sizes[lane] += values[lane] * values[lane];
        }
    }
    (products, sizes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(shift: f64, size: f64) -> History {
        let mut history = History::new(128);
        (0..100).for_each(|n| history.extend(&[size * ((f64::from(n) - 50.0 - shift) / 5.0).sin()]));
        history
    }

    #[test]
    fn likeness_does_not_depend_on_size_or_small_shifts_but_on_sign() {
        let mut template = Template::new(Hertz(250.0));
        assert_eq!(template.compare(&template.cut(&wave(0.0, 1.0), 50)).similarity, 0.0);
        template.begin(&template.cut(&wave(0.0, 1.0), 50));
        let same = template.compare(&template.cut(&wave(3.0, 7.0), 50));
        assert!((same.similarity - 1.0).abs() < 1e-12);
        assert_eq!(same.shift, 4 + 3);
        assert!(template.compare(&template.cut(&wave(0.0, -1.0), 50)).similarity < 0.0);
    }
}
