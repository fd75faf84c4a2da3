//! All figures of one window or record, each with what it needs.
//!
//! Must not know how a figure is computed.

use super::bands::Bands;
use super::correction::{Corrected, Correction, NnInterval};
use super::dfa::{ALPHA1_SCALES, ALPHA2_SCALES, alpha};
use super::entropy::Entropy;
use super::figure::{self, Figure, MOST_CORRECTED_PERCENT, Withheld};
use super::frequency::{STEP_HZ, Welch};
use super::lomb_scargle;
use super::poincare::Poincare;
use super::rhythm::{MOST_IRREGULAR_PERCENT, irregular_percent};
use super::series::NnSeries;
use super::time::TimeDomain;
use crate::rr::RrInterval;

/// Power in the bands by one method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spectral {
    /// 0.003 to 0.04 Hz, ms².
    pub vlf_ms2: Figure,
    /// 0.04 to 0.15 Hz, ms².
    pub lf_ms2: Figure,
    /// 0.15 to 0.4 Hz, ms².
    pub hf_ms2: Figure,
    /// 0.003 to 0.4 Hz, ms².
    pub total_power_ms2: Figure,
    /// LF over HF.
    pub lf_hf: Figure,
    /// LF, per cent of LF + HF.
    pub lf_nu: Figure,
    /// HF, per cent of LF + HF.
    pub hf_nu: Figure,
}

/// The figures of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hrv {
    /// Intervals in the window.
    pub intervals: usize,
    /// Their sum in seconds.
    pub clean_s: f64,
    /// How the intervals became NN.
    pub correction: Correction,
    /// What was corrected.
    pub corrected: Corrected,
    /// Share of corrected beats, per cent; above 5 variability is withheld.
    pub corrected_percent: f64,
    /// Share of the minutes with a rhythm as in atrial fibrillation, per cent; above 10 variability is withheld. `None`
    /// where no minute could be judged.
    pub irregular_percent: Option<f64>,
    /// Mean of 60 000/NN, beats a minute.
    pub mean_hr_bpm: Figure,
    /// Mean interval in milliseconds.
    pub mean_nn_ms: Figure,
    /// Standard deviation of the intervals (n − 1) in milliseconds.
    pub sdnn_ms: Figure,
    /// Root mean square of successive differences in milliseconds.
    pub rmssd_ms: Figure,
    /// Standard deviation of successive differences (n − 1) in milliseconds.
    pub sdsd_ms: Figure,
    /// Share of successive differences above 50 ms, in per cent of the differences.
    pub pnn50_percent: Figure,
    /// Share of successive differences above 20 ms, in per cent of the differences.
    pub pnn20_percent: Figure,
    /// SDNN over the mean interval, per cent.
    pub cvnn_percent: Figure,
    /// Triangular index, bins of 1/128 s.
    pub triangular_index: Figure,
    /// By Welch's method, band edges exact.
    pub welch: Spectral,
    /// By Welch's method over whole bins, for comparison with scripts that do so: LF, HF in ms² and LF/HF.
    pub whole_bins: [Figure; 3],
    /// By Lomb and Scargle, band edges exact.
    pub lomb: Spectral,
    /// Across the line of identity, ms.
    pub sd1_ms: Figure,
    /// Along the line of identity, ms.
    pub sd2_ms: Figure,
    /// SD1 over SD2.
    pub sd1_sd2: Figure,
    /// Approximate entropy, nats.
    pub approximate_entropy: Figure,
    /// Sample entropy, nats.
    pub sample_entropy: Figure,
    /// DFA, boxes of 4 to 16 intervals.
    pub dfa_alpha1: Figure,
    /// DFA, boxes of 16 to 64 intervals.
    pub dfa_alpha2: Figure,
}

impl Hrv {
    /// The figures of `intervals`, taken for NN as they are, without regard to their age.
    pub fn of<'a>(intervals: impl IntoIterator<Item = &'a RrInterval>) -> Self {
        Analyser::new().nn(&NnSeries::of(intervals))
    }

    /// Every figure by the name it has on the wire.
    pub fn figures(&self) -> Vec<(&'static str, Figure)> {
        let (welch, lomb) = (&self.welch, &self.lomb);
        let [lf_bins, hf_bins, lf_hf_bins] = self.whole_bins;
        vec![
            ("mean_hr_bpm", self.mean_hr_bpm),
            ("mean_nn_ms", self.mean_nn_ms),
            ("sdnn_ms", self.sdnn_ms),
            ("rmssd_ms", self.rmssd_ms),
            ("sdsd_ms", self.sdsd_ms),
            ("pnn50_percent", self.pnn50_percent),
            ("pnn20_percent", self.pnn20_percent),
            ("cvnn_percent", self.cvnn_percent),
            ("triangular_index", self.triangular_index),
            ("vlf_ms2", welch.vlf_ms2),
            ("lf_ms2", welch.lf_ms2),
            ("hf_ms2", welch.hf_ms2),
            ("total_power_ms2", welch.total_power_ms2),
            ("lf_hf", welch.lf_hf),
            ("lf_nu", welch.lf_nu),
            ("hf_nu", welch.hf_nu),
            ("lf_whole_bins_ms2", lf_bins),
            ("hf_whole_bins_ms2", hf_bins),
            ("lf_hf_whole_bins", lf_hf_bins),
            ("lomb_vlf_ms2", lomb.vlf_ms2),
            ("lomb_lf_ms2", lomb.lf_ms2),
            ("lomb_hf_ms2", lomb.hf_ms2),
            ("lomb_total_power_ms2", lomb.total_power_ms2),
            ("lomb_lf_hf", lomb.lf_hf),
            ("lomb_lf_nu", lomb.lf_nu),
            ("lomb_hf_nu", lomb.hf_nu),
            ("sd1_ms", self.sd1_ms),
            ("sd2_ms", self.sd2_ms),
            ("sd1_sd2", self.sd1_sd2),
            ("approximate_entropy", self.approximate_entropy),
            ("sample_entropy", self.sample_entropy),
            ("dfa_alpha1", self.dfa_alpha1),
            ("dfa_alpha2", self.dfa_alpha2),
        ]
    }
}

/// Computes figures; keeps what the spectrum needs again and again.
#[derive(Clone, Debug, Default)]
pub struct Analyser {
    welch: Welch,
}

impl Analyser {
    /// Plans the spectrum.
    pub fn new() -> Self {
        Self::default()
    }

    /// The figures of a series that is NN already; neither corrections nor the rhythm withhold one.
    pub fn nn(&self, series: &NnSeries) -> Hrv {
        let nothing = (Correction::None, Corrected::default());
        Gate { series, clean_s: series.clean_s(), doubt: None }.figures(&self.welch, nothing, None)
    }

    /// The figures of corrected intervals. Where more than 5 % of the beats were corrected, or the rhythm is irregular in
    /// more than 10 % of the minutes, only mean heart rate and mean interval are given.
    pub fn corrected<'a>(
        &self,
        intervals: impl IntoIterator<Item = &'a NnInterval> + Clone,
        correction: Correction,
    ) -> Hrv {
        let series = NnSeries::of_nn(intervals.clone());
        let corrected = Corrected::of(intervals);
        let irregular = irregular_percent(&series);
        let percent = share(corrected.total(), series.len());
        // After the correction: ectopic beats are not irregular any more, and fibrillation, of which much is corrected, is.
        let irregular_rhythm = irregular
            .filter(|percent| *percent > MOST_IRREGULAR_PERCENT)
            .map(|percent| Withheld::Irregular { percent });
        let much_corrected = (percent > MOST_CORRECTED_PERCENT).then_some(Withheld::Corrected { percent });
        let doubt = irregular_rhythm.or(much_corrected);
        let gate = Gate { series: &series, clean_s: series.clean_s(), doubt };
        gate.figures(&self.welch, (correction, corrected), irregular)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 }
}

/// What every figure has to pass.
struct Gate<'a> {
    series: &'a NnSeries,
    clean_s: f64,
    /// Why variability as a whole is not believed.
    doubt: Option<Withheld>,
}

impl Gate<'_> {
    fn long_enough(clean_s: f64, needed_s: f64) -> Result<(), Withheld> {
        if clean_s >= needed_s { Ok(()) } else { Err(Withheld::TooLittle { clean_s, needed_s }) }
    }

    fn believed(&self) -> Result<(), Withheld> {
        self.doubt.map_or(Ok(()), Err)
    }

    /// A figure of the time domain.
    fn of(&self, value: Option<f64>, needed_s: f64) -> Figure {
        Self::long_enough(self.clean_s, needed_s)?;
        self.believed()?;
        value.filter(|value| value.is_finite()).ok_or(Withheld::Undefined)
    }

    /// Intervals in runs of `row` and more have to be `needed`.
    fn many(&self, row: usize, needed: usize) -> Result<(), Withheld> {
        let intervals = self.series.runs().map(<[f64]>::len).filter(|length| *length >= row).sum();
        if intervals < needed {
            return Err(Withheld::TooFew { intervals, needed });
        }
        self.believed()
    }

    fn figures(&self, welch: &Welch, (correction, corrected): (Correction, Corrected), irregular: Option<f64>) -> Hrv {
        let time = TimeDomain::of(self.series);
        let mean = |value: Option<f64>| Self { doubt: None, ..*self }.of(value, figure::MEAN_HR_NEEDS_S);
        let poincare = Poincare::of(self.series);
        let axis = |value: Option<f64>| self.of(value, figure::GEOMETRIC_NEEDS_S);
        let (welch, whole_bins) = self.welch(welch);
        let entropy = self.many(3, figure::ENTROPY_NEEDS).map(|()| Entropy::of(self.series));
        let entropy = |of: fn(Entropy) -> Option<f64>| entropy?.and_then(of).ok_or(Withheld::Undefined);
        let alpha = |scales: std::ops::RangeInclusive<usize>, needed: usize| {
            self.many(*scales.end(), needed)?;
            alpha(self.series, scales).ok_or(Withheld::Undefined)
        };
        Hrv {
            intervals: self.series.len(),
            clean_s: self.clean_s,
            correction,
            corrected,
            corrected_percent: share(corrected.total(), self.series.len()),
            irregular_percent: irregular,
            mean_hr_bpm: mean(time.mean_hr_bpm),
            mean_nn_ms: mean(time.mean_nn_ms),
            sdnn_ms: self.of(time.sdnn_ms, figure::SDNN_NEEDS_S),
            rmssd_ms: self.of(time.rmssd_ms, figure::RMSSD_NEEDS_S),
            sdsd_ms: self.of(time.sdsd_ms, figure::RMSSD_NEEDS_S),
            pnn50_percent: self.of(time.pnn50_percent, figure::PNN50_NEEDS_S),
            pnn20_percent: self.of(time.pnn20_percent, figure::PNN50_NEEDS_S),
            cvnn_percent: self.of(time.cvnn_percent, figure::SDNN_NEEDS_S),
            triangular_index: self.of(time.triangular_index, figure::GEOMETRIC_NEEDS_S),
            welch,
            whole_bins,
            lomb: self.lomb(),
            sd1_ms: axis(poincare.map(|ellipse| ellipse.sd1_ms)),
            sd2_ms: axis(poincare.map(|ellipse| ellipse.sd2_ms)),
            sd1_sd2: axis(poincare.and_then(|ellipse| ellipse.ratio())),
            approximate_entropy: entropy(|entropy| entropy.approximate),
            sample_entropy: entropy(|entropy| entropy.sample),
            dfa_alpha1: alpha(ALPHA1_SCALES, figure::ALPHA1_NEEDS),
            dfa_alpha2: alpha(ALPHA2_SCALES, figure::ALPHA2_NEEDS),
        }
    }

    fn welch(&self, welch: &Welch) -> (Spectral, [Figure; 3]) {
        // What takes part are the runs that hold a segment.
        let held_s = self.series.runs().map(|run| run.iter().sum::<f64>() / 1000.0).fold(0.0, f64::max);
        let needed_s = figure::HF_NEEDS_S;
        let spectrum = self.believed().and_then(|()| {
            welch.spectrum(self.series).ok_or(Withheld::TooLittle { clean_s: held_s.min(needed_s - 1.0), needed_s })
        });
        let bands = spectrum.as_ref().map(|spectrum| Bands::exact(&spectrum.density, STEP_HZ)).map_err(|why| *why);
        let clean_s = spectrum.as_ref().map_or(held_s.min(self.clean_s), |spectrum| spectrum.clean_s);
        let bins = spectrum.map(|spectrum| Bands::whole_bins(&spectrum.density, STEP_HZ));
        let whole = Self::spectral(bins, clean_s);
        (Self::spectral(bands, clean_s), [whole.lf_ms2, whole.hf_ms2, whole.lf_hf])
    }

    fn lomb(&self) -> Spectral {
        let enough = Self::long_enough(self.clean_s, figure::HF_NEEDS_S).and_then(|()| self.believed());
        let density = enough.and_then(|()| lomb_scargle::density(self.series).ok_or(Withheld::Undefined));
        let bands = density.map(|density| Bands::exact(&density, lomb_scargle::STEP_HZ));
        Self::spectral(bands, self.clean_s)
    }

    fn spectral(bands: Result<Bands, Withheld>, clean_s: f64) -> Spectral {
        let given = |needed_s: f64, value: fn(&Bands) -> Option<f64>| {
            Self::long_enough(clean_s, needed_s)?;
            value(&bands?).filter(|value| value.is_finite()).ok_or(Withheld::Undefined)
        };
        let all = figure::LF_HF_NEEDS_S;
        Spectral {
            vlf_ms2: given(all, |bands| Some(bands.vlf_ms2)),
            lf_ms2: given(figure::LF_NEEDS_S, |bands| Some(bands.lf_ms2)),
            hf_ms2: given(figure::HF_NEEDS_S, |bands| Some(bands.hf_ms2)),
            total_power_ms2: given(all, |bands| Some(bands.total_ms2())),
            lf_hf: given(all, Bands::lf_hf),
            lf_nu: given(all, Bands::lf_nu),
            hf_nu: given(all, Bands::hf_nu),
        }
    }
}
