//! What a source says of one sample. Must not know what becomes of it.

use crate::quality::MarkBits;

/// Larger than anything that a converter can mean, and small enough that no filter overflows.
const LARGEST_MV: f64 = 1e6;

/// One sample of the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathInput {
    /// The ECG in millivolts. A value that is not finite or beyond 1 kV counts as lost contact: the last value is held
    /// in its place and no beat that touches it is accepted.
    pub millivolts: f64,
    /// The converter was at its limit.
    pub clipped: bool,
    /// What the board says of the electrodes; `None` when it cannot tell.
    pub lead_off: Option<bool>,
}

impl PathInput {
    /// A sample of which nothing but its value is known.
    pub fn of(millivolts: f64) -> Self {
        Self { millivolts, clipped: false, lead_off: None }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.millivolts.abs() <= LARGEST_MV
    }

    /// All samples have the same marks.
    pub(super) fn are_alike(inputs: &[Self]) -> bool {
        // Nearly always there is nothing to mark; without a branch for each.
        let unmarked = |input: &Self| !input.clipped & (input.lead_off != Some(true)) & input.is_usable();
        inputs.iter().fold(true, |all, input| all & unmarked(input))
            || inputs.windows(2).all(|pair| pair[0].bits() == pair[1].bits())
    }

    pub(super) fn bits(&self) -> MarkBits {
        MarkBits {
            clipped: self.clipped,
            lead_off: !self.is_usable(),
            board_off: self.lead_off == Some(true),
            jumped: false,
        }
    }
}
