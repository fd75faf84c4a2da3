//! What is done about artefacts in a row of intervals.
//!
//! Must not know how they are found.

use super::rules::Found;
use super::{Artefact, NnInterval};

/// A row of intervals that is corrected in place.
pub(super) struct Row {
    pub(super) intervals: Vec<NnInterval>,
}

impl Row {
    pub(super) fn of(intervals: impl Iterator<Item = NnInterval>) -> Self {
        Self { intervals: intervals.collect() }
    }

    /// Corrects what was found, in ascending order of place.
    pub(super) fn replace(&mut self, found: &[Found]) {
        let mut doubtful = vec![false; self.intervals.len()];
        for &(k, artefact) in found {
            match artefact {
                // It stands between this interval and the one before.
                Artefact::Ectopic if k > 0 && self.intervals[k].follows => {
                    (doubtful[k - 1], doubtful[k]) = (true, true);
                    self.mark(k - 1, artefact);
                }
                Artefact::Ectopic | Artefact::LongOrShort => {
                    doubtful[k] = true;
                    self.mark(k, artefact);
                }
                Artefact::Missed | Artefact::Extra => {}
            }
        }
        self.interpolate(&doubtful);
        self.restructure(found);
    }

    fn mark(&mut self, k: usize, artefact: Artefact) {
        self.intervals[k].corrected.get_or_insert(artefact);
    }

    /// Puts each row of doubtful intervals on the line between its sound neighbours of the same run; at the end of a run
    /// on the one that there is. A run without a sound interval stays as it is.
    fn interpolate(&mut self, doubtful: &[bool]) {
        let row = &mut self.intervals;
        let mut k = 0;
        while k < row.len() {
            if !doubtful[k] {
                k += 1;
                continue;
            }
            let mut end = k + 1;
            while end < row.len() && doubtful[end] && row[end].follows {
                end += 1;
            }
            let before = (k > 0 && row[k].follows).then(|| row[k - 1].nn_ms);
            let after = row.get(end).filter(|next| next.follows).map(|next| next.nn_ms);
            if let Some((from, to)) = before.or(after).zip(after.or(before)) {
                let steps = (end - k + 1) as f64;
                for (step, nn) in (1..).zip(&mut row[k..end]) {
                    nn.nn_ms = from + (to - from) * f64::from(step) / steps;
                }
            }
            k = end;
        }
    }

    /// Splits the interval of a missed beat, joins the two of an extra one.
    fn restructure(&mut self, found: &[Found]) {
        let structural = |(_, artefact): &&Found| matches!(artefact, Artefact::Missed | Artefact::Extra);
        let mut changes = found.iter().filter(structural).peekable();
        if changes.peek().is_none() {
            return;
        }
        let mut row = Vec::with_capacity(self.intervals.len() + 8);
        let mut join: Option<NnInterval> = None;
        for (k, mut nn) in std::mem::take(&mut self.intervals).into_iter().enumerate() {
            let change = changes.next_if(|change| change.0 == k).map(|change| change.1);
            if let Some(first) = join.take() {
                if nn.follows {
                    nn.nn_ms += first.nn_ms;
                    nn.follows = first.follows;
                    nn.corrected.get_or_insert(Artefact::Extra);
                } else {
                    // Nothing to join it with.
                    row.push(first);
                }
                row.push(nn);
                continue;
            }
            match change {
                Some(Artefact::Extra) => join = Some(nn),
                Some(_) => {
                    let half = nn.nn_ms / 2.0;
                    let first = NnInterval {
                        end_s: nn.end_s - half / 1000.0,
                        nn_ms: half,
                        follows: nn.follows,
                        corrected: Some(Artefact::Missed),
                    };
                    row.extend([first, NnInterval { nn_ms: half, follows: true, ..nn }]);
                }
                None => row.push(nn),
            }
        }
        row.extend(join);
        self.intervals = row;
    }
}
