//! The time domain, after the Task Force 1996 (European Heart Journal 17:354). Must not know about clean time.

use super::series::{NnSeries, moments};

/// Width of a bin of the histogram of the triangular index, in milliseconds: 1/128 s (Task Force 1996).
pub const TRIANGULAR_BIN_MS: f64 = 1000.0 / 128.0;

/// Figures of the time domain; `None` where there are too few intervals for a definition.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TimeDomain {
    /// Mean interval in milliseconds.
    pub mean_nn_ms: Option<f64>,
    /// Mean of 60 000/NN, beats a minute: each beat counts once (hrv-analysis); 60 000 over the mean interval is lower.
    pub mean_hr_bpm: Option<f64>,
    /// Standard deviation of all intervals, n − 1 (NeuroKit2, hrv-analysis; BioSPPy and HeartPy divide by n), ms.
    pub sdnn_ms: Option<f64>,
    /// Root of the mean square of the successive differences, divided by their number, ms.
    pub rmssd_ms: Option<f64>,
    /// Standard deviation of the signed successive differences, n − 1 (NeuroKit2; pyHRV and HeartPy take the absolute
    /// ones, hrv-analysis divides by n), ms.
    pub sdsd_ms: Option<f64>,
    /// Differences above 50 ms (strictly, either sign), per cent of the differences (NeuroKit2: of the intervals).
    pub pnn50_percent: Option<f64>,
    /// Differences above 20 ms, likewise.
    pub pnn20_percent: Option<f64>,
    /// SDNN over the mean interval, per cent.
    pub cvnn_percent: Option<f64>,
    /// Triangular index: intervals over those in the fullest bin of 1/128 s, bins from 0; no unit (Task Force 1996;
    /// hrv-analysis takes bins of 8 ms).
    pub triangular_index: Option<f64>,
}

impl TimeDomain {
    /// The figures of a series. Differences are taken within runs only.
    pub fn of(series: &NnSeries) -> Self {
        let nn = series.nn_ms();
        let Some((mean, variance)) = moments(nn.iter().copied()) else { return Self::default() };
        let rate = nn.iter().map(|nn| 60_000.0 / nn).sum::<f64>() / nn.len() as f64;
        let sdnn = variance.map(f64::sqrt);
        let differences = series.pairs().map(|(before, after)| after - before);
        let spread = moments(differences.clone());
        let count = differences.clone().count() as f64;
        let share =
            |limit: f64| spread.map(|_| 100.0 * differences.clone().filter(|d| d.abs() > limit).count() as f64 / count);
        Self {
            mean_nn_ms: Some(mean),
            mean_hr_bpm: Some(rate),
            sdnn_ms: sdnn,
            rmssd_ms: spread.map(|_| (differences.clone().map(|d| d * d).sum::<f64>() / count).sqrt()),
            sdsd_ms: spread.and_then(|(_, variance)| variance).map(f64::sqrt),
            pnn50_percent: share(50.0),
            pnn20_percent: share(20.0),
            cvnn_percent: sdnn.map(|sdnn| 100.0 * sdnn / mean),
            triangular_index: triangular_index(nn),
        }
    }
}

fn triangular_index(nn: &[f64]) -> Option<f64> {
    let bins = nn.iter().map(|nn| (nn / TRIANGULAR_BIN_MS) as u32);
    let mut counts = vec![0usize; bins.clone().max()? as usize + 1];
    bins.for_each(|bin| counts[bin as usize] += 1);
    let fullest = counts.into_iter().max()?;
    Some(nn.len() as f64 / fullest as f64)
}
