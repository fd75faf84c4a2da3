//! What the quality gate made of the beats: how many of the true and of the false ones it accepts.

use serde::Serialize;

use crate::cli::evaluate::matching::match_beats;
use crate::cli::evaluate::score::TOLERANCES_MS;
use crate::recording::Passage;

/// Beats that match an annotation within 150 ms and beats that do not, and how many of either the gate accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// Beats that match.
    pub true_beats: u64,
    /// …of them accepted.
    pub true_accepted: u64,
    /// Beats that match none.
    pub false_beats: u64,
    /// …of them accepted.
    pub false_accepted: u64,
}

impl Gate {
    /// Of one passage; `fs` in hertz, annotated beats in seconds, ascending.
    #[must_use]
    pub fn of(passage: &Passage, fs: f64, annotated: &[f64]) -> Self {
        let mut beats: Vec<_> =
            passage.beats.iter().map(|b| (b.r_peak / fs, b.quality.verdict.is_accepted())).collect();
        beats.sort_by(|a, b| a.0.total_cmp(&b.0));
        let times: Vec<f64> = beats.iter().map(|beat| beat.0).collect();
        let mut is_true = vec![false; beats.len()];
        for (_, found) in match_beats(annotated, &times, f64::from(TOLERANCES_MS[0]) / 1000.0) {
            is_true[found] = true;
        }
        let mut gate = Self::default();
        for (true_beat, (_, accepted)) in is_true.into_iter().zip(beats) {
            let (all, kept) = if true_beat {
                (&mut gate.true_beats, &mut gate.true_accepted)
            } else {
                (&mut gate.false_beats, &mut gate.false_accepted)
            };
            *all += 1;
            *kept += u64::from(accepted);
        }
        gate
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            true_beats: self.true_beats + other.true_beats,
            true_accepted: self.true_accepted + other.true_accepted,
            false_beats: self.false_beats + other.false_beats,
            false_accepted: self.false_accepted + other.false_accepted,
        }
    }

    /// Share of the true beats that is accepted, per cent; `None` without one.
    #[must_use]
    pub fn true_share(&self) -> Option<f64> {
        share(self.true_accepted, self.true_beats)
    }

    /// Share of the false beats that is accepted, per cent; `None` without one.
    #[must_use]
    pub fn false_share(&self) -> Option<f64> {
        share(self.false_accepted, self.false_beats)
    }
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| 100.0 * part as f64 / all as f64)
}
