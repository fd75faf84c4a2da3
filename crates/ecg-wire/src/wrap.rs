//! Joins a code that ran over one end of its range and came in at the other.
//!
//! The converter itself stands still at its rails. Firmware that moves the code does not: one that takes an offset off,
//! or sends offset binary where two's complement is meant, puts the edge of the range into the middle of the electrode
//! offset's reach, and a baseline that wanders over it jumps by the whole range, 807 mV at gain 6. Such a jump is told
//! from an electrode's by what is left of it when the range is taken off: a step that a heart can make. Whole turns are
//! carried until the code turns back. A constant is no ECG, so a turn that was not one (an open input that falls from
//! rail to rail, which is marked as clipped anyway) leaves no trace but the missing jump.
//!
//! Must not know formats; the bound comes in codes.

use crate::outlier::LIMIT_MILLIVOLTS;

/// Turns that are carried; a code that runs on in one direction is no baseline.
const MOST_TURNS: i32 = 8;

/// See the head of the file.
#[derive(Debug, Clone)]
pub(crate) struct WrapRepair {
    range: i32,
    limit: i32,
    last: Option<i32>,
    turns: i32,
}

impl WrapRepair {
    /// For codes of 24 bits less `code_shift`, worth `millivolts_per_code` each.
    pub(crate) fn new(code_shift: u32, millivolts_per_code: f64) -> Self {
        let range = 1 << (24 - code_shift.min(16));
        // Less than a quarter of the range, whatever the scale is said to be: two codes that far apart are ambiguous.
        let limit = (LIMIT_MILLIVOLTS / millivolts_per_code).min(f64::from(range / 4)) as i32;
        Self { range, limit, last: None, turns: 0 }
    }

    /// Forgets the signal so far: the next code is as it stands.
    pub(crate) fn reset(&mut self) {
        self.last = None;
        self.turns = 0;
    }

    /// The code with its turns.
    pub(crate) fn join(&mut self, code: i32) -> i32 {
        if let Some(last) = self.last {
            let step = code - last;
            let turn = -step.signum();
            if (step + turn * self.range).abs() <= self.limit && (self.turns + turn).abs() <= MOST_TURNS {
                self.turns += turn;
            }
        }
        self.last = Some(code);
        code + self.turns * self.range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(shift: u32, codes: &[i32]) -> Vec<i32> {
        let mut repair = WrapRepair::new(shift, 48e-6 * f64::from(1 << shift));
        codes.iter().map(|&code| repair.join(code)).collect()
    }

    /// The low bits of a code that may be beyond the range.
    fn image(code: i32, bits: u32) -> i32 {
        (code << (32 - bits)) >> (32 - bits)
    }

    #[test]
    fn a_baseline_that_wanders_over_the_edge_and_back_stays_whole() {
        for (shift, bits) in [(0, 24), (8, 16)] {
            let edge = 1 << (bits - 1);
            for sign in [1, -1] {
                let wander = |n: i32| sign * (edge + (f64::from(edge) * 0.01 * (f64::from(n) / 50.0).sin()) as i32);
                let whole: Vec<i32> = (-100..1000).map(wander).collect();
                let sent: Vec<i32> = whole.iter().map(|&code| image(code, bits)).collect();
                let (first, range) = (whole[0] - sent[0], 1 << bits);
                assert!(sent.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) > range / 2).count() >= 3);
                let expected: Vec<i32> = whole.iter().map(|code| code - first).collect();
                assert_eq!(joined(shift, &sent), expected);
            }
        }
    }

    #[test]
    fn an_electrode_that_jumps_is_left_alone() {
        let step_of_300_mv = [0, 6_250_000, 6_250_100, -6_000_000, 0];
        assert_eq!(joined(0, &step_of_300_mv), step_of_300_mv);
    }

    #[test]
    fn a_code_that_runs_on_is_given_up_and_nothing_overflows() {
        let mut repair = WrapRepair::new(0, 48e-6);
        let largest = (0..100_000).map(|n: i32| repair.join(image(n.wrapping_mul(80_000), 24))).max();
        assert!(largest.is_some_and(|code| code <= (MOST_TURNS + 1) << 24));
    }
}
