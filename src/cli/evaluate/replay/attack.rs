//! Earlier signal as it comes back: what a player, its amplifier and its clock make of it.
//!
//! It knows nothing of how a replay is recognised.

use ecg_signal::{Hertz, PathInput};
use ecg_wire::Format;

use crate::recording::{BoardError, Stream, through_board};

/// One way of playing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attack {
    /// A stretch of the history, once.
    Replay(Change),
    /// A stretch that was never heard before, again and again; its length in seconds, and noise in decibels.
    Loop(f64, Option<f64>),
    /// One beat of the person at an unchanging rate; its noise in decibels.
    Metronome(Option<f64>),
}

/// What happens to a stretch on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    pub(super) name: &'static str,
    /// Samples of the player later than those of the recording.
    phase: f64,
    gain: f64,
    offset_mv: f64,
    /// The player's clock is fast by so many parts in a million.
    fast_ppm: f64,
    noise_db: Option<f64>,
    /// A low-pass of the first order, hertz.
    low_pass_hz: Option<f64>,
    board: bool,
}

/// Exactly as it was.
const EXACT: Change = Change {
    name: "exact",
    phase: 0.0,
    gain: 1.0,
    offset_mv: 0.0,
    fast_ppm: 0.0,
    noise_db: None,
    low_pass_hz: None,
    board: false,
};

/// Replays that are measured, from nothing changed to everything at once.
const CHANGES: [Change; 12] = [
    EXACT,
    Change { name: "phase 0.37", phase: 0.37, ..EXACT },
    Change { name: "gain 0.5, +0.3 mV", gain: 0.5, offset_mv: 0.3, ..EXACT },
    Change { name: "gain 2", gain: 2.0, ..EXACT },
    Change { name: "clock +100 ppm", fast_ppm: 100.0, ..EXACT },
    Change { name: "clock -100 ppm", fast_ppm: -100.0, ..EXACT },
    Change { name: "low-pass 30 Hz", low_pass_hz: Some(30.0), ..EXACT },
    Change { name: "noise 20 dB", noise_db: Some(20.0), ..EXACT },
    Change { name: "noise 10 dB", noise_db: Some(10.0), ..EXACT },
    Change { name: "through a board", phase: 0.5, board: true, ..EXACT },
    Change {
        name: "all, 20 dB",
        phase: 0.37,
        gain: 0.7,
        offset_mv: -0.2,
        fast_ppm: 100.0,
        noise_db: Some(20.0),
        low_pass_hz: Some(30.0),
        board: true,
    },
    Change {
        name: "all, 10 dB",
        phase: 0.37,
        gain: 0.7,
        offset_mv: -0.2,
        fast_ppm: -100.0,
        noise_db: Some(10.0),
        low_pass_hz: Some(30.0),
        board: true,
    },
];

/// Lengths of loops, seconds.
const LOOPS_S: [f64; 5] = [3.0, 5.0, 10.0, 20.0, 60.0];
/// Rate of the metronome.
const METRONOME_PER_S: f64 = 1.25;

impl Attack {
    /// All that are measured.
    pub(super) fn all() -> Vec<Self> {
        let replays = CHANGES.into_iter().map(Self::Replay);
        let loops = LOOPS_S.into_iter().flat_map(|period_s| [None, Some(20.0)].map(|db| Self::Loop(period_s, db)));
        let metronomes = [None, Some(20.0)].map(Self::Metronome);
        replays.chain(loops).chain(metronomes).collect()
    }

    /// What it is called.
    pub(super) fn name(self) -> String {
        let noisy = |db: Option<f64>| db.map_or_else(String::new, |db| format!(", noise {db} dB"));
        match self {
            Self::Replay(change) => format!("replay: {}", change.name),
            Self::Loop(period_s, db) => format!("loop of {period_s} s{}", noisy(db)),
            Self::Metronome(db) => format!("metronome{}", noisy(db)),
        }
    }

    /// Seconds of the recording that it needs for `seconds` of replay.
    pub(super) fn needs_s(self, seconds: f64) -> f64 {
        match self {
            // A little more, for clocks and phases.
            Self::Replay(_) => seconds + 0.1,
            Self::Loop(period_s, _) => period_s,
            Self::Metronome(_) => 5.0,
        }
    }

    /// Seconds of it that are news: what comes after them is repeated.
    pub(super) fn news_s(self) -> f64 {
        if let Self::Loop(period_s, _) = self { period_s } else { 0.0 }
    }

    /// The signal from sample `from` of a recording on as it is played: `seconds` after what is news in it. `r` is where
    /// R of a beat lies in it.
    ///
    /// # Errors
    /// As [`through_board`].
    pub(super) fn play(
        self,
        stream: &Stream,
        from: usize,
        r: f64,
        seconds: f64,
        seed: u64,
    ) -> Result<Stream, BoardError> {
        let fs = stream.fs.0;
        let x: Vec<f64> = stream.samples.iter().map(|sample| sample.millivolts).collect();
        let length = |seconds: f64| (seconds * fs) as usize;
        let (mut played, change) = match self {
            Self::Replay(change) => {
                let step = 1.0 + change.fast_ppm * 1e-6;
                let at = |n: usize| from as f64 + change.phase + n as f64 * step;
                ((0..length(seconds)).map(|n| value(&x, at(n))).collect(), change)
            }
            Self::Loop(period_s, noise_db) => {
                let turn = length(period_s).max(1);
                let played = (0..length(period_s + seconds)).map(|n| x[(from + n % turn).min(x.len() - 1)]).collect();
                (played, Change { noise_db, ..EXACT })
            }
            Self::Metronome(noise_db) => (metronome(&x, r, fs, seconds), Change { noise_db, ..EXACT }),
        };
        played.iter_mut().for_each(|x: &mut f64| *x = *x * change.gain + change.offset_mv);
        if let Some(hertz) = change.low_pass_hz {
            low_pass(&mut played, hertz / fs);
        }
        if let Some(db) = change.noise_db {
            add_noise(&mut played, db, seed);
        }
        let samples = played.into_iter().map(PathInput::of).collect();
        let played = Stream { format: stream.format.clone(), fs: Hertz(fs), samples, respiration: None };
        if change.board { through_board(&played, Format::CwxsBin, None) } else { Ok(played) }
    }
}

/// The beat at `r` at an unchanging rate; between the beats a straight line.
fn metronome(x: &[f64], r: f64, fs: f64, seconds: f64) -> Vec<f64> {
    let period = (fs / METRONOME_PER_S).round() as usize;
    let beat = (0.7 * fs) as usize;
    let first = r - 0.25 * fs;
    let (begin, end) = (value(x, first), value(x, first + beat as f64));
    let sample = |n: usize| {
        let at = n % period;
        if at < beat {
            return value(x, first + at as f64);
        }
        end + (begin - end) * (at - beat) as f64 / (period - beat) as f64
    };
    (0..(seconds * fs) as usize).map(sample).collect()
}

/// Samples on each side that a value between samples is made of.
const REACH: i64 = 16;

/// The value between samples, by a sine cardinal under a raised cosine. Outside the ends stand.
fn value(x: &[f64], at: f64) -> f64 {
    let held = |n: i64| x[n.clamp(0, x.len() as i64 - 1) as usize];
    let (whole, part) = (at.floor() as i64, at - at.floor());
    if part < 1e-9 {
        return held(whole);
    }
    let weight = |k: i64| {
        let d = std::f64::consts::PI * (k as f64 - part);
        (0.5 + 0.5 * (d / (REACH + 1) as f64).cos()) * d.sin() / d
    };
    (1 - REACH..=REACH).map(|k| weight(k) * held(whole + k)).sum()
}

/// y ← y + a (x − y), a = 1 − exp(−2π f)
fn low_pass(x: &mut [f64], per_sample: f64) {
    let share = 1.0 - (-std::f64::consts::TAU * per_sample).exp();
    let mut held = x.first().copied().unwrap_or_default();
    for sample in x {
        held += share * (*sample - held);
        *sample = held;
    }
}

/// White noise, so many decibels below the variance of the signal.
fn add_noise(x: &mut [f64], db: f64, seed: u64) {
    let count = x.len().max(1) as f64;
    let mean = x.iter().sum::<f64>() / count;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    let deviation = (variance * 10f64.powf(-db / 10.0)).sqrt();
    let mut random = fastrand::Rng::with_seed(seed);
    for sample in x {
        // Box and Muller; 1 − u lies in (0, 1].
        let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
        *sample += deviation * radius * (std::f64::consts::TAU * random.f64()).cos();
    }
}
