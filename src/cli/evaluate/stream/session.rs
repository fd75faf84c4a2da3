//! Sessions spliced from recordings, sample by sample, before the signal path: what a gateway would have received.
//!
//! It knows no model and no decision.
//!
//! # How they are made
//! - *contact*: 3 s with the board's lead-off flag set and a flat line, then the person's probe records one after the
//!   other from one of them on, each once, a minute at the most. One session for each probe record.
//! - *swap*: the person's probe records as above without lead-off, for 30 s at the most, then another person's. Either
//!   bare, where the next sample is the other person's (a splice that no electrodes allow, and the hardest case), or
//!   with 2 s of flagged lead-off between.
//! - *stranger*: 3 s of lead-off, then the records of one person whom the gallery does not hold, every one of the
//!   collection in turn and again from the first, for five minutes. A person with few records is heard again and
//!   again; [`Session::own_s`] says how much of it is different signal.
//!
//! Records of one person are joined without a step: the next one is shifted to the level at which the last one ended,
//! as it is at a bare swap. After lead-off a record begins at its own level.

use ecg_signal::{Hertz, PathInput};

use crate::recording::Stream;

/// Flagged lead-off before contact, seconds: longer than anything the path remembers of contact.
const OFF_S: f64 = 3.0;
/// Flagged lead-off between two wearers, seconds.
const CHANGE_S: f64 = 2.0;
/// Longest contact session, and the first wearer's part of a swap, seconds.
const CONTACT_S: f64 = 60.0;
const BEFORE_SWAP_S: f64 = 30.0;

/// A stream with what is known of it.
#[derive(Debug, Clone)]
pub struct Session {
    /// The samples.
    pub samples: Vec<PathInput>,
    /// Their sampling frequency.
    pub fs: Hertz,
    /// When the first wearer's signal begins, and when it ends, seconds.
    pub contact_s: f64,
    /// The end of the first wearer's signal: the swap, or the end of the session, seconds.
    pub until_s: f64,
    /// Seconds of different signal among the first wearer's.
    pub own_s: f64,
}

impl Session {
    /// Nothing yet.
    fn new(fs: Hertz) -> Self {
        Self { samples: Vec::new(), fs, contact_s: 0.0, until_s: 0.0, own_s: 0.0 }
    }

    /// Contact of a person, from record number `first` of `records` on. `None` without records.
    #[must_use]
    pub fn contact(records: &[&Stream], first: usize) -> Option<Self> {
        let mut session = Self::after_lead_off(records, OFF_S)?;
        session.wear(turned(records, first), CONTACT_S);
        Some(session)
    }

    /// From one wearer to another. `None` where a person has no records, or the two were recorded at different rates.
    #[must_use]
    pub fn swap(from: &[&Stream], first: usize, to: &[&Stream], bare: bool) -> Option<Self> {
        let mut session = Self::after_lead_off(from, OFF_S)?;
        session.wear(turned(from, first), BEFORE_SWAP_S);
        let (until_s, own_s) = (session.until_s, session.own_s);
        if to.first()?.fs != session.fs {
            return None;
        }
        if !bare {
            session.lead_off(CHANGE_S);
        }
        session.wear(to.iter().copied(), BEFORE_SWAP_S);
        Some(Self { until_s, own_s, ..session })
    }

    /// One person for `seconds`, the records over and over. `None` without records.
    #[must_use]
    pub fn stranger(records: &[&Stream], seconds: f64) -> Option<Self> {
        let mut session = Self::after_lead_off(records, OFF_S)?;
        session.wear(records.iter().copied().cycle(), seconds);
        session.own_s = records.iter().map(|r| r.duration_s()).sum::<f64>().min(seconds);
        Some(session)
    }

    fn after_lead_off(records: &[&Stream], seconds: f64) -> Option<Self> {
        let mut session = Self::new(records.first().filter(|r| !r.samples.is_empty())?.fs);
        session.lead_off(seconds);
        session.contact_s = session.seconds();
        Some(session)
    }

    fn lead_off(&mut self, seconds: f64) {
        let flagged = PathInput { millivolts: 0.0, clipped: false, lead_off: Some(true) };
        self.samples.extend(std::iter::repeat_n(flagged, (seconds * self.fs.0).round() as usize));
    }

    /// Adds records for `seconds` at the most.
    fn wear<'a>(&mut self, records: impl Iterator<Item = &'a Stream>, seconds: f64) {
        let end = self.samples.len() + (seconds * self.fs.0).round() as usize;
        let begin = self.seconds();
        for record in records.take_while(|record| !record.samples.is_empty()) {
            let worn = self.samples.last().filter(|last| last.lead_off != Some(true)).map(|last| last.millivolts);
            let shift = worn.map_or(0.0, |last| last - record.samples[0].millivolts);
            let shift = if shift.is_finite() { shift } else { 0.0 };
            let room = end - self.samples.len();
            let lead_off = Some(false);
            let moved = |s: &PathInput| PathInput { millivolts: s.millivolts + shift, lead_off, ..*s };
            self.samples.extend(record.samples.iter().take(room).map(moved));
            if self.samples.len() >= end {
                break;
            }
        }
        self.until_s = self.seconds();
        self.own_s = self.until_s - begin;
    }

    fn seconds(&self) -> f64 {
        self.samples.len() as f64 / self.fs.0
    }
}

fn turned<'a>(records: &'a [&'a Stream], first: usize) -> impl Iterator<Item = &'a Stream> {
    records.iter().copied().cycle().skip(first).take(records.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(level: f64, samples: usize) -> Stream {
        let sample = |i: usize| PathInput { millivolts: level + i as f64 * 0.001, clipped: false, lead_off: None };
        Stream {
            format: "record".into(),
            fs: Hertz(250.0),
            samples: (0..samples).map(sample).collect(),
            respiration: None,
        }
    }

    #[test]
    fn records_of_one_wearer_are_joined_without_a_step_and_contact_begins_after_lead_off() {
        let (a, b) = (record(5.0, 500), record(-3.0, 500));
        let session = Session::contact(&[&a, &b], 1).unwrap();
        assert_eq!((session.contact_s, session.until_s, session.own_s), (3.0, 7.0, 4.0));
        assert!(session.samples[..750].iter().all(|s| s.lead_off == Some(true)));
        assert_eq!(session.samples[750].millivolts, -3.0, "the record that was asked for comes first");
        let worn = &session.samples[750..];
        assert!(worn.windows(2).all(|w| (w[1].millivolts - w[0].millivolts).abs() < 0.002));
    }

    #[test]
    fn a_swap_is_bare_or_has_lead_off_between_and_says_when_it_was() {
        let (a, b) = (record(0.0, 1000), record(1.0, 1000));
        let bare = Session::swap(&[&a], 0, &[&b], true).unwrap();
        assert_eq!((bare.until_s, bare.samples.len()), (7.0, 2750));
        assert!(bare.samples[750..].iter().all(|s| s.lead_off == Some(false)));
        let lifted = Session::swap(&[&a], 0, &[&b], false).unwrap();
        assert_eq!((lifted.until_s, lifted.samples.len()), (7.0, 3250));
        assert_eq!(lifted.samples[1750..].iter().filter(|s| s.lead_off == Some(true)).count(), 500);
        assert!(Session::swap(&[&a], 0, &[], true).is_none());
    }

    #[test]
    fn a_stranger_is_heard_for_as_long_as_was_asked_however_few_the_records() {
        let a = record(0.0, 1000);
        let session = Session::stranger(&[&a], 60.0).unwrap();
        assert_eq!((session.until_s, session.own_s), (63.0, 4.0));
        assert!(Session::stranger(&[], 60.0).is_none());
        assert!(Session::stranger(&[&record(0.0, 0)], 60.0).is_none());
    }
}
