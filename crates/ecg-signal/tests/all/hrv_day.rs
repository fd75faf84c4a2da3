//! The running day: its figures are those of the definitions.

use ecg_signal::hrv::{HrvDay, NnInterval, Withheld};

/// A heart that beats faster by day and slower by night, and breathes.
fn day(seconds: f64) -> Vec<NnInterval> {
    let (mut now, mut row, mut n) = (0.0, Vec::new(), 0u32);
    while now < seconds {
        let slow = 150.0 * (now / 86_400.0 * std::f64::consts::TAU).sin();
        let nn_ms = 850.0 + slow + 40.0 * (f64::from(n) * 1.4).sin();
        now += nn_ms / 1000.0;
        row.push(NnInterval { end_s: now, nn_ms, follows: n > 0, corrected: None });
        n += 1;
    }
    row
}

#[test]
fn sdann_and_sdnn_index_are_those_of_five_minute_stretches() {
    let row = day(86_390.0);
    let mut running = HrvDay::screened();
    row.iter().for_each(|nn| running.push(*nn));
    let summary = running.summary(86_390.0);
    let stretches: Vec<Vec<f64>> = row
        .chunk_by(|a, b| (a.end_s / 300.0).floor() == (b.end_s / 300.0).floor())
        .map(|stretch| stretch.iter().map(|nn| nn.nn_ms).collect())
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let deviation = |values: &[f64]| {
        let mean = mean(values);
        (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
    };
    let means: Vec<f64> = stretches.iter().map(|stretch| mean(stretch)).collect();
    let deviations: Vec<f64> = stretches.iter().map(|stretch| deviation(stretch)).collect();
    assert_eq!(summary.stretches, 288);
    assert!((summary.sdann_ms.expect("a day") / deviation(&means) - 1.0).abs() < 1e-9);
    assert!((summary.sdnn_index_ms.expect("a day") / mean(&deviations) - 1.0).abs() < 1e-9);
    assert_eq!(summary.hours.len(), 24);
    let first: Vec<f64> = row.iter().take_while(|nn| nn.end_s < 3600.0).map(|nn| nn.nn_ms).collect();
    assert!((summary.hours[0].mean_nn_ms.expect("an hour") / mean(&first) - 1.0).abs() < 1e-9);
}

#[test]
fn eighteen_hours_are_needed_and_an_hour_needs_half_of_itself() {
    let mut running = HrvDay::new();
    day(17.0 * 3600.0 + 600.0).iter().for_each(|nn| running.push(*nn));
    let summary = running.summary(17.0 * 3600.0 + 600.0);
    assert!(matches!(summary.sdann_ms, Err(Withheld::TooLittle { needed_s: 64_800.0, .. })));
    assert_eq!(summary.hours.len(), 18);
    assert!(summary.hours[16].mean_hr_bpm.is_ok() && summary.hours[17].mean_hr_bpm.is_err());
}

#[test]
fn the_last_day_counts_and_no_more() {
    let mut running = HrvDay::new();
    let row = day(3.0 * 86_400.0);
    row.iter().for_each(|nn| running.push(*nn));
    let summary = running.summary(row[row.len() - 1].end_s);
    assert!(summary.stretches <= 288 && summary.clean_s <= 86_401.0);
    assert!(summary.hours.len() <= 25);
    assert_eq!(running.summary(5.0 * 86_400.0).stretches, 0, "what is older than a day is forgotten");
}

#[test]
fn a_stretch_with_too_many_corrections_does_not_count() {
    let mut running = HrvDay::screened();
    for (n, mut nn) in day(3000.0).into_iter().enumerate() {
        if (600.0..900.0).contains(&nn.end_s) && n % 10 == 0 {
            nn.corrected = Some(ecg_signal::hrv::correction::Artefact::Ectopic);
        }
        running.push(nn);
    }
    assert_eq!(running.summary(2999.0).stretches, 9);
}
