//! Whether the board's lead-off bits can be believed.
//!
//! Most firmware never sets them, and some leaves them set for ever. A bit that never comes needs no rule: contact is
//! derived from the signal anyway. A bit that is set is believed at once, because a lost electrode must stop everything,
//! until the signal contradicts it: ten beats in a row that are surely heartbeats, each with the bit set at its samples.
//! No electrode that is off brings those. From then on the bit is ignored, and that is reported. It is believed again
//! when it proves itself: it was clear for two seconds, is set, and no sure beat comes for three seconds. Must not know
//! what a beat looks like.

/// Sure beats in a row that contradict the bit: about ten seconds, as long as a window of quality.
const CONTRADICTING: u32 = 10;
/// A bit must have been clear for so many samples (2 s) to prove itself …
const CLEAR: u32 = 500;
/// … and the signal without a sure beat for so many (3 s) after it is set.
const SILENT: u32 = 750;

/// See the head of the file. It belongs to the board: a gap or a new stretch of signal changes nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct LeadOffTrust {
    contradicting: u32,
    contradicted: bool,
    /// For how many samples the bit has been clear.
    clear: u32,
    /// Samples since the bit was set after it had been clear, while it stays set.
    proving: Option<u32>,
}

impl LeadOffTrust {
    /// Takes the bit of one sample.
    #[inline]
    pub(super) fn sample(&mut self, off: bool) {
        if !self.contradicted {
            return;
        }
        if !off {
            self.clear = self.clear.saturating_add(1);
            self.proving = None;
            return;
        }
        if std::mem::take(&mut self.clear) >= CLEAR {
            self.proving = Some(0);
        }
        if let Some(silent) = &mut self.proving {
            *silent += 1;
            if *silent > SILENT {
                *self = Self::default();
            }
        }
    }

    /// A beat has come; `off`: with the bit set at its samples, `sure`: it is surely one. `age`: samples since its R.
    pub(super) fn beat(&mut self, off: bool, sure: bool, age: u32) {
        self.contradicting = if off && sure { self.contradicting + 1 } else { 0 };
        if self.contradicting >= CONTRADICTING {
            self.contradicted = true;
            self.contradicting = 0;
        }
        if sure && self.proving.is_some_and(|since| since > age) {
            self.proving = None;
        }
    }

    /// The signal has contradicted the bit.
    pub(super) fn is_contradicted(&self) -> bool {
        self.contradicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contradicted() -> LeadOffTrust {
        let mut trust = LeadOffTrust::default();
        (0..CONTRADICTING).for_each(|_| trust.beat(true, true, 200));
        trust
    }

    #[test]
    fn ten_sure_beats_in_a_row_contradict_the_bit_and_nine_do_not() {
        let mut trust = LeadOffTrust::default();
        for _ in 0..5 {
            (0..CONTRADICTING - 1).for_each(|_| trust.beat(true, true, 200));
            trust.beat(true, false, 200);
            trust.beat(false, true, 200);
        }
        assert!(!trust.is_contradicted());
        assert!(contradicted().is_contradicted());
    }

    #[test]
    fn a_bit_that_proves_itself_is_believed_again() {
        let mut trust = contradicted();
        (0..CLEAR).for_each(|_| trust.sample(false));
        (0..SILENT).for_each(|_| trust.sample(true));
        assert!(trust.is_contradicted());
        trust.sample(true);
        assert!(!trust.is_contradicted());
    }

    #[test]
    fn a_bit_that_stays_set_or_flickers_or_comes_with_beats_does_not() {
        let mut stuck = contradicted();
        (0..10_000).for_each(|_| stuck.sample(true));
        assert!(stuck.is_contradicted());
        let mut flickering = contradicted();
        (0..10_000).for_each(|n| flickering.sample(n % 100 < 50));
        assert!(flickering.is_contradicted());
        let mut lying = contradicted();
        (0..CLEAR).for_each(|_| lying.sample(false));
        (0..10_000).for_each(|n| {
            lying.sample(true);
            if n % 200 == 199 {
                lying.beat(true, true, 190);
            }
        });
        assert!(lying.is_contradicted());
    }
}
