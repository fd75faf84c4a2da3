//! Alignment of the newest beats with every earlier stretch: which of them is being played again.
//!
//! Local alignment after Smith and Waterman (*Identification of common molecular subsequences*, Journal of Molecular
//! Biology 147:195–197, 1981), in logarithms of likelihood ratios: a stretch of the history gains where its intervals
//! repeat in the newest beats better than chance would have it, loses where they do not, and never falls below zero.
//!
//! ```text
//! S(i, j) = max(0, gain(i, j) + max( k·S(i−1, j−1),            the same beats
//!                                    k·S(i−1, j−2) − skip,     a beat of the history is not found again
//!                                    k·S(i−2, j−1) − skip ))   a beat more than in the history
//! ```
//!
//! Differences from the paper: only the newest row is kept, as beats come one at a time; k < 1 forgets, so that much
//! weak evidence never adds up to what a few seconds of strong evidence are.
//! It must not know what a gain is made of.

/// What is kept of the sum a beat later: about twenty beats count. A rhythm that is a little more even than its model
/// says gains a little with every beat for ever; a replay gains much at once.
const KEPT: f32 = 0.95;

/// A sum as it is kept, in steps of 1/256 up to 255: a row is as long as a day, and 13 is suspected.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum(u16);

impl Sum {
    const ONE: f32 = 256.0;

    /// The nearest step; what is below zero is zero.
    fn new(value: f32) -> Self {
        Self((value * Self::ONE).round() as u16)
    }

    fn value(self) -> f32 {
        f32::from(self.0) / Self::ONE
    }
}

/// The newest row of sums and the one before, one sum for each beat of the history.
#[derive(Debug, Clone, Default)]
pub(super) struct Alignments {
    newest: Vec<Sum>,
    before: Vec<Sum>,
}

/// The three ways in which a beat continues a stretch of the history.
pub(super) trait Gains {
    /// Of the newest interval against that which ends at beat `at` of the history.
    fn same(&self, at: usize) -> f32;
    /// Of the newest interval against the two that end at `at`.
    fn beat_lost(&self, at: usize) -> f32;
    /// Of the newest two intervals against that which ends at `at`.
    fn beat_more(&self, at: usize) -> f32;
}

impl Alignments {
    /// Takes the next beat, whose gains against the beats of the history are given; the largest sum. The history has
    /// one beat more than it had with the beat before: that one.
    pub(super) fn advance(&mut self, gains: &impl Gains, history: usize) -> f32 {
        self.newest.resize(history, Sum::default());
        self.before.resize(history, Sum::default());
        let mut largest = 0.0_f32;
        // The row before the newest becomes the new one in place: beat `at` needs of it what lies before `at`.
        for at in (0..history).rev() {
            let same = gains.same(at) + KEPT * earlier(&self.newest, at, 1);
            let skipped = gains.beat_lost(at) + KEPT * earlier(&self.newest, at, 2);
            let more = gains.beat_more(at) + KEPT * earlier(&self.before, at, 1);
            let sum = same.max(skipped).max(more);
            self.before[at] = Sum::new(sum);
            largest = largest.max(sum);
        }
        std::mem::swap(&mut self.newest, &mut self.before);
        largest
    }

    /// What follows continues nothing.
    pub(super) fn interrupt(&mut self) {
        self.newest.fill(Sum::default());
        self.before.fill(Sum::default());
    }

    /// The oldest `beats` of the history are forgotten.
    pub(super) fn forget(&mut self, beats: usize) {
        for row in [&mut self.newest, &mut self.before] {
            row.drain(..beats.min(row.len()));
        }
    }
}

fn earlier(row: &[Sum], at: usize, by: usize) -> f32 {
    at.checked_sub(by).and_then(|at| row.get(at)).copied().unwrap_or_default().value()
}
