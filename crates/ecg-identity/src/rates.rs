//! Biometric error rates of comparison scores, with intervals over persons.
//!
//! A comparison matches where its score is above the threshold; the thresholds are the observed scores.
//! - EER: where FMR = FNMR, on straight lines between neighbouring thresholds;
//! - FNMR at FMR x: FNMR at the lowest threshold whose FMR does not exceed x;
//! - rank-1: share of probes whose own reference scores higher than every other (a tie is a miss).
//!
//! A probe that the quality gate refused has the score −∞ with every reference: it never matches and is an error.
//! Intervals are 95 % percentiles of a bootstrap over subjects, because beats and windows of a person are not
//! independent trials. A drawn subject is drawn as probe and as reference at once, so a non-mated comparison counts
//! with both multiplicities; the gallery of rank-1 stays whole; subjects with and without probes are drawn apart.
//!
//! It must not know where the scores come from.

mod bootstrap;
mod closed_set;
mod curve;
mod table;

pub use bootstrap::{over_mated, over_pairs, over_persons};
pub use closed_set::{ClassFigures, ClosedSetFigures, ConfusionMatrix, MeanFigures, UnknownClass};
pub use curve::{DetPoint, det_curve};
use table::Table;

/// One probe against one subject's reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// Name of the probe; unique for each probe window.
    pub probe_record: String,
    /// Whose probe it is.
    pub probe_subject: String,
    /// Whose reference it is compared with.
    pub reference_subject: String,
    /// Higher means more alike; −∞ for a probe that was refused.
    pub score: f64,
}

/// A figure and its 95 % interval, as fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The figure on all subjects.
    pub value: f64,
    /// Lower end; NaN without replicates.
    pub low: f64,
    /// Upper end; NaN without replicates.
    pub high: f64,
}

/// How much the figures rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Subjects with mated comparisons.
    pub subjects: usize,
    /// Subjects with a reference.
    pub references: usize,
    /// Probes.
    pub probes: usize,
    /// Probes that the quality gate refused.
    pub refused_probes: usize,
    /// Mated comparisons.
    pub genuine: usize,
    /// Non-mated comparisons.
    pub impostor: usize,
}

/// Error rates of a set of comparisons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErrorRates {
    /// What they rest on.
    pub counts: Counts,
    /// Equal error rate.
    pub eer: Interval,
    /// False non-match rate where the false match rate is 1 %.
    pub fnmr_at_fmr_1pct: Interval,
    /// False non-match rate where the false match rate is 0.1 %.
    pub fnmr_at_fmr_01pct: Interval,
    /// Share of probes whose own reference scores highest.
    pub rank1: Interval,
}

/// False match and false non-match rate at a threshold that was set elsewhere, as fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatesAt {
    /// The threshold.
    pub threshold: f64,
    /// Share of non-mated comparisons at or above it.
    pub fmr: Interval,
    /// Share of mated comparisons below it.
    pub fnmr: Interval,
}

/// Scores from which no figure can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScoresError {
    /// A score is not a number: write −∞ for a refused probe.
    NotANumber {
        /// The probe.
        probe: String,
    },
    /// A probe is compared twice with one reference.
    ComparedTwice {
        /// The probe.
        probe: String,
        /// The reference.
        reference: String,
    },
    /// One probe has two subjects.
    TwoSubjects {
        /// The probe.
        probe: String,
    },
    /// There are no mated, or no non-mated comparisons.
    OneSided {
        /// Mated comparisons.
        genuine: usize,
        /// Non-mated comparisons.
        impostor: usize,
    },
}

impl std::fmt::Display for ScoresError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotANumber { probe } => {
                write!(f, "a score of probe {probe} is not a number; a refused probe is -inf")
            }
            Self::ComparedTwice { probe, reference } => {
                write!(f, "probe {probe} is compared twice with reference {reference}; keep one score for each pair")
            }
            Self::TwoSubjects { probe } => write!(f, "probe {probe} has two subjects"),
            Self::OneSided { genuine, impostor } => {
                write!(f, "error rates need mated and non-mated comparisons; there are {genuine} and {impostor}")
            }
        }
    }
}

impl std::error::Error for ScoresError {}

/// Error rates with 95 % intervals from `replicates` bootstrap draws (1000 is usual); `seed` makes them reproducible.
///
/// # Errors
/// [`ScoresError`] on scores that would make the figures wrong.
pub fn error_rates(comparisons: &[Comparison], replicates: usize, seed: u64) -> Result<ErrorRates, ScoresError> {
    let table = Table::new(comparisons)?;
    let values = table.metrics(&vec![1.0; table.subjects()]);
    let bounds = bootstrap::intervals(&table, replicates, seed);
    let [eer, fnmr_at_fmr_1pct, fnmr_at_fmr_01pct, rank1] =
        std::array::from_fn(|i| Interval { value: values[i], low: bounds[i].0, high: bounds[i].1 });
    Ok(ErrorRates { counts: table.counts(), eer, fnmr_at_fmr_1pct, fnmr_at_fmr_01pct, rank1 })
}

/// Rates at a threshold that was fixed on other persons: a score at or above it matches, as in the decision.
///
/// # Errors
/// [`ScoresError::OneSided`] without mated or non-mated comparisons.
pub fn rates_at(
    comparisons: &[Comparison],
    threshold: f64,
    replicates: usize,
    seed: u64,
) -> Result<RatesAt, ScoresError> {
    let (own, others): (Vec<_>, Vec<_>) = comparisons.iter().partition(|c| c.probe_subject == c.reference_subject);
    if own.is_empty() || others.is_empty() {
        return Err(ScoresError::OneSided { genuine: own.len(), impostor: others.len() });
    }
    let matches = |c: &Comparison| c.score >= threshold;
    let missed = own.iter().map(|c| (c.probe_subject.as_str(), !matches(c)));
    let accepted = others.iter().map(|c| (c.probe_subject.as_str(), c.reference_subject.as_str(), matches(c)));
    let fnmr = over_mated(missed, replicates, seed);
    Ok(RatesAt { threshold, fmr: over_pairs(accepted, replicates, seed), fnmr })
}
