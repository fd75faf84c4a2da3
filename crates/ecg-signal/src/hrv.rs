//! Time-domain heart-rate variability over a sliding window.
//!
//! Definitions of the Task Force 1996 (European Heart Journal 17:354): SDNN with n − 1, RMSSD over true successive
//! differences, pNN50 in per cent *of the differences*; mean heart rate is the mean of 60 000/RR. Everything is
//! computed anew from the intervals in the window when it is asked for, so nothing drifts. Must not know about samples
//! or quality.

use std::collections::VecDeque;
use std::fmt;

use crate::rr::{RR_RANGE_MS, RrInterval, RrSeries};

/// Clean time below which a mean heart rate is not given (BioSPPy's gate).
pub const MEAN_HR_NEEDS_S: f64 = 10.0;
/// Clean time below which RMSSD is not given: usable from 30 s, 60 s preferred (BioSPPy gives it from 10 s).
pub const RMSSD_NEEDS_S: f64 = 30.0;
/// Clean time below which pNN50 is not given (60 to 100 beats are adequate: Chou 2021; BioSPPy gives it from 20 s).
pub const PNN50_NEEDS_S: f64 = 60.0;
/// Clean time below which SDNN is not given: a short-term label at 60 s; the standard is 5 min (Task Force 1996).
pub const SDNN_NEEDS_S: f64 = 60.0;

/// Why a figure is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TooLittle {
    /// Sum of the intervals in the window, in seconds.
    pub clean_s: f64,
    /// What the figure needs, in seconds.
    pub needed_s: f64,
}

impl fmt::Display for TooLittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} s of clean intervals, {:.0} s needed", self.clean_s, self.needed_s)
    }
}

/// A figure, or why there is none.
pub type Figure = Result<f64, TooLittle>;

/// The figures of one window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hrv {
    /// Intervals in the window.
    pub intervals: usize,
    /// Their sum in seconds.
    pub clean_s: f64,
    /// Mean of 60 000/RR, beats a minute.
    pub mean_hr_bpm: Figure,
    /// Mean interval in milliseconds.
    pub mean_nn_ms: Figure,
    /// Standard deviation of the intervals (n − 1) in milliseconds.
    pub sdnn_ms: Figure,
    /// Root mean square of successive differences in milliseconds.
    pub rmssd_ms: Figure,
    /// Share of successive differences above 50 ms, in per cent of the differences.
    pub pnn50_percent: Figure,
}

impl Hrv {
    /// The figures of `intervals`, without regard to their age.
    pub fn of<'a>(intervals: impl Iterator<Item = &'a RrInterval> + Clone) -> Self {
        let (mut count, mut sum, mut rate) = (0usize, 0.0, 0.0);
        let (mut differences, mut squares, mut above) = (0usize, 0.0, 0usize);
        let mut before: Option<f64> = None;
        for interval in intervals.clone() {
            count += 1;
            sum += interval.rr_ms;
            rate += 60_000.0 / interval.rr_ms;
            if let (Some(before), true) = (before, interval.follows) {
                let difference = interval.rr_ms - before;
                differences += 1;
                squares += difference * difference;
                above += usize::from(difference.abs() > 50.0);
            }
            before = Some(interval.rr_ms);
        }
        let n = count as f64;
        let mean = sum / n;
        let deviation: f64 = intervals.map(|interval| (interval.rr_ms - mean).powi(2)).sum();
        let clean_s = sum / 1000.0;
        let figure = |value: f64, needed_s: f64, terms: usize| {
            if clean_s >= needed_s && terms > 0 { Ok(value) } else { Err(TooLittle { clean_s, needed_s }) }
        };
        Self {
            intervals: count,
            clean_s,
            mean_hr_bpm: figure(rate / n, MEAN_HR_NEEDS_S, count),
            mean_nn_ms: figure(mean, MEAN_HR_NEEDS_S, count),
            sdnn_ms: figure((deviation / (n - 1.0)).sqrt(), SDNN_NEEDS_S, count.saturating_sub(1)),
            rmssd_ms: figure((squares / differences as f64).sqrt(), RMSSD_NEEDS_S, differences),
            pnn50_percent: figure(100.0 * above as f64 / differences as f64, PNN50_NEEDS_S, differences),
        }
    }
}

/// A sliding window of intervals.
#[derive(Clone, Debug)]
pub struct HrvWindow {
    window_s: f64,
    series: RrSeries,
    intervals: VecDeque<RrInterval>,
    most: usize,
}

impl HrvWindow {
    /// An empty window of `window_s` seconds (1 s to a day). Its memory is bounded by the shortest interval.
    pub fn new(window_s: f64) -> Self {
        let window_s = if window_s.is_finite() { window_s.clamp(1.0, 86_400.0) } else { 300.0 };
        let most = (window_s * 1000.0 / RR_RANGE_MS.0) as usize + 2;
        Self { window_s, series: RrSeries::new(), intervals: VecDeque::new(), most }
    }

    /// Takes the next beat: R in seconds since the start of the stream, and whether the quality gate accepted it.
    pub fn push(&mut self, r_peak_s: f64, accepted: bool) {
        if let Some(interval) = self.series.push(r_peak_s, accepted) {
            self.push_interval(interval);
        }
    }

    /// Takes an interval from elsewhere.
    pub fn push_interval(&mut self, interval: RrInterval) {
        if self.intervals.len() == self.most {
            self.intervals.pop_front();
        }
        self.intervals.push_back(interval);
        while self.intervals.front().is_some_and(|oldest| oldest.end_s <= interval.end_s - self.window_s) {
            self.intervals.pop_front();
        }
    }

    /// A gap or a lost contact: no interval and no difference reaches across it.
    pub fn interrupt(&mut self) {
        self.series.interrupt();
    }

    /// The figures of the `window_s` seconds before `now_s`.
    pub fn summary(&self, now_s: f64) -> Hrv {
        let begin = now_s - self.window_s;
        Hrv::of(self.intervals.iter().filter(|interval| interval.end_s > begin))
    }

    /// Length of the window in seconds.
    pub fn window_s(&self) -> f64 {
        self.window_s
    }

    /// Forgets all beats.
    pub fn reset(&mut self) {
        self.series.interrupt();
        self.intervals.clear();
    }
}
