//! Marks of single samples: what the board said of them, and how long the signal has stood still.
//!
//! Must not know about beats.

/// What is known of one sample besides its value, before any look at the signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarkBits {
    /// The converter was at its limit.
    pub clipped: bool,
    /// The board said that an electrode was off, and is believed, or the sample was not a usable number.
    pub lead_off: bool,
    /// The board said that an electrode was off, believed or not.
    pub board_off: bool,
    /// The signal jumped, and the jump was taken off.
    pub jumped: bool,
}

impl MarkBits {
    /// The marks of two samples together.
    pub fn or(self, other: Self) -> Self {
        Self {
            clipped: self.clipped || other.clipped,
            lead_off: self.lead_off || other.lead_off,
            board_off: self.board_off || other.board_off,
            jumped: self.jumped || other.jumped,
        }
    }
}

/// The mark of one sample at the rate of the path: the bits from the source, and whether the signal had not moved for
/// half a second. In one byte, so that a block of them is looked through at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u8);

impl Mark {
    const CLIPPED: u8 = 1;
    const LEAD_OFF: u8 = 2;
    const BOARD_OFF: u8 = 4;
    const JUMPED: u8 = 8;
    const STILL: u8 = 16;

    /// The mark with these bits; `still`: the signal has not moved for half a second.
    pub fn new(bits: MarkBits, still: bool) -> Self {
        let bit = |holds: bool, bit: u8| if holds { bit } else { 0 };
        Self(
            bit(bits.clipped, Self::CLIPPED)
                | bit(bits.lead_off, Self::LEAD_OFF)
                | bit(bits.board_off, Self::BOARD_OFF)
                | bit(bits.jumped, Self::JUMPED)
                | bit(still, Self::STILL),
        )
    }

    /// The converter was at its limit.
    pub fn is_clipped(self) -> bool {
        self.0 & Self::CLIPPED != 0
    }

    /// No contact, see [`MarkBits::lead_off`].
    pub fn is_lead_off(self) -> bool {
        self.0 & Self::LEAD_OFF != 0
    }

    /// The board said that an electrode was off, believed or not.
    pub fn is_board_off(self) -> bool {
        self.0 & Self::BOARD_OFF != 0
    }

    /// The signal has not moved for half a second.
    pub fn is_still(self) -> bool {
        self.0 & Self::STILL != 0
    }

    /// Nothing of the heart can be in this sample: no contact, a converter at its limit, or a line that stands still.
    pub(crate) fn is_blind(self) -> bool {
        self.0 & (Self::CLIPPED | Self::LEAD_OFF | Self::STILL) != 0
    }

    /// There was no contact at this sample after all.
    pub(crate) fn set_lead_off(&mut self) {
        self.0 |= Self::LEAD_OFF;
    }

    /// What some of the marks say.
    pub(crate) fn any(marks: &[Self]) -> Self {
        Self(marks.iter().fold(0, |any, mark| any | mark.0))
    }
}

/// The marks of a stretch of samples together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanMarks {
    /// Some sample was clipped.
    pub clipped: bool,
    /// Some sample had no contact.
    pub lead_off: bool,
    /// The board said of every sample that an electrode was off.
    pub board_off: bool,
    /// The signal stood still for half a second.
    pub still: bool,
    /// Samples at which it jumped.
    pub jumps: u32,
    any: bool,
}

impl SpanMarks {
    /// Adds the marks of some samples.
    pub(crate) fn add(&mut self, marks: &[Mark]) {
        let any = Mark::any(marks);
        self.clipped |= any.is_clipped();
        self.lead_off |= any.is_lead_off();
        self.still |= any.is_still();
        if !marks.is_empty() {
            let all = any.is_board_off() && marks.iter().all(|mark| mark.is_board_off());
            self.board_off = all && (self.board_off || !self.any);
            self.any = true;
        }
        if any.0 & Mark::JUMPED != 0 {
            self.jumps += marks.iter().map(|mark| u32::from(mark.0 & Mark::JUMPED != 0)).sum::<u32>();
        }
    }
}

/// Samples at 250 Hz without movement that make a flat line: half a second. No living ECG does that.
const STILL_LIMIT: usize = 125;
/// Movement below this many millivolts is none: half of a step of MIT-BIH's recorder, 50 steps of
/// an ADS1292R at gain 6.
const STILL_MV: f64 = 0.0025;
/// A step of this many millivolts between two samples is movement, wherever within [`STILL_MV`] the signal stood.
const SURE_STEP_MV: f64 = 3.0 * STILL_MV;
/// Samples that are looked at together, so few that a signal that has just moved cannot have stood still behind them.
const PIECE: usize = STILL_LIMIT / 2;

/// Marks samples as they come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marker {
    anchor: f64,
    /// For how many samples the signal has not moved.
    still: usize,
}

impl Marker {
    /// The marks of a block, the first with the bits `first` and the others with `rest`.
    pub(crate) fn run_block(&mut self, x: &[f64], first: MarkBits, rest: MarkBits, marks: &mut [Mark]) {
        marks.fill(Mark::new(rest, false));
        if let Some(mark) = marks.first_mut() {
            *mark = Mark::new(first, false);
        }
        for (x, marks) in x.chunks(PIECE).zip(marks.chunks_mut(PIECE)) {
            if self.still + x.len() < STILL_LIMIT {
                self.follow(x);
                continue;
            }
            for (&x, mark) in x.iter().zip(marks) {
                self.sample(x);
                if self.still >= STILL_LIMIT {
                    mark.0 |= Mark::STILL;
                }
            }
        }
    }

    /// Takes samples of which none can be marked: what comes before the last sure step makes no difference.
    fn follow(&mut self, x: &[f64]) {
        let moved = x.windows(2).rposition(|pair| (pair[1] - pair[0]).abs() > SURE_STEP_MV);
        let rest = match moved {
            Some(before) => {
                (self.anchor, self.still) = (x[before + 1], 0);
                &x[before + 2..]
            }
            None => x,
        };
        rest.iter().for_each(|&x| self.sample(x));
    }

    #[inline]
    fn sample(&mut self, millivolts: f64) {
        if (millivolts - self.anchor).abs() > STILL_MV {
            (self.anchor, self.still) = (millivolts, 0);
        } else {
            self.still += 1;
        }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_still_for_half_a_second_is_marked_and_blocks_do_not_matter() {
        // Steps of every size, with stretches of up to 400 samples between them.
        let mut x = Vec::new();
        for n in 0..60u32 {
            let step = f64::from(n % 9) * 0.0011;
            x.extend((0..n * 37 % 400).map(|k| f64::from(n % 5) + step * f64::from(k % 2 + n / 7)));
        }
        let bits = MarkBits::default();
        for length in [1, 3, 61, 62, 63, 250] {
            let (mut marker, mut anchor, mut still, mut marked) = (Marker::default(), 0.0, 0, 0);
            for block in x.chunks(length) {
                let mut marks = vec![Mark::default(); block.len()];
                marker.run_block(block, bits, bits, &mut marks);
                for (&x, mark) in block.iter().zip(marks) {
                    let moved = f64::abs(x - anchor) > STILL_MV;
                    (anchor, still) = if moved { (x, 0) } else { (anchor, still + 1) };
                    assert_eq!(mark.is_still(), still >= STILL_LIMIT, "blocks of {length}");
                    marked += u32::from(mark.is_still());
                }
            }
            assert!(marked > 100, "{marked} of {} samples", x.len());
        }
    }
}
