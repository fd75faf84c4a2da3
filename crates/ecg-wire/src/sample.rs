//! What a decoder says: samples, holes between them, and bytes that it would not believe.
//!
//! Must not know any format.

/// One conversion of the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// The ECG as the converter gave it, sign-extended, and with whole turns added where the firmware's code ran over the
    /// edge of its range (24 bits, and at most eight turns of them); one step is worth
    /// [`millivolts_per_code`](crate::millivolts_per_code) of the format's [`Spec`](crate::Spec).
    pub ecg: i32,
    /// The other channel (respiration, in the usual wiring), in codes of its own; `None` where the format has none.
    pub respiration: Option<i32>,
    /// The ECG stands at a rail of the converter: this is the limit, not the heart.
    pub clipped: bool,
    /// Whether the board says that an electrode of the ECG channel is off.
    ///
    /// `None`: this format or this firmware cannot tell. `Some(false)` is what the chip says, no proof of contact:
    /// a firmware that leaves the comparators off sends zeros (datasheet, LOFF_SENS).
    pub lead_off: Option<bool>,
}

/// What came out of the bytes, in the order of the line.
///
/// The position in the stream is counted by `Sample` (one) and `Missing` (its `frames`); `Refused` never advances it:
/// where the loss is known, a `Missing` follows of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// One sample.
    Sample(Sample),
    /// Frames that the board sent and that did not arrive, or arrived unreadable.
    ///
    /// Exact where the format has a counter. Where it has none, the length of the unreadable bytes tells, exact when
    /// bytes were altered and not lost; a loss that leaves no trace on the line is seen only by the rate.
    Missing {
        /// At least 1.
        frames: u64,
    },
    /// Bytes that were not believed. Whatever window it falls into is tainted.
    Refused(Refusal),
}

/// Why bytes were not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Bytes that belong to no frame: boot text, noise, the rest of a cut frame. Said once for a run of them.
    Garbage,
    /// A frame whose checksum does not fit its bytes.
    Checksum,
    /// A frame with a good head and a wrong end.
    Footer,
    /// A frame with a field outside what 24 bits can hold.
    Range,
    /// A line that is not the agreed number of integers, or is too long to be one.
    Line,
    /// A single sample that jumps by more than a heart can, in a format that cannot prove its frames.
    Slew,
    /// A frame whose counter jumps, in a format that cannot prove its frames: the next one shows whether frames were
    /// lost or this one was damaged, and then they are counted.
    CounterJump,
    /// The counter went backwards, or too far ahead: the board restarted. What was lost is unknown.
    CounterReset,
}

impl Refusal {
    /// Every reason, for counters and tables.
    pub const ALL: [Refusal; 8] = [
        Refusal::Garbage,
        Refusal::Checksum,
        Refusal::Footer,
        Refusal::Range,
        Refusal::Line,
        Refusal::Slew,
        Refusal::CounterJump,
        Refusal::CounterReset,
    ];

    /// The reason as one lower-case word, for logs and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Refusal::Garbage => "garbage",
            Refusal::Checksum => "checksum",
            Refusal::Footer => "footer",
            Refusal::Range => "range",
            Refusal::Line => "line",
            Refusal::Slew => "slew",
            Refusal::CounterJump => "counter_jump",
            Refusal::CounterReset => "counter_reset",
        }
    }
}
