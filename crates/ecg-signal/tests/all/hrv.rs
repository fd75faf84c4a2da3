//! HRV figures against NeuroKit2 and hrv-analysis on three fixed series.

use ecg_signal::hrv::{Hrv, HrvWindow, Withheld};
use ecg_signal::rr::RrInterval;

use crate::golden::numbers;

fn intervals(rr_ms: &[f64]) -> Vec<RrInterval> {
    let mut end_s = 0.0;
    let mut follows = false;
    rr_ms
        .iter()
        .map(|&rr_ms| {
            end_s += rr_ms / 1000.0;
            RrInterval { end_s, rr_ms, follows: std::mem::replace(&mut follows, true) }
        })
        .collect()
}

#[test]
fn time_domain_figures_equal_the_public_libraries() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/hrv.json")).expect("valid JSON");
    for (name, series) in golden["series"].as_object().expect("three series") {
        let mut window = HrvWindow::new(3600.0);
        for interval in intervals(&numbers(&series["rr_ms"])) {
            window.push_interval(interval);
        }
        let hrv = window.summary(400.0);
        let figures = [
            ("mean_hr", hrv.mean_hr_bpm),
            ("mean_nn", hrv.mean_nn_ms),
            ("sdnn", hrv.sdnn_ms),
            ("rmssd", hrv.rmssd_ms),
            ("pnn50", hrv.pnn50_percent),
        ];
        for (figure, ours) in figures {
            let theirs = series[figure].as_f64().expect("a number");
            let ours = ours.expect("five minutes are enough");
            assert!((ours / theirs - 1.0).abs() <= 1e-9, "{name} {figure}: {ours} against {theirs}");
        }
    }
}

#[test]
fn a_figure_without_enough_clean_time_says_what_it_needs() {
    let hrv = Hrv::of(intervals(&[1000.0; 20]).iter());
    assert_eq!(hrv.mean_hr_bpm, Ok(60.0));
    assert_eq!(hrv.rmssd_ms, Err(Withheld::TooLittle { clean_s: 20.0, needed_s: 30.0 }));
    assert!(hrv.sdnn_ms.is_err() && hrv.pnn50_percent.is_err());
    assert!(Hrv::of([].iter()).mean_nn_ms.is_err());
}

#[test]
fn no_difference_is_taken_across_a_refused_beat() {
    let mut window = HrvWindow::new(300.0);
    let mut now = 0.0;
    for n in 0..120 {
        now += if n < 60 { 0.7 } else { 1.0 };
        window.push(now, n != 60);
    }
    let hrv = window.summary(now);
    assert!(hrv.rmssd_ms.expect("enough") < 1e-9, "the step from 0.7 s to 1.0 s lies across the refused beat");
    assert_eq!(hrv.pnn50_percent, Ok(0.0));
}

#[test]
fn old_intervals_leave_the_window() {
    let mut window = HrvWindow::new(60.0);
    (1..100_000).for_each(|n| window.push(f64::from(n) * 0.8, true));
    let now = 99_999.0 * 0.8;
    assert_eq!(window.summary(now).intervals, 75);
    assert_eq!(window.summary(now + 61.0).intervals, 0);
}
