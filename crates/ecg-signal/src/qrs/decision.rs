//! The rules that make a candidate a beat.
//!
//! Must not know how features are measured. A candidate is judged once, with the candidates of the following half
//! second known; a rejected one can only come back by search-back.

mod choice;
mod doubt;
mod restart;

use super::band::Band;
use super::features::Candidate;
use super::fiducial::UsualPolarity;
use super::rhythm::Rhythm;
use super::search_back::Rejected;
use super::template::{Likeness, Template};
use super::{Detection, features};
use crate::units::Hertz;
use choice::{Bands, Learned};

/// Threshold of a quiet lead, in parts of the signal level.
const THRESHOLD: f64 = 0.18;
/// What the noise level adds, per part of the signal level.
const NOISE_LEVEL_WEIGHT: f64 = 1.1;
/// What the noise state adds above that of a quiet lead.
const NOISE_STATE_WEIGHT: f64 = 1.5;
const QUIET_NOISE_STATE: f64 = 0.12;
/// Largest threshold that the lead's state may make: 95 % of true beats lie above 0.77 of the level.
const LARGEST_STATE_THRESHOLD: f64 = 0.5;
/// What noisy surroundings of this candidate add, above those of a clean beat.
const NOISE_RATIO_WEIGHT: f64 = 0.7;
const CLEAN_NOISE_RATIO: f64 = 0.25;
/// What a strange shape adds, below a usual one.
const SHAPE_WEIGHT: f64 = 0.2;
const USUAL_SIMILARITY: f64 = 0.6;
/// Largest threshold of all this: a beat of the usual size is never refused for its looks.
const LARGEST_THRESHOLD: f64 = 0.9;

/// In a noisy lead, what a shape unlike the usual one adds, per part of noise state above that of a quiet lead …
const UNLIKE_WEIGHT: f64 = 1.5;
/// … below this similarity …
const LIKE: f64 = 0.9;
/// … up to so much noise state: in more noise than this the beats look unlike, too.
const LARGEST_NOISE: f64 = 0.15;

/// T wave: so soon after a beat (the paper's 360 ms) …
const T_WAVE_S: f64 = 0.36;
/// … less tall than this (without this limit early PVCs go) …
const T_WAVE_SIZE: f64 = 0.5;
/// … and less steep than this share of the beat before.
const T_WAVE_SLOPE: f64 = 0.5;

/// A beat teaches the template when it is at least so similar …
const TEACHING_SIMILARITY: f64 = 0.6;
/// … in a signal no more restless than this.
const TEACHING_SPREAD: f64 = 0.7;

/// A beat whose R lies nearer to the start or the end than half a QRS has not been seen whole: what is found there is the
/// edge itself.
pub(super) const UNSEEN_S: f64 = 0.045;

/// What the rules made of a candidate. The candidate itself, which is large, stays where it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    /// Where its peak is.
    peak: i64,
    /// The band it was judged in.
    band: Band,
    /// Its envelope in that band.
    pub(super) envelope: f64,
    /// Envelope over signal level (`r`).
    pub(super) relative: f64,
    /// What `relative` had to exceed (`θ`).
    pub(super) threshold: f64,
    pub(super) likeness: Likeness,
    /// Search-back may not have it.
    pub(super) closed: bool,
    /// A beat by its size; whether the rhythm runs on through it is not known yet.
    pub(super) deferred: bool,
}

/// The beat before.
#[derive(Clone, Copy, Debug)]
struct LastBeat {
    peak: i64,
    slope: f64,
    similarity: f64,
}

/// Judges candidates in order and remembers what it needs of them.
#[derive(Clone, Debug)]
pub(super) struct Judge {
    bands: Bands,
    rhythm: Rhythm,
    polarity: UsualPolarity,
    last: Option<LastBeat>,
    rejected: Rejected,
    /// A window of flutter has been met since the last beat.
    flutter: bool,
    /// From where the time without a beat counts.
    silent_since: i64,
    fs: Hertz,
}

impl Judge {
    pub(super) fn new(fs: Hertz) -> Self {
        Self {
            bands: Bands::new(fs),
            rhythm: Rhythm::new(fs),
            polarity: UsualPolarity::default(),
            last: None,
            rejected: Rejected::new(fs),
            flutter: false,
            silent_since: 0,
            fs,
        }
    }

    /// The template, which also cuts shapes.
    pub(super) fn template(&self) -> &Template {
        &self.bands.here().template
    }

    /// The band that the next candidates are looked for in.
    pub(super) fn band(&self) -> Band {
        self.bands.band()
    }

    /// Whether the steep band has to be awake.
    pub(super) fn needs_steep_band(&self) -> bool {
        self.bands.is_alert()
    }

    /// Ends learning: forgets the lead as it was known, and sets the first levels from the candidates held, if there are
    /// any.
    pub(super) fn learn<'a>(&mut self, held: impl Iterator<Item = &'a Candidate> + Clone) {
        if held.clone().next().is_some() {
            self.start_over();
            self.bands.learn(held);
        }
    }

    /// Judges a candidate; `ahead` are those after it, in order. What is a beat goes to `sink`, in order of time.
    pub(super) fn decide<'a>(
        &mut self,
        candidate: &Candidate,
        ahead: impl Iterator<Item = &'a Candidate>,
        sink: &mut impl FnMut(Detection),
    ) {
        let mut judged = self.weigh(candidate, ahead);
        // The first beat of a signal is like none before it: then the rest beside it alone speaks against flutter.
        let similarity = if self.template().is_known() { judged.likeness.similarity } else { 1.0 };
        let flutter = candidate.texture.is_flutter(similarity, candidate.view(judged.band).noise_ratio);
        let is_wave = self.is_t_wave(&judged, candidate.slope) || self.is_too_early(&judged);
        let is_beat = judged.relative > judged.threshold && !flutter && !is_wave;
        if !(is_beat && self.closes_interval(&judged)) {
            self.resolve_deferred(&judged, is_beat, sink);
        }
        if is_beat && self.must_wait(&judged) {
            judged.deferred = true;
            self.rejected.push(candidate, judged);
        } else if is_beat {
            self.rejected.dismiss_deferred();
            self.search_back(candidate.peak, sink);
            self.accept(candidate, &judged, false, sink);
        } else {
            self.flutter |= flutter;
            judged.closed = flutter;
            self.rejected.push(candidate, judged);
            self.restart(candidate.peak, sink);
        }
    }

    pub(super) fn reset(&mut self) {
        self.interrupt();
        self.start_over();
        self.bands.reset();
    }

    /// Rules 1 to 3: the candidate's size and what it must exceed.
    fn weigh<'a>(&self, candidate: &Candidate, ahead: impl Iterator<Item = &'a Candidate>) -> Judged {
        let band = self.bands.band();
        let Learned { levels, template } = self.bands.here();
        let view = candidate.view(band);
        let level = levels.signal_level();
        let relative = view.envelope / level;
        let likeness = template.compare(&view.shape);
        let state = THRESHOLD + NOISE_LEVEL_WEIGHT * levels.noise_level() / level + NOISE_STATE_WEIGHT * self.noise();
        let noisy = NOISE_RATIO_WEIGHT * (view.noise_ratio - CLEAN_NOISE_RATIO).max(0.0);
        let strange = SHAPE_WEIGHT * (USUAL_SIMILARITY - likeness.similarity.max(0.0)).max(0.0);
        let unlike = UNLIKE_WEIGHT * self.noise().min(LARGEST_NOISE) * (LIKE - likeness.similarity.max(0.0)).max(0.0);
        let threshold = (state.min(LARGEST_STATE_THRESHOLD) + noisy + strange).min(LARGEST_THRESHOLD) + unlike;
        let mut judged = Judged {
            peak: candidate.peak,
            band,
            envelope: view.envelope,
            relative,
            threshold,
            likeness,
            closed: false,
            deferred: false,
        };
        if self.is_doubtful(&judged) && self.is_rhythm_undisturbed(candidate.peak, ahead) {
            judged.threshold += doubt::UNDISTURBED_PENALTY;
        }
        judged
    }

    /// Noise state above that of a quiet lead.
    fn noise(&self) -> f64 {
        (self.bands.here().levels.noise_state() - QUIET_NOISE_STATE).max(0.0)
    }

    /// Rule 5: a low, slow wave soon after a beat is its T wave.
    fn is_t_wave(&self, judged: &Judged, slope: f64) -> bool {
        self.last.is_some_and(|last| {
            judged.peak - last.peak < self.fs.samples(T_WAVE_S) as i64
                && judged.relative < T_WAVE_SIZE
                && slope < T_WAVE_SLOPE * last.slope
        })
    }

    /// Rule 7: beats missed before the one at `peak`, while the gap is too long.
    fn search_back(&mut self, peak: i64, sink: &mut impl FnMut(Detection)) {
        let interval = self.rhythm.interval();
        while let Some(last) = self.last {
            let Some(missed) = self.rejected.missed(last.peak, peak, interval) else { break };
            self.accept(&missed.candidate, &missed.judged, true, sink);
        }
    }

    /// Makes a candidate a beat: everything learns from it.
    fn accept(
        &mut self,
        candidate: &Candidate,
        judged: &Judged,
        searched_back: bool,
        sink: &mut impl FnMut(Detection),
    ) {
        let Judged { band, likeness, .. } = judged;
        let largest_rejected = self.rejected.forget_until(candidate.peak);
        let usual = candidate.view(Band::Usual);
        let shape = match band {
            Band::Usual => likeness.similarity,
            Band::Steep => self.bands.learned(Band::Usual).template.compare(&usual.shape).similarity,
        };
        let teaches = candidate.texture.spread_signal < TEACHING_SPREAD;
        self.bands.beat(candidate, (*band, likeness), largest_rejected, (teaches, TEACHING_SIMILARITY));
        if let Some(last) = self.last {
            self.rhythm.push(candidate.peak - last.peak);
        }
        self.last = Some(LastBeat { peak: candidate.peak, slope: candidate.slope, similarity: likeness.similarity });
        self.silent_since = candidate.peak;
        let (r_peak, polarity) = self.polarity.choose(&candidate.deflections, likeness.similarity);
        if r_peak < UNSEEN_S * self.fs.0 {
            return;
        }
        sink(Detection {
            r_peak,
            polarity,
            envelope: usual.envelope,
            noise_ratio: usual.noise_ratio,
            shape,
            spread: candidate.texture.spread_signal + candidate.texture.spread_band,
            noise_state: self.bands.learned(Band::Usual).levels.noise_state(),
            flutter: std::mem::take(&mut self.flutter),
            searched_back,
        });
    }
}

/// Samples between the R peak and the decision on it.
pub(super) fn decision_delay(fs: Hertz) -> usize {
    features::centre_delay(fs) + fs.samples(super::flutter::AFTER_PEAK_S)
}
