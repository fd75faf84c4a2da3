//! RR intervals from beats: which distances between beats are intervals, and which two intervals follow each other.
//!
//! An interval lies between two accepted beats with nothing refused, missing or disconnected between them. Whatever
//! lies between ends the run, so that no difference is ever taken across it. Must not know what is computed from
//! intervals.

/// Shortest and longest distance that counts as an interval: 240 and 20 beats a minute.
pub const RR_RANGE_MS: (f64, f64) = (250.0, 3000.0);

/// The time between two neighbouring, accepted beats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RrInterval {
    /// When the later beat was, in seconds since the start of the stream.
    pub end_s: f64,
    /// Length in milliseconds, within [`RR_RANGE_MS`].
    pub rr_ms: f64,
    /// The interval before this one ends where this one begins: the difference of the two is a true difference.
    pub follows: bool,
}

/// Turns beats into intervals.
#[derive(Clone, Debug, Default)]
pub struct RrSeries {
    previous_s: Option<f64>,
    in_run: bool,
}

impl RrSeries {
    /// A series without a beat.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next beat (R in seconds since the start of the stream); gives the interval that it ends, if it is one.
    pub fn push(&mut self, r_peak_s: f64, accepted: bool) -> Option<RrInterval> {
        if !accepted || !r_peak_s.is_finite() {
            self.interrupt();
            return None;
        }
        let previous = self.previous_s.replace(r_peak_s);
        let rr_ms = (r_peak_s - previous?) * 1000.0;
        let possible = (RR_RANGE_MS.0..=RR_RANGE_MS.1).contains(&rr_ms);
        let follows = std::mem::replace(&mut self.in_run, possible);
        possible.then_some(RrInterval { end_s: r_peak_s, rr_ms, follows })
    }

    /// A gap, a lost contact or anything else that breaks the row of beats.
    pub fn interrupt(&mut self) {
        self.previous_s = None;
        self.in_run = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_beat_or_a_break_ends_the_run() {
        let mut series = RrSeries::new();
        assert_eq!(series.push(1.0, true), None);
        assert!(!series.push(1.8, true).unwrap().follows);
        assert!(series.push(2.6, true).unwrap().follows);
        assert_eq!(series.push(3.0, false), None);
        assert_eq!(series.push(3.4, true), None, "no interval across a refused beat");
        assert!(!series.push(4.2, true).unwrap().follows);
        series.interrupt();
        assert_eq!(series.push(5.0, true), None);
        assert_eq!(series.push(9.0, true), None, "4 s is not an interval");
        assert!(!series.push(9.9, true).unwrap().follows);
    }
}
