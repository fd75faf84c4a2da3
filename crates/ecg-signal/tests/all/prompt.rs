//! What the resampler with prompt taps, of sources below 250 Hz, promises: no image of the ECG band above −60 dB in what
//! segments are cut from; and what it does not promise, as a figure.

use std::f64::consts::TAU;

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::{Hertz, Mains, PathConfig, PathInput, Resampler, SignalPath};

use crate::rates::{loudest, without_tone};
use crate::wave::{decibel, heart, power};

const RATES: [f64; 12] = [100.0, 102.4, 110.0, 120.0, 125.0, 128.0, 150.0, 160.0, 180.0, 199.9, 225.7, 249.0];

fn to_250(fs: f64, frequency: f64) -> Vec<f64> {
    let mut resampler = Resampler::prompt(Hertz(fs), Hertz(250.0), 0.0).expect("a legal rate");
    let x: Vec<f64> = (0..(4.0 * fs) as usize).map(|n| (TAU * frequency * n as f64 / fs).sin()).collect();
    let mut y = Vec::new();
    resampler.push_block(&x, &mut |v| y.push(v));
    y
}

/// What the low-pass of the conditioner leaves of it.
fn behind_low_pass(y: &[f64]) -> Vec<f64> {
    let mut filter =
        SosFilter::new(&design::low_pass(3, Hertz(40.0), Hertz(250.0)).expect("the filter of the conditioner"));
    y.iter().map(|&v| filter.run(v)).collect()
}

/// What tones leave of themselves and beside themselves, in decibel.
struct Worst {
    /// The loudest beside them: behind the resampler, and behind the low-pass.
    image: f64,
    image_left: f64,
    /// Themselves, behind the resampler: the weakest and the strongest.
    gain: (f64, f64),
}

impl Worst {
    fn of(fs: f64, tones: impl Iterator<Item = f64>) -> Self {
        let (none, all) = (f64::NEG_INFINITY, (f64::INFINITY, f64::NEG_INFINITY));
        let mut worst = Self { image: none, image_left: none, gain: all };
        for frequency in tones {
            let y = to_250(fs, frequency);
            let middle = 250..y.len() - 100;
            let (beside, amplitude) = without_tone(&y[middle.clone()], frequency);
            let (left, _) = without_tone(&behind_low_pass(&y)[middle], frequency);
            let gain = 20.0 * amplitude.log10();
            worst.image = worst.image.max(loudest(&beside));
            worst.image_left = worst.image_left.max(loudest(&left));
            worst.gain = (worst.gain.0.min(gain), worst.gain.1.max(gain));
        }
        worst
    }
}

#[test]
fn the_ecg_band_of_a_slow_source_leaves_no_image() {
    println!("     Hz | tones to 40 Hz: image, behind the low-pass, themselves | tones above: the same (dB)");
    let mut short = Vec::new();
    for fs in RATES {
        let ecg = Worst::of(fs, (0..60).map(|step| 0.7 + f64::from(step) * 39.3 / 59.0));
        let above = Worst::of(fs, (1..20).map(|step| 40.0 + f64::from(step) * (fs / 2.0 - 40.0) / 20.0));
        println!(
            "{fs:7.1} | {:6.1} {:6.1} {:6.3} to {:5.3} | {:6.1} {:6.1} {:5.1} to {:3.1}",
            ecg.image,
            ecg.image_left,
            ecg.gain.0,
            ecg.gain.1,
            above.image,
            above.image_left,
            above.gain.0,
            above.gain.1
        );
        // Few samples behind an output are too few for the last hertz of a band that ends at two thirds or four fifths of
        // what there is.
        let most_image = if fs < 120.0 {
            -49.0
        } else if fs < 150.0 {
            -54.0
        } else {
            -60.0
        };
        let ripple = if fs < 120.0 { 0.04 } else { 0.02 };
        let promised = ecg.image_left < -60.0 && ecg.image < most_image && ecg.gain.0 > -ripple && ecg.gain.1 < ripple;
        // Not promised, but known.
        let most_gain = if fs < 150.0 { 7.0 } else { 2.5 };
        let most_left = if fs < 120.0 { -5.0 } else { -12.5 };
        if !promised || above.gain.1 > most_gain || above.image_left > most_left {
            short.push(fs);
        }
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn mains_leave_no_image_either() {
    // What 1 mV of mains adds to a heart in the conditioned signal, once the notch has settled, in decibel below it.
    let left = |fs: f64, mains: Mains, hertz: f64| {
        let conditioned = |mains_mv: f64| {
            let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains }).expect("a legal rate");
            for n in 0..(10.0 * fs) as u32 {
                let t = f64::from(n) / fs;
                path.push(PathInput::of(heart(t, 0.8) + mains_mv * (TAU * hertz * t).sin()), &mut |_| ());
            }
            path.conditioned(5.0 * fs).map(|(_, millivolts)| millivolts).collect::<Vec<f64>>()
        };
        let added: Vec<f64> = conditioned(1.0).iter().zip(conditioned(0.0)).map(|(a, b)| a - b).collect();
        assert!(added.len() > 900, "{}", added.len());
        decibel(power(&added) / 0.5)
    };
    for fs in [100.0, 125.0, 128.0, 160.0, 200.0, 250.0] {
        for (mains, hertz) in [(Mains::Hz50, 50.0), (Mains::Hz60, 60.0)].into_iter().filter(|(_, hz)| 2.0 * hz <= fs) {
            let (steady, adrift) = (left(fs, mains, hertz), left(fs, mains, hertz + 0.3));
            println!("{fs} Hz, mains of {hertz} Hz: {steady:.1} dB are left, 0.3 Hz beside it {adrift:.1} dB");
            assert!(steady < -60.0, "{fs} Hz, {hertz} Hz: {steady:.1} dB");
            assert!(adrift < -20.0, "{fs} Hz, {hertz} Hz: {adrift:.1} dB");
        }
    }
}
