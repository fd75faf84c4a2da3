//! Disturbances of noise stress tests: seeded, in their band, at the level that was asked for.

use ecg_data::stress::{Disturbance, Power, gain, qrs_power, recorded};
use ecg_data::{Record, annotations};

use super::recordings;

const MADE: [Disturbance; 4] =
    [Disturbance::White, Disturbance::Mains(50.0), Disturbance::Emg, Disturbance::ElectrodeMotion];

/// Mean power between two frequencies, by Goertzel's sums over windows of 4 s, a frequency every 0.25 Hz.
fn power_between(samples: &[f64], fs: f64, low: f64, high: f64) -> f64 {
    let window = (4.0 * fs) as usize;
    let mut power = 0.0;
    let mut hz = low;
    while hz < high {
        for part in samples.chunks_exact(window) {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, x) in part.iter().enumerate() {
                let angle = std::f64::consts::TAU * hz * i as f64 / fs;
                re += x * angle.cos();
                im += x * angle.sin();
            }
            power += 2.0 * (re * re + im * im) / (window as f64).powi(2);
        }
        hz += 0.25;
    }
    power / (samples.len() / window) as f64
}

#[test]
fn equal_seeds_give_equal_samples_and_others_do_not() {
    for made in MADE {
        for fs in [125.0, 250.0, 360.0, 1000.0] {
            let samples = made.samples(fs, 5000, 7);
            assert_eq!(samples, made.samples(fs, 5000, 7), "{made:?}");
            assert_ne!(samples, made.samples(fs, 5000, 8), "{made:?}");
            assert!(samples.iter().all(|x| x.is_finite()) && samples.len() == 5000, "{made:?} at {fs} Hz");
            assert!((samples.iter().sum::<f64>() / 5000.0).abs() < 1e-9, "{made:?} has an offset");
        }
    }
}

#[test]
fn each_disturbance_lies_in_its_band() {
    let fs = 360.0;
    for (made, low, high) in [
        (Disturbance::Emg, 18.0, 120.0),
        (Disturbance::Mains(50.0), 49.0, 51.0),
        (Disturbance::Mains(60.0), 59.0, 61.0),
        (Disturbance::ElectrodeMotion, 0.0, 25.0),
    ] {
        let samples = made.samples(fs, 40 * 360, 3);
        let share = power_between(&samples, fs, low, high) / power_between(&samples, fs, 0.0, 179.0);
        assert!(share > 0.95, "{made:?}: {share} of the power within {low} to {high} Hz");
    }
    let motion = Disturbance::ElectrodeMotion.samples(fs, 40 * 360, 3);
    let like_a_qrs = power_between(&motion, fs, 5.0, 20.0) / power_between(&motion, fs, 0.0, 179.0);
    assert!(like_a_qrs > 0.05, "electrode motion is no mere wander: {like_a_qrs}");
}

#[test]
fn muscles_swell_and_ebb_and_electrodes_jump() {
    let second_rms = |made: Disturbance| {
        let samples = made.samples(250.0, 250 * 300, 5);
        let mut rms: Vec<f64> =
            samples.chunks(250).map(|s| (s.iter().map(|x| x * x).sum::<f64>() / 250.0).sqrt()).collect();
        rms.sort_by(f64::total_cmp);
        rms[270] / rms[30]
    };
    assert!(second_rms(Disturbance::White) < 1.3);
    assert!(second_rms(Disturbance::Emg) > 1.8);
    assert!(second_rms(Disturbance::ElectrodeMotion) > 1.8);
}

#[test]
fn the_gain_gives_the_ratio_that_was_asked_for() {
    // A QRS of 2 mV has the power of a sine of 1 mV: 0.5.
    let mut record = vec![0.0; 1000];
    let beats = [100, 400, 700, 1200];
    for beat in [100, 400, 700] {
        (record[beat], record[beat + 5]) = (1.5, -0.5);
    }
    let signal = qrs_power(&record, 250.0, &beats).unwrap();
    assert!((signal - 0.5).abs() < 1e-12, "{signal}");
    for made in MADE {
        let noise = made.samples(250.0, 50_000, 1);
        for wanted in [24.0, 0.0, -6.0] {
            let factor = gain(signal, Power::Variance.of(&noise, 250.0), wanted);
            let scaled: Vec<f64> = noise.iter().map(|x| factor * x).collect();
            let ratio = 10.0 * (signal / Power::Variance.of(&scaled, 250.0)).log10();
            assert!((ratio - wanted).abs() < 1e-9, "{made:?}: {ratio} instead of {wanted} dB");
        }
    }
    assert!(qrs_power(&record, 250.0, &[]).is_none() && qrs_power(&record, 250.0, &[5000]).is_none());
    assert!(gain(1.0, 0.0, 0.0).abs() < f64::EPSILON && Power::Windowed.of(&[], 250.0).abs() < f64::EPSILON);
}

#[test]
fn windows_of_a_second_do_not_hear_slow_wander() {
    let noise = |hz: f64| -> Vec<f64> {
        (0..250 * 60).map(|i| (std::f64::consts::TAU * hz * i as f64 / 250.0).sin()).collect()
    };
    assert!((Power::Variance.of(&noise(0.1), 250.0) - 0.5).abs() < 1e-3);
    assert!(Power::Windowed.of(&noise(0.1), 250.0) < 0.03, "a tenth of a hertz is nearly still for a second");
    assert!((Power::Windowed.of(&noise(20.0), 250.0) - 0.5).abs() < 1e-2);
}

#[test]
fn a_recorded_disturbance_keeps_its_time_at_another_rate_and_starts_again_after_its_end() {
    let noise: Vec<f64> = (0..720).map(|i| (std::f64::consts::TAU * f64::from(i) / 360.0).sin()).collect();
    assert_eq!(recorded(&noise, 360.0, 0, 360.0, 3), {
        let first = [noise[0], noise[1], noise[2]];
        let mean = first.iter().sum::<f64>() / 3.0;
        first.map(|x| x - mean).to_vec()
    });
    let slower = recorded(&noise, 360.0, 90, 250.0, 5000);
    for (i, x) in slower.iter().enumerate() {
        let truth = (std::f64::consts::TAU * (i as f64 / 250.0 + 0.25)).sin();
        assert!((x - truth).abs() < 1e-3, "sample {i}: {x} instead of {truth}");
    }
    assert_eq!(recorded(&[], 360.0, 0, 250.0, 2), [0.0, 0.0]);
}

#[test]
fn the_public_stress_records_lie_as_far_apart_as_their_names_say() {
    let Some(root) = recordings() else { return };
    let clean = Record::open(&root.join("mitdb/118")).unwrap();
    let beats: Vec<u64> = annotations(&root.join("mitdb/118"), "atr").unwrap().beats().collect();
    let signal = qrs_power(&clean.signals[0].samples, clean.fs, &beats).unwrap();
    let level = |name: &str| {
        let noisy = Record::open(&root.join("nstdb").join(name)).unwrap();
        // Noise begins at 5:00; the first noisy stretch lasts two minutes.
        let stretch = 301 * 360..419 * 360;
        let noise: Vec<f64> = stretch.map(|i| noisy.signals[0].samples[i] - clean.signals[0].samples[i]).collect();
        10.0 * (signal / Power::Windowed.of(&noise, 360.0)).log10()
    };
    // Their gain was set on another part of the noise recording, so the levels themselves are not found again.
    let apart = level("118e24") - level("118e12");
    assert!((apart - 12.0).abs() < 0.5, "{apart} dB between 118e24 and 118e12");
}
