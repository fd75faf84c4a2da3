//! Hearts of every kind through the whole path: slow, fast, irregular, paced, and beats of two shapes.
//!
//! Each row: no number is a NaN, and no fewer of the true beats are found, and no more invented, than the row allows.

use std::f64::consts::TAU;

use crate::stream::{SECONDS, Stream};
use crate::wave::Noise;

/// A beat is found within this of its place: one that is found on a spike or a P wave is not.
const MATCH_S: f64 = 0.02;

/// One beat.
#[derive(Clone, Copy)]
struct Pulse {
    at_s: f64,
    /// Time since the beat before: P and T move with it.
    rr_s: f64,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Sinus,
    /// As sinus, without P.
    NoP,
    /// Ventricular: wide, tall, T the other way.
    Ventricular,
    /// A bundle branch block: as wide, with P.
    Block,
}

impl Pulse {
    fn waves(self) -> Vec<(f64, f64, f64)> {
        let stretch = self.rr_s.clamp(0.25, 1.2).sqrt();
        if self.kind == Kind::Ventricular {
            return vec![(1.6, 0.0, 0.026), (-0.5, 0.075, 0.03), (-0.4, 0.30 * stretch, 0.055 * stretch)];
        }
        if self.kind == Kind::Block {
            return vec![
                (0.1, -(0.18f64.min(0.45 * self.rr_s)), 0.022),
                (1.0, 0.0, 0.022),
                (0.7, 0.055, 0.022),
                (-0.35, 0.33 * stretch, 0.06 * stretch),
            ];
        }
        let p = if self.kind == Kind::Sinus { 0.12 } else { 0.0 };
        // At 220 a minute P lies on the T wave before it.
        let before = -(0.17f64.min(0.45 * self.rr_s));
        let qrs = [(-0.10, -0.027, 0.008), (1.2, 0.0, 0.010), (-0.22, 0.028, 0.009)];
        let mut waves = vec![(p, before, 0.022), (0.28, 0.26 * stretch, 0.045 * stretch)];
        waves.extend(qrs);
        waves
    }
}

/// Beats from the intervals that `next` gives (index of the beat, time), until the end.
fn rhythm(mut next: impl FnMut(usize, f64) -> (f64, Kind)) -> Vec<Pulse> {
    let (mut at_s, mut pulses) = (0.0, Vec::new());
    loop {
        let (rr_s, kind) = next(pulses.len(), at_s);
        at_s += rr_s;
        if at_s > SECONDS - 0.6 {
            return pulses;
        }
        pulses.push(Pulse { at_s, rr_s, kind });
    }
}

/// The beats at `fs`, with wander and a little noise.
fn rendered(pulses: &[Pulse], fs: f64) -> Stream {
    let mut noise = Noise::new(8);
    let mut x: Vec<f64> = (0..(SECONDS * fs) as usize)
        .map(|n| 0.1 * (TAU * 0.25 * n as f64 / fs).sin() + 0.01 * noise.normal())
        .collect();
    for pulse in pulses {
        for (height, at, width) in pulse.waves() {
            let centre = pulse.at_s + at;
            let first = ((centre - 6.0 * width).max(0.0) * fs) as usize;
            let last = (((centre + 6.0 * width) * fs) as usize).min(x.len());
            for (n, sample) in x.iter_mut().enumerate().take(last).skip(first) {
                *sample += height * (-0.5 * ((n as f64 / fs - centre) / width).powi(2)).exp();
            }
        }
    }
    Stream::of(fs, x, pulses.iter().map(|pulse| pulse.at_s * fs).collect())
}

/// A row that falls short is given as text.
fn row(name: &str, stream: &Stream, sensitivity: f64, invented: usize) -> Option<String> {
    let passage = stream.run();
    let whole = 0.0..SECONDS;
    let tally = passage.tally(stream, &whole, MATCH_S);
    let accepted = passage.beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
    println!(
        "{name:44} {:5.0} | {:4} beats {:6.2} % found, {:3} invented, R up to {:4.1} ms off, {:5.1} % accepted",
        stream.fs,
        tally.marked,
        tally.sensitivity(),
        tally.invented,
        1000.0 * passage.off_s(stream, MATCH_S),
        100.0 * accepted as f64 / passage.beats.len().max(1) as f64
    );
    (tally.sensitivity() < sensitivity || tally.invented > invented).then(|| format!("{name} at {} Hz", stream.fs))
}

fn rows(name: &str, pulses: &[Pulse], sensitivity: f64, invented: usize) -> Vec<String> {
    [125.0, 250.0, 500.0].iter().filter_map(|&fs| row(name, &rendered(pulses, fs), sensitivity, invented)).collect()
}

#[test]
fn heart_rates_from_30_to_220_are_counted_beat_by_beat() {
    let mut short = Vec::new();
    for rate in [30.0, 35.0, 40.0, 60.0, 90.0, 120.0, 150.0, 180.0, 200.0, 220.0] {
        let rr = 60.0 / rate;
        let pulses = rhythm(|n, _| (rr * (1.0 + 0.02 * (n as f64).sin()), Kind::Sinus));
        short.extend(rows(&format!("{rate} a minute"), &pulses, 100.0, 0));
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn wide_beats_are_counted_however_fast_they_come() {
    let mut short = Vec::new();
    // At 180 a minute little but the shape tells them from flutter.
    for (rate, least) in [(60.0, 100.0), (90.0, 100.0), (120.0, 100.0), (140.0, 100.0), (160.0, 99.0), (180.0, 80.0)] {
        let rr = 60.0 / rate;
        let pulses = rhythm(|n, _| (rr * (1.0 + 0.02 * (n as f64).sin()), Kind::Block));
        short.extend(rows(&format!("bundle branch block, {rate} a minute"), &pulses, least, 0));
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn a_heart_under_rhythmic_movement_is_counted() {
    let mut short = Vec::new();
    let pulses = rhythm(|n, _| (0.86 * (1.0 + 0.03 * (n as f64).sin()), Kind::Sinus));
    for (hz, height) in [(0.7, 8.0), (1.0, 5.0), (1.2, 3.0), (1.5, 1.0)] {
        for fs in [125.0, 250.0, 500.0] {
            let stream = rendered(&pulses, fs).change(0.0..SECONDS, |t, x| x + height * (TAU * hz * t).sin());
            short.extend(row(&format!("a movement of {height} mV, {hz} times a second"), &stream, 98.0, 1));
        }
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn a_heart_that_jumps_between_rates_is_followed_at_once() {
    let mut short = Vec::new();
    for (slow, fast) in [(60.0, 180.0), (60.0, 120.0), (40.0, 150.0), (80.0, 220.0), (30.0, 220.0)] {
        let rate = |t: f64| if (20.0..40.0).contains(&t) { fast } else { slow };
        let pulses = rhythm(|_, t| (60.0 / rate(t), Kind::Sinus));
        short.extend(rows(&format!("{slow} to {fast} and back"), &pulses, 100.0, 0));
    }
    let ramp = rhythm(|_, t| (60.0 / (40.0 + 180.0 * (t / SECONDS)), Kind::Sinus));
    short.extend(rows("40 to 220 in a minute", &ramp, 100.0, 0));
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn atrial_fibrillation_is_counted_beat_by_beat() {
    let mut short = Vec::new();
    for (rate, f_wave) in [(70.0, 0.05), (110.0, 0.1), (160.0, 0.1), (110.0, 0.2)] {
        let mut random = Noise::new(21);
        let pulses = rhythm(|_, _| ((60.0 / rate * (1.0 + 0.25 * random.normal())).max(0.27), Kind::NoP));
        for fs in [125.0, 250.0, 500.0] {
            // Fine waves of 6 Hz that wander in rate and size.
            let fine = |t: f64| f_wave * (TAU * 6.0 * t + 2.0 * (0.9 * t).sin()).sin() * (1.0 + 0.4 * (1.7 * t).sin());
            let stream = rendered(&pulses, fs).change(0.0..SECONDS, |t, x| x + fine(t));
            short.extend(row(&format!("fibrillation, {rate} a minute, f {f_wave} mV"), &stream, 99.0, 1));
        }
    }
    assert!(short.is_empty(), "{short:?}");
}

#[test]
fn ectopic_beats_and_pauses_are_counted() {
    let mut short = Vec::new();
    let bigeminy = rhythm(|n, _| if n % 2 == 1 { (0.45, Kind::Ventricular) } else { (1.1, Kind::Sinus) });
    short.extend(rows("bigeminy", &bigeminy, 100.0, 0));
    let trigeminy = rhythm(|n, _| match n % 3 {
        1 => (0.5, Kind::Ventricular),
        2 => (1.2, Kind::Sinus),
        _ => (0.8, Kind::Sinus),
    });
    short.extend(rows("trigeminy", &trigeminy, 100.0, 0));
    let run = rhythm(|n, _| if (20..32).contains(&n) { (0.36, Kind::Ventricular) } else { (0.8, Kind::Sinus) });
    // Wide and fast, they are flutter to the detector from the sixth on.
    short.extend(rows("twelve ventricular beats in a row", &run, 93.0, 0));
    for pause in [3.0, 4.0, 6.0] {
        let pauses = rhythm(|n, _| (if n % 15 == 14 { pause } else { 0.8 }, Kind::Sinus));
        short.extend(rows(&format!("pauses of {pause} s"), &pauses, 100.0, 0));
    }
    assert!(short.is_empty(), "{short:?}");
}

/// Spikes of 2 ms before each QRS, as the converter's sinc filter of the third order leaves them: spread over up to three
/// samples.
fn paced(pulses: &[Pulse], fs: f64, spike_mv: f64, tail_mv: f64) -> Stream {
    let mut stream = rendered(pulses, fs);
    let fine = 32;
    for pulse in pulses {
        let spike = pulse.at_s - 0.12..pulse.at_s - 0.118;
        let first = ((spike.start * fs) as usize).saturating_sub(1);
        for n in first..(first + (0.004 * fs) as usize + 5).min(stream.samples.len()) {
            // Mean over ± 1.5 samples with the weights of three running means of one sample.
            let mut sum = 0.0;
            for k in 0..3 * fine {
                let offset = (f64::from(k) + 0.5) / f64::from(fine) - 1.5;
                let weight =
                    if offset.abs() < 0.5 { 0.75 - offset * offset } else { 0.5 * (1.5 - offset.abs()).powi(2) };
                let inside = spike.contains(&((n as f64 + offset) / fs));
                sum += if inside { weight / f64::from(fine) } else { 0.0 };
            }
            stream.samples[n].millivolts += spike_mv * sum;
        }
        // What the electrode keeps of the pulse leaks away.
        let (from, to) = (stream.at(spike.end), stream.at(spike.end + 0.3));
        for n in from..to {
            stream.samples[n].millivolts -= tail_mv * (-(n as f64 / fs - spike.end) / 0.05).exp();
        }
    }
    stream
}

#[test]
fn pacemaker_spikes_are_no_beats_and_hide_none() {
    let mut short = Vec::new();
    let pulses = rhythm(|_, _| (60.0 / 71.7, Kind::NoP));
    for fs in [250.0, 360.0, 500.0, 2000.0] {
        for spike in [2.0, -8.0, 20.0, -50.0, 100.0, -300.0, 700.0] {
            let name = format!("spikes of {spike} mV");
            short.extend(row(&name, &paced(&pulses, fs, spike, 0.0), 100.0, 0));
        }
        // Spread over the samples these are no steeper than a QRS, but sudden.
        for spike in 3..=20 {
            for spike in [f64::from(spike), -f64::from(spike)] {
                let name = format!("spikes of {spike} mV");
                // At 11 mV and 250 Hz the samples may fall so that both halves of the way up are no steeper than a beat.
                short.extend(row(&name, &paced(&pulses, fs, spike, 0.0), 92.0, 5));
            }
        }
        // The tail is as tall as R.
        short.extend(row("spikes of 100 mV with a tail of 1 mV", &paced(&pulses, fs, 100.0, 1.0), 97.0, 2));
    }
    assert!(short.is_empty(), "{short:?}");
}

/// Two samples of a slow board are all that is left of a spike.
#[test]
fn a_slow_board_tells_spikes_from_beats_too() {
    let mut short = Vec::new();
    let pulses = rhythm(|_, _| (60.0 / 71.7, Kind::NoP));
    // Taller ones are jumps, whose foot is as steep as a QRS: what is left of it is low, but wider than two samples.
    for (fs, tallest) in [(125.0, 25), (128.0, 25), (160.0, 18), (200.0, 50)] {
        for spike in 3..=tallest {
            for spike in [f64::from(spike), -f64::from(spike)] {
                let name = format!("spikes of {spike} mV");
                short.extend(row(&name, &paced(&pulses, fs, spike, 0.0), 92.0, 5));
            }
        }
    }
    assert!(short.is_empty(), "{short:?}");
}
