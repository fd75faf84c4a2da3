//! Reads the board's own frame counter: continued, frames missing, or started again.
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
    /// This many frames lie between the last and this one.
    Missing(u32),
    /// Backwards, repeated, or too far ahead.
    Restart,
}

/// The counter of the last frame.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Continuity {
    last: Option<u32>,
}

impl Continuity {
    /// Takes the counter of the next frame. The wrap from 2^32 − 1 to 0 is a step of one.
    pub(crate) fn step(&mut self, counter: u32) -> Step {
        let Some(last) = self.last.replace(counter) else { return Step::Next };
        match counter.wrapping_sub(last).wrapping_sub(1) {
            0 => Step::Next,
            missing @ 1..=MAX_MISSING => Step::Missing(missing),
            _ => Step::Restart,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_wraps_without_a_gap_and_with_one() {
        let mut continuity = Continuity::default();
        assert_eq!(continuity.step(u32::MAX - 1), Step::Next);
        assert_eq!(continuity.step(u32::MAX), Step::Next);
        assert_eq!(continuity.step(0), Step::Next);
        let mut continuity = Continuity { last: Some(u32::MAX - 2) };
        assert_eq!(continuity.step(3), Step::Missing(5));
    }

    #[test]
    fn a_counter_that_goes_back_is_a_restart_and_not_four_billion_lost_frames() {
        for (last, next) in [(1000, 0), (1000, 999), (1000, 1000), (0, MAX_MISSING + 2), (5, u32::MAX)] {
            let mut continuity = Continuity { last: Some(last) };
            assert_eq!(continuity.step(next), Step::Restart, "{last} then {next}");
            assert_eq!(continuity.step(next.wrapping_add(1)), Step::Next);
        }
    }
}
