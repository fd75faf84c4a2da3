//! The chain is designed at run time: at every sampling frequency it equals scipy there, and does to a heart what it does
//! at 250 Hz.

use std::f64::consts::TAU;

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::filter::notch::QUALITY;
use ecg_signal::{Conditioner, Detection, Hertz, Kernel, Mains, QrsDetector};
use serde_json::Value;

use crate::golden::{dsp, largest_difference, numbers};
use crate::wave::{Noise, decibel, heart, power};

#[test]
fn the_filters_of_the_chain_equal_scipys_causal_output_at_every_rate() {
    let golden: Value = serde_json::from_str(include_str!("../golden/dsp_rates.json")).expect("valid JSON");
    let x = &numbers(&dsp()["x"])[..400];
    let mut compared = 0;
    for (fs, outputs) in golden["outputs"].as_object().expect("a table by rate") {
        let fs = Hertz(fs.parse().expect("a rate"));
        let cases = [
            ("high_pass_2_0.5", design::high_pass(2, Hertz(0.5), fs)),
            ("low_pass_3_40", design::low_pass(3, Hertz(40.0), fs)),
            ("band_1_8_18", design::band_pass(1, Hertz(8.0), Hertz(18.0), fs)),
            ("low_pass_2_20", design::low_pass(2, Hertz(20.0), fs)),
            ("notch_50_q30", design::notch(Hertz(50.0), QUALITY, fs)),
            ("notch_60_q30", design::notch(Hertz(60.0), QUALITY, fs)),
        ];
        for (name, design) in cases {
            let mut filter = SosFilter::new(&design.expect("a legal design"));
            let ours: Vec<f64> = x.iter().map(|&v| filter.run(v)).step_by(4).collect();
            let difference = largest_difference(&ours, &numbers(&outputs[name]));
            assert!(difference <= 1e-9, "{name} at {fs}: {difference:e}");
            compared += 1;
        }
    }
    assert_eq!(compared, 30);
}

/// Conditioned millivolts at multiples of 4 ms, delay taken off; the heart has mains and EMG-like noise of `noise_mv`.
fn conditioned(fs: f64, noise_mv: f64) -> Vec<f64> {
    let mut conditioner = Conditioner::new(Hertz(fs), Mains::Hz50).expect("legal");
    let mut noise = Noise::new(6);
    let wave = |n: usize| {
        let t = n as f64 / fs;
        heart(t, 0.8) + 0.2 * (TAU * 0.3 * t).sin() + 0.1 * (TAU * 50.0 * t).sin()
    };
    let mut y: Vec<f64> =
        (0..(30.0 * fs) as usize).filter_map(|n| conditioner.push(wave(n) + noise_mv * noise.normal())).collect();
    y.extend(std::iter::from_fn(|| conditioner.flush()));
    y.drain(..conditioner.delay_samples());
    // Between samples on the straight line, as a picture of it.
    let at = |t: f64| {
        let place = t * fs;
        let whole = place as usize;
        y[whole] + (y[whole + 1] - y[whole]) * (place - whole as f64)
    };
    (2500..7000).map(|k| at(f64::from(k) * 0.004)).collect()
}

/// The delay is whole samples, right to half of one: the curves are compared at the shift where they agree best.
fn distance_db(a: &[f64], b: &[f64]) -> f64 {
    let shifted = |shift: f64| {
        let error: Vec<f64> = (10..a.len() - 10)
            .map(|k| {
                let place = k as f64 + shift;
                let whole = place.floor() as usize;
                b[whole] + (b[whole + 1] - b[whole]) * (place - whole as f64) - a[k]
            })
            .collect();
        decibel(power(&error) / power(a))
    };
    (-20..=20).map(|k| shifted(f64::from(k) * 0.05)).fold(f64::INFINITY, f64::min)
}

#[test]
fn the_conditioner_does_to_a_heart_at_every_rate_what_it_does_at_250_hz() {
    for noise_mv in [0.0, 0.03] {
        let reference = conditioned(250.0, noise_mv);
        for fs in [200.0, 360.0, 500.0, 1000.0] {
            let level = distance_db(&reference, &conditioned(fs, noise_mv));
            println!("noise {noise_mv} mV, {fs:6} Hz: {level:6.1} dB from 250 Hz");
            assert!(level < if noise_mv > 0.0 { -19.0 } else { -28.0 }, "{fs} Hz, noise {noise_mv} mV: {level} dB");
        }
    }
}

fn detections(fs: f64, rr: f64) -> Vec<Detection> {
    let mut detector = QrsDetector::new(Hertz(fs));
    let mut found = Vec::new();
    for n in 0..(60.0 * fs) as usize {
        let t = n as f64 / fs;
        detector.push(heart(t, rr) + 0.2 * (TAU * 0.3 * t).sin(), &mut |detection| found.push(detection));
    }
    detector.flush(&mut |detection| found.push(detection));
    found
}

#[test]
fn the_detector_finds_the_same_beats_at_the_same_places_at_every_rate() {
    for rr in [0.411_3, 0.873_1, 1.391_7] {
        let reference = detections(250.0, rr);
        for fs in [200.0, 225.7, 300.0, 360.0, 400.0, 500.0] {
            let found = detections(fs, rr);
            assert_eq!(found.len(), reference.len(), "{fs} Hz, RR {rr} s");
            let off = found.iter().zip(&reference).map(|(a, b)| 1000.0 * (a.r_peak / fs - b.r_peak / 250.0).abs());
            let largest = off.fold(0.0, f64::max);
            println!("{fs:6} Hz, RR {rr} s: R {largest:.2} ms from that at 250 Hz");
            assert!(largest < 0.2, "{fs} Hz, RR {rr} s: {largest} ms");
        }
    }
}
