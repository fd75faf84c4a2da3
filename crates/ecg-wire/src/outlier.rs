//! Refuses a lone sample that jumps as no heart does, in formats whose frames carry no checksum.
//!
//! A damaged byte in such a frame goes through unseen; when it hits the high byte it makes a spike of many
//! millivolts in one sample. The gate refuses that one sample. It must never refuse a heart, and never refuse for
//! ever: so it looks at the step from one sample to the next, against a bound above any QRS, only after a quiet
//! stretch, and whatever follows a refusal passes. A lasting step (an electrode that moves the baseline by 300 mV)
//! costs one sample; a wild signal (an open input) costs at most one sample in nine.
//!
//! What stays unseen: a damaged low or middle byte, which moves the sample by less than the bound.
//!
//! Must not know formats; the bound comes in codes.

/// The largest step between two neighbouring samples that is believed, in millivolts.
///
/// A surface QRS of 5 mV, the tallest one meets, rises within two or more samples at 125 Hz, the slowest rate here.
pub(crate) const LIMIT_MILLIVOLTS: f64 = 5.0;

/// Samples that must have followed each other quietly before one may be refused.
const QUIET_SAMPLES: u32 = 8;

/// See the head of the file.
#[derive(Debug, Clone)]
pub(crate) struct OutlierGate {
    limit_codes: f64,
    last: i32,
    /// Samples since the last jump, refusal or reset; the gate is armed from `QUIET_SAMPLES` on.
    quiet: u32,
}

impl OutlierGate {
    /// A gate for codes that are worth `millivolts_per_code` each.
    pub(crate) fn new(millivolts_per_code: f64) -> Self {
        Self { limit_codes: LIMIT_MILLIVOLTS / millivolts_per_code, last: 0, quiet: 0 }
    }

    /// Forgets the signal so far: what comes next has no neighbour to be compared with.
    pub(crate) fn reset(&mut self) {
        self.quiet = 0;
    }

    /// Whether `code` is believed.
    pub(crate) fn passes(&mut self, code: i32) -> bool {
        let jumps = self.quiet > 0 && f64::from(code.abs_diff(self.last)) > self.limit_codes;
        if jumps && self.quiet >= QUIET_SAMPLES {
            self.quiet = 0;
            return false;
        }
        self.last = code;
        self.quiet = if jumps { 1 } else { self.quiet.saturating_add(1) };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(codes: impl IntoIterator<Item = i32>) -> Vec<usize> {
        let mut gate = OutlierGate::new(0.001);
        codes.into_iter().enumerate().filter(|&(_, code)| !gate.passes(code)).map(|(n, _)| n).collect()
    }

    #[test]
    fn a_lone_spike_is_refused_and_its_neighbours_are_not() {
        let mut codes = vec![0; 40];
        codes[20] = 6_000;
        assert_eq!(refused(codes), [20]);
    }

    #[test]
    fn the_tallest_qrs_passes() {
        let mut codes = vec![0; 40];
        codes[20..23].copy_from_slice(&[2_500, 5_000, 2_000]);
        assert_eq!(refused(codes), [0; 0]);
    }

    #[test]
    fn a_step_of_300_millivolts_costs_one_sample() {
        let codes = (0..100).map(|n| if n < 50 { 0 } else { 300_000 });
        assert_eq!(refused(codes), [50]);
    }

    #[test]
    fn an_open_input_is_refused_at_most_once_in_nine_samples() {
        let wild = (0..900).map(|n| if n % 2 == 0 { -90_000 } else { 90_000 });
        assert!(refused(wild).len() <= 100);
    }
}
