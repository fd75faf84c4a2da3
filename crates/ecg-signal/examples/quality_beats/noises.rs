//! Noise without a heart, made and recorded. Must not know what a line of the table looks like.

use std::path::Path;

use ecg_data::stress::Disturbance;
use ecg_data::{Record, RecordError};
use ecg_signal::Mains;

use crate::table::{Row, beats, print};

/// Rate of everything that is made here, in hertz: that of the recorded noise.
const FS: f64 = 360.0;
/// Seconds of one stretch of noise.
const STRETCH_S: f64 = 120.0;

/// Electrode motion as recorded: what 118e12 has more than 118, in two of every four minutes from 5:00 on.
#[derive(Debug)]
pub(crate) struct ElectrodeMotion(Vec<Vec<f64>>);

impl ElectrodeMotion {
    /// Takes 118 off 118e12, in both signals.
    pub(crate) fn open(data: &Path) -> Result<Self, RecordError> {
        let clean = Record::open(&data.join("mitdb").join("118"))?;
        let noisy = Record::open(&data.join("nstdb").join("118e12"))?;
        let (first, period, length) = (300.0 * FS, 240.0 * FS, STRETCH_S * FS);
        let mut stretches = Vec::new();
        for (clean, noisy) in clean.signals.iter().zip(&noisy.signals) {
            let noise: Vec<f64> = noisy.samples.iter().zip(&clean.samples).map(|(a, b)| a - b).collect();
            let starts = (0..).map(|n| (first + f64::from(n) * period) as usize);
            stretches.extend(starts.map_while(|from| noise.get(from..from + length as usize)).map(<[f64]>::to_vec));
        }
        Ok(Self(stretches))
    }

    /// `n` samples, from a stretch on.
    pub(crate) fn samples(&self, stretch: usize, n: usize) -> Vec<f64> {
        self.0.iter().cycle().skip(stretch).flatten().copied().take(n).collect()
    }
}

/// Prints what is found in noise alone, and in noise between two stretches of `heart`.
pub(crate) fn alone(motion: &ElectrodeMotion, heart: &Record) {
    let n = (STRETCH_S * FS) as usize;
    for number in 0..motion.0.len() {
        stretch("recorded-motion", number, &motion.samples(number, n), heart);
    }
    for number in 0..20 {
        let seed = 1000 + number as u64;
        let made = |kind: Disturbance| kind.samples(FS, n, seed);
        stretch("motion", number, &made(Disturbance::ElectrodeMotion), heart);
        stretch("emg", number, &made(Disturbance::Emg), heart);
        stretch("white", number, &made(Disturbance::White), heart);
        stretch("mains", number, &made(Disturbance::Mains(48.0 + number as f64 * 0.6)), heart);
        stretch("brown", number, &brown(&made(Disturbance::White)), heart);
        stretch("touch", number, &touches(&made(Disturbance::White)), heart);
        stretch("bursts", number, &bursts(&made(Disturbance::Emg)), heart);
    }
}

fn brown(white: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let mut step = |x: &f64| {
        sum = 0.999 * sum + 0.05 * x;
        sum
    };
    white.iter().map(&mut step).collect()
}

/// An offset that jumps where the noise is extreme, noise that is loud one second in three.
fn touches(white: &[f64]) -> Vec<f64> {
    let mut offset = 0.0;
    let mut previous = 0.0;
    let mut touch = |(n, &x): (usize, &f64)| {
        if x > 2.9 {
            offset = 300.0 * previous;
        }
        previous = x;
        offset + if (n / FS as usize).is_multiple_of(3) { 1.5 } else { 0.03 } * x
    };
    white.iter().enumerate().map(&mut touch).collect()
}

/// Muscles that twitch, for a seventh of a second every now and then.
fn bursts(emg: &[f64]) -> Vec<f64> {
    let (mut left, mut wait) = (0.0, 0.0);
    let mut twitch = |x: &f64| {
        if wait <= 0.0 {
            left = 0.14 * FS;
            wait = FS * (0.5 + x.abs());
        }
        left -= 1.0;
        wait -= 1.0;
        if left > 0.0 { *x } else { 0.03 * x }
    };
    emg.iter().map(&mut twitch).collect()
}

/// Alone, and after 40 s of a heart in which its QRS is 2 mV tall: what lies a segment from the edge counts.
fn stretch(kind: &str, number: usize, noise: &[f64], heart: &Record) {
    let group = format!("{kind}{number}");
    let row = Row { kind, group: &group, right: false, symbol: '-', fs: FS };
    for beat in beats(noise, FS, Mains::Hz60) {
        print(&row, &beat);
    }
    let from = (40.0 * FS) as usize;
    let between = format!("{kind}-after");
    for size in [0.3, 1.0, 3.0] {
        let power = noise.iter().map(|x| x * x).sum::<f64>() / noise.len() as f64;
        let gain = size * 0.5 / power.sqrt().max(1e-9);
        let start = (number * 5000) % 300_000;
        let mixed: Vec<f64> = heart.signals[0].samples[start..start + from]
            .iter()
            .copied()
            .chain(noise.iter().map(|x| gain * x))
            .collect();
        for beat in beats(&mixed, FS, Mains::Hz60).iter().filter(|beat| beat.r_peak > from as f64 + 0.3 * FS) {
            print(&Row { kind: &between, ..row }, beat);
        }
    }
}
