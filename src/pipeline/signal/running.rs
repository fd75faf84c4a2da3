//! The signal path of one front end and the watch over its signal: is it usable, and since when not.
//!
//! It knows no queue and nothing of the source's state; what it says goes back to the stage as observations.

use ecg_signal::{Contact, PathInput, SignalPath};

use super::super::front_end::FrontEnd;
use super::super::respiration::Respiration;
use super::Observation;
use crate::event::Reason;

/// Electrodes that were just put on give beats that are refused until the baseline has settled: for so many seconds
/// that is no noise.
const SETTLING_S: f64 = 5.0;

/// The signal path of one front end.
pub(super) struct Running {
    pub(super) front_end: FrontEnd,
    pub(super) path: SignalPath,
    pub(super) respiration: Respiration,
    /// Source samples since start, missing ones counted.
    pub(super) index: u64,
    /// Where the current second and the current tenth of it end.
    second_ends: u64,
    tenth_ends: u64,
    /// Since when there has been contact.
    contact_since: u64,
    /// What was last said of the signal.
    unusable: Option<Reason>,
    /// The stages behind know of it.
    pub(super) told: bool,
    /// The board's lead-off bit is set while a heart is seen: it is not believed.
    pub(super) bit_ignored: bool,
}

impl Running {
    pub(super) fn new(front_end: FrontEnd, path: SignalPath, respiration: Respiration) -> Self {
        let (second_ends, tenth_ends) = (front_end.fs_hz.round() as u64, (front_end.fs_hz / 10.0).round() as u64);
        Self {
            front_end,
            path,
            respiration,
            index: 0,
            second_ends,
            tenth_ends,
            contact_since: 0,
            unusable: None,
            told: false,
            bit_ignored: false,
        }
    }

    /// A gap: what is said next is said of what comes behind it.
    pub(super) fn begin_stretch(&mut self) {
        self.second_ends = self.second_ends.max(self.index);
        self.tenth_ends = self.tenth_ends.max(self.index);
        self.contact_since = self.index;
        self.unusable = None;
    }

    /// How many of `samples` may pass before [`Running::watch`] has something to look at: up to the end of a tenth of a
    /// second, and up to where the board's flag changes.
    pub(super) fn until_watch(&self, samples: &[PathInput]) -> usize {
        let due = self.tenth_ends.min(self.second_ends).saturating_sub(self.index).max(1);
        let samples = &samples[..samples.len().min(due as usize)];
        let flagged = |sample: &PathInput| self.is_off(sample);
        match samples.iter().position(flagged) {
            // The flag is met at its first sample, and looked at as long as it stands.
            Some(0) => 1,
            Some(first) => first,
            None => samples.len(),
        }
    }

    /// The board says that an electrode is off, and is believed.
    pub(super) fn is_off(&self, sample: &PathInput) -> bool {
        sample.lead_off == Some(true) && !self.bit_ignored
    }

    /// Looks at the signal at every tenth of a second, and at the first sample that the board flags; says at once that
    /// it has become unusable, and every second how it is.
    pub(super) fn watch(&mut self, flagged: bool, found: &mut Vec<Observation>) {
        if flagged && self.unusable != Some(Reason::LeadOff) {
            self.unusable = Some(Reason::LeadOff);
            found.push(Observation::Unusable { reason: Reason::LeadOff, index: self.index });
        }
        if self.index >= self.tenth_ends {
            self.tenth_ends += (self.front_end.fs_hz / 10.0).round() as u64;
            let before = self.unusable;
            self.bit_ignored = self.path.signal_state().lead_off_contradicted;
            self.judge(flagged && !self.bit_ignored);
            if let (None, Some(reason)) = (before, self.unusable) {
                if reason != Reason::Noise {
                    self.respiration.gap(0);
                }
                found.push(Observation::Unusable { reason, index: self.index });
            }
        }
        if self.index >= self.second_ends {
            self.second_ends += self.front_end.fs_hz.round() as u64;
            found.push(self.second());
        }
    }

    fn judge(&mut self, flagged: bool) {
        let contact = if flagged { Contact::LeadOff } else { self.path.signal_state().contact };
        if matches!(contact, Contact::LeadOff | Contact::FlatLine | Contact::Clipping) {
            self.contact_since = self.index;
        }
        let settling = ((self.index - self.contact_since) as f64) < SETTLING_S * self.front_end.fs_hz;
        self.unusable = unusable(contact).filter(|reason| !(settling && *reason == Reason::Noise));
    }

    pub(super) fn second(&self) -> Observation {
        let state = self.path.signal_state();
        Observation::Second {
            unusable: self.unusable,
            quality: state.accepted_share,
            heart_rate_bpm: state.heart_rate_bpm,
            index: self.index,
        }
    }
}

/// Why a signal with this contact cannot carry identity.
fn unusable(contact: Contact) -> Option<Reason> {
    match contact {
        // Too little has come to tell: collecting may begin, and every beat is judged for itself.
        Contact::Good | Contact::Unknown => None,
        Contact::LeadOff => Some(Reason::LeadOff),
        Contact::FlatLine => Some(Reason::FlatLine),
        Contact::Clipping => Some(Reason::Clipping),
        Contact::Noise => Some(Reason::Noise),
    }
}
