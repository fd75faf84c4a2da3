//! Every source rate from 100 to 2000 Hz, fractional ratios included: nothing aliases, the ECG band passes flat, and the
//! same heart has the same beats at the same places.

use std::f64::consts::TAU;

use ecg_signal::{Hertz, Mains, PathConfig, PathInput, SignalPath, resample};

use crate::wave::{decibel, heart, power};

const RATES: [f64; 15] = [
    100.0, 125.0, 128.0, 199.9, 200.0, 250.0, 256.0, 257.1, 333.33, 360.0, 488.281_25, 500.0, 976.562_5, 1000.0, 2000.0,
];

fn to_250(fs: f64, seconds: f64, wave: impl Fn(f64) -> f64) -> Vec<f64> {
    let x: Vec<f64> = (0..(fs * seconds) as usize).map(|n| wave(n as f64 / fs)).collect();
    resample(&x, Hertz(fs), Hertz(250.0)).expect("a legal rate")
}

/// What is left of `y` when the best fitting sine of `frequency` is taken away, and the amplitude of that sine.
pub(crate) fn without_tone(y: &[f64], frequency: f64) -> (Vec<f64>, f64) {
    let wave = |n: usize| (TAU * frequency * n as f64 / 250.0).sin_cos();
    let (mut ss, mut sc, mut cc, mut ys, mut yc) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (n, y) in y.iter().enumerate() {
        let (s, c) = wave(n);
        (ss, sc, cc, ys, yc) = (ss + s * s, sc + s * c, cc + c * c, ys + y * s, yc + y * c);
    }
    let det = ss * cc - sc * sc;
    let (a, b) = ((ys * cc - yc * sc) / det, (yc * ss - ys * sc) / det);
    let rest = y.iter().enumerate().map(|(n, y)| y - a * wave(n).0 - b * wave(n).1).collect();
    (rest, a.hypot(b))
}

/// The largest power of any half second, in decibel below a sine of amplitude 1.
pub(crate) fn loudest(y: &[f64]) -> f64 {
    y.windows(125).step_by(25).map(|window| decibel(power(window) / 0.5)).fold(f64::NEG_INFINITY, f64::max)
}

#[test]
fn a_tone_comes_out_as_itself_or_not_at_all() {
    println!("{:>10} | loudest that a tone leaves besides itself, and above 125 Hz; ripple to 40 Hz (dB)", "Hz");
    let mut short = Vec::new();
    for fs in RATES {
        let (mut beside, mut above, mut ripple) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0.0f64);
        for step in 0..60 {
            // Tones that fall on no grid of either rate, up to half of the source's rate.
            let frequency = 0.731 + f64::from(step) * (0.5 * fs - 1.0) / 60.0;
            let y = to_250(fs, 4.0, |t| (TAU * frequency * t).sin());
            let middle = &y[250..y.len() - 250];
            if frequency > 125.0 {
                above = above.max(loudest(middle));
            } else {
                beside = beside.max(loudest(&without_tone(middle, frequency).0));
            }
        }
        for step in 0..40 {
            let frequency = 0.7 + f64::from(step) * 39.3 / 39.0;
            let y = to_250(fs, 4.0, |t| (TAU * frequency * t).sin());
            let gain = without_tone(&y[250..y.len() - 250], frequency).1;
            ripple = ripple.max((20.0 * gain.log10()).abs());
        }
        println!("{fs:10.5} | {beside:7.1} {above:7.1} {ripple:7.4}");
        if beside > -60.0 || above > -60.0 || ripple > 0.02 {
            short.push(fs);
        }
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn a_sweep_from_half_of_the_paths_rate_to_half_of_the_sources_leaves_nothing() {
    for fs in RATES.into_iter().filter(|fs| *fs > 256.0) {
        let (low, high, seconds) = (125.0, 0.5 * fs, 20.0);
        let y = to_250(fs, seconds, |t| (TAU * (low * t + 0.5 * (high - low) * t * t / seconds)).sin());
        // The edges of the record are edges of the sweep.
        let level = loudest(&y[100..y.len() - 100]);
        println!("{fs:10.5} | {level:6.1} dB");
        assert!(level < -60.0, "{fs} Hz: {level:.1} dB");
    }
}

/// R of a heart that beats every `rr` seconds and is `late_s` late, in seconds.
fn r_peaks(fs: f64, rr: f64, late_s: f64) -> Vec<f64> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("a legal rate");
    let mut peaks = Vec::new();
    for n in 0..(60.0 * fs) as u64 {
        path.push(PathInput::of(heart(n as f64 / fs - late_s, rr)), &mut |beat| peaks.push(beat.r_peak / fs));
    }
    path.flush(&mut |beat| peaks.push(beat.r_peak / fs));
    peaks
}

#[test]
fn the_same_heart_has_the_same_beats_at_the_same_places_at_every_rate() {
    // Not a multiple of any sampling interval, so that R falls everywhere between samples.
    for rr in [0.313_7, 0.611_3, 0.873_1, 1.391_7] {
        // Where R lies in the middle of two samples at 250 Hz, its place jumps by 0.19 ms from the parabola round the one to
        // that round the other: what comes out of a heart 0.02 ms earlier or later is the same place, too.
        let references = [0.0, -2e-5, 2e-5].map(|late_s| {
            let peaks = r_peaks(250.0, rr, late_s).into_iter();
            peaks.map(|peak| peak - late_s).collect::<Vec<_>>()
        });
        for fs in RATES {
            let peaks = r_peaks(fs, rr, 0.0);
            let off = |reference: &Vec<f64>, n: usize| 1000.0 * (peaks[n] - reference[n]);
            assert!(references.iter().all(|reference| peaks.len() == reference.len()), "{fs} Hz, RR {rr} s");
            // From 250 Hz on nothing is estimated between samples, and the tie falls as it does at 250 Hz.
            let allowed = if fs < 250.0 { &references[..] } else { &references[..1] };
            let nearest = |n| allowed.iter().map(|r| off(r, n)).min_by(|a, b| a.abs().total_cmp(&b.abs()));
            let off: Vec<f64> = (0..peaks.len()).filter_map(nearest).collect();
            let largest = off.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            let rr_error = off.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
            println!("{fs:10.5} Hz, RR {rr} s | R {largest:5.3} ms from that at 250 Hz, RR {rr_error:5.3} ms");
            // Of a source of 100 Hz nothing above 40 Hz is left unchanged.
            let limit = if fs < 125.0 { 0.1 } else { 0.02 };
            assert!(largest < limit, "{fs} Hz, RR {rr} s: {largest} ms");
        }
    }
}
