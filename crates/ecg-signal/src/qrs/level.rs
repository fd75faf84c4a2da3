//! The slow state of a lead: how large its beats are, how large what lies between them, how noisy their surroundings.
//!
//! Must not know about time. Medians instead of Pan and Tompkins' running averages: a median forgets one artefact at
//! once, and a limit on what may enter it the level stands a row of them.

use crate::order;

/// How many beats a level remembers.
const REMEMBERED: usize = order::FEW;
/// A beat may enter the signal level with at most this many times the level.
const LARGEST_STEP: f64 = 2.0;
/// Share of a new noise peak in the noise level (the paper's 0.125).
const NOISE_STEP: f64 = 0.125;
/// Noise level after learning, in parts of the signal level.
const FIRST_NOISE: f64 = 0.15;
/// How often a level that was found from candidates (learning, restart) is entered: less than half of what is
/// remembered, so that beats soon outvote it.
const VOTES: usize = 3;

/// Median of the newest few values.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentMedian {
    values: [f64; REMEMBERED],
    known: usize,
    oldest: usize,
    median: Option<f64>,
}

impl RecentMedian {
    pub(super) fn push(&mut self, value: f64) {
        self.values[self.oldest] = value;
        self.oldest = (self.oldest + 1) % REMEMBERED;
        self.known = (self.known + 1).min(REMEMBERED);
        self.median = Some(middle(self.values, self.known));
    }

    /// Forgets the values; their median stays, as often as a vote is entered.
    fn fade(&mut self) {
        let median = std::mem::take(self).median;
        median.into_iter().for_each(|median| (0..VOTES).for_each(|_| self.push(median)));
    }

    /// Median absolute deviation from the median; `None` before the first value.
    pub(super) fn deviation(&self) -> Option<f64> {
        let median = self.median?;
        Some(middle(self.values.map(|value| (value - median).abs()), self.known))
    }

    /// How many values it is the median of.
    pub(super) fn known(&self) -> usize {
        self.known
    }

    /// The median; `None` before the first value.
    pub(super) fn median(&self) -> Option<f64> {
        self.median
    }
}

/// The median of the first `known` values, of which there is at least one.
fn middle(values: [f64; REMEMBERED], known: usize) -> f64 {
    let sorted = order::sorted(values, known);
    0.5 * (sorted[(known - 1) / 2] + sorted[known / 2])
}

/// Signal level, noise level and noise state.
#[derive(Clone, Debug, Default)]
pub(super) struct Levels {
    beats: RecentMedian,
    noise: f64,
    noise_ratios: RecentMedian,
}

impl Levels {
    /// `L`: median envelope of the newest beats (the paper's SPKI); 0 before learning.
    pub(super) fn signal_level(&self) -> f64 {
        self.beats.median().unwrap_or(0.0)
    }

    /// `NP`: envelope of the largest candidates between beats (the paper's NPKI).
    pub(super) fn noise_level(&self) -> f64 {
        self.noise
    }

    /// `nq`: median noise ratio of the newest beats, 0 before the first.
    pub(super) fn noise_state(&self) -> f64 {
        self.noise_ratios.median().unwrap_or(0.0)
    }

    /// How many beats are remembered.
    pub(super) fn known(&self) -> usize {
        self.noise_ratios.known()
    }

    /// Takes an accepted beat: its envelope, its noise ratio, and the envelope of the largest rejected candidate since
    /// the beat before (0 if there was none).
    pub(super) fn beat(&mut self, envelope: f64, noise_ratio: f64, largest_rejected: f64) {
        self.beats.push(envelope.min(LARGEST_STEP * self.signal_level()));
        self.noise += NOISE_STEP * (largest_rejected - self.noise);
        self.noise_ratios.push(noise_ratio);
    }

    /// Fewer beats than votes have come since the level was found from candidates: it is no more than a guess.
    pub(super) fn are_guessed(&self) -> bool {
        self.beats.known() < 2 * VOTES
    }

    /// Sets the levels at the end of learning.
    pub(super) fn learn(&mut self, level: f64) {
        *self = Self::default();
        self.vote(level);
        self.noise = FIRST_NOISE * level;
    }

    /// What was found from beats becomes a guess: it weighs as much as what is found from candidates, so that a few
    /// beats of another size outvote it.
    pub(super) fn fade(&mut self) {
        self.beats.fade();
        self.noise_ratios.fade();
    }

    /// Enters a level that no beat has yet.
    pub(super) fn vote(&mut self, level: f64) {
        (0..VOTES).for_each(|_| self.beats.push(level));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_artefact_does_not_move_the_signal_level() {
        let mut levels = Levels::default();
        levels.learn(1.0);
        (0..8).for_each(|_| levels.beat(1.0, 0.1, 0.0));
        levels.beat(1000.0, 0.1, 0.0);
        assert_eq!(levels.signal_level(), 1.0);
        (0..8).for_each(|_| levels.beat(1000.0, 0.1, 0.0));
        assert!(levels.signal_level() <= 8.0, "a row of artefacts at most doubles the level every four");
    }

    #[test]
    fn a_faded_level_stays_until_four_beats_outvote_it() {
        let mut levels = Levels::default();
        levels.fade();
        assert_eq!(levels.signal_level(), 0.0, "nothing is known and nothing fades");
        levels.learn(1.0);
        assert!(levels.are_guessed());
        (0..8).for_each(|_| levels.beat(1.0, 0.1, 0.0));
        assert!(!levels.are_guessed());
        levels.fade();
        assert!(levels.are_guessed());
        assert_eq!((levels.signal_level(), levels.noise_state()), (1.0, 0.1));
        (0..4).for_each(|_| levels.beat(0.4, 0.3, 0.0));
        assert_eq!((levels.signal_level(), levels.noise_state()), (0.4, 0.3));
    }

    #[test]
    fn the_median_of_an_even_number_is_the_mean_of_the_middle_two() {
        let mut recent = RecentMedian::default();
        assert_eq!(recent.median(), None);
        [3.0, 1.0].into_iter().for_each(|value| recent.push(value));
        assert_eq!(recent.median(), Some(2.0));
        (0..20).for_each(|value| recent.push(f64::from(value)));
        assert_eq!(recent.median(), Some(15.5));
        assert_eq!(recent.deviation(), Some(2.0));
    }
}
