//! What the whole detector promises, shown on synthetic hearts whose beats are known.

use std::f64::consts::PI;

use super::{Detection, Polarity, QrsDetector};
use crate::units::Hertz;

const FS: Hertz = Hertz(250.0);

/// One beat of a heart: where its R peak is (s), and the sizes of its QRS and T wave (mV).
#[derive(Clone, Copy, Debug)]
struct TrueBeat {
    at: f64,
    qrs: f64,
    t: f64,
}

/// Beats every `interval` seconds from 0.4 s on, slightly irregular, until `end`.
fn heart(interval: f64, end: f64) -> Vec<TrueBeat> {
    let mut at = 0.4;
    let mut beats = Vec::new();
    while at < end {
        beats.push(TrueBeat { at, qrs: 1.0, t: 0.25 });
        at += interval * (1.0 + 0.03 * (beats.len() as f64).sin());
    }
    beats
}

/// The signal of such beats: P, Q, R, S and T as Gaussians on a slow wander.
fn render(beats: &[TrueBeat], seconds: f64, fs: Hertz) -> Vec<f64> {
    let mut signal: Vec<f64> = (0..(seconds * fs.0) as usize).map(|n| 0.1 * (1.3 * n as f64 / fs.0).sin()).collect();
    for beat in beats {
        for (place, height, width) in [(-0.17, 0.1, 0.025), (-0.03, -0.1, 0.01), (0.0, 1.0, 0.011), (0.03, -0.2, 0.01)]
        {
            add_wave_at(&mut signal, beat.at + place, beat.qrs * height, width, fs);
        }
        add_wave_at(&mut signal, beat.at + 0.27, beat.t, 0.045, fs);
    }
    signal
}

/// Adds a Gaussian of `height` mV and standard deviation `width` s at `centre` s.
fn add_wave_at(signal: &mut [f64], centre: f64, height: f64, width: f64, fs: Hertz) {
    let first = ((centre - 6.0 * width) * fs.0).max(0.0) as usize;
    let last = ((centre + 6.0 * width) * fs.0).max(0.0) as usize;
    for (n, sample) in signal.iter_mut().enumerate().take(last + 1).skip(first) {
        *sample += height * (-0.5 * ((n as f64 / fs.0 - centre) / width).powi(2)).exp();
    }
}

fn add_wave(signal: &mut [f64], centre: f64, height: f64, width: f64) {
    add_wave_at(signal, centre, height, width, FS);
}

/// Reproducible noise between −1 and 1.
fn noise(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

fn detect_at(signal: &[f64], fs: Hertz) -> Vec<Detection> {
    let mut detector = QrsDetector::new(fs);
    let mut found = Vec::new();
    signal.iter().for_each(|&x| detector.push(x, &mut |detection| found.push(detection)));
    detector.flush(&mut |detection| found.push(detection));
    found
}

fn detect(signal: &[f64]) -> Vec<Detection> {
    detect_at(signal, FS)
}

/// Asserts that exactly the `beats` were found, each to within `tolerance` samples.
#[track_caller]
fn assert_found(found: &[Detection], beats: &[TrueBeat], fs: Hertz, tolerance: f64) {
    let places: Vec<f64> = found.iter().map(|detection| detection.r_peak / fs.0).collect();
    assert_eq!(found.len(), beats.len(), "found {places:?}");
    for (place, beat) in places.iter().zip(beats) {
        let error = (place - beat.at) * fs.0;
        assert!(error.abs() < tolerance, "beat at {} s found {error} samples away", beat.at);
    }
}

#[test]
fn every_beat_is_found_to_within_half_a_sample_at_any_heart_rate() {
    for interval in [0.29, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0] {
        let mut beats = heart(interval, 58.0);
        // At 200 beats a minute the T wave is under the next P wave and small.
        beats.iter_mut().for_each(|beat| beat.t = if interval < 0.5 { 0.05 } else { 0.25 });
        assert_found(&detect(&render(&beats, 60.0, FS)), &beats, FS, 0.5);
    }
}

#[test]
fn other_sampling_frequencies_give_the_same_beats() {
    let beats = heart(0.8, 58.0);
    for fs in [200.0, 240.0, 250.0, 256.0, 360.0, 500.0].map(Hertz) {
        assert_found(&detect_at(&render(&beats, 60.0, fs), fs), &beats, fs, 1.0);
    }
}

#[test]
fn an_inverted_lead_gives_the_same_positions_with_the_other_polarity() {
    let signal = render(&heart(0.8, 58.0), 60.0, FS);
    let upright = detect(&signal);
    let inverted = detect(&signal.iter().map(|x| -x).collect::<Vec<_>>());
    assert_eq!(upright.len(), inverted.len());
    for (a, b) in upright.iter().zip(&inverted) {
        assert_eq!(a.r_peak, b.r_peak);
        assert_eq!((a.polarity, b.polarity), (Polarity::Upright, Polarity::Inverted));
    }
}

#[test]
fn the_scale_and_the_base_line_of_the_signal_do_not_matter() {
    let mut random = noise(7);
    let signal: Vec<f64> = render(&heart(0.8, 58.0), 60.0, FS).iter().map(|x| x + 0.05 * random()).collect();
    let plain = detect(&signal);
    for (scale, offset) in [(0.02, 0.0), (1000.0, 0.0), (1.0, 300.0), (-0.02, -5.0)] {
        let other = detect(&signal.iter().map(|x| scale * x + offset).collect::<Vec<_>>());
        assert_eq!(plain.len(), other.len());
        for (a, b) in plain.iter().zip(&other) {
            assert!((a.r_peak - b.r_peak).abs() < 1e-6);
            assert!((a.noise_ratio - b.noise_ratio).abs() < 1e-6);
        }
    }
}

#[test]
fn learning_gives_away_no_beat_of_the_first_seconds() {
    for first in [0.15, 0.3, 0.7] {
        let mut beats = heart(0.8, 9.0);
        beats.iter_mut().for_each(|beat| beat.at += first - 0.4);
        assert_found(&detect(&render(&beats, 10.0, FS)), &beats, FS, 1.0);
    }
}

#[test]
fn search_back_finds_a_low_beat_that_the_threshold_missed() {
    let mut beats = heart(0.8, 38.0);
    beats[25].qrs = 0.16;
    let found = detect(&render(&beats, 40.0, FS));
    assert_found(&found, &beats, FS, 2.0);
    let searched_back: Vec<usize> = (0..found.len()).filter(|&n| found[n].searched_back).collect();
    assert_eq!(searched_back, [25]);
}

#[test]
fn beats_come_out_in_order_of_time() {
    let mut beats = heart(0.8, 58.0);
    (0..beats.len()).step_by(7).skip(1).for_each(|n| beats[n].qrs = 0.16);
    let found = detect(&render(&beats, 60.0, FS));
    assert!(found.windows(2).all(|pair| pair[0].r_peak < pair[1].r_peak));
}

#[test]
fn a_peaked_t_wave_is_no_beat() {
    let beats = heart(0.9, 58.0);
    let mut signal = render(&beats, 60.0, FS);
    // Now and then: T waves after every beat raise the noise level and need no rule.
    for beat in beats.iter().skip(10).step_by(6) {
        add_wave(&mut signal, beat.at + 0.27, 1.0, 0.03);
    }
    assert_found(&detect(&signal), &beats, FS, 1.0);
}

#[test]
fn an_artefact_in_the_middle_of_an_undisturbed_rhythm_is_no_beat() {
    let beats = heart(0.8, 58.0);
    let mut signal = render(&beats, 60.0, FS);
    for beat in beats.iter().skip(10).step_by(5) {
        add_wave(&mut signal, beat.at + 0.42, -0.4, 0.011);
    }
    assert_found(&detect(&signal), &beats, FS, 1.0);
}

/// Two minutes, with muscles at the electrodes from 40 to 80 s.
fn with_muscles(beats: &[TrueBeat], size: f64) -> Vec<f64> {
    let mut signal = render(beats, 120.0, FS);
    let (mut random, mut last) = (noise(5), [0.0; 2]);
    for sample in &mut signal[10_000..20_000] {
        // The second difference: little below 20 Hz, most above 60 Hz.
        let next = random() + random() + random();
        *sample += size * (next - 2.0 * last[0] + last[1]);
        last = [next, last[0]];
    }
    signal
}

#[test]
fn muscle_noise_larger_than_the_qrs_costs_at_most_seven_of_fifty_beats() {
    let beats = heart(0.8, 118.0);
    let found = detect(&with_muscles(&beats, 2.2));
    let places: Vec<f64> = found.iter().map(|d| d.r_peak / FS.0).collect();
    let missed = beats.iter().filter(|b| !places.iter().any(|place| (place - b.at).abs() < 0.1)).count();
    let wrong = places.iter().filter(|place| !beats.iter().any(|b| (*place - b.at).abs() < 0.1)).count();
    assert!(missed + wrong <= 7, "{missed} missed, {wrong} wrong");
}

#[test]
fn the_steep_band_wakes_at_the_same_sample_in_blocks_of_any_length() {
    let signal = with_muscles(&heart(0.8, 118.0), 2.2);
    let single = detect(&signal);
    for length in [7, 64, 100, 5000] {
        let mut detector = QrsDetector::new(FS);
        let mut found = Vec::new();
        signal.chunks(length).for_each(|block| detector.push_block(block, &mut |d| found.push(d)));
        detector.flush(&mut |d| found.push(d));
        assert_eq!(found, single);
    }
}

#[test]
fn an_artefact_taller_than_the_beats_is_none_while_the_ventricles_are_contracted() {
    let beats = heart(0.8, 58.0);
    let mut signal = render(&beats, 60.0, FS);
    for beat in beats.iter().skip(10).step_by(5) {
        add_wave(&mut signal, beat.at + 0.25, -1.3, 0.011);
    }
    assert_found(&detect(&signal), &beats, FS, 1.0);
}

#[test]
fn a_flat_line_has_no_beats_and_costs_none_after_it() {
    let beats: Vec<TrueBeat> = heart(0.8, 58.0).into_iter().filter(|b| !(19.5..41.0).contains(&b.at)).collect();
    let mut signal = render(&beats, 60.0, FS);
    let held = signal[4999];
    signal[5000..10_000].fill(held);
    let step = signal[9999] - signal[10_000];
    signal[10_000..].iter_mut().for_each(|x| *x += step);
    assert_found(&detect(&signal), &beats, FS, 1.0);
}

#[test]
fn a_drop_of_the_gain_to_15_percent_costs_at_most_five_beats() {
    let beats = heart(0.8, 58.0);
    let signal: Vec<f64> =
        render(&beats, 60.0, FS).into_iter().enumerate().map(|(n, x)| if n < 7500 { x } else { 0.15 * x }).collect();
    let found = detect(&signal);
    assert!(found.len() + 5 >= beats.len() && found.len() <= beats.len(), "{} of {}", found.len(), beats.len());
    assert!(found.iter().filter(|d| d.r_peak > 36.0 * 250.0).count() >= 26);
}

#[test]
fn a_rise_of_the_gain_costs_no_beat() {
    let beats = heart(0.8, 58.0);
    let signal: Vec<f64> =
        render(&beats, 60.0, FS).into_iter().enumerate().map(|(n, x)| if n < 7500 { x } else { 4.0 * x }).collect();
    let found = detect(&signal);
    assert!(beats.iter().all(|b| found.iter().any(|d| (d.r_peak / 250.0 - b.at).abs() < 0.01)));
}

#[test]
fn a_touch_of_the_electrodes_while_learning_is_forgotten_within_six_seconds() {
    let beats = heart(0.8, 58.0);
    let mut signal = render(&beats, 60.0, FS);
    signal[200..].iter_mut().for_each(|x| *x += 300.0);
    let found = detect(&signal);
    for beat in beats.iter().filter(|beat| beat.at > 0.8 + 6.5) {
        assert!(found.iter().any(|d| (d.r_peak / 250.0 - beat.at).abs() < 0.01), "beat at {} s lost", beat.at);
    }
}

#[test]
fn flutter_is_no_row_of_beats_and_marks_the_beat_after_it() {
    let beats: Vec<TrueBeat> = heart(0.8, 58.0).into_iter().filter(|b| !(19.0..41.0).contains(&b.at)).collect();
    let mut signal = render(&beats, 60.0, FS);
    for (n, sample) in signal[5000..10_000].iter_mut().enumerate() {
        let t = n as f64 / FS.0;
        *sample += 1.2 * (t / 0.5).min(1.0).min((20.0 - t) / 0.5) * (2.0 * PI * 4.0 * t).sin();
    }
    let found = detect(&signal);
    let inside = found.iter().filter(|d| (21.5 * 250.0..39.0 * 250.0).contains(&d.r_peak)).count();
    assert_eq!(inside, 0);
    assert!(found.iter().any(|d| d.flutter && d.r_peak > 39.0 * 250.0));
}

#[test]
fn a_beat_is_decided_within_730_ms_of_its_r_peak() {
    let beats = heart(0.8, 58.0);
    let mut detector = QrsDetector::new(FS);
    assert_eq!(detector.decision_delay(), 180);
    for (n, &x) in render(&beats, 60.0, FS).iter().enumerate() {
        detector.push(x, &mut |d| {
            let waited = n as f64 - d.r_peak;
            // The first ones wait for the end of learning.
            assert!(waited <= 182.0 || d.r_peak < 2.4 * 250.0, "waited {waited} samples");
            assert!(waited >= 172.0);
        });
    }
}

#[test]
fn the_end_of_a_record_decides_what_is_held() {
    let beats = heart(0.8, 58.0);
    let signal = render(&beats, 60.0, FS);
    for length in [300, 500, 700, 1000, 5000] {
        // Beats whose QRS is complete, and not under the very edge.
        let end = length as f64 / 250.0;
        let whole: Vec<TrueBeat> = beats.iter().copied().filter(|b| b.at < end - 0.05).collect();
        let found = detect(&signal[..length]);
        assert_found(&found, &whole, FS, 1.0);
        assert!(found.iter().all(|d| d.r_peak < length as f64));
    }
    assert!(detect(&[]).is_empty());
    assert!(detect(&[1.0]).is_empty());
    assert!(detect(&[1.0; 1000]).is_empty());
}

#[test]
fn reset_and_flush_leave_a_new_detector() {
    let signal = render(&heart(0.8, 28.0), 30.0, FS);
    let fresh = detect(&signal);
    let mut detector = QrsDetector::new(FS);
    let mut random = noise(3);
    (0..10_001).for_each(|_| detector.push(5.0 * random(), &mut |_| ()));
    detector.reset();
    for _ in 0..2 {
        let mut found = Vec::new();
        signal.iter().for_each(|&x| detector.push(x, &mut |d| found.push(d)));
        detector.flush(&mut |d| found.push(d));
        assert_eq!(found, fresh);
    }
}

#[test]
fn samples_that_are_not_numbers_do_no_harm() {
    let beats = heart(0.8, 58.0);
    let mut signal = render(&beats, 60.0, FS);
    for n in (0..signal.len()).step_by(100) {
        signal[n] = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY][n / 100 % 3];
    }
    let found = detect(&signal);
    assert!(found.len().abs_diff(beats.len()) <= 1);
    assert!(found.iter().all(|d| d.r_peak.is_finite() && d.envelope.is_finite()));
}

#[test]
fn any_finite_signal_gives_finite_beats() {
    let mut random = noise(11);
    for size in [0.0, 1e-300, 1e-9, 1.0, 1e9, 1e100] {
        let mut wander = 0.0;
        let signal: Vec<f64> = (0..20_000)
            .map(|n| {
                wander = 0.99 * wander + random();
                if n % 3000 < 200 { size * 1e3 } else { size * (wander + random()) }
            })
            .collect();
        for d in detect(&signal) {
            let numbers = [d.r_peak, d.envelope, d.noise_ratio, d.shape, d.spread, d.noise_state];
            assert!(numbers.iter().all(|v| v.is_finite()), "{d:?}");
        }
    }
}
