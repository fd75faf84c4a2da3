//! Error rates: by hand, by properties, and against an independent implementation.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use ecg_identity::rates::{Comparison, ErrorRates, ScoresError, det_curve, error_rates, rates_at};
use proptest::prelude::*;

fn comparison(probe: &str, subject: &str, reference: &str, score: f64) -> Comparison {
    Comparison { probe_record: probe.into(), probe_subject: subject.into(), reference_subject: reference.into(), score }
}

/// Scores of `subjects` references against `probes` probes each of all but the last two subjects.
fn scores(subjects: usize, probes: usize, seed: u64, step: f64) -> Vec<Comparison> {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let mut all = Vec::new();
    for s in 0..subjects - 2 {
        for p in 0..probes {
            let refused = random() < 0.03;
            for r in 0..subjects {
                let shift = if r == s { 0.45 } else { 0.0 };
                let score = ((random() + random() + random()) / 3.0 + shift).mul_add(1.0 / step, 0.0).round() * step;
                let score = if refused { f64::NEG_INFINITY } else { score };
                all.push(comparison(&format!("s{s:03}/p{p}"), &format!("s{s:03}"), &format!("s{r:03}"), score));
            }
        }
    }
    all
}

#[test]
fn a_table_small_enough_for_paper_comes_out_as_on_paper() {
    // Genuine 0.9, 0.4; impostor 0.5, 0.1: at 0.5 one of two genuine is missed and none accepted.
    let table = [
        comparison("a1", "a", "a", 0.9),
        comparison("a1", "a", "b", 0.5),
        comparison("b1", "b", "b", 0.4),
        comparison("b1", "b", "a", 0.1),
    ];
    let rates = error_rates(&table, 0, 1).unwrap();
    assert_eq!(rates.eer.value, 0.5);
    assert_eq!(rates.fnmr_at_fmr_1pct.value, 0.5);
    assert_eq!(rates.rank1.value, 1.0);
    assert!(rates.eer.low.is_nan());
    let at = rates_at(&table, 0.45, 200, 1).unwrap();
    assert_eq!((at.fmr.value, at.fnmr.value), (0.5, 0.5));
    assert_eq!((at.fnmr.low, at.fnmr.high), (0.0, 1.0), "of two persons");
    assert_eq!(
        (at.fmr.low, at.fmr.high),
        (0.5, 0.5),
        "nobody is a stranger to himself: both are drawn, or none counts"
    );
    let curve = det_curve(&table).unwrap();
    assert_eq!((curve[0].fmr, curve[0].fnmr), (1.0, 0.0));
    assert_eq!(curve.len(), 5);
}

#[test]
fn a_refused_probe_is_an_error_at_every_threshold() {
    let table = [
        comparison("a1", "a", "a", f64::NEG_INFINITY),
        comparison("a1", "a", "b", f64::NEG_INFINITY),
        comparison("b1", "b", "b", 0.8),
        comparison("b1", "b", "a", 0.1),
    ];
    let rates = error_rates(&table, 0, 1).unwrap();
    assert_eq!((rates.counts.refused_probes, rates.rank1.value, rates.fnmr_at_fmr_1pct.value), (1, 0.5, 0.5));
}

#[test]
fn scores_that_would_make_the_figures_wrong_are_refused() {
    let good = comparison("a1", "a", "a", 0.9);
    let other = comparison("a1", "a", "b", 0.1);
    let wrong = |extra| error_rates(&[good.clone(), other.clone(), extra], 0, 1).unwrap_err();
    assert!(matches!(wrong(comparison("b1", "b", "b", f64::NAN)), ScoresError::NotANumber { .. }));
    assert!(matches!(wrong(comparison("a1", "a", "b", 0.2)), ScoresError::ComparedTwice { .. }));
    assert!(matches!(wrong(comparison("a1", "b", "c", 0.2)), ScoresError::TwoSubjects { .. }));
    assert!(matches!(error_rates(&[good], 0, 1).unwrap_err(), ScoresError::OneSided { genuine: 1, impostor: 0 }));
}

#[test]
fn the_interval_holds_the_figure_and_the_seed_holds_the_interval() {
    let table = scores(40, 4, 3, 1e-4);
    let rates = error_rates(&table, 300, 7).unwrap();
    for figure in [rates.eer, rates.fnmr_at_fmr_1pct, rates.rank1] {
        assert!(figure.low <= figure.value && figure.value <= figure.high, "{figure:?}");
        assert!(figure.high - figure.low > 0.005, "{figure:?}");
    }
    assert_eq!(rates, error_rates(&table, 300, 7).unwrap());
    assert_ne!(rates, error_rates(&table, 300, 8).unwrap());
}

#[test]
fn the_figures_equal_those_of_the_independent_scorer() {
    let Some((python, scorer)) = independent_scorer() else { return };
    for (seed, step) in [(1, 1e-6), (2, 0.05), (3, 0.2)] {
        let table = scores(30, 5, seed, step);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scores.csv");
        let mut text = String::from("probe_record,probe_subject,reference_subject,score\n");
        for c in &table {
            writeln!(text, "{},{},{},{}", c.probe_record, c.probe_subject, c.reference_subject, c.score).unwrap();
        }
        std::fs::write(&file, text).unwrap();
        let done = Command::new(&python).arg(&scorer).arg(&file).args(["--json", "--replicates", "1000"]).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let theirs: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
        agree(&theirs, &error_rates(&table, 1000, 5).unwrap());
    }
}

fn agree(theirs: &serde_json::Value, ours: &ErrorRates) {
    let counts = [
        ("subjects", ours.counts.subjects),
        ("references", ours.counts.references),
        ("probes", ours.counts.probes),
        ("refused_probes", ours.counts.refused_probes),
        ("genuine", ours.counts.genuine),
        ("impostor", ours.counts.impostor),
    ];
    for (name, n) in counts {
        assert_eq!(theirs[name].as_u64(), Some(n as u64), "{name}");
    }
    let figures = [
        ("eer", ours.eer),
        ("fnmr_at_fmr_1pct", ours.fnmr_at_fmr_1pct),
        ("fnmr_at_fmr_0.1pct", ours.fnmr_at_fmr_01pct),
        ("rank1", ours.rank1),
    ];
    for (name, figure) in figures {
        let their = |key: &str| theirs[name][key].as_f64().unwrap();
        assert!((their("value") - figure.value).abs() < 1e-9, "{name}: {} against {}", their("value"), figure.value);
        // Another generator: the ends differ by the noise of 1000 draws.
        let width = (their("high") - their("low")).max(0.01);
        for (theirs, ours) in [(their("low"), figure.low), (their("high"), figure.high)] {
            assert!((theirs - ours).abs() < 0.25 * width, "{name}: end {theirs} against {ours}");
        }
    }
}

/// A Python with NumPy (`ECGID_PYTHON`, else `python3`) and the scorer beside the recordings; says so where absent.
fn independent_scorer() -> Option<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let data = std::env::var_os("ECGID_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    let scorer = data.join("../check/score_identity.py");
    let python = PathBuf::from(std::env::var_os("ECGID_PYTHON").unwrap_or_else(|| "python3".into()));
    let has_numpy = Command::new(&python).args(["-c", "import numpy"]).output().is_ok_and(|o| o.status.success());
    if !scorer.exists() || !has_numpy {
        skipped!("SKIPPED: needs {} and a python with numpy (ECGID_PYTHON)", scorer.display());
        return None;
    }
    Some((python, scorer))
}

proptest! {
    #[test]
    fn a_rising_transform_of_the_scores_changes_nothing(seed in any::<u64>(), factor in 0.1_f64..10.0, add in -5.0_f64..5.0) {
        let table = scores(12, 3, seed, 1e-3);
        let moved: Vec<_> =
            table.iter().map(|c| Comparison { score: c.score.mul_add(factor, add), ..c.clone() }).collect();
        let (a, b) = (error_rates(&table, 0, 1).unwrap(), error_rates(&moved, 0, 1).unwrap());
        prop_assert_eq!(a.eer.value, b.eer.value);
        prop_assert_eq!(a.fnmr_at_fmr_1pct.value, b.fnmr_at_fmr_1pct.value);
        prop_assert_eq!(a.rank1.value, b.rank1.value);
    }

    #[test]
    fn rates_are_fractions_and_a_stricter_fmr_never_misses_less(seed in any::<u64>(), step in 1e-6_f64..0.3) {
        let rates = error_rates(&scores(10, 3, seed, step), 0, 1).unwrap();
        for figure in [rates.eer, rates.fnmr_at_fmr_1pct, rates.fnmr_at_fmr_01pct, rates.rank1] {
            prop_assert!((0.0..=1.0).contains(&figure.value));
        }
        prop_assert!(rates.fnmr_at_fmr_01pct.value >= rates.fnmr_at_fmr_1pct.value);
    }

    #[test]
    fn the_curve_falls_in_fmr_and_rises_in_fnmr(seed in any::<u64>()) {
        let table = scores(8, 3, seed, 1e-2);
        for pair in det_curve(&table).unwrap().windows(2) {
            prop_assert!(pair[1].fmr <= pair[0].fmr && pair[1].fnmr >= pair[0].fnmr);
            prop_assert!(pair[1].threshold > pair[0].threshold);
        }
    }
}
