//! Reads the board's own frame counter: continued, frames missing, or started again.
//!
//! A counter in a frame without a checksum may be damaged itself, and a damaged one would claim thousands of lost
//! frames. There a jump is believed only when the unreadable bytes before it explain it, or when the next frame goes
//! on from it.
//!
//! Must not know formats.

/// The largest forward jump that is taken for lost frames: more than an hour at 250 Hz.
/// A jump beyond it is a restart or a damaged counter, and claims nothing.
const MAX_MISSING: u32 = 1 << 20;

/// What a counter says about the frame that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The first frame, or the one right after the last.
    Next,
    /// This many frames lie between the last believed one and this.
    Missing(u32),
    /// Backwards, repeated, or too far ahead.
    Restart,
    /// Not to be believed yet; the frame is lost, and counted by the step that follows.
    Doubtful,
}

/// The counter of the last frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Continuity {
    proven: bool,
    last: Option<u32>,
    doubted: Option<u32>,
}

impl Continuity {
    /// `proven`: the frames carry a checksum, so that a counter is what the board sent.
    pub(crate) fn new(proven: bool) -> Self {
        Self { proven, last: None, doubted: None }
    }

    /// Takes the counter of the next frame, before which bytes of about `unreadable` frames were skipped.
    /// The wrap from 2^32 − 1 to 0 is a step of one.
    pub(crate) fn step(&mut self, counter: u32, unreadable: u32) -> Step {
        let doubted = self.doubted.take();
        let Some(last) = self.last else {
            self.last = Some(counter);
            return Step::Next;
        };
        let missing = counter.wrapping_sub(last).wrapping_sub(1);
        let explained = missing == unreadable.saturating_add(u32::from(doubted.is_some()));
        let confirmed = doubted.is_some_and(|doubted| counter == doubted.wrapping_add(1));
        if missing != 0 && !(self.proven || explained || confirmed) {
            self.doubted = Some(counter);
            return Step::Doubtful;
        }
        self.last = Some(counter);
        match missing {
            0 => Step::Next,
            1..=MAX_MISSING => Step::Missing(missing),
            _ => Step::Restart,
        }
    }

    /// As new.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.proven);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(proven: bool, counters: &[u32]) -> Vec<Step> {
        let mut continuity = Continuity::new(proven);
        counters.iter().map(|&counter| continuity.step(counter, 0)).skip(1).collect()
    }

    #[test]
    fn the_counter_wraps_without_a_gap_and_with_one() {
        assert_eq!(steps(true, &[u32::MAX - 1, u32::MAX, 0, 1]), [Step::Next; 3]);
        assert_eq!(steps(true, &[u32::MAX - 2, 3]), [Step::Missing(5)]);
    }

    #[test]
    fn a_counter_that_goes_back_is_a_restart_and_not_four_billion_lost_frames() {
        for (last, next) in [(1000, 0), (1000, 999), (1000, 1000), (0, MAX_MISSING + 2), (5, u32::MAX)] {
            assert_eq!(
                steps(true, &[last, next, next.wrapping_add(1)]),
                [Step::Restart, Step::Next],
                "{last} then {next}"
            );
        }
    }

    #[test]
    fn a_damaged_counter_without_a_checksum_costs_its_own_frame_only() {
        assert_eq!(steps(false, &[10, 5_000, 12, 13]), [Step::Doubtful, Step::Missing(1), Step::Next]);
        assert_eq!(steps(false, &[10, 11, 3, 13, 14]), [Step::Next, Step::Doubtful, Step::Missing(1), Step::Next]);
    }

    #[test]
    fn a_jump_that_the_next_frame_goes_on_from_is_believed() {
        assert_eq!(steps(false, &[10, 5_000, 5_001, 5_002]), [Step::Doubtful, Step::Missing(4_990), Step::Next]);
        assert_eq!(steps(false, &[10, 0, 1, 2]), [Step::Doubtful, Step::Restart, Step::Next]);
    }

    #[test]
    fn a_jump_over_unreadable_bytes_is_believed_at_once() {
        let mut continuity = Continuity::new(false);
        assert_eq!(continuity.step(10, 0), Step::Next);
        assert_eq!(continuity.step(12, 1), Step::Missing(1));
    }
}
