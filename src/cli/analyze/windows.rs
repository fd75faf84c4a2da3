//! The quality of the signal over a whole record, summed up from its windows of ten seconds.
//!
//! It must not know how an index is measured, nor what a single beat is worth.

use std::collections::BTreeMap;
use std::fmt;

use ecg_signal::{QualityIndices, WindowQuality};
use serde::Serialize;

use super::respiration::median;

/// The windows of a record, one each second, the first of them four seconds after its start.
#[derive(Debug, Serialize)]
pub(super) struct WindowsReport {
    /// Windows that were judged.
    windows: usize,
    /// Share of them whose score is 0.5 or more, 0…1; `None` without windows.
    good_share: Option<f64>,
    /// Median score: probability, 0…1, that the beats of a window are found and show the shape of the heart.
    score: Option<f64>,
    /// Refused windows by reason.
    refused: BTreeMap<&'static str, usize>,
    /// Medians of the six indices; each over the windows that have it, `None` where none has.
    indices: IndexMedians,
}

#[derive(Debug, Serialize)]
struct IndexMedians {
    /// Beats that two detectors both found, over those that either found, 0…1.
    b_sqi: Option<f64>,
    /// Kurtosis, 1 or more; about 3 for noise.
    k_sqi: Option<f64>,
    /// Skewness.
    s_sqi: Option<f64>,
    /// Power from 5 to 15 Hz over that from 5 to 40 Hz, 0…1.
    p_sqi: Option<f64>,
    /// 1 − power below 1 Hz over that below 40 Hz, 0…1.
    bas_sqi: Option<f64>,
    /// Mean correlation of the beats with their mean, −1…1.
    template_correlation: Option<f64>,
}

impl WindowsReport {
    pub(super) fn of(windows: &[WindowQuality]) -> Self {
        let mut refused = BTreeMap::new();
        for fault in windows.iter().filter_map(|window| window.fault) {
            *refused.entry(fault.name()).or_insert(0) += 1;
        }
        let good = windows.len() - refused.values().sum::<usize>();
        let index =
            |of: fn(&QualityIndices) -> Option<f64>| median(windows.iter().filter_map(|w| of(&w.indices)).collect());
        Self {
            windows: windows.len(),
            good_share: (!windows.is_empty()).then(|| good as f64 / windows.len() as f64),
            score: median(windows.iter().map(|window| window.score).collect()),
            refused,
            indices: IndexMedians {
                b_sqi: index(|i| i.b_sqi),
                k_sqi: index(|i| i.k_sqi),
                s_sqi: index(|i| i.s_sqi),
                p_sqi: index(|i| i.p_sqi),
                bas_sqi: index(|i| i.bas_sqi),
                template_correlation: index(|i| i.template_correlation),
            },
        }
    }
}

impl fmt::Display for WindowsReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((good, score)) = self.good_share.zip(self.score) else {
            return writeln!(f, "signal quality  - (too short: the first window takes four seconds)");
        };
        writeln!(f, "signal quality  {:.0} % of {} windows good, median score {score:.2}", 100.0 * good, self.windows)?;
        for (why, count) in &self.refused {
            writeln!(f, "           {count} refused: {why}")?;
        }
        let i = &self.indices;
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        writeln!(
            f,
            "           bSQI {}, kSQI {}, sSQI {}, pSQI {}, basSQI {}, template {}",
            figure(i.b_sqi),
            figure(i.k_sqi),
            figure(i.s_sqi),
            figure(i.p_sqi),
            figure(i.bas_sqi),
            figure(i.template_correlation)
        )
    }
}
