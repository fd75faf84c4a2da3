//! Figures of heart-rate variability as lines of text.

use std::fmt;

use crate::event::{HrvCorrection, HrvFigures};

/// Shows figures one below the other; one that is missing with its reason.
#[derive(Debug)]
pub struct HrvLines<'a>(pub &'a HrvFigures);

impl fmt::Display for HrvLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.0;
        for (name, key, value, unit) in [
            ("heart rate", "mean_hr_bpm", h.mean_hr_bpm, "bpm"),
            ("mean NN", "mean_nn_ms", h.mean_nn_ms, "ms"),
            ("SDNN", "sdnn_ms", h.sdnn_ms, "ms"),
            ("RMSSD", "rmssd_ms", h.rmssd_ms, "ms"),
            ("SDSD", "sdsd_ms", h.sdsd_ms, "ms"),
            ("pNN50", "pnn50_percent", h.pnn50_percent, "%"),
            ("pNN20", "pnn20_percent", h.pnn20_percent, "%"),
            ("CV", "cvnn_percent", h.cvnn_percent, "%"),
            ("triangular", "triangular_index", h.triangular_index, ""),
        ] {
            self.line(f, name, &[("", key, value, 1)], unit)?;
        }
        let powers = |lomb: bool| {
            if lomb {
                [
                    ("VLF", "lomb_vlf_ms2", h.lomb_vlf_ms2, 0),
                    ("LF", "lomb_lf_ms2", h.lomb_lf_ms2, 0),
                    ("HF", "lomb_hf_ms2", h.lomb_hf_ms2, 0),
                ]
            } else {
                [("VLF", "vlf_ms2", h.vlf_ms2, 0), ("LF", "lf_ms2", h.lf_ms2, 0), ("HF", "hf_ms2", h.hf_ms2, 0)]
            }
        };
        self.line(f, "Welch", &powers(false), "ms\u{b2}")?;
        self.line(f, "", &[("LF/HF", "lf_hf", h.lf_hf, 2), ("LF n.u.", "lf_nu", h.lf_nu, 1)], "")?;
        self.line(f, "Lomb", &powers(true), "ms\u{b2}")?;
        self.line(f, "", &[("LF/HF", "lomb_lf_hf", h.lomb_lf_hf, 2), ("LF n.u.", "lomb_lf_nu", h.lomb_lf_nu, 1)], "")?;
        self.line(f, "Poincare", &[("SD1", "sd1_ms", h.sd1_ms, 1), ("SD2", "sd2_ms", h.sd2_ms, 1)], "ms")?;
        let entropies = [
            ("sample", "sample_entropy", h.sample_entropy, 3),
            ("approximate", "approximate_entropy", h.approximate_entropy, 3),
        ];
        self.line(f, "entropy", &entropies, "")?;
        let alphas = [("alpha1", "dfa_alpha1", h.dfa_alpha1, 3), ("alpha2", "dfa_alpha2", h.dfa_alpha2, 3)];
        self.line(f, "DFA", &alphas, "")?;
        self.correction(f)
    }
}

/// Word before it, key, value, decimals.
type Cell<'a> = (&'a str, &'a str, Option<f64>, usize);

impl HrvLines<'_> {
    fn line(&self, f: &mut fmt::Formatter<'_>, name: &str, cells: &[Cell], unit: &str) -> fmt::Result {
        let mut words = Vec::new();
        let mut reason = None;
        for (word, key, value, decimals) in cells {
            let word = if word.is_empty() { String::new() } else { format!("{word} ") };
            match value {
                Some(value) => words.push(format!("{word}{value:.decimals$}")),
                None => {
                    words.push(format!("{word}-"));
                    reason = reason.or(self.0.missing.get(*key));
                }
            }
        }
        let given = cells.iter().any(|(_, _, value, _)| value.is_some());
        let unit = if unit.is_empty() || !given { String::new() } else { format!(" {unit}") };
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        writeln!(f, "{name:10} {}{unit}{reason}", words.join(", "))
    }

    fn correction(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let h = self.0;
        let how = match h.correction {
            HrvCorrection::None => return writeln!(f, "corrected  nothing: taken for NN as they are"),
            HrvCorrection::TwoSided => "two-sided",
            HrvCorrection::Causal => "causal",
        };
        let irregular = h.irregular_percent.map_or_else(String::new, |percent| format!("; {percent:.0} % irregular"));
        writeln!(
            f,
            "corrected  {} of {} beats ({:.1} %), {how}: {} ectopic, {} missed, {} extra, {} long or short{irregular}",
            h.corrected_beats,
            h.intervals,
            h.corrected_percent,
            h.ectopic_beats,
            h.missed_beats,
            h.extra_beats,
            h.long_or_short_intervals
        )
    }
}
