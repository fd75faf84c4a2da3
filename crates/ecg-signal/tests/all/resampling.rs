//! The resampler: images and aliases, exact positions, edges.

use std::f64::consts::PI;

use ecg_signal::{Hertz, Resampler, resample};

use crate::wave::{decibel, heart, power};

const RATES: [f64; 9] = [100.0, 125.0, 128.0, 1000.0 / 3.0, 360.0, 500.0, 1000.0, 1024.0, 2000.0];

fn sine(fs: f64, frequency: f64, seconds: f64) -> Vec<f64> {
    (0..(fs * seconds) as usize).map(|n| (2.0 * PI * frequency * n as f64 / fs).sin()).collect()
}

fn to_250(x: &[f64], fs: f64) -> Vec<f64> {
    resample(x, Hertz(fs), Hertz(250.0)).expect("a legal rate")
}

#[test]
fn the_ecg_band_passes_unchanged_from_every_rate() {
    for fs in RATES {
        for frequency in [0.7, 10.0, 25.0, 38.0] {
            let y = to_250(&sine(fs, frequency, 4.0), fs);
            let expected = sine(250.0, frequency, 4.0);
            let error: Vec<f64> = y[250..750].iter().zip(&expected[250..750]).map(|(a, b)| a - b).collect();
            let level = decibel(power(&error) / 0.5);
            assert!(level < -55.0, "{frequency} Hz from {fs} Hz: {level:.1} dB");
        }
    }
}

#[test]
fn nothing_aliases_above_minus_60_db() {
    for fs in RATES {
        for step in 0..40 {
            // Above half of 250 Hz everything must vanish.
            let frequency = 126.0 + f64::from(step) * (fs / 2.0 - 126.0) / 40.0;
            if frequency >= fs / 2.0 || fs <= 252.0 {
                continue;
            }
            let level = decibel(power(&to_250(&sine(fs, frequency, 3.0), fs)[200..550]) / 0.5);
            assert!(level < -60.0, "{frequency} Hz from {fs} Hz: {level:.1} dB");
        }
    }
}

#[test]
fn no_image_appears_above_minus_60_db() {
    for fs in [100.0, 125.0, 128.0, 200.0] {
        for frequency in [5.0, 20.0, 38.0] {
            let y = to_250(&sine(fs, frequency, 6.0), fs);
            let image = fs - frequency;
            if image >= 125.0 {
                continue;
            }
            let (mut re, mut im) = (0.0, 0.0);
            for (n, v) in y[250..1250].iter().enumerate() {
                let window = 0.5 - 0.5 * (2.0 * PI * n as f64 / 1000.0).cos();
                re += v * window * (2.0 * PI * image * n as f64 / 250.0).cos();
                im += v * window * (2.0 * PI * image * n as f64 / 250.0).sin();
            }
            let level = 20.0 * (re.hypot(im) / 250.0).log10();
            assert!(level < -60.0, "image of {frequency} Hz from {fs} Hz: {level:.1} dB");
        }
    }
}

#[test]
fn a_constant_and_the_ends_of_a_record_do_not_ring() {
    for fs in RATES {
        let y = to_250(&vec![300.0; (2.0 * fs) as usize], fs);
        assert!(y.iter().all(|v| (v - 300.0).abs() < 1e-9), "{fs} Hz");
        assert_eq!(y.len(), ((2.0 * fs).floor() * 250.0 / fs).ceil() as usize, "{fs} Hz");
    }
}

#[test]
fn at_250_hz_samples_pass_untouched_and_at_once() {
    let mut resampler = Resampler::new(Hertz(250.0), Hertz(250.0)).unwrap();
    let mut out = Vec::new();
    [1.0, -2.0, 3.5].iter().for_each(|&x| resampler.push(x, &mut |y| out.push(y)));
    assert_eq!(out, [1.0, -2.0, 3.5]);
    assert_eq!(resampler.delay(), 0.0);
}

#[test]
fn position_is_exact_after_a_day() {
    for (fs, p, q) in [(360.0, 36, 25), (1000.0 / 3.0, 4, 3), (128.0, 64, 125), (500.0, 2, 1), (2000.0, 8, 1)] {
        let resampler = Resampler::new(Hertz(fs), Hertz(250.0)).unwrap();
        assert_eq!(resampler.ratio(), (p, q), "{fs} Hz");
        let day = 86_400.0 * 250.0;
        assert!((resampler.source_position(day) / fs - 86_400.0).abs() < 1e-8, "{fs} Hz");
    }
    // A clock that is off by some parts per million has no small ratio; it is interpolated.
    let fs = 500.012_3;
    let resampler = Resampler::new(Hertz(fs), Hertz(250.0)).unwrap();
    assert!((resampler.source_position(86_400.0 * 250.0) / fs - 86_400.0).abs() < 1e-4);
    let x: Vec<f64> = (0..5000).map(|n| heart(n as f64 / fs, 0.8)).collect();
    let y = to_250(&x, fs);
    let error: Vec<f64> = (250..2000).map(|k| y[k] - heart(k as f64 / 250.0, 0.8)).collect();
    assert!(decibel(power(&error) / power(&y)) < -45.0);
}

#[test]
fn measured_delay_is_the_stated_one() {
    for fs in RATES {
        let mut resampler = Resampler::new(Hertz(fs), Hertz(250.0)).unwrap();
        let mut first = None;
        for n in 0..1000u32 {
            resampler.push(0.0, &mut |_| {
                first.get_or_insert(n);
            });
        }
        assert_eq!(first.map(f64::from), Some(resampler.delay()), "{fs} Hz");
    }
}

#[test]
fn impossible_rates_are_refused() {
    for fs in [0.0, -250.0, f64::NAN, f64::INFINITY, 60.0] {
        assert!(Resampler::new(Hertz(fs), Hertz(250.0)).is_err(), "{fs}");
    }
}
