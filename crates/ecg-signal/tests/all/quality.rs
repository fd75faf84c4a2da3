//! The signal-quality indices against their definitions, computed anew over the whole window, and against scipy.

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::quality::half_rate::HalfRate;
use ecg_signal::quality::length::LengthDetector;
use ecg_signal::quality::moments::Moments;
use ecg_signal::quality::spectrum::{BandPowers, SegmentSpectrum};
use ecg_signal::{Beat, Hertz, Kernel, Mains, PathConfig, PathInput, SignalPath, WindowFault};
use proptest::prelude::*;

use crate::wave::{Noise, heart_record};

const FS: f64 = 250.0;

/// Band powers of a signal at 250 Hz, all segments together.
fn band_powers(x: &[f64]) -> BandPowers {
    let (mut half, mut spectrum) = (HalfRate::default(), SegmentSpectrum::default());
    let segments = x.iter().filter_map(|&v| half.push(v)).filter_map(|v| spectrum.push(v));
    segments.fold(BandPowers::default(), |sum, segment| sum.and(&segment))
}

/// Moments of a signal by blocks of 250, as the path takes them.
fn moments(x: &[f64]) -> Moments {
    x.chunks(250).map(Moments::of).fold(Moments::default(), |sum, block| sum.and(&block))
}

fn near(name: &str, value: Option<f64>, wanted: f64, tolerance: f64) {
    let value = value.unwrap_or_else(|| panic!("{name} is there"));
    assert!((value - wanted).abs() <= tolerance, "{name}: {value}, not {wanted}");
}

/// Kurtosis, skewness, pSQI and basSQI of four signals by numpy 2.4.6 and scipy 1.17.1: `stats.kurtosis(fisher=False)`,
/// `stats.skew`, and `signal.welch(x, 250, nperseg=1000)` integrated by `numpy.trapezoid`.
#[test]
fn indices_equal_those_of_scipy() {
    // Amplitudes of 0.4, 9.3, 22.1 and 61.7 Hz under the beats, and the four values.
    let golden: [([f64; 4], [f64; 4]); 4] = [
        ([0.0, 0.0, 0.0, 0.0], [19.992_298_910, 3.769_391_893, 0.687_011, 0.994_155]),
        ([0.2, 0.05, 0.03, 0.02], [9.075_010_845, 1.812_067_919, 0.687_221, 0.608_741]),
        ([1.0, 0.1, 0.3, 0.2], [1.937_602_835, 0.031_737_582, 0.287_069, 0.126_847]),
        ([0.05, 0.5, 0.02, 0.4], [2.748_838_317, 0.188_822_528, 0.946_922, 0.989_537]),
    ];
    for (amplitudes, [kurtosis, skewness, p_sqi, bas_sqi]) in golden {
        let sample = |n: u32| {
            let t = f64::from(n) / FS;
            let sines: f64 = amplitudes
                .iter()
                .zip([0.4, 9.3, 22.1, 61.7])
                .map(|(a, hz)| a * (2.0 * std::f64::consts::PI * hz * t).sin())
                .sum();
            let phase = t % 0.8 - 0.4;
            let wave = |height: f64, at: f64, width: f64| height * (-0.5 * ((phase - at) / width).powi(2)).exp();
            300.0 + sines + wave(1.2, 0.0, 0.01) + wave(-0.25, 0.03, 0.01) + wave(0.3, 0.25, 0.04)
        };
        let x: Vec<f64> = (0..2500).map(sample).collect();
        near("kurtosis", moments(&x).kurtosis(), kurtosis, 1e-6);
        near("skewness", moments(&x).skewness(), skewness, 1e-6);
        // Half the rate costs this much: what folds over, and the filter's delay of 12 ms, by which a wave of 0.4 Hz has
        // another phase in the segments.
        near("pSQI", band_powers(&x).p_sqi(), p_sqi, 3e-3);
        near("basSQI", band_powers(&x).bas_sqi(), bas_sqi, 1e-2);
    }
}

#[test]
fn known_distributions_have_their_kurtosis_and_skewness() {
    let mut noise = Noise::new(4);
    let sine: Vec<f64> = (0..2500).map(|n| (2.0 * std::f64::consts::PI * 5.0 * f64::from(n) / FS).sin()).collect();
    near("kurtosis of a sine", moments(&sine).kurtosis(), 1.5, 1e-9);
    near("skewness of a sine", moments(&sine).skewness(), 0.0, 1e-9);
    let normal: Vec<f64> = (0..250_000).map(|_| (0..4).map(|_| noise.normal()).sum()).collect();
    near("kurtosis of a Gaussian", moments(&normal).kurtosis(), 3.0, 0.05);
    near("skewness of a Gaussian", moments(&normal).skewness(), 0.0, 0.02);
    let exponential: Vec<f64> = (0..250_000).map(|_| -noise.uniform().max(1e-12).ln()).collect();
    near("kurtosis of an exponential", moments(&exponential).kurtosis(), 9.0, 0.6);
    near("skewness of an exponential", moments(&exponential).skewness(), 2.0, 0.06);
    assert_eq!(moments(&[7.0; 1000]).kurtosis(), None, "nothing moves");
    assert_eq!(Moments::of(&[]).skewness(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn moments_of_blocks_equal_the_definition_over_the_whole(
        seed in any::<u64>(),
        offset in -400.0..400.0f64,
        scale in prop_oneof![Just(1e-3), Just(1.0), Just(50.0)],
        length in 8usize..3000,
    ) {
        let mut noise = Noise::new(seed);
        let x: Vec<f64> = (0..length).map(|_| offset + scale * noise.normal().powi(3)).collect();
        let mean = x.iter().sum::<f64>() / length as f64;
        let power = |k: i32| x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / length as f64;
        let by_blocks = moments(&x);
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-7 * b.abs().max(1.0);
        prop_assert!(close(by_blocks.kurtosis().unwrap_or(0.0), power(4) / power(2).powi(2)));
        prop_assert!(close(by_blocks.skewness().unwrap_or(0.0), power(3) / power(2).powf(1.5)));
    }
}

/// Welch's estimate at the full rate, straight from the definition.
fn welch_shares(x: &[f64]) -> (f64, f64) {
    const SEGMENT: usize = 1000;
    let mut density = [0.0; 161];
    for segment in x.windows(SEGMENT).step_by(SEGMENT / 2) {
        let mean = segment.iter().sum::<f64>() / SEGMENT as f64;
        for (bin, power) in density.iter_mut().enumerate() {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, v) in segment.iter().enumerate() {
                let turn = 2.0 * std::f64::consts::PI * n as f64 / SEGMENT as f64;
                let value = (v - mean) * (0.5 - 0.5 * turn.cos());
                re += value * (bin as f64 * turn).cos();
                im += value * (bin as f64 * turn).sin();
            }
            *power += re * re + im * im;
        }
    }
    let area = |from: usize, to: usize| (from..to).map(|bin| 0.5 * (density[bin] + density[bin + 1])).sum::<f64>();
    (area(20, 60) / area(20, 160), 1.0 - area(0, 4) / area(0, 160))
}

#[test]
fn power_shares_at_half_the_rate_equal_the_definition_at_the_full_rate() {
    let mut noise = Noise::new(12);
    let mut muscle = SosFilter::new(&design::band_pass(4, Hertz(20.0), Hertz(110.0), Hertz(FS)).expect("legal"));
    let mut wander = 0.0;
    for (name, white, emg, brown) in
        [("heart", 0.0, 0.0, 0.0), ("white", 0.2, 0.0, 0.0), ("EMG", 0.0, 0.3, 0.0), ("wander", 0.01, 0.0, 0.03)]
    {
        let mut x = heart_record(FS, 10.0, 0.83);
        for v in &mut x {
            wander = 0.999 * wander + noise.normal();
            *v += white * noise.normal() + emg * muscle.run(noise.normal()) + brown * wander;
        }
        let (p_sqi, bas_sqi) = welch_shares(&x);
        let powers = band_powers(&x);
        println!("{name}: pSQI {:.4?} ({p_sqi:.4}), basSQI {:.4?} ({bas_sqi:.4})", powers.p_sqi(), powers.bas_sqi());
        near(name, powers.p_sqi(), p_sqi, 0.02);
        near(name, powers.bas_sqi(), bas_sqi, 0.01);
    }
    assert_eq!(band_powers(&[5.0; 2500]).p_sqi(), None, "no power");
}

#[test]
fn the_second_detector_finds_the_beats_of_a_plain_heart() {
    for (rr_s, gain) in [(0.3, 1.0), (0.8, 1.0), (0.8, -0.01), (1.9, 300.0)] {
        let mut detector = LengthDetector::default();
        let mut half = HalfRate::default();
        let x = heart_record(FS, 60.0, rr_s);
        let halved: Vec<f64> = x.iter().filter_map(|&v| half.push(gain * v)).collect();
        let mut beats = Vec::new();
        for (n, &v) in halved.iter().enumerate() {
            if let Some(place) = detector.push(v) {
                assert!(n as f64 - place <= LengthDetector::DECISION_DELAY as f64, "{n} {place}");
                beats.push((2.0 * place + 1.0 - half.delay()) / FS);
            }
        }
        let expected = (60.0 / rr_s) as usize;
        assert!(beats.len().abs_diff(expected) <= 2, "{rr_s} s: {} of {expected}", beats.len());
        for beat in &beats {
            let off = beat - (beat / rr_s).round() * rr_s;
            assert!(off.abs() < 0.04, "{rr_s} s: {off:.3} s off at {beat:.2} s");
        }
    }
}

fn window(x: impl Iterator<Item = f64>) -> (SignalPath, Vec<Beat>) {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("legal");
    let mut beats = Vec::new();
    x.for_each(|v| path.push(PathInput::of(v), &mut |beat| beats.push(beat)));
    (path, beats)
}

#[test]
fn a_clean_window_is_good_and_a_disturbed_one_has_a_fault() {
    let mut noise = Noise::new(6);
    let heart = heart_record(FS, 30.0, 0.8);
    let (path, _) = window(heart.iter().map(|v| v + 0.01 * noise.normal()));
    let clean = path.window_quality().expect("a window");
    println!("clean: {clean:?}");
    assert!(clean.score > 0.95 && clean.fault.is_none(), "{clean:?}");
    near("bSQI", clean.indices.b_sqi, 1.0, 1e-9);
    assert!(clean.indices.template_correlation.is_some_and(|r| r > 0.98));

    let (path, _) = window((0..7500).map(|_| 0.3 * noise.normal()));
    let white = path.window_quality().expect("a window");
    assert!(white.score < 0.1 && white.fault.is_some(), "{white:?}");
    let mut muscle = SosFilter::new(&design::band_pass(4, Hertz(20.0), Hertz(110.0), Hertz(FS)).expect("legal"));
    let (path, _) = window(heart.iter().map(|v| v + 1.5 * muscle.run(noise.normal())));
    let emg = path.window_quality().expect("a window");
    assert!(emg.fault.is_some() && emg.score < 0.5, "{emg:?}");
    let (path, _) = window((0..7500).map(|_| 1.0));
    assert_eq!(path.window_quality().and_then(|window| window.fault), Some(WindowFault::NoBeats));
}

#[test]
fn there_is_no_window_before_four_seconds_nor_after_a_gap() {
    let (mut path, _) = window(heart_record(FS, 3.9, 0.8).into_iter());
    assert!(path.window_quality().is_none());
    heart_record(FS, 1.2, 0.8).into_iter().for_each(|v| path.push(PathInput::of(v), &mut |_| ()));
    assert!(path.window_quality().is_some());
    path.gap(10, &mut |_| ());
    assert!(path.window_quality().is_none());
}

#[test]
fn a_stuck_lead_off_bit_is_contradicted_by_ten_beats_and_a_true_one_is_believed_again() {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("legal");
    let mut noise = Noise::new(8);
    let x = heart_record(FS, 120.0, 0.8);
    let mut accepted = Vec::new();
    for (n, v) in x.iter().enumerate() {
        // Stuck for 40 s, clear for 10, set on a true loss for 20, clear again.
        let lost = (12_500..17_500).contains(&n);
        let off = n < 10_000 || lost;
        let millivolts = if lost { 0.5 * noise.normal() } else { v + 0.01 * noise.normal() };
        path.push(PathInput { millivolts, clipped: false, lead_off: Some(off) }, &mut |beat: Beat| {
            if beat.quality.verdict.is_accepted() {
                accepted.push(beat.r_peak / FS);
            }
        });
        match n {
            // Ten beats have not come yet.
            1500 => assert!(!path.signal_state().lead_off_contradicted),
            9999 => {
                assert!(path.signal_state().lead_off_contradicted);
                assert_eq!(path.signal_state().contact, ecg_signal::Contact::Good);
            }
            // Three seconds and a little after the bit has come back with reason.
            13_400 => {
                assert!(!path.signal_state().lead_off_contradicted);
            }
            13_700 => assert_eq!(path.signal_state().contact, ecg_signal::Contact::LeadOff),
            _ => {}
        }
    }
    let within = |from: f64, to: f64| accepted.iter().filter(|t| (from..to).contains(*t)).count();
    println!("{} beats accepted under the stuck bit", within(0.0, 40.0));
    assert_eq!(within(0.0, 7.0), 0);
    assert!(within(11.0, 40.0) >= 34);
    assert!(within(50.5, 69.5) <= 1, "{}", within(50.5, 69.5));
    assert!(within(73.0, 120.0) >= 55);
}
