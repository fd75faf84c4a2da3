//! Laws of HRV figures: what happens to them when a series is scaled, shifted, turned round, or broken.

use ecg_signal::hrv::entropy::Entropy;
use ecg_signal::hrv::{Analyser, Hrv, NnSeries, Withheld};
use proptest::prelude::*;

/// A row of plausible intervals: a wander, a breath and jitter.
fn rows(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    (proptest::collection::vec(-30.0..30.0f64, length), 600.0..1000.0f64, 5.0..60.0f64).prop_map(
        |(jitter, mean, breath)| {
            let wave = |n: usize| breath * (n as f64 * 1.4).sin() + 25.0 * (n as f64 * 0.4).cos();
            jitter.iter().enumerate().map(|(n, jitter)| mean + wave(n) + jitter).collect()
        },
    )
}

fn of(row: &[f64]) -> Hrv {
    Analyser::new().nn(&NnSeries::of_run(row))
}

fn close(a: f64, b: f64, relative: f64) -> bool {
    (a - b).abs() <= relative * a.abs().max(b.abs()).max(1e-12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn longer_intervals_by_a_factor_scale_times_and_leave_numbers_without_unit(row in rows(300..500), by in 0.8..1.25f64) {
        let (once, scaled) = (of(&row), of(&row.iter().map(|nn| nn * by).collect::<Vec<_>>()));
        for (a, b) in [
            (once.mean_nn_ms, scaled.mean_nn_ms),
            (once.sdnn_ms, scaled.sdnn_ms),
            (once.rmssd_ms, scaled.rmssd_ms),
            (once.sdsd_ms, scaled.sdsd_ms),
            (once.sd1_ms, scaled.sd1_ms),
            (once.sd2_ms, scaled.sd2_ms),
        ] {
            prop_assert!(close(a.unwrap() * by, b.unwrap(), 1e-9));
        }
        prop_assert!(close(once.mean_hr_bpm.unwrap() / by, scaled.mean_hr_bpm.unwrap(), 1e-9));
        for (a, b) in [
            (once.cvnn_percent, scaled.cvnn_percent),
            (once.sd1_sd2, scaled.sd1_sd2),
            (once.dfa_alpha1, scaled.dfa_alpha1),
            (once.dfa_alpha2, scaled.dfa_alpha2),
        ] {
            prop_assert!(close(a.unwrap(), b.unwrap(), 1e-6));
        }
    }

    #[test]
    fn a_power_of_two_leaves_every_entropy_as_it_is(row in rows(300..400)) {
        // Exact in binary: not one comparison may turn out otherwise.
        let (once, scaled) = (of(&row), of(&row.iter().map(|nn| nn * 2.0).collect::<Vec<_>>()));
        prop_assert_eq!(once.sample_entropy, scaled.sample_entropy);
        prop_assert_eq!(once.approximate_entropy, scaled.approximate_entropy);
    }

    #[test]
    fn intervals_that_are_all_longer_by_the_same_vary_as_before(row in rows(300..400), by in -200.0..400.0f64) {
        let (once, shifted) = (of(&row), of(&row.iter().map(|nn| nn + by).collect::<Vec<_>>()));
        prop_assert!(close(once.mean_nn_ms.unwrap() + by, shifted.mean_nn_ms.unwrap(), 1e-9));
        for (a, b) in [
            (once.sdnn_ms, shifted.sdnn_ms),
            (once.rmssd_ms, shifted.rmssd_ms),
            (once.sd1_ms, shifted.sd1_ms),
            (once.sd2_ms, shifted.sd2_ms),
            (once.dfa_alpha1, shifted.dfa_alpha1),
        ] {
            prop_assert!(close(a.unwrap(), b.unwrap(), 1e-6));
        }
    }

    #[test]
    fn order_does_not_matter_to_the_distribution_and_does_to_the_differences(row in rows(300..400)) {
        let mut sorted = row.clone();
        sorted.sort_by(f64::total_cmp);
        let (once, sorted) = (of(&row), of(&sorted));
        for (a, b) in [(once.mean_nn_ms, sorted.mean_nn_ms), (once.sdnn_ms, sorted.sdnn_ms), (once.mean_hr_bpm, sorted.mean_hr_bpm)] {
            prop_assert!(close(a.unwrap(), b.unwrap(), 1e-9));
        }
        prop_assert_eq!(once.triangular_index, sorted.triangular_index);
        prop_assert!(sorted.rmssd_ms.unwrap() < once.rmssd_ms.unwrap());
    }

    #[test]
    fn a_row_turned_round_has_the_same_differences_ellipse_and_matches(row in rows(300..400)) {
        let turned: Vec<f64> = row.iter().rev().copied().collect();
        let matches = |row: &[f64]| Entropy::within(&NnSeries::of_run(row), 10.0).pairs_next;
        prop_assert_eq!(matches(&row), matches(&turned));
        let (once, turned) = (of(&row), of(&turned));
        for (a, b) in [(once.rmssd_ms, turned.rmssd_ms), (once.sd1_ms, turned.sd1_ms), (once.sd2_ms, turned.sd2_ms), ] {
            prop_assert!(close(a.unwrap(), b.unwrap(), 1e-9));
        }
    }

    #[test]
    fn a_break_takes_away_one_difference_and_nothing_else(row in rows(100..200), at in 20usize..80) {
        let broken = broken(&row, &[at]);
        let hrv = Analyser::new().nn(&broken);
        prop_assert_eq!(hrv.intervals, row.len());
        prop_assert!(close(hrv.sdnn_ms.unwrap(), of(&row).sdnn_ms.unwrap(), 1e-12));
        let squares = |k: usize| (row[k] - row[k - 1]).powi(2);
        let kept: f64 = (1..row.len()).filter(|k| *k != at).map(squares).sum();
        prop_assert!(close(hrv.rmssd_ms.unwrap(), (kept / (row.len() - 2) as f64).sqrt(), 1e-9));
    }

    #[test]
    fn whatever_comes_no_figure_is_not_a_number(row in proptest::collection::vec(proptest::num::f64::ANY, 0..400), breaks in proptest::collection::vec(0usize..400, 0..6)) {
        for (name, figure) in Analyser::new().nn(&broken(&row, &breaks)).figures() {
            prop_assert!(figure.is_ok_and(f64::is_finite) || figure.is_err(), "{name}: {figure:?}");
        }
    }
}

fn broken(row: &[f64], breaks: &[usize]) -> NnSeries {
    let (mut series, mut now) = (NnSeries::new(), 0.0);
    for (k, nn) in row.iter().enumerate() {
        if nn.is_finite() && *nn > 0.0 && *nn < 1e6 {
            now += nn / 1000.0;
        }
        series.push(now, *nn, !breaks.contains(&k));
    }
    series
}

#[test]
fn every_figure_waits_for_its_clean_time_and_none_is_ever_zero_for_lack_of_it() {
    let row = |seconds: f64| -> Vec<f64> {
        (0..)
            .map(|n| 800.0 + 40.0 * (f64::from(n) * 1.3).sin())
            .scan(0.0, |now, nn| {
                *now += nn / 1000.0;
                (*now <= seconds).then_some(nn)
            })
            .collect()
    };
    let given = |seconds: f64| -> Vec<&str> {
        of(&row(seconds)).figures().iter().filter(|(_, figure)| figure.is_ok()).map(|(name, _)| *name).collect()
    };
    assert_eq!(given(9.0), Vec::<&str>::new());
    assert_eq!(given(20.0), ["mean_hr_bpm", "mean_nn_ms"]);
    assert_eq!(given(40.0), ["mean_hr_bpm", "mean_nn_ms", "rmssd_ms", "sdsd_ms"]);
    let minute = given(62.0);
    assert!(minute.contains(&"sdnn_ms") && minute.contains(&"pnn50_percent") && !minute.contains(&"hf_ms2"));
    let two = given(100.0);
    assert!(two.contains(&"hf_ms2") && two.contains(&"sd1_ms") && !two.contains(&"lf_ms2") && !two.contains(&"lf_hf"));
    let three = given(180.0);
    assert!(three.contains(&"lf_ms2") && three.contains(&"lomb_lf_ms2") && !three.contains(&"lf_hf"));
    assert!(three.contains(&"sample_entropy") && three.contains(&"dfa_alpha1") && !three.contains(&"dfa_alpha2"));
    assert_eq!(given(299.0).len(), of(&row(299.0)).figures().len());
    let Err(Withheld::TooLittle { needed_s, .. }) = of(&row(180.0)).welch.lf_hf else { panic!("a reason") };
    assert!((needed_s - 270.0).abs() < 1e-9);
}

#[test]
fn a_spectrum_needs_a_run_as_long_as_a_segment_and_lomb_and_scargle_do_not() {
    let row: Vec<f64> = (0..360).map(|n| 820.0 + 40.0 * (f64::from(n) * 1.3).sin()).collect();
    let breaks: Vec<usize> = (1..10).map(|k| k * 40).collect();
    let hrv = Analyser::new().nn(&broken(&row, &breaks));
    assert!(hrv.welch.hf_ms2.is_err() && hrv.lomb.lf_hf.is_ok(), "{:?}", hrv.welch.hf_ms2);
}
