//! A waveform at the common rate: values at ticks of the stream, since the last interruption.
//!
//! Must not know what breathes.

use super::WINDOW_TICKS;

/// A stretch of ticks, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) begin: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn len(self) -> usize {
        self.end.saturating_sub(self.begin) as usize
    }
}

/// Values held beyond a window: the other waveform may be some seconds late, and the window ends where both have come.
const LATE_TICKS: usize = 64;
const HELD: usize = WINDOW_TICKS + LATE_TICKS;

/// The newest values of a waveform, in one piece.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    /// Room for more than is held, so that the rest is moved to the front only now and then.
    values: Box<[f64]>,
    filled: usize,
    /// Tick of the first value in `values`.
    begin: u64,
}

impl Wave {
    pub(super) fn new() -> Self {
        Self { values: vec![0.0; 2 * HELD].into(), filled: 0, begin: 0 }
    }

    /// Begins anew: the next value stands at `tick`.
    pub(super) fn begin_at(&mut self, tick: u64) {
        self.filled = 0;
        self.begin = tick;
    }

    /// The value at the tick [`Wave::end`].
    pub(super) fn push(&mut self, value: f64) {
        if self.filled == self.values.len() {
            self.values.copy_within(HELD.., 0);
            self.filled -= HELD;
            self.begin += HELD as u64;
        }
        self.values[self.filled] = value;
        self.filled += 1;
    }

    /// The tick that the next value will have.
    pub(super) fn end(&self) -> u64 {
        self.begin + self.filled as u64
    }

    /// The newest values, at most `most`.
    pub(super) fn newest(&self, most: usize) -> Span {
        let end = self.end();
        Span { begin: self.begin.max(end.saturating_sub(most as u64)), end }
    }

    /// The values of a span; only those of it that are held.
    pub(super) fn values(&self, span: Span) -> &[f64] {
        let place = |tick: u64| (tick.saturating_sub(self.begin) as usize).min(self.filled);
        &self.values[place(span.begin)..place(span.end)]
    }
}
