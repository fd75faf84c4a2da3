//! Score normalisation: what is taken off every score with a template because strangers are so much like it (Z-norm).
//!
//! Some hearts beat like many others, some like hardly any; one threshold for all accepts strangers mostly as the former
//! and misses mostly the latter. A cohort of strangers that comes with the model tells how much strangers are like a
//! template, once, when it is enrolled; a probe costs nothing more. Auckenthaler, Carey and Lloyd-Thomas, *Score
//! Normalization for Text-Independent Speaker Verification Systems*, Digital Signal Processing 10 (2000) 42–54.
//!
//! A probe brings what it needs with it: the mean of embeddings that scatter is less like any template, its own person's
//! as well (attenuation; Spearman, *The Proof and Measurement of Association between Two Things*, American Journal of
//! Psychology 15 (1904) 72–101). How short it is tells how much they do, and some of that is given back.
//!
//! It differs from the paper's Z-norm: the strangers are virtual persons (ADR 35), only the most alike ones count, only a
//! share of their mean is taken off, and nothing is divided by their deviation. Must not know networks or files.

use std::borrow::Cow;
use std::ops::Range;

use crate::compare::unit;

/// Largest whole number that a component is stored as.
const LARGEST: f32 = 127.0;

/// How a cohort is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CohortRule {
    /// So many strangers, the most alike ones, count.
    pub nearest: usize,
    /// Share of their mean likeness that is taken off a score, 0…1.
    pub weight: f64,
    /// At most so much is added to a score for what the probe, the mean of several embeddings, lacks of unit length: 0…1.
    pub scatter: f64,
}

impl Default for CohortRule {
    /// Measured in ADR 35 and 38.
    fn default() -> Self {
        Self { nearest: 20, weight: 0.7, scatter: 0.1 }
    }
}

/// Embeddings of strangers.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// Components of all of them, one after the other, in parts of the largest one of each: bytes in two's complement. And
    /// their lengths.
    components: Cow<'static, [u8]>,
    lengths: Vec<f64>,
    dimensions: usize,
    rule: CohortRule,
    usual: f64,
}

impl Cohort {
    /// A cohort of embeddings of equal length with a usual likeness of 0; those without a direction are left out. `None`
    /// where none is left.
    #[must_use]
    pub fn new(embeddings: &[Vec<f32>], rule: CohortRule) -> Option<Self> {
        let dimensions = embeddings.first()?.len();
        let usable = embeddings.iter().filter(|e| e.len() == dimensions && unit(e).is_some());
        let components: Vec<u8> = usable.flat_map(|embedding| whole_numbers(embedding)).collect();
        Self::from_bytes(components, dimensions, rule, 0.0)
    }

    /// The same with this [`usual`](Self::usual) likeness.
    #[must_use]
    pub fn with_usual(self, usual: f64) -> Self {
        Self { usual, ..self }
    }

    /// A cohort that was made earlier: its components as [`Cohort::bytes`] gave them, and its [`usual`](Cohort::usual)
    /// likeness. `None` where the bytes are not whole embeddings of that length, or one of them has no direction.
    #[must_use]
    pub fn from_bytes(
        bytes: impl Into<Cow<'static, [u8]>>,
        dimensions: usize,
        rule: CohortRule,
        usual: f64,
    ) -> Option<Self> {
        let components = bytes.into();
        if dimensions == 0 || components.is_empty() || components.len() % dimensions != 0 {
            return None;
        }
        let length = |c: &[u8]| c.iter().map(|x| f64::from(x.cast_signed()).powi(2)).sum::<f64>().sqrt();
        let lengths: Vec<f64> = components.chunks_exact(dimensions).map(length).collect();
        lengths.iter().all(|length| *length > 0.0).then_some(Self { components, lengths, dimensions, rule, usual })
    }

    /// The components of all strangers, one byte (two's complement) each.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.components
    }

    /// How many strangers there are.
    #[must_use]
    pub fn strangers(&self) -> usize {
        self.lengths.len()
    }

    /// Numbers of an embedding.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// How it is used.
    #[must_use]
    pub fn rule(&self) -> CohortRule {
        self.rule
    }

    /// The likeness of an ordinary template, which has offset 0.
    #[must_use]
    pub fn usual(&self) -> f64 {
        self.usual
    }

    /// How much strangers are like a template: mean cosine of the most alike ones, −1…1; the usual one for a template that
    /// cannot be compared.
    #[must_use]
    pub fn likeness(&self, template: &[f32]) -> f64 {
        self.likeness_without(template, 0..0)
    }

    /// The same without the strangers of these numbers; the usual one where none is left.
    #[must_use]
    pub fn likeness_without(&self, template: &[f32], left_out: Range<usize>) -> f64 {
        let Some(template) = unit(template).filter(|t| t.len() == self.dimensions) else { return self.usual };
        let strangers = self.components.chunks_exact(self.dimensions).zip(&self.lengths).enumerate();
        let cosine = |(c, length): (&[u8], &f64)| {
            let product: f32 = c.iter().zip(&template).map(|(x, t)| f32::from(x.cast_signed()) * t).sum();
            f64::from(product) / length
        };
        let mut cosines: Vec<f64> =
            strangers.filter(|(number, _)| !left_out.contains(number)).map(|(_, stranger)| cosine(stranger)).collect();
        if cosines.is_empty() {
            return self.usual;
        }
        let nearest = self.rule.nearest.clamp(1, cosines.len());
        cosines.select_nth_unstable_by(nearest - 1, |a, b| b.total_cmp(a));
        cosines[..nearest].iter().sum::<f64>() / nearest as f64
    }

    /// What is taken off every score with a template: more the more strangers are like it, less than nothing for one that
    /// strangers are less like than usual.
    #[must_use]
    pub fn offset(&self, template: &[f32]) -> f64 {
        self.rule.weight * (self.likeness(template) - self.usual)
    }
}

/// The components in parts of the largest one, which becomes 127.
fn whole_numbers(embedding: &[f32]) -> impl Iterator<Item = u8> + '_ {
    let largest = embedding.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
    embedding.iter().map(move |x| ((x / largest * LARGEST).round() as i8).cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::cosine;

    /// A direction of `dimensions` numbers that differ from `seed` to `seed`.
    fn direction(seed: u64, dimensions: usize) -> Vec<f32> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / 8_388_608.0 - 1.0
        };
        unit(&(0..dimensions).map(|_| next()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn whom_many_strangers_are_like_has_more_taken_off_than_whom_few_are_like() {
        let crowded = direction(1, 16);
        let near = |seed| -> Vec<f32> { crowded.iter().zip(direction(seed, 16)).map(|(a, b)| a + 0.3 * b).collect() };
        let strangers: Vec<Vec<f32>> = (10..60).map(near).chain((100..200).map(|seed| direction(seed, 16))).collect();
        let cohort = Cohort::new(&strangers, CohortRule::default()).unwrap().with_usual(0.6);
        let lonely = crowded.iter().map(|x| -x).collect::<Vec<_>>();
        assert!(cohort.offset(&crowded) > 0.1, "{}", cohort.offset(&crowded));
        assert!(cohort.offset(&lonely) < -0.1, "{}", cohort.offset(&lonely));
        // The crowd is the first fifty: without them nobody is near.
        assert!(cohort.likeness_without(&crowded, 0..50) < cohort.likeness(&crowded) - 0.2);
        assert_eq!(cohort.likeness_without(&crowded, 0..150), 0.6);
    }

    #[test]
    fn the_likeness_is_the_mean_of_the_nearest_cosines_to_a_hundredth() {
        let strangers: Vec<Vec<f32>> = (0..300).map(|seed| direction(seed, 90)).collect();
        let cohort =
            Cohort::new(&strangers, CohortRule { nearest: 7, weight: 0.5, scatter: 0.0 }).unwrap().with_usual(0.3);
        for seed in 1000..1020 {
            let template = direction(seed, 90);
            let mut cosines: Vec<f64> = strangers.iter().map(|stranger| cosine(stranger, &template)).collect();
            cosines.sort_by(|a, b| b.total_cmp(a));
            let expected = cosines[..7].iter().sum::<f64>() / 7.0;
            assert!((cohort.likeness(&template) - expected).abs() < 0.005);
            assert!((cohort.offset(&template) - 0.5 * (cohort.likeness(&template) - 0.3)).abs() < 1e-12);
        }
    }

    #[test]
    fn bytes_give_the_same_cohort_back() {
        let strangers: Vec<Vec<f32>> = (0..30).map(|seed| direction(seed, 12)).collect();
        let cohort = Cohort::new(&strangers, CohortRule::default()).unwrap().with_usual(0.6);
        let again = Cohort::from_bytes(cohort.bytes().to_vec(), 12, cohort.rule(), cohort.usual()).unwrap();
        assert_eq!(again, cohort);
        assert_eq!((again.strangers(), again.dimensions()), (30, 12));
    }

    #[test]
    fn what_is_no_cohort_is_none_and_what_cannot_be_compared_has_no_offset() {
        let rule = CohortRule::default();
        assert_eq!(Cohort::new(&[], rule), None);
        assert_eq!(Cohort::new(&[vec![0.0; 3], vec![f32::NAN; 3]], rule), None);
        assert_eq!(Cohort::from_bytes(vec![1, 2, 3, 4, 5], 2, rule, 0.0), None);
        assert_eq!(Cohort::from_bytes(vec![1, 2, 0, 0], 2, rule, 0.0), None);
        assert_eq!(Cohort::from_bytes(Vec::new(), 2, rule, 0.0), None);
        let cohort = Cohort::new(&[vec![1.0, 0.0], vec![0.0, 1.0], vec![0.0; 2]], rule).unwrap();
        assert_eq!(cohort.strangers(), 2);
        for template in [&[][..], &[1.0], &[f32::NAN, 1.0], &[0.0, 0.0]] {
            assert_eq!(cohort.offset(template), 0.0);
        }
    }
}
