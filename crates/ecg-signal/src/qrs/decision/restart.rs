//! Starting again: when beats have stopped coming, when the lead was turned, and when samples are missing.
//!
//! Must not know how a level is found from candidates.

use super::Judge;
use super::choice::Learned;
use crate::qrs::Detection;
use crate::qrs::features::Candidate;
use crate::qrs::fiducial::UsualPolarity;
use crate::qrs::learning;

/// From this similarity on a candidate has the lead's shape, the right way up or upside down.
const SAME_SHAPE: f64 = 0.85;
/// A candidate of the lead's shape confirms its level when it is no smaller and no larger than this, in parts of it …
const CONFIRMED: (f64, f64) = (0.5, 2.0);
/// … and stands in surroundings as quiet as those of 99 % of beats.
const QUIET: f64 = 0.3;
/// Two candidates that repeat each other are the missed beats of a weaker signal only when so much time, in usual
/// intervals, has passed without a beat.
const SILENCE: f64 = 1.5;

impl Judge {
    /// Samples are missing: what was heard before them is no history of what comes. Levels, shape and direction of the
    /// lead stay, as a guess that the first candidates confirm or overrule. The rhythm does not: it says nothing of the
    /// first beats, and that of another heart would make true beats look doubtful. (24 records of MIT-BIH with 2472 gaps:
    /// 66 beats missed instead of 63; where another record follows on each gap, 79 instead of 137.)
    pub(in crate::qrs) fn interrupt(&mut self) {
        self.last = None;
        self.rejected.reset();
        self.flutter = false;
        self.silent_since = 0;
        self.rhythm.reset();
        self.bands.interrupt();
    }

    /// Forgets the lead: its shape, its direction and its rhythm.
    pub(in crate::qrs) fn start_over(&mut self) {
        self.rhythm.reset();
        self.bands.forget_shapes();
        self.polarity = UsualPolarity::default();
        self.last = None;
    }

    /// Whether a candidate is a beat of the lead as it was known before samples were missing.
    pub(in crate::qrs) fn recognises(&self, candidate: &Candidate) -> bool {
        let Learned { levels, template } = self.bands.here();
        let view = candidate.view(self.bands.band());
        template.compare(&view.shape).similarity > SAME_SHAPE
            && (CONFIRMED.0..CONFIRMED.1).contains(&(view.envelope / levels.signal_level()))
            && view.noise_ratio < QUIET
    }

    /// Begins with two beats that repeat each other; keeps what is known of the lead if they have its shape.
    pub(in crate::qrs) fn begin_with(&mut self, pair: [&Candidate; 2]) {
        let band = self.bands.band();
        let [a, b] = pair.map(|candidate| self.bands.here().template.compare(&candidate.view(band).shape));
        if a.turned.min(b.turned) > SAME_SHAPE {
            self.turn();
        } else if a.similarity.min(b.similarity) < SAME_SHAPE {
            self.start_over();
        }
        self.bands.learn_from_two(pair);
    }

    /// Rule 8: no beat for a while; the level may have fallen, or have been wrong from the start.
    pub(super) fn restart(&mut self, peak: i64, sink: &mut impl FnMut(Detection)) {
        let silence = peak - self.silent_since;
        if silence as f64 > SILENCE * self.rhythm.interval() && self.restart_with_two(sink) {
            return;
        }
        let wait = self.fs.samples(learning::RESTART_S) as i64;
        if silence <= wait {
            return;
        }
        let band = self.bands.band();
        let level = self.bands.here().levels.signal_level();
        let first = peak - self.fs.samples(learning::RESTART_MEMORY_S) as i64;
        let since = self.rejected.since(first);
        if let Some(lower) = learning::restart_level(level, since.clone().map(|c| c.view(band).envelope)) {
            self.bands.fall_to(lower);
            self.silent_since = peak - wait / 2;
        } else if silence > self.fs.samples(learning::RELEARN_S) as i64
            && let Some(new) = learning::relearned_level(
                level,
                since.clone().map(|c| c.view(band)).map(|view| (view.envelope, view.noise_ratio)),
            )
        {
            self.bands.relearn(new, since);
            self.silent_since = peak;
        }
    }

    /// The newest candidate repeats one before it: both were beats, too small for the level.
    fn restart_with_two(&mut self, sink: &mut impl FnMut(Detection)) -> bool {
        let (band, Learned { levels, template }) = (self.bands.band(), self.bands.here());
        let open = self.rejected.open();
        let Some(pair) = learning::repeated(open, band, template, self.fs) else { return false };
        let guessed = levels.are_guessed() || levels.noise_state() > QUIET;
        if !guessed && pair[1].view(band).envelope < learning::RESTART_FLOOR * levels.signal_level() {
            return false;
        }
        let pair = pair.map(|candidate| *candidate);
        self.begin_with(pair.each_ref());
        for (candidate, late) in pair.into_iter().zip([true, false]) {
            let judged = self.weigh(&candidate, std::iter::empty());
            self.accept(&candidate, &judged, late, sink);
        }
        true
    }

    fn turn(&mut self) {
        self.bands.turn();
        self.polarity.turn();
    }
}
