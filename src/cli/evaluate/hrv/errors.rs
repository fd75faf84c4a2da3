//! Errors of figures over records. Must not know where figures come from.

use serde::Serialize;

use crate::event::HrvFigures;

/// A figure that is compared.
pub(super) struct Metric {
    pub(super) key: &'static str,
    /// Its name with its unit.
    pub(super) name: &'static str,
    of: fn(&HrvFigures) -> Option<f64>,
}

/// Those that are compared.
pub(super) const METRICS: [Metric; 13] = [
    Metric { key: "mean_hr_bpm", name: "HR bpm", of: |h| h.mean_hr_bpm },
    Metric { key: "mean_nn_ms", name: "mean NN ms", of: |h| h.mean_nn_ms },
    Metric { key: "sdnn_ms", name: "SDNN ms", of: |h| h.sdnn_ms },
    Metric { key: "rmssd_ms", name: "RMSSD ms", of: |h| h.rmssd_ms },
    Metric { key: "pnn50_percent", name: "pNN50 %", of: |h| h.pnn50_percent },
    Metric { key: "lf_ms2", name: "LF ms2", of: |h| h.lf_ms2 },
    Metric { key: "hf_ms2", name: "HF ms2", of: |h| h.hf_ms2 },
    Metric { key: "lf_hf", name: "LF/HF", of: |h| h.lf_hf },
    Metric { key: "sd1_ms", name: "SD1 ms", of: |h| h.sd1_ms },
    Metric { key: "sd2_ms", name: "SD2 ms", of: |h| h.sd2_ms },
    Metric { key: "sample_entropy", name: "SampEn", of: |h| h.sample_entropy },
    Metric { key: "dfa_alpha1", name: "DFA alpha1", of: |h| h.dfa_alpha1 },
    Metric { key: "dfa_alpha2", name: "DFA alpha2", of: |h| h.dfa_alpha2 },
];

/// Absolute errors of one figure.
#[derive(Debug, Serialize)]
pub(super) struct Errors {
    /// Records for which both have the figure.
    pub(super) records: usize,
    pub(super) median: f64,
    pub(super) worst: f64,
    pub(super) worst_record: String,
}

impl Errors {
    /// Over pairs of ours and theirs, by record; `None` without a pair.
    pub(super) fn of<'a>(
        metric: &Metric,
        pairs: impl Iterator<Item = (&'a str, &'a HrvFigures, &'a HrvFigures)>,
    ) -> Option<Self> {
        let error = |(name, ours, theirs): (&'a str, _, _)| Some(((metric.of)(ours)?, (metric.of)(theirs)?, name));
        let mut errors: Vec<(f64, &str)> =
            pairs.filter_map(error).map(|(ours, theirs, name)| ((ours - theirs).abs(), name)).collect();
        errors.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (worst, worst_record) = *errors.last()?;
        let n = errors.len();
        let median = (errors[(n - 1) / 2].0 + errors[n / 2].0) / 2.0;
        Some(Self { records: n, median, worst, worst_record: worst_record.to_owned() })
    }
}
