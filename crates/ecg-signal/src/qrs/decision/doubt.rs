//! Doubt: candidates that are large enough for a beat and still may be noise, because a rhythm runs on through them.
//!
//! A sinus rhythm that goes on with its usual shape at its usual distance says that what lies between is no beat. The
//! beat that closes the interval comes after the candidate, often later than a decision may wait. So a doubtful candidate
//! of a regular rhythm is *deferred*: the next decisions say whether the interval was closed (then it was noise) or not
//! (then it is a beat, given late, as search-back gives its own). Must not know how sizes and shapes are measured.

use super::choice::Learned;
use super::{Judge, Judged};
use crate::qrs::Detection;
use crate::qrs::features::Candidate;

/// Candidates from this size on are exempt (an interpolated PVC is tall) …
const TALL: f64 = 0.9;
/// … and in a noisy lead only taller ones, by this per part of noise state above that of a quiet lead: electrode motion
/// makes pulses several times as tall as the beats.
const TALL_IN_NOISE: f64 = 15.0;
/// Candidates more alike than this are exempt, too …
const ALIKE: f64 = 0.7;
/// … unless they are lower than this in a regular rhythm: what is half as tall as all others is doubtful in any shape.
const LOW: f64 = 0.6;
/// Deviation of the newest intervals, in parts of their median, below which a rhythm is regular. Sinus rhythm has 0.01
/// to 0.05, atrial fibrillation 0.15 and more.
const REGULAR: f64 = 0.08;
/// A beat of the lead's usual shape …
const USUAL_SHAPE: f64 = 0.85;
/// … and least size closes an interval.
const CLOSING_SIZE: f64 = 0.6;
/// Shortest and longest undisturbed interval, in usual ones.
const UNDISTURBED: (f64, f64) = (0.8, 1.2);
/// So soon after a usual beat of a regular rhythm, in usual intervals, the ventricles are still contracted (QT is longer):
/// what is there and has not the usual shape is an artefact, however tall. Of 24 records of MIT-BIH no beat is lost.
const STILL_CONTRACTED: f64 = 0.36;
/// What a doubtful candidate in the middle of an undisturbed interval must have more.
pub(super) const UNDISTURBED_PENALTY: f64 = 0.4;
/// The future that a judgement may look at, in seconds after the peak: candidates are confirmed after the refractory
/// time.
const AHEAD_S: f64 = 0.46;

impl Judge {
    /// Whether a candidate that is large enough may still be noise.
    pub(super) fn is_doubtful(&self, judged: &Judged) -> bool {
        let unlike = judged.likeness.similarity < ALIKE;
        if !self.is_regular() {
            return judged.relative < TALL && unlike;
        }
        judged.relative < TALL + TALL_IN_NOISE * self.noise() && unlike || judged.relative < LOW
    }

    /// Whether a candidate comes while the beat before it still lasts.
    pub(super) fn is_too_early(&self, judged: &Judged) -> bool {
        self.is_regular()
            && judged.likeness.similarity < USUAL_SHAPE
            && self.last.is_some_and(|last| {
                let since = (judged.peak - last.peak) as f64;
                last.similarity > USUAL_SHAPE && since < STILL_CONTRACTED * self.rhythm.interval()
            })
    }

    /// Rule 3: the usual rhythm runs on past the candidate with its usual shape, so the candidate is noise.
    pub(super) fn is_rhythm_undisturbed<'a>(&self, peak: i64, mut ahead: impl Iterator<Item = &'a Candidate>) -> bool {
        let Learned { levels, template } = self.bands.here();
        let level = levels.signal_level();
        let horizon = self.horizon(peak);
        let next = ahead.find(|next| {
            next.peak <= horizon
                && next.view(self.bands.band()).envelope > CLOSING_SIZE * level
                && template.compare(&next.view(self.bands.band()).shape).similarity > USUAL_SHAPE
        });
        next.is_some_and(|next| self.is_usual_interval(next.peak))
    }

    /// Whether a beat closes an undisturbed interval.
    pub(super) fn closes_interval(&self, judged: &Judged) -> bool {
        judged.relative > CLOSING_SIZE
            && judged.likeness.similarity > USUAL_SHAPE
            && self.is_usual_interval(judged.peak)
    }

    /// Whether a beat must wait for what comes after it: it is doubtful, and the beat that would close the interval may
    /// still lie beyond what can be seen.
    pub(super) fn must_wait(&self, judged: &Judged) -> bool {
        self.is_regular()
            && self.is_doubtful(judged)
            && self.last.is_some_and(|last| {
                let seen = (self.horizon(judged.peak) - last.peak) as f64;
                last.similarity > USUAL_SHAPE && seen < UNDISTURBED.1 * self.rhythm.interval()
            })
    }

    /// Rule 3, later: `judged` does not close the interval in which candidates wait. When it is a beat beyond doubt, or
    /// lies too late for any to close it, they are beats.
    pub(super) fn resolve_deferred(&mut self, judged: &Judged, is_beat: bool, sink: &mut impl FnMut(Detection)) {
        while let (Some(deferred), Some(last)) = (self.rejected.deferred(), self.last) {
            let late = (judged.peak - last.peak) as f64 > UNDISTURBED.1 * self.rhythm.interval();
            if !late && (!is_beat || self.is_doubtful(judged)) {
                return;
            }
            self.accept(&deferred.candidate, &deferred.judged, true, sink);
        }
    }

    /// The record has ended: what waits is a beat.
    pub(in crate::qrs) fn finish(&mut self, sink: &mut impl FnMut(Detection)) {
        while let Some(deferred) = self.rejected.deferred() {
            self.accept(&deferred.candidate, &deferred.judged, true, sink);
        }
    }

    fn is_regular(&self) -> bool {
        self.rhythm.deviation().is_some_and(|deviation| deviation < REGULAR)
    }

    /// Whether a peak lies a usual interval behind a beat of the usual shape.
    fn is_usual_interval(&self, peak: i64) -> bool {
        let Some(last) = self.last.filter(|last| last.similarity > USUAL_SHAPE) else { return false };
        let (interval, usual) = ((peak - last.peak) as f64, self.rhythm.interval());
        interval >= UNDISTURBED.0 * usual && interval <= UNDISTURBED.1 * usual
    }

    fn horizon(&self, peak: i64) -> i64 {
        peak + self.fs.samples(AHEAD_S) as i64
    }
}
