//! The running summary of 24 hours: SDANN, SDNN index and the means of each hour.
//!
//! Stretches of five minutes, cut at multiples of five minutes of the stream's time, are reduced to a mean and a standard
//! deviation when they end; the last 288 are kept. Memory: 14 kB, and the intervals of the present stretch, 58 kB at most.
//! Must not know where intervals come from.

use std::collections::VecDeque;

use super::correction::{Corrected, NnInterval};
use super::figure::{Figure, MOST_CORRECTED_PERCENT, Withheld};
use super::rhythm::irregular_percent;
use super::series::{NnSeries, moments};

/// Length of a stretch in seconds (Task Force 1996).
pub const STRETCH_S: f64 = 300.0;
/// Hours of a day.
pub const HOURS: usize = 24;
const STRETCHES_AN_HOUR: i64 = 12;
const STRETCHES: usize = HOURS * STRETCHES_AN_HOUR as usize;
/// Clean time that SDANN and the SDNN index need: 18 of the 24 hours (Task Force 1996).
pub const DAY_NEEDS_S: f64 = 18.0 * 3600.0;
/// Clean time that a stretch and an hour need to count, as a share of their length.
const LEAST_SHARE: f64 = 0.5;
/// Intervals of a stretch: none is shorter than 125 ms, half of the shortest RR.
const MOST: usize = 2400;

/// A stretch that has ended.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// Its number: it begins at so many times five minutes.
    number: i64,
    intervals: usize,
    clean_s: f64,
    rates: f64,
    sdnn_ms: f64,
    /// Its variability is believed.
    believed: bool,
}

/// The means of one hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourMeans {
    /// When the hour begins, in seconds since the start of the stream.
    pub begin_s: f64,
    /// Sum of its intervals in seconds.
    pub clean_s: f64,
    /// Mean heart rate, beats a minute; half an hour of clean intervals is needed.
    pub mean_hr_bpm: Figure,
    /// Mean interval in milliseconds; likewise.
    pub mean_nn_ms: Figure,
}

/// The summary of the last 24 hours.
#[derive(Clone, Debug, PartialEq)]
pub struct DaySummary {
    /// Sum of the intervals in seconds.
    pub clean_s: f64,
    /// Stretches of five minutes that SDANN and the SDNN index rest on: at least half clean, 5 % corrected at most, the
    /// rhythm regular.
    pub stretches: usize,
    /// Standard deviation (n − 1) of the means of the stretches, ms.
    pub sdann_ms: Figure,
    /// Mean of the standard deviations (n − 1) of the stretches, ms.
    pub sdnn_index_ms: Figure,
    /// Hours with an interval, the oldest first; 25 at most, the first and the last of them in part.
    pub hours: Vec<HourMeans>,
}

/// Takes intervals of a day and more.
#[derive(Clone, Debug, Default)]
pub struct HrvDay {
    screened: bool,
    stretches: VecDeque<Stretch>,
    number: i64,
    present: Vec<NnInterval>,
}

impl HrvDay {
    /// An empty day; intervals are NN already.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty day that leaves out stretches with too many corrections or an irregular rhythm.
    pub fn screened() -> Self {
        Self { screened: true, ..Self::default() }
    }

    /// Takes the next interval.
    pub fn push(&mut self, nn: NnInterval) {
        let number = number(nn.end_s);
        if number != self.number {
            self.stretches.extend(self.stretch());
            while self.stretches.len() > STRETCHES {
                self.stretches.pop_front();
            }
            self.present.clear();
            self.number = number;
        }
        if self.present.len() < MOST {
            self.present.push(nn);
        }
    }

    /// What the present stretch would be if it ended here.
    fn stretch(&self) -> Option<Stretch> {
        let series = NnSeries::of_nn(&self.present);
        let (_, variance) = moments(series.nn_ms().iter().copied())?;
        let corrected = 100.0 * Corrected::of(&self.present).total() as f64 / series.len() as f64;
        let regular = || irregular_percent(&series).is_none_or(|percent| percent == 0.0);
        let clean_s = series.clean_s();
        let enough = clean_s >= LEAST_SHARE * STRETCH_S && variance.is_some();
        Some(Stretch {
            number: self.number,
            intervals: series.len(),
            clean_s,
            rates: series.nn_ms().iter().map(|nn| 60_000.0 / nn).sum(),
            sdnn_ms: variance.unwrap_or(0.0).sqrt(),
            believed: enough && (!self.screened || (corrected <= MOST_CORRECTED_PERCENT && regular())),
        })
    }

    /// The summary of the 24 hours before `now_s`, the present stretch included.
    pub fn summary(&self, now_s: f64) -> DaySummary {
        let oldest = number(now_s) - STRETCHES as i64;
        let stretches: Vec<Stretch> =
            self.stretches.iter().copied().chain(self.stretch()).filter(|stretch| stretch.number > oldest).collect();
        let clean_s = clean(stretches.iter());
        let believed = || stretches.iter().filter(|stretch| stretch.believed);
        let believed_s = clean(believed());
        let needed_s = DAY_NEEDS_S;
        let enough =
            if believed_s >= needed_s { Ok(()) } else { Err(Withheld::TooLittle { clean_s: believed_s, needed_s }) };
        let means = moments(believed().map(Stretch::mean_nn_ms));
        let deviations = moments(believed().map(|stretch| stretch.sdnn_ms));
        DaySummary {
            clean_s,
            stretches: believed().count(),
            sdann_ms: enough.and_then(|()| means.and_then(|(_, v)| v).map(f64::sqrt).ok_or(Withheld::Undefined)),
            sdnn_index_ms: enough.and_then(|()| deviations.map(|(mean, _)| mean).ok_or(Withheld::Undefined)),
            hours: stretches.chunk_by(|a, b| a.hour() == b.hour()).map(hour).collect(),
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.stretches.clear();
        self.present.clear();
    }
}

impl Stretch {
    fn mean_nn_ms(&self) -> f64 {
        1000.0 * self.clean_s / self.intervals as f64
    }

    fn hour(&self) -> i64 {
        self.number.div_euclid(STRETCHES_AN_HOUR)
    }
}

fn number(end_s: f64) -> i64 {
    (end_s / STRETCH_S).floor() as i64
}

/// Seconds of clean intervals; 0 of none, where the sum of no numbers is -0.
fn clean<'a>(stretches: impl Iterator<Item = &'a Stretch>) -> f64 {
    stretches.fold(0.0, |sum, stretch| sum + stretch.clean_s)
}

fn hour(stretches: &[Stretch]) -> HourMeans {
    let clean_s = clean(stretches.iter());
    let intervals: usize = stretches.iter().map(|stretch| stretch.intervals).sum();
    let rates: f64 = stretches.iter().map(|stretch| stretch.rates).sum();
    let needed_s = LEAST_SHARE * 3600.0;
    let given =
        |value: f64| if clean_s >= needed_s { Ok(value) } else { Err(Withheld::TooLittle { clean_s, needed_s }) };
    HourMeans {
        begin_s: stretches[0].hour() as f64 * 3600.0,
        clean_s,
        mean_hr_bpm: given(rates / intervals as f64),
        mean_nn_ms: given(1000.0 * clean_s / intervals as f64),
    }
}
