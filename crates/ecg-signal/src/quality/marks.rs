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

/// The mark of one sample at the rate of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    /// From the source.
    pub bits: MarkBits,
    /// For how many samples the signal has not moved, at most 255.
    pub still: u8,
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
    /// Adds the mark of one sample.
    pub fn add(&mut self, mark: Mark) {
        self.clipped |= mark.bits.clipped;
        self.lead_off |= mark.bits.lead_off;
        self.board_off = mark.bits.board_off && (self.board_off || !self.any);
        self.jumps += u32::from(mark.bits.jumped);
        self.any = true;
        self.still |= mark.still >= STILL_LIMIT;
    }
}

/// Samples at 250 Hz without movement that make a flat line: half a second. No living ECG does that.
pub(crate) const STILL_LIMIT: u8 = 125;
/// Movement below this many millivolts is none: half of a step of MIT-BIH's recorder, 50 steps of
/// an ADS1292R at gain 6.
const STILL_MV: f64 = 0.0025;

/// Marks samples as they come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marker {
    anchor: f64,
    still: u8,
}

impl Marker {
    /// The mark of the next sample.
    #[inline]
    pub(crate) fn mark(&mut self, millivolts: f64, bits: MarkBits) -> Mark {
        if (millivolts - self.anchor).abs() > STILL_MV {
            self.anchor = millivolts;
            self.still = 0;
        } else {
            self.still = self.still.saturating_add(1);
        }
        Mark { bits, still: self.still }
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}
