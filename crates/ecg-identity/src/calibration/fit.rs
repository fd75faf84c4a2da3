//! The calibration made from scores of comparisons whose truth is known.
//!
//! Everybody weighs the same, however many comparisons a person has: windows and records of one person are not
//! independent. It must not know how the scores were made.

use std::collections::{BTreeMap, BTreeSet};

use super::{Calibration, CalibrationError, Row};
use crate::compare::Template;

/// One comparison whose truth is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation<'a> {
    /// Heartbeats in the evidence of the probe; see [`super::evidence_beats`].
    pub beats: usize,
    /// The comparison score.
    pub score: f64,
    /// Probe and reference are of one person.
    pub mated: bool,
    /// Whose probe it is: comparisons of one person count together.
    pub person: &'a str,
}

/// False match rates for which a threshold is stated, as far as the data can tell.
pub const STATED_RATES: [f64; 7] = [0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/// A threshold is stated where at least so many persons' non-mated comparisons exceed it: one that fewer persons
/// decide is the threshold of those persons.
const PERSONS_IN_THE_TAIL: usize = 5;
/// …and as many comparisons, so that a tail of single scores is not taken for a rate.
const COMPARISONS_IN_THE_TAIL: usize = 10;
/// Persons needed on each side of a row: the last row holds for all longer evidence, and what one long record or one
/// fast heart decides holds for nobody else.
pub const LEAST_PERSONS: usize = 5;
/// Newton steps; a quadratic that is well scaled needs about six.
const STEPS: usize = 50;

/// One score with its weight.
#[derive(Debug, Clone, Copy)]
struct Weighted<'a> {
    score: f64,
    weight: f64,
    person: &'a str,
}

/// What observations are enough for.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The table; `None` where no number of heartbeats is left.
    pub calibration: Option<Calibration>,
    /// Why other numbers of heartbeats have no row, by rising number.
    pub left_out: Vec<CalibrationError>,
}

/// Scores of one probe with each of a person's templates: every one of them is an observation of its own.
///
/// The best of several would be reached by strangers more often, for which the decision counts such a person twice
/// already ([`crate::comparisons`]).
pub fn each_template<'a>(templates: &'a [Template], probe: &'a [f32]) -> impl Iterator<Item = f64> + 'a {
    templates.iter().map(|template| template.score(probe))
}

impl Calibration {
    /// One row for each number of heartbeats that occurs among the observations, as far as it has [`LEAST_PERSONS`] with
    /// mated and with non-mated comparisons and states two thresholds.
    ///
    /// The map to log likelihood ratios is a logistic regression with both classes weighing the same, so that its log
    /// odds are the log likelihood ratio, and with Platt's targets (1999): scores that
    /// separate completely do not give an infinite slope. A falling map, which says that scores are worth nothing, is
    /// replaced by zero. Thresholds are weighted quantiles of the non-mated scores at [`STATED_RATES`], stated as far
    /// as ten comparisons of five persons exceed them (the first two always).
    ///
    /// # Errors
    /// [`CalibrationError::Score`]: a score that is not finite.
    pub fn fit(observations: &[Observation<'_>]) -> Result<Fitted, CalibrationError> {
        let mut by_beats: BTreeMap<usize, Vec<Observation<'_>>> = BTreeMap::new();
        for observation in observations {
            by_beats.entry(observation.beats).or_default().push(*observation);
        }
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        for (beats, all) in by_beats {
            match row(beats, &all) {
                Ok(row) => rows.push(row),
                Err(few @ (CalibrationError::Persons { .. } | CalibrationError::Thresholds { .. })) => {
                    left_out.push(few)
                }
                Err(other) => return Err(other),
            }
        }
        let calibration = if rows.is_empty() { None } else { Some(Self::new(rows)?) };
        Ok(Fitted { calibration, left_out })
    }
}

fn row(beats: usize, observations: &[Observation<'_>]) -> Result<Row, CalibrationError> {
    if observations.iter().any(|o| !o.score.is_finite()) {
        return Err(CalibrationError::Score { beats });
    }
    let ((mated, persons_mated), (non_mated, persons_non_mated)) =
        (weighted(observations, true), weighted(observations, false));
    if persons_mated.min(persons_non_mated) < LEAST_PERSONS {
        return Err(CalibrationError::Persons { beats, mated: persons_mated, non_mated: persons_non_mated });
    }
    let (slope, intercept) = logistic([&mated, &non_mated]);
    let row = Row { beats, slope, intercept, thresholds: thresholds(&non_mated) };
    row.check()?;
    Ok(row)
}

/// The scores of one class, ascending, every person with the same weight and all together 1; and the persons.
fn weighted<'a>(observations: &[Observation<'a>], mated: bool) -> (Vec<Weighted<'a>>, usize) {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let class = || observations.iter().filter(|o| o.mated == mated);
    class().for_each(|o| *count.entry(o.person).or_default() += 1);
    let weight = |person: &str| 1.0 / (count.len() * count[person]) as f64;
    let mut scores: Vec<_> =
        class().map(|o| Weighted { score: o.score, weight: weight(o.person), person: o.person }).collect();
    scores.sort_by(|a, b| a.score.total_cmp(&b.score));
    (scores, count.len())
}

/// Scores that are exceeded at the stated rates, as far as enough persons exceed them.
fn thresholds(non_mated: &[Weighted<'_>]) -> Vec<(f64, f64)> {
    let mut found: Vec<(f64, f64)> = Vec::new();
    let (mut above, mut next) = (0.0, non_mated.len());
    let mut persons: BTreeSet<&str> = BTreeSet::new();
    for rate in STATED_RATES.iter().rev() {
        // The lowest score that no more than the rate exceed or equal, with a hair for the sum of the weights.
        while let Some(lower) = next.checked_sub(1).filter(|&i| above + non_mated[i].weight <= rate + 1e-12) {
            above += non_mated[lower].weight;
            persons.insert(non_mated[lower].person);
            next = lower;
        }
        let told = persons.len() >= PERSONS_IN_THE_TAIL && non_mated.len() - next >= COMPARISONS_IN_THE_TAIL;
        if let Some(at) = non_mated.get(next).filter(|_| told || *rate >= STATED_RATES[1]) {
            found.push((*rate, at.score));
        }
    }
    found.reverse();
    // Of rates with the same score the easiest stays.
    found.dedup_by(|finer, coarser| finer.1 <= coarser.1);
    found
}

/// Slope and intercept of the log odds, both classes with the same total weight; Newton's method on standardised scores.
fn logistic(classes: [&[Weighted<'_>]; 2]) -> (f64, f64) {
    let all = || classes.iter().copied().flatten();
    let centre = all().map(|s| 0.5 * s.weight * s.score).sum::<f64>();
    let variance = all().map(|s| 0.5 * s.weight * (s.score - centre).powi(2)).sum::<f64>();
    let scale = variance.sqrt();
    if !(scale.is_finite() && scale > 0.0) {
        return (0.0, 0.0);
    }
    // Platt's targets: as if one more comparison of each class had been judged either way.
    let target = |class: usize| {
        let count = classes[class].len() as f64;
        if class == 0 { (count + 1.0) / (count + 2.0) } else { 1.0 / (count + 2.0) }
    };
    let (mut slope, mut intercept) = (0.0_f64, 0.0_f64);
    for _ in 0..STEPS {
        let (mut g, mut h) = ([0.0; 2], [0.0; 3]);
        for (class, scores) in classes.iter().enumerate() {
            for s in *scores {
                let x = (s.score - centre) / scale;
                let p = 1.0 / (1.0 + (-(slope * x + intercept)).exp());
                let (error, curve) = (s.weight * (p - target(class)), s.weight * p * (1.0 - p));
                g = [g[0] + error * x, g[1] + error];
                h = [h[0] + curve * x * x, h[1] + curve * x, h[2] + curve];
            }
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        if !(determinant.is_finite() && determinant > 1e-18) {
            break;
        }
        let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        // A step longer than the logistic curve is wide would overshoot.
        let shrink = 1.0_f64.min(4.0 / step[0].abs().max(step[1].abs()).max(1e-300));
        (slope, intercept) = (slope - shrink * step[0], intercept - shrink * step[1]);
        if step[0].abs().max(step[1].abs()) < 1e-10 {
            break;
        }
    }
    let (slope, intercept) = (slope / scale, intercept - slope * centre / scale);
    if slope.is_finite() && intercept.is_finite() && slope > 0.0 { (slope, intercept) } else { (0.0, 0.0) }
}
