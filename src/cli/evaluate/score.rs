//! Figures of a detector: counts at three limits, jitter, and the two scopes that are usual.
//!
//! It knows only times in seconds; where they come from is `qrs.rs`.

use serde::Serialize;

use super::matching::match_beats;

/// Limits of a match, ms. 150 ms is that of ANSI/AAMI EC57.
pub const TOLERANCES_MS: [u32; 3] = [150, 75, 50];
/// EC57 leaves out what comes before, seconds: detectors may learn until then.
const EC57_START_S: f64 = 300.0;
/// …and ventricular flutter or fibrillation with this margin, seconds.
const EC57_MARGIN_S: f64 = 0.15;

/// What is known of a record.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// Annotated beats, seconds, ascending.
    pub beats: Vec<f64>,
    /// Ventricular flutter or fibrillation, from and to, seconds.
    pub fibrillation: Vec<(f64, f64)>,
}

/// One record, one scope.
#[derive(Debug, Clone, Default)]
pub struct ScopeScore {
    /// True positive, false positive, false negative for each of [`TOLERANCES_MS`].
    counts: [[u64; 3]; 3],
    /// Detection minus annotation of the 150 ms pairs, ms.
    errors_ms: Vec<f64>,
}

/// One record.
#[derive(Debug, Clone, Default)]
pub struct RecordScore {
    full: ScopeScore,
    ec57: ScopeScore,
}

/// Counts and rates at one limit. Rates in per cent; `None` where nothing was there to count.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Rates {
    /// True positives.
    pub tp: u64,
    /// False positives.
    pub fp: u64,
    /// False negatives.
    #[serde(rename = "fn")]
    pub missed: u64,
    /// Sensitivity, per cent.
    pub sensitivity: Option<f64>,
    /// Positive predictivity, per cent.
    pub positive_predictivity: Option<f64>,
}

impl Rates {
    /// Harmonic mean of sensitivity and positive predictivity, per cent.
    #[must_use]
    pub fn f1(&self) -> Option<f64> {
        per_cent(2 * self.tp, 2 * self.tp + self.fp + self.missed)
    }
}

fn per_cent(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| 100.0 * part as f64 / all as f64)
}

/// Figures over one or more records in one scope. Counts and rates without a limit in their name are at ±150 ms.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// At ±150 ms.
    #[serde(flatten)]
    pub within_150_ms: Rates,
    /// Harmonic mean of sensitivity and positive predictivity at ±150 ms, per cent.
    pub f1_150ms: Option<f64>,
    /// The same at ±75 ms.
    pub f1_75ms: Option<f64>,
    /// The same at ±50 ms.
    pub f1_50ms: Option<f64>,
    /// Mean absolute error of R over the 150 ms pairs, ms.
    pub mae_ms: Option<f64>,
    /// Median error, ms: positive is late.
    pub offset_ms: Option<f64>,
    /// Mean absolute error after each record's own median is taken off, ms.
    pub mae_centred_ms: Option<f64>,
    /// Counts and rates at ±75 ms.
    pub within_75_ms: Rates,
    /// Counts and rates at ±50 ms.
    pub within_50_ms: Rates,
}

/// Figures in both scopes.
#[derive(Debug, Clone, Serialize)]
pub struct Scopes {
    /// The whole record.
    #[serde(flatten)]
    pub full: Figures,
    /// As EC57 scores: from 5:00 on, without ventricular flutter and fibrillation.
    pub ec57: Figures,
}

/// Scores the detections of one record; both lists in seconds, ascending.
#[must_use]
pub fn score(truth: &Truth, detected: &[f64]) -> RecordScore {
    let in_ec57 = |&t: &f64| {
        let fibrillates = |&(a, b): &(f64, f64)| a - EC57_MARGIN_S <= t && t <= b + EC57_MARGIN_S;
        t >= EC57_START_S && !truth.fibrillation.iter().any(fibrillates)
    };
    let keep = |times: &[f64]| times.iter().copied().filter(in_ec57).collect::<Vec<f64>>();
    RecordScore { full: score_scope(&truth.beats, detected), ec57: score_scope(&keep(&truth.beats), &keep(detected)) }
}

fn score_scope(reference: &[f64], detected: &[f64]) -> ScopeScore {
    let mut scope = ScopeScore::default();
    for (counts, tolerance_ms) in scope.counts.iter_mut().zip(TOLERANCES_MS) {
        let pairs = match_beats(reference, detected, f64::from(tolerance_ms) / 1000.0);
        *counts = [pairs.len(), detected.len() - pairs.len(), reference.len() - pairs.len()].map(|n| n as u64);
        if tolerance_ms == TOLERANCES_MS[0] {
            scope.errors_ms = pairs.iter().map(|&(i, j)| 1000.0 * (detected[j] - reference[i])).collect();
        }
    }
    scope
}

/// Pools records: counts are added, errors joined.
#[must_use]
pub fn figures(records: &[RecordScore]) -> Scopes {
    Scopes {
        full: pool(&records.iter().map(|r| &r.full).collect::<Vec<_>>()),
        ec57: pool(&records.iter().map(|r| &r.ec57).collect::<Vec<_>>()),
    }
}

fn pool(scopes: &[&ScopeScore]) -> Figures {
    let rates = |tolerance: usize| {
        let sum = |k: usize| scopes.iter().map(|s| s.counts[tolerance][k]).sum::<u64>();
        let (tp, fp, missed) = (sum(0), sum(1), sum(2));
        Rates { tp, fp, missed, sensitivity: per_cent(tp, tp + missed), positive_predictivity: per_cent(tp, tp + fp) }
    };
    let errors: Vec<f64> = scopes.iter().flat_map(|s| s.errors_ms.iter().copied()).collect();
    let centred: Vec<f64> = scopes
        .iter()
        .filter_map(|s| median(&s.errors_ms).map(|m| s.errors_ms.iter().map(move |e| e - m)))
        .flatten()
        .collect();
    let limits = [rates(0), rates(1), rates(2)];
    Figures {
        within_150_ms: limits[0],
        f1_150ms: limits[0].f1(),
        f1_75ms: limits[1].f1(),
        f1_50ms: limits[2].f1(),
        within_75_ms: limits[1],
        within_50_ms: limits[2],
        mae_ms: mean_absolute(&errors),
        offset_ms: median(&errors),
        mae_centred_ms: mean_absolute(&centred),
    }
}

fn mean_absolute(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().map(|e| e.abs()).sum::<f64>() / values.len() as f64)
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        n if n.is_multiple_of(2) => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
        _ => Some(sorted[middle]),
    }
}
