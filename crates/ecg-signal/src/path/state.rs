//! How the signal is now: contact, heart rate, share of accepted beats. Must not know about positions or segments.

use crate::FS;
use crate::quality::{Mark, Verdict};

/// What the electrodes and the signal of the last second look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Contact {
    /// Too little has come to tell.
    Unknown,
    /// A heart is seen.
    Good,
    /// The board says that an electrode is off, or samples are not numbers.
    LeadOff,
    /// The signal does not move.
    FlatLine,
    /// The converter is at its limit.
    Clipping,
    /// Something moves, and it is no heart: no accepted beat has come for 4 s, or most beats were refused and the newest
    /// three were not all accepted.
    Noise,
}

/// How the signal is now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalState {
    /// What the last second looks like.
    pub contact: Contact,
    /// Median of the newest eight intervals between accepted beats as a rate; `None` until three are known, and when none
    /// has come for 10 s or no beat was accepted for 5 s.
    pub heart_rate_bpm: Option<f64>,
    /// Share of the newest 16 beats that were accepted, 0 … 1; 0 without beats. Those from before a gap or a lost contact
    /// do not count.
    pub accepted_share: f64,
    /// The board says that an electrode is off while the signal shows a heart: its bits are not believed.
    pub lead_off_contradicted: bool,
    /// The electrodes are probably swapped: P, QRS and T point down. `None` until that is known; the last clear answer
    /// from then on, until a gap.
    pub lead_inverted: Option<bool>,
}

const SECOND: u32 = FS.0 as u32;
/// Twice the interval of the slowest heart that is expected (30 a minute).
const NO_BEAT_AFTER: u32 = 4 * SECOND;
const RATE_LASTS: u32 = 5 * SECOND;
/// In bigeminy no two accepted beats follow each other for minutes, and the rate moves on.
const INTERVALS_LAST: u32 = 10 * SECOND;
const INTERVALS: usize = 8;
const BEATS: u32 = 16;
/// So many accepted beats in a row are a heart, whatever was refused before them.
const IN_A_ROW: u32 = 3;
/// The newest beats of [`StateTracker::verdicts`], so many.
const NEWEST: u32 = (1 << IN_A_ROW) - 1;

/// Leaky counters over about a second: a sample with the property adds, one without takes away.
#[derive(Clone, Debug, Default)]
struct Held {
    level: u32,
}

impl Held {
    #[inline]
    fn sample(&mut self, holds: bool) {
        self.level = if holds { (self.level + 4).min(SECOND) } else { self.level.saturating_sub(1) };
    }

    /// So many samples without the property.
    fn quiet(&mut self, count: u32) {
        self.level = self.level.saturating_sub(count);
    }

    fn is_on(&self) -> bool {
        self.level >= SECOND / 4
    }
}

#[derive(Clone, Debug)]
pub(super) struct StateTracker {
    samples: u32,
    lead_off: Held,
    clipped: Held,
    still: Held,
    since_accepted: u32,
    since_interval: u32,
    intervals: [f64; INTERVALS],
    known: usize,
    next: usize,
    /// Verdicts of the newest beats, newest in bit 0.
    verdicts: u32,
    beats: u32,
    /// How many of them tell whether there is a heart: those since three in a row were accepted.
    telling: u32,
    previous_accepted: bool,
}

impl StateTracker {
    pub(super) fn new() -> Self {
        Self {
            samples: 0,
            lead_off: Held::default(),
            clipped: Held::default(),
            still: Held::default(),
            since_accepted: 0,
            since_interval: 0,
            intervals: [0.0; INTERVALS],
            known: 0,
            next: 0,
            verdicts: 0,
            beats: 0,
            telling: 0,
            previous_accepted: false,
        }
    }

    /// Takes the mark of one sample at 250 Hz.
    #[inline]
    pub(super) fn sample(&mut self, mark: Mark) {
        self.samples = self.samples.saturating_add(1);
        self.since_accepted = self.since_accepted.saturating_add(1);
        self.since_interval = self.since_interval.saturating_add(1);
        self.lead_off.sample(mark.is_lead_off());
        self.clipped.sample(mark.is_clipped());
        self.still.sample(mark.is_still());
    }

    /// Takes the marks of a stretch of samples.
    #[inline]
    pub(super) fn samples(&mut self, marks: &[Mark]) {
        if Mark::any(marks) != Mark::default() {
            marks.iter().for_each(|&mark| self.sample(mark));
            return;
        }
        let count = marks.len() as u32;
        self.samples = self.samples.saturating_add(count);
        self.since_accepted = self.since_accepted.saturating_add(count);
        self.since_interval = self.since_interval.saturating_add(count);
        [&mut self.lead_off, &mut self.clipped, &mut self.still].into_iter().for_each(|held| held.quiet(count));
    }

    /// Takes the next beat. One without an interval before it is the first after a gap or a lost contact: beats from before
    /// say nothing of the heart that is there now.
    pub(super) fn beat(&mut self, rr_ms: Option<f64>, verdict: Verdict) {
        if rr_ms.is_none() {
            (self.known, self.next) = (0, 0);
            (self.verdicts, self.beats, self.telling) = (0, 0, 0);
            self.previous_accepted = false;
        }
        let accepted = verdict.is_accepted();
        self.verdicts = self.verdicts << 1 | u32::from(accepted);
        self.beats = (self.beats + 1).min(BEATS);
        self.telling = (self.telling + 1).min(BEATS);
        if self.beats >= IN_A_ROW && self.verdicts & NEWEST == NEWEST {
            self.telling = IN_A_ROW;
        }
        if accepted {
            self.since_accepted = 0;
        }
        let both = std::mem::replace(&mut self.previous_accepted, accepted) && accepted;
        if let (Some(rr_ms), true) = (rr_ms, both) {
            if self.since_interval > INTERVALS_LAST {
                (self.known, self.next) = (0, 0);
            }
            self.since_interval = 0;
            self.intervals[self.next] = rr_ms;
            self.next = (self.next + 1) % INTERVALS;
            self.known = (self.known + 1).min(INTERVALS);
        }
    }

    /// A gap: nothing of before says anything about now.
    pub(super) fn interrupt(&mut self) {
        *self = Self::new();
    }

    pub(super) fn state(&self) -> SignalState {
        SignalState {
            contact: self.contact(),
            heart_rate_bpm: self.heart_rate_bpm(),
            accepted_share: self.accepted_share(),
            lead_off_contradicted: false,
            lead_inverted: None,
        }
    }

    fn contact(&self) -> Contact {
        if self.lead_off.is_on() {
            Contact::LeadOff
        } else if self.clipped.is_on() {
            Contact::Clipping
        } else if self.still.is_on() {
            Contact::FlatLine
        } else if self.telling >= 4 && self.share_of(self.telling) < 0.5 {
            Contact::Noise
        } else if self.since_accepted < NO_BEAT_AFTER && self.verdicts != 0 {
            Contact::Good
        } else if self.samples < NO_BEAT_AFTER {
            Contact::Unknown
        } else {
            Contact::Noise
        }
    }

    fn accepted_share(&self) -> f64 {
        self.share_of(self.beats)
    }

    /// Share of the newest `beats` that were accepted.
    fn share_of(&self, beats: u32) -> f64 {
        if beats == 0 {
            return 0.0;
        }
        let newest = self.verdicts & ((1 << beats) - 1);
        f64::from(newest.count_ones()) / f64::from(beats)
    }

    fn heart_rate_bpm(&self) -> Option<f64> {
        if self.known < 3 || self.since_accepted > RATE_LASTS || self.since_interval > INTERVALS_LAST {
            return None;
        }
        let mut sorted = self.intervals;
        let known = &mut sorted[..self.known];
        known.sort_by(f64::total_cmp);
        let median = (known[(self.known - 1) / 2] + known[self.known / 2]) / 2.0;
        Some(60_000.0 / median)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Refusal;

    const REFUSED: Verdict = Verdict::Refused(Refusal::Noise);

    fn after(beats: &[(Option<f64>, Verdict)]) -> SignalState {
        let mut tracker = StateTracker::new();
        for &(rr_ms, verdict) in beats {
            (0..SECOND).for_each(|_| tracker.sample(Mark::default()));
            tracker.beat(rr_ms, verdict);
        }
        tracker.state()
    }

    #[test]
    fn the_rate_of_the_heart_before_a_lost_contact_is_not_that_of_the_one_behind_it() {
        let mut beats = vec![(None, Verdict::Accepted)];
        beats.extend([(Some(1000.0), Verdict::Accepted); 20]);
        assert_eq!(after(&beats).heart_rate_bpm, Some(60.0));
        beats.push((None, Verdict::Accepted));
        beats.extend([(Some(500.0), Verdict::Accepted); 2]);
        assert_eq!(after(&beats).heart_rate_bpm, None);
        beats.push((Some(500.0), Verdict::Accepted));
        assert_eq!(after(&beats).heart_rate_bpm, Some(120.0));
    }

    #[test]
    fn a_rate_that_no_interval_has_confirmed_for_ten_seconds_is_none() {
        let mut beats = vec![(None, Verdict::Accepted)];
        beats.extend([(Some(1000.0), Verdict::Accepted); 8]);
        let bigeminy = [(Some(1000.0), REFUSED), (Some(1000.0), Verdict::Accepted)];
        beats.extend(bigeminy.iter().cycle().take(10));
        assert_eq!(after(&beats).heart_rate_bpm, Some(60.0));
        beats.extend(bigeminy);
        assert_eq!(after(&beats).heart_rate_bpm, None);
        // What is known then begins anew.
        beats.extend([(Some(500.0), Verdict::Accepted); 2]);
        assert_eq!(after(&beats).heart_rate_bpm, None);
        beats.push((Some(500.0), Verdict::Accepted));
        assert_eq!(after(&beats).heart_rate_bpm, Some(120.0));
    }

    #[test]
    fn three_beats_after_a_noise_are_a_heart_and_one_in_two_is_none() {
        let mut beats = vec![(None, REFUSED)];
        beats.extend([(Some(600.0), REFUSED); 30]);
        beats.extend([(Some(800.0), Verdict::Accepted); 2]);
        assert_eq!(after(&beats).contact, Contact::Noise);
        beats.push((Some(800.0), Verdict::Accepted));
        let state = after(&beats);
        assert_eq!(state.contact, Contact::Good);
        assert!(state.accepted_share < 0.2, "{}", state.accepted_share);
        beats.extend([(Some(800.0), REFUSED); 3]);
        assert_eq!(after(&beats).contact, Contact::Good);
        beats.push((Some(800.0), REFUSED));
        assert_eq!(after(&beats).contact, Contact::Noise);
        for _ in 0..10 {
            beats.push((Some(800.0), REFUSED));
            beats.push((Some(800.0), REFUSED));
            beats.push((Some(800.0), Verdict::Accepted));
            assert_eq!(after(&beats).contact, Contact::Noise);
        }
    }
}
