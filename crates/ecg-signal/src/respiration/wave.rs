//! A waveform at the common rate: values at ticks of the stream, since the last interruption.
//!
//! Must not know what breathes.

use super::WINDOW_TICKS;
use crate::ring::Ring;

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

/// The newest values of a waveform.
#[derive(Clone, Debug)]
pub(super) struct Wave {
    values: Ring<f64>,
    /// Tick of the first value since the last interruption.
    begin: u64,
}

impl Wave {
    pub(super) fn new() -> Self {
        // The other waveform may be some seconds late, and the window ends where both have come.
        Self { values: Ring::new(WINDOW_TICKS + 64), begin: 0 }
    }

    /// Begins anew: the next value stands at `tick`.
    pub(super) fn begin_at(&mut self, tick: u64) {
        self.values.clear();
        self.begin = tick;
    }

    /// The value at the tick [`Wave::end`].
    pub(super) fn push(&mut self, value: f64) {
        self.values.push(value);
    }

    /// The tick that the next value will have.
    pub(super) fn end(&self) -> u64 {
        self.begin + self.values.end()
    }

    /// The newest values, at most `most`.
    pub(super) fn newest(&self, most: usize) -> Span {
        let end = self.end();
        Span { begin: self.begin.max(end.saturating_sub(most as u64)), end }
    }

    /// Copies a span that is held into the head of `into`; gives the values.
    pub(super) fn copy<'a>(&self, span: Span, into: &'a mut [f64]) -> &'a mut [f64] {
        let length = span.len().min(into.len());
        let head = &mut into[..length];
        for (tick, value) in (span.begin..).zip(head.iter_mut()) {
            let position = tick.checked_sub(self.begin);
            *value = position.and_then(|position| self.values.get(position)).unwrap_or(0.0);
        }
        head
    }
}
