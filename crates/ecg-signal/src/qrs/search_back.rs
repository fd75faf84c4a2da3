//! Search-back: beats that the threshold missed, found again in the gap that they left.
//!
//! Must not know how candidates are judged; it keeps the rejected ones of the time since the last beat.

use std::collections::VecDeque;

use super::band::Band;
use super::decision::Judged;
use super::features::Candidate;
use crate::units::Hertz;

/// A gap this many times the usual interval has lost a beat (the paper: 1.66).
const GAP: f64 = 1.5;
/// A beat found lies at least so far, and so many usual intervals, behind the beat before: not in its T wave.
const AFTER_BEAT_S: f64 = 0.36;
const AFTER_BEAT_INTERVALS: f64 = 0.45;
/// … and so far before the next.
const BEFORE_BEAT_S: f64 = 0.3;
/// Share of its own threshold that a missed beat must have reached (the paper: half).
const THRESHOLD_SHARE: f64 = 0.6;
/// Rejected candidates kept: at least 6.4 s of them.
const CAPACITY: usize = 32;

/// A rejected candidate and the judgement on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) candidate: Candidate,
    pub(super) judged: Judged,
}

/// The candidates rejected since the last beat, oldest first.
#[derive(Clone, Debug)]
pub(super) struct Rejected {
    list: VecDeque<Held>,
    after_beat: f64,
    before_beat: i64,
}

impl Rejected {
    pub(super) fn new(fs: Hertz) -> Self {
        Self {
            list: VecDeque::with_capacity(CAPACITY),
            after_beat: AFTER_BEAT_S * fs.0,
            before_beat: fs.samples(BEFORE_BEAT_S) as i64,
        }
    }

    /// Keeps a rejected candidate; the oldest of too many goes.
    pub(super) fn push(&mut self, candidate: &Candidate, judged: Judged) {
        if self.list.len() == CAPACITY {
            self.list.pop_front();
        }
        self.list.push_back(Held { candidate: *candidate, judged });
    }

    /// The oldest candidate that waits for what comes after it.
    pub(super) fn deferred(&self) -> Option<Held> {
        self.list.iter().find(|held| held.judged.deferred).copied()
    }

    /// The rhythm ran on through the candidates that wait: they were noise.
    pub(super) fn dismiss_deferred(&mut self) {
        for judged in self.list.iter_mut().map(|held| &mut held.judged).filter(|judged| judged.deferred) {
            (judged.deferred, judged.closed) = (false, true);
        }
    }

    /// The beat most likely missed between the beats at `last` and `next`, whose usual distance is `interval`.
    pub(super) fn missed(&self, last: i64, next: i64, interval: f64) -> Option<Held> {
        if (next - last) as f64 <= GAP * interval {
            return None;
        }
        let from = last as f64 + self.after_beat.max(AFTER_BEAT_INTERVALS * interval);
        self.list
            .iter()
            .filter(|held| !held.judged.closed && held.judged.relative > THRESHOLD_SHARE * held.judged.threshold)
            .filter(|held| held.candidate.peak as f64 >= from && held.candidate.peak <= next - self.before_beat)
            .max_by(|a, b| a.judged.envelope.total_cmp(&b.judged.envelope))
            .copied()
    }

    /// Forgets everything up to `peak`; gives the largest envelope forgotten that is not at `peak` itself, 0 if none, in the
    /// usual and in the steep band.
    pub(super) fn forget_until(&mut self, peak: i64) -> [f64; 2] {
        let mut largest = [0.0f64; 2];
        while let Some(rejected) = self.list.front().map(|held| &held.candidate).filter(|c| c.peak <= peak) {
            if rejected.peak < peak {
                let seen = [Band::Usual, Band::Steep].map(|band| rejected.seen_in(band));
                largest = [0, 1].map(|n| largest[n].max(seen[n].map_or(0.0, |view| view.envelope)));
            }
            self.list.pop_front();
        }
        largest
    }

    /// The rejected candidates from `first` on.
    pub(super) fn since(&self, first: i64) -> impl Iterator<Item = &Candidate> + Clone {
        self.list.iter().map(|held| &held.candidate).filter(move |candidate| candidate.peak >= first)
    }

    /// The rejected candidates that are not settled for good.
    pub(super) fn open(&self) -> impl DoubleEndedIterator<Item = &Candidate> + Clone {
        self.list.iter().filter(|held| !held.judged.closed).map(|held| &held.candidate)
    }

    pub(super) fn reset(&mut self) {
        self.list.clear();
    }
}
