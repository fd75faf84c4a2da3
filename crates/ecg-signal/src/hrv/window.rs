//! A sliding window of intervals, live. Must not know how often it is asked.

use std::collections::VecDeque;

use super::correction::{Causal, Correction, NnInterval};
use super::day::{DaySummary, HrvDay};
use super::series::NnSeries;
use super::summary::{Analyser, Hrv};
use crate::rr::{RR_RANGE_MS, RrInterval, RrSeries};

/// A sliding window of intervals, and the running day behind it.
#[derive(Clone, Debug)]
pub struct HrvWindow {
    window_s: f64,
    series: RrSeries,
    corrector: Option<Causal>,
    intervals: VecDeque<NnInterval>,
    most: usize,
    analyser: Analyser,
    day: HrvDay,
}

impl HrvWindow {
    /// An empty window of `window_s` seconds (1 s to a day) that takes intervals for NN as they are. Its memory is
    /// bounded by the shortest interval: 24 bytes for each of 4 a second, 29 kB for five minutes.
    pub fn new(window_s: f64) -> Self {
        let window_s = if window_s.is_finite() { window_s.clamp(1.0, 86_400.0) } else { 300.0 };
        let most = (window_s * 1000.0 / RR_RANGE_MS.0) as usize + 2;
        Self {
            window_s,
            series: RrSeries::new(),
            corrector: None,
            intervals: VecDeque::new(),
            most,
            analyser: Analyser::new(),
            day: HrvDay::new(),
        }
    }

    /// A window that corrects intervals as they come ([`Causal`]) and withholds what cannot be trusted.
    pub fn corrected(window_s: f64) -> Self {
        Self { corrector: Some(Causal::new()), day: HrvDay::screened(), ..Self::new(window_s) }
    }

    /// Takes the next beat: R in seconds since the start of the stream, and whether the quality gate accepted it.
    pub fn push(&mut self, r_peak_s: f64, accepted: bool) {
        if let Some(interval) = self.series.push(r_peak_s, accepted) {
            self.push_interval(interval);
        }
    }

    /// Takes an interval from elsewhere.
    pub fn push_interval(&mut self, interval: RrInterval) {
        let Some(mut corrector) = self.corrector.take() else {
            self.keep((&interval).into());
            return;
        };
        corrector.push(&interval, &mut |nn| self.keep(nn));
        self.corrector = Some(corrector);
    }

    fn keep(&mut self, nn: NnInterval) {
        if self.intervals.len() == self.most {
            self.intervals.pop_front();
        }
        self.intervals.push_back(nn);
        while self.intervals.front().is_some_and(|oldest| oldest.end_s <= nn.end_s - self.window_s) {
            self.intervals.pop_front();
        }
        self.day.push(nn);
    }

    /// A gap or a lost contact: no interval and no difference reaches across it.
    pub fn interrupt(&mut self) {
        self.series.interrupt();
    }

    /// The figures of the `window_s` seconds before `now_s`. The last three intervals, on which the corrector has not yet
    /// decided, are corrected by what is known of them.
    pub fn summary(&self, now_s: f64) -> Hrv {
        let begin = now_s - self.window_s;
        let mut last = Vec::new();
        if let Some(corrector) = &self.corrector {
            corrector.clone().finish(&mut |nn| last.push(nn));
        }
        let held: Vec<NnInterval> = self.intervals.iter().chain(&last).filter(|nn| nn.end_s > begin).copied().collect();
        if self.corrector.is_some() {
            self.analyser.corrected(&held, Correction::Causal)
        } else {
            self.analyser.nn(&NnSeries::of_nn(&held))
        }
    }

    /// The running summary of the 24 hours before `now_s`.
    pub fn day(&self, now_s: f64) -> DaySummary {
        self.day.summary(now_s)
    }

    /// Length of the window in seconds.
    pub fn window_s(&self) -> f64 {
        self.window_s
    }

    /// Forgets all beats of the window; the day goes on.
    pub fn reset(&mut self) {
        self.series.interrupt();
        self.intervals.clear();
        self.corrector = self.corrector.as_ref().map(|_| Causal::new());
    }

    /// Forgets the day.
    pub fn reset_day(&mut self) {
        self.day.reset();
    }
}
