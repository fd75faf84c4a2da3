//! Every HRV figure against public Python libraries and numpy/scipy recipes on three fixed series.

use ecg_signal::hrv::bands::Bands;
use ecg_signal::hrv::dfa::{alpha, fluctuation_ms};
use ecg_signal::hrv::entropy::Entropy;
use ecg_signal::hrv::frequency::{STEP_HZ, Welch};
use ecg_signal::hrv::{Analyser, NnSeries, lomb_scargle, resample_run};
use serde_json::Value;

use crate::golden::numbers;

fn golden() -> Vec<(String, Value, NnSeries)> {
    let golden: Value = serde_json::from_str(include_str!("../golden/hrv_full.json")).expect("valid JSON");
    let series = golden["series"].as_object().expect("three series");
    series
        .iter()
        .map(|(name, figures)| (name.clone(), figures.clone(), NnSeries::of_run(&numbers(&figures["rr_ms"]))))
        .collect()
}

fn close(ours: f64, theirs: &Value, relative: f64, what: &str) {
    let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{what}: no number"));
    assert!((ours - theirs).abs() <= relative * theirs.abs(), "{what}: {ours} against {theirs}");
}

#[test]
fn time_domain_and_poincare_equal_the_libraries() {
    for (name, golden, series) in golden() {
        let hrv = Analyser::new().nn(&series);
        let time = &golden["time"];
        for (figure, ours) in [
            ("mean_nn", hrv.mean_nn_ms),
            ("mean_hr", hrv.mean_hr_bpm),
            ("sdnn", hrv.sdnn_ms),
            ("rmssd", hrv.rmssd_ms),
            ("sdsd", hrv.sdsd_ms),
            ("pnn50", hrv.pnn50_percent),
            ("pnn20", hrv.pnn20_percent),
            ("triangular_index", hrv.triangular_index),
        ] {
            close(ours.expect("five minutes"), &time[figure], 1e-9, &format!("{name} {figure}"));
        }
        close(hrv.cvnn_percent.expect("five minutes") / 100.0, &time["cvnn"], 1e-9, &name);
        let (sd1, sd2) = (hrv.sd1_ms.expect("five minutes"), hrv.sd2_ms.expect("five minutes"));
        for (ours, theirs) in [(sd1, "sd1"), (sd1, "neurokit2_sd1"), (sd2, "sd2"), (sd2, "neurokit2_sd2")] {
            close(ours, &golden["poincare"][theirs], 1e-9, &format!("{name} {theirs}"));
        }
    }
}

#[test]
fn entropies_equal_four_libraries_for_both_tolerances() {
    for (name, golden, series) in golden() {
        let golden = &golden["entropy"];
        let headline = Analyser::new().nn(&series);
        close(headline.sample_entropy.expect("enough"), &golden["sample_ddof1"], 1e-9, &name);
        close(headline.approximate_entropy.expect("enough"), &golden["approximate_ddof1"], 1e-9, &name);
        let other = Entropy::within(&series, golden["r_ddof0"].as_f64().expect("a number"));
        close(other.sample.expect("matches"), &golden["sample_ddof0"], 1e-9, &name);
        close(other.approximate.expect("matches"), &golden["approximate_ddof0"], 1e-9, &name);
        let entropy = Entropy::of(&series).expect("it varies");
        let pairs = numbers(&golden["pairs_a_b"]);
        assert_eq!([entropy.pairs_next as f64, entropy.pairs_m as f64], pairs[..], "{name}");
    }
}

#[test]
fn fluctuations_equal_nolds_and_neurokit() {
    for (name, golden, series) in golden() {
        let golden = &golden["dfa"];
        for (scales, key) in [(4..=11, "4..11"), (4..=16, "4..16"), (16..=64, "16..64")] {
            close(alpha(&series, scales).expect("enough"), &golden[key], 1e-6, &format!("{name} {key}"));
        }
        let hrv = Analyser::new().nn(&series);
        close(hrv.dfa_alpha1.expect("enough"), &golden["4..16"], 1e-6, &name);
        close(hrv.dfa_alpha2.expect("enough"), &golden["16..64"], 1e-6, &name);
        for (n, theirs) in (16..).zip(golden["fluctuations_16..64"].as_array().expect("49 of them")) {
            close(fluctuation_ms(&series, n).expect("enough"), theirs, 1e-9, &format!("{name} F({n})"));
        }
    }
}

#[test]
fn the_spectrum_equals_scipy_bin_by_bin() {
    for (name, golden, series) in golden() {
        let resampled = resample_run(series.nn_ms(), 4.0);
        assert_eq!(resampled.len() as u64, golden["resampled"]["n"].as_u64().expect("a count"));
        for (ours, theirs) in resampled.iter().zip(golden["resampled"]["first_16"].as_array().expect("16")) {
            close(*ours, theirs, 1e-9, &name);
        }
        let golden = &golden["welch"];
        let spectrum = Welch::new().spectrum(&series).expect("five minutes");
        let theirs = golden["psd_first_64"].as_array().expect("64 bins");
        for (k, (ours, theirs)) in spectrum.density.iter().zip(theirs).enumerate() {
            close(*ours, theirs, 1e-8, &format!("{name} bin {k}"));
        }
        let bins = Bands::whole_bins(&spectrum.density, STEP_HZ);
        for (ours, key) in [(bins.vlf_ms2, "vlf"), (bins.lf_ms2, "lf"), (bins.hf_ms2, "hf")] {
            close(ours, &golden[key], 1e-8, &format!("{name} {key}"));
        }
        close(bins.lf_nu().expect("power"), &golden["lfnu"], 1e-8, &name);
        let hrv = Analyser::new().nn(&series);
        for (ours, key) in hrv.whole_bins.iter().zip(["lf", "hf", "lf_hf"]) {
            close(ours.expect("five minutes"), &golden[key], 1e-8, &format!("{name} {key}"));
        }
        // The same density to the very edges: what lies between an edge and the next bin is not lost.
        assert!(hrv.welch.lf_ms2.expect("five minutes") > bins.lf_ms2 && hrv.welch.hf_ms2.expect("ok") > bins.hf_ms2);
    }
}

#[test]
fn the_periodogram_equals_scipy_lombscargle() {
    for (name, golden, series) in golden() {
        let golden = &golden["lomb_scargle"];
        let power = lomb_scargle::periodogram(series.nn_ms(), series.end_s());
        for (k, (ours, theirs)) in power.iter().zip(golden["power_first_32"].as_array().expect("32")).enumerate() {
            close(*ours, theirs, 1e-8, &format!("{name} {k}"));
        }
        let bands = Bands::whole_bins(&[&[0.0], &power[..]].concat(), lomb_scargle::STEP_HZ);
        close(bands.lf_hf().expect("power"), &golden["lf_hf"], 1e-8, &name);
        close(bands.lf_ms2, &golden["lf"], 1e-8, &name);
        close(bands.hf_ms2, &golden["hf"], 1e-8, &name);
    }
}

#[test]
fn both_spectra_find_the_power_that_a_series_was_made_of() {
    let (_, _, series) = golden().into_iter().find(|(name, ..)| name.starts_with('B')).expect("the synthetic one");
    let hrv = Analyser::new().nn(&series);
    // 40 ms at 0.095 Hz are 800 ms², 30 ms at 0.25 Hz are 450 ms²; noise and interpolation add and take a tenth.
    for spectral in [hrv.welch, hrv.lomb] {
        let (lf, hf) = (spectral.lf_ms2.expect("enough"), spectral.hf_ms2.expect("enough"));
        assert!((lf / 800.0 - 1.0).abs() < 0.15, "LF {lf}");
        assert!((hf / 450.0 - 1.0).abs() < 0.2, "HF {hf}");
    }
}
