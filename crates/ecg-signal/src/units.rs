//! Units of the signal path as types: a sampling frequency and a position in a stream.
//!
//! Must not know anything about signals; it only keeps hertz and sample positions from being mixed with other numbers.

use std::fmt;

/// A frequency in hertz: a sampling frequency or a corner of a filter.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Hertz(pub f64);

impl Hertz {
    /// The duration of `samples` samples at this sampling frequency, in milliseconds.
    pub fn milliseconds(self, samples: f64) -> f64 {
        samples * 1000.0 / self.0
    }

    /// The number of whole samples nearest to `seconds` at this sampling frequency.
    pub fn samples(self, seconds: f64) -> usize {
        (seconds * self.0).round().max(0.0) as usize
    }
}

impl fmt::Display for Hertz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}

/// A position in a stream: samples of the source since its start, lost samples counted.
pub type SampleIndex = u64;
