//! The figures of heart-rate variability as they are published: by the daemon, by `ecgid hrv` and by `ecgid analyze`.
//!
//! One set of names for all of them. What a figure is and where it comes from stands in `ecg_signal::hrv`. This file
//! knows no topic and no encoding.

use std::collections::BTreeMap;

use ecg_signal::hrv::{Correction, DaySummary, Figure, Hrv, frequency};
use serde::{Deserialize, Serialize};

/// How RR intervals became NN intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HrvCorrection {
    /// They were taken for NN as they are.
    #[default]
    None,
    /// After Lipponen and Tarvainen 2019, with the beats before and after each.
    TwoSided,
    /// Likewise, with the beats before and two after.
    Causal,
}

/// The figures of one window or record. `None` where a figure cannot be trusted; `missing` says why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HrvFigures {
    /// Clean time in the window, seconds.
    pub clean_s: f64,
    /// Intervals the figures rest on.
    pub intervals: u32,
    /// Mean of 60 000/NN, beats per minute.
    pub mean_hr_bpm: Option<f64>,
    /// Mean NN interval, ms.
    pub mean_nn_ms: Option<f64>,
    /// Standard deviation of NN (n − 1), ms.
    pub sdnn_ms: Option<f64>,
    /// Root mean square of successive differences, ms.
    pub rmssd_ms: Option<f64>,
    /// Share of successive differences above 50 ms, per cent of the differences.
    pub pnn50_percent: Option<f64>,
    /// Standard deviation of successive differences (n − 1), ms.
    pub sdsd_ms: Option<f64>,
    /// Share of successive differences above 20 ms, per cent of the differences.
    pub pnn20_percent: Option<f64>,
    /// SDNN over the mean NN interval, per cent.
    pub cvnn_percent: Option<f64>,
    /// Intervals over those in the fullest bin of 1/128 s.
    pub triangular_index: Option<f64>,
    /// Power from 0.003 to 0.04 Hz by Welch's method, band edges exact, ms².
    pub vlf_ms2: Option<f64>,
    /// Power from 0.04 to 0.15 Hz, likewise, ms².
    pub lf_ms2: Option<f64>,
    /// Power from 0.15 to 0.4 Hz, likewise, ms².
    pub hf_ms2: Option<f64>,
    /// Power from 0.003 to 0.4 Hz, likewise, ms².
    pub total_power_ms2: Option<f64>,
    /// LF over HF.
    pub lf_hf: Option<f64>,
    /// LF in normalised units, per cent of LF + HF.
    pub lf_nu: Option<f64>,
    /// HF in normalised units, per cent of LF + HF.
    pub hf_nu: Option<f64>,
    /// LF summed over whole bins alone, as most scripts around scipy do, ms².
    pub lf_whole_bins_ms2: Option<f64>,
    /// HF summed over whole bins alone, ms².
    pub hf_whole_bins_ms2: Option<f64>,
    /// LF over HF, both over whole bins alone.
    pub lf_hf_whole_bins: Option<f64>,
    /// VLF by Lomb and Scargle, on the intervals as they lie, ms².
    pub lomb_vlf_ms2: Option<f64>,
    /// LF by Lomb and Scargle, ms².
    pub lomb_lf_ms2: Option<f64>,
    /// HF by Lomb and Scargle, ms².
    pub lomb_hf_ms2: Option<f64>,
    /// Power from 0.003 to 0.4 Hz by Lomb and Scargle, ms².
    pub lomb_total_power_ms2: Option<f64>,
    /// LF over HF by Lomb and Scargle.
    pub lomb_lf_hf: Option<f64>,
    /// LF by Lomb and Scargle, per cent of LF + HF.
    pub lomb_lf_nu: Option<f64>,
    /// HF by Lomb and Scargle, per cent of LF + HF.
    pub lomb_hf_nu: Option<f64>,
    /// Width of the Poincaré plot across the line of identity (n − 1), ms.
    pub sd1_ms: Option<f64>,
    /// Its length along that line (n − 1), ms.
    pub sd2_ms: Option<f64>,
    /// SD1 over SD2.
    pub sd1_sd2: Option<f64>,
    /// Approximate entropy, m = 2, r = 0.2 SDNN, nats.
    pub approximate_entropy: Option<f64>,
    /// Sample entropy, m = 2, r = 0.2 SDNN, nats.
    pub sample_entropy: Option<f64>,
    /// Detrended fluctuation analysis, boxes of 4 to 16 intervals.
    pub dfa_alpha1: Option<f64>,
    /// Detrended fluctuation analysis, boxes of 16 to 64 intervals.
    pub dfa_alpha2: Option<f64>,
    /// How the spectrum was computed.
    pub spectrum_method: String,
    /// How the intervals became NN.
    pub correction: HrvCorrection,
    /// Beats that were corrected.
    pub corrected_beats: u32,
    /// Their share, per cent; above 5 variability is withheld.
    pub corrected_percent: f64,
    /// Of them: beats too early or too late.
    pub ectopic_beats: u32,
    /// Of them: beats that were put in.
    pub missed_beats: u32,
    /// Of them: beats that were taken out.
    pub extra_beats: u32,
    /// Of them: intervals too long or too short for another reason.
    pub long_or_short_intervals: u32,
    /// Share of the minutes with a rhythm as in atrial fibrillation, per cent; above 10 variability is withheld.
    pub irregular_percent: Option<f64>,
    /// Why figures are missing, by their names.
    #[serde(default)]
    pub missing: BTreeMap<String, String>,
}

impl From<&Hrv> for HrvFigures {
    fn from(hrv: &Hrv) -> Self {
        let missing = |(name, figure): (&str, Figure)| figure.err().map(|why| (name.to_owned(), why.to_string()));
        let [lf_whole_bins, hf_whole_bins, lf_hf_whole_bins] = hrv.whole_bins;
        let (welch, lomb) = (&hrv.welch, &hrv.lomb);
        Self {
            clean_s: hrv.clean_s,
            intervals: count(hrv.intervals),
            mean_hr_bpm: hrv.mean_hr_bpm.ok(),
            mean_nn_ms: hrv.mean_nn_ms.ok(),
            sdnn_ms: hrv.sdnn_ms.ok(),
            rmssd_ms: hrv.rmssd_ms.ok(),
            pnn50_percent: hrv.pnn50_percent.ok(),
            sdsd_ms: hrv.sdsd_ms.ok(),
            pnn20_percent: hrv.pnn20_percent.ok(),
            cvnn_percent: hrv.cvnn_percent.ok(),
            triangular_index: hrv.triangular_index.ok(),
            vlf_ms2: welch.vlf_ms2.ok(),
            lf_ms2: welch.lf_ms2.ok(),
            hf_ms2: welch.hf_ms2.ok(),
            total_power_ms2: welch.total_power_ms2.ok(),
            lf_hf: welch.lf_hf.ok(),
            lf_nu: welch.lf_nu.ok(),
            hf_nu: welch.hf_nu.ok(),
            lf_whole_bins_ms2: lf_whole_bins.ok(),
            hf_whole_bins_ms2: hf_whole_bins.ok(),
            lf_hf_whole_bins: lf_hf_whole_bins.ok(),
            lomb_vlf_ms2: lomb.vlf_ms2.ok(),
            lomb_lf_ms2: lomb.lf_ms2.ok(),
            lomb_hf_ms2: lomb.hf_ms2.ok(),
            lomb_total_power_ms2: lomb.total_power_ms2.ok(),
            lomb_lf_hf: lomb.lf_hf.ok(),
            lomb_lf_nu: lomb.lf_nu.ok(),
            lomb_hf_nu: lomb.hf_nu.ok(),
            sd1_ms: hrv.sd1_ms.ok(),
            sd2_ms: hrv.sd2_ms.ok(),
            sd1_sd2: hrv.sd1_sd2.ok(),
            approximate_entropy: hrv.approximate_entropy.ok(),
            sample_entropy: hrv.sample_entropy.ok(),
            dfa_alpha1: hrv.dfa_alpha1.ok(),
            dfa_alpha2: hrv.dfa_alpha2.ok(),
            spectrum_method: frequency::RECIPE.to_owned(),
            correction: hrv.correction.into(),
            corrected_beats: count(hrv.corrected.total()),
            corrected_percent: hrv.corrected_percent,
            ectopic_beats: count(hrv.corrected.ectopic),
            missed_beats: count(hrv.corrected.missed),
            extra_beats: count(hrv.corrected.extra),
            long_or_short_intervals: count(hrv.corrected.long_or_short),
            irregular_percent: hrv.irregular_percent,
            missing: hrv.figures().into_iter().filter_map(missing).collect(),
        }
    }
}

impl From<Correction> for HrvCorrection {
    fn from(correction: Correction) -> Self {
        match correction {
            Correction::None => Self::None,
            Correction::TwoSided => Self::TwoSided,
            Correction::Causal => Self::Causal,
        }
    }
}

/// What the figures lack as a whole: the reason that stands longest.
#[must_use]
pub fn hrv_reason(hrv: &Hrv) -> Option<String> {
    let reasons = hrv.figures().into_iter().filter_map(|(_, figure)| figure.err());
    reasons.max_by(|a, b| a.severity().total_cmp(&b.severity())).map(|why| why.to_string())
}

/// The means of one hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HrvHour {
    /// When the hour begins, seconds since the start of the stream.
    pub begin_s: f64,
    /// Clean time in it, seconds.
    pub clean_s: f64,
    /// Mean heart rate, beats per minute; `None` below half an hour of clean time.
    pub mean_hr_bpm: Option<f64>,
    /// Mean NN interval, ms; likewise.
    pub mean_nn_ms: Option<f64>,
}

/// The last 24 hours.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HrvDayFigures {
    /// Clean time, seconds.
    pub clean_s: f64,
    /// Stretches of five minutes that the figures rest on.
    pub stretches: u32,
    /// Standard deviation (n − 1) of the means of the stretches, ms.
    pub sdann_ms: Option<f64>,
    /// Mean of the standard deviations of the stretches, ms.
    pub sdnn_index_ms: Option<f64>,
    /// Why they are missing, where they are.
    pub reason: Option<String>,
    /// Hour by hour, the oldest first.
    pub hours: Vec<HrvHour>,
}

impl From<&DaySummary> for HrvDayFigures {
    fn from(day: &DaySummary) -> Self {
        let hours = day.hours.iter().map(|hour| HrvHour {
            begin_s: hour.begin_s,
            clean_s: hour.clean_s,
            mean_hr_bpm: hour.mean_hr_bpm.ok(),
            mean_nn_ms: hour.mean_nn_ms.ok(),
        });
        Self {
            clean_s: day.clean_s,
            stretches: count(day.stretches),
            sdann_ms: day.sdann_ms.ok(),
            sdnn_index_ms: day.sdnn_index_ms.ok(),
            reason: day.sdann_ms.err().map(|why| why.to_string()),
            hours: hours.collect(),
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
