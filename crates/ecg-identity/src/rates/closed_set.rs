//! Figures of a classifier that knows a closed set of persons and must name one of them for every beat.
//!
//! They answer another question than error rates of comparisons: nobody is a stranger, and a wrong answer is always
//! somebody else. They say nothing about persons outside the set. It must not know what a class is, nor how the beats
//! were split.

use super::Interval;
use super::bootstrap::percentile_interval;

/// How often class `truth` was answered with class `answer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    /// Row by row: one row a true class, one column an answer.
    counts: Vec<u64>,
}

/// An outcome of a class that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownClass {
    /// The class that was given.
    pub class: usize,
    /// How many there are.
    pub classes: usize,
}

impl std::fmt::Display for UnknownClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "class {} of {}, counted from 0", self.class, self.classes)
    }
}

impl std::error::Error for UnknownClass {}

/// Figures of one class against all others, as fractions. `None` where the rate has no trials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassFigures {
    /// Beats of the class.
    pub support: u64,
    /// Share of the answers with this class that were right; `None` if it was never answered.
    pub precision: Option<f64>,
    /// Share of its beats that were answered right (sensitivity); `None` without a beat of it.
    pub recall: Option<f64>,
    /// Harmonic mean of the two: 2·TP / (2·TP + FP + FN).
    pub f1: Option<f64>,
    /// Share of the others' beats that were not answered with this class; `None` without a beat of another.
    pub specificity: Option<f64>,
}

/// Means over the classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanFigures {
    /// See [`ClassFigures::precision`].
    pub precision: f64,
    /// See [`ClassFigures::recall`].
    pub recall: f64,
    /// See [`ClassFigures::f1`].
    pub f1: f64,
    /// See [`ClassFigures::specificity`].
    pub specificity: f64,
}

/// All figures of a confusion matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedSetFigures {
    /// Beats.
    pub beats: u64,
    /// Beats that were answered right.
    pub right: u64,
    /// Share of them, with a 95 % interval by bootstrap over the true classes: beats of a person are not independent.
    pub accuracy: Interval,
    /// Every class counts the same. A class whose rate has no trials counts as 0, as scikit-learn's `zero_division=0`;
    /// a class that neither occurs nor is answered is left out.
    pub macro_mean: MeanFigures,
    /// Classes count by their beats.
    pub weighted_mean: MeanFigures,
    /// One entry a class.
    pub classes: Vec<ClassFigures>,
}

impl ConfusionMatrix {
    /// A matrix of `classes` classes without any outcome.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Adds one outcome.
    ///
    /// # Errors
    /// [`UnknownClass`] where either is not below the number of classes; nothing is counted then.
    pub fn add(&mut self, truth: usize, answer: usize) -> Result<(), UnknownClass> {
        if let Some(class) = [truth, answer].into_iter().find(|class| *class >= self.classes) {
            return Err(UnknownClass { class, classes: self.classes });
        }
        self.counts[truth * self.classes + answer] += 1;
        Ok(())
    }

    /// How often `truth` was answered with `answer`; 0 for classes that do not exist.
    #[must_use]
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        let known = truth < self.classes && answer < self.classes;
        if known { self.counts[truth * self.classes + answer] } else { 0 }
    }

    fn beats_of(&self, truth: usize) -> u64 {
        (0..self.classes).map(|answer| self.count(truth, answer)).sum()
    }

    fn answers(&self, answer: usize) -> u64 {
        (0..self.classes).map(|truth| self.count(truth, answer)).sum()
    }

    /// The figures, the interval from `replicates` bootstrap draws. `None` without any beat.
    #[must_use]
    pub fn figures(&self, replicates: usize, seed: u64) -> Option<ClosedSetFigures> {
        let beats: u64 = self.counts.iter().sum();
        if beats == 0 {
            return None;
        }
        let right = (0..self.classes).map(|class| self.count(class, class)).sum();
        let classes: Vec<ClassFigures> = (0..self.classes).map(|class| self.class(class, beats)).collect();
        let occurs: Vec<(ClassFigures, f64)> = (0..self.classes)
            .filter(|&class| classes[class].support + self.answers(class) > 0)
            .map(|class| (classes[class], classes[class].support as f64))
            .collect();
        let equal: Vec<(ClassFigures, f64)> = occurs.iter().map(|(figures, _)| (*figures, 1.0)).collect();
        Some(ClosedSetFigures {
            beats,
            right,
            accuracy: self.accuracy(right as f64 / beats as f64, replicates, seed),
            macro_mean: mean(&equal),
            weighted_mean: mean(&occurs),
            classes,
        })
    }

    fn class(&self, class: usize, beats: u64) -> ClassFigures {
        let (support, answers, hits) = (self.beats_of(class), self.answers(class), self.count(class, class));
        let others = beats - support;
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        ClassFigures {
            support,
            precision: share(hits, answers),
            recall: share(hits, support),
            f1: share(2 * hits, support + answers),
            specificity: share(others - (answers - hits), others),
        }
    }

    /// Classes with beats are drawn with replacement, each with all its beats.
    fn accuracy(&self, value: f64, replicates: usize, seed: u64) -> Interval {
        let rows: Vec<(u64, u64)> = (0..self.classes)
            .map(|class| (self.count(class, class), self.beats_of(class)))
            .filter(|(_, beats)| *beats > 0)
            .collect();
        let (low, high) = percentile_interval(rows.len(), replicates, seed, |drawn| {
            let (hits, beats) = drawn.iter().fold((0, 0), |(h, b), &row| (h + rows[row].0, b + rows[row].1));
            hits as f64 / beats as f64
        });
        Interval { value, low, high }
    }
}

fn mean(weighted: &[(ClassFigures, f64)]) -> MeanFigures {
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let of = |figure: fn(&ClassFigures) -> Option<f64>| {
        weighted.iter().map(|(class, weight)| figure(class).unwrap_or(0.0) * weight).sum::<f64>() / total
    };
    MeanFigures {
        precision: of(|class| class.precision),
        recall: of(|class| class.recall),
        f1: of(|class| class.f1),
        specificity: of(|class| class.specificity),
    }
}
