//! The electrodes: on, off, or shorted, and how a signal comes back after they were off.
//!
//! Must not know of hearts or of converters.

/// State of the electrodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contact {
    /// Both electrodes are on.
    #[default]
    On,
    /// One electrode is off: the lead-off current pulls the input beyond the converter's range.
    LeadOff,
    /// The inputs are shorted: no signal at all.
    Flat,
}

/// Where an open input drifts to, in millivolts: beyond the rails at every gain.
const OPEN_MV: f64 = 3000.0;
/// Time constant of that drift, in seconds.
const OPEN_S: f64 = 0.05;
/// Half-cell shift of an electrode that was just put on, in millivolts.
const SETTLE_MV: f64 = 4.0;
/// Time constant of its decay, in seconds.
const SETTLE_S: f64 = 0.4;

/// The path from skin to converter.
#[derive(Clone, Debug)]
pub(super) struct Electrodes {
    contact: Contact,
    /// What the electrodes add to the signal, in millivolts.
    offset_mv: f64,
    open_share: f64,
    settle_share: f64,
}

impl Electrodes {
    pub(super) fn new(fs: f64) -> Self {
        let share = |time_s: f64| 1.0 - (-1.0 / (time_s * fs)).exp();
        Self { contact: Contact::On, offset_mv: 0.0, open_share: share(OPEN_S), settle_share: share(SETTLE_S) }
    }

    pub(super) fn set(&mut self, contact: Contact) {
        if self.contact == Contact::LeadOff && contact != Contact::LeadOff {
            self.offset_mv = SETTLE_MV;
        }
        self.contact = contact;
    }

    pub(super) fn lead_off(&self) -> bool {
        self.contact == Contact::LeadOff
    }

    /// What the converter sees of a signal in millivolts.
    pub(super) fn through(&mut self, millivolts: f64) -> f64 {
        match self.contact {
            Contact::LeadOff => {
                self.offset_mv += (OPEN_MV - self.offset_mv) * self.open_share;
                // The heart is not connected any more; what is left of the signal is the drift.
                self.offset_mv
            }
            Contact::Flat => {
                self.offset_mv = 0.0;
                0.0
            }
            Contact::On => {
                self.offset_mv -= self.offset_mv * self.settle_share;
                millivolts + self.offset_mv
            }
        }
    }
}
