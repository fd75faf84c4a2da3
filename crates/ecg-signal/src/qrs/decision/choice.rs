//! Which of the two bands a lead is judged in, and what beats have taught in each.
//!
//! Muscle noise lies above a QRS, electrode motion below: no one band is right for both. A steep low-pass takes most of
//! the muscle noise and brings electrode motion, P and T waves nearer to the beats. So every beat of a lead that is not
//! quiet is looked at in both bands, and the lead says itself where its beats stand out more from what is beside them:
//! muscle noise nearly halves the noise ratio in the steep band, clean leads and electrode motion mostly raise it. Must
//! not know how candidates are judged.

use crate::qrs::band::Band;
use crate::qrs::features::Candidate;
use crate::qrs::learning;
use crate::qrs::level::Levels;
use crate::qrs::template::{Likeness, Template};
use crate::units::Hertz;

/// Noise state from which on the steep band is awake, and below which it may sleep: quiet leads do without. Half of
/// MIT-BIH never comes so far.
const ALERT: (f64, f64) = (0.10, 0.08);
/// Noise state from which on the steep band may be chosen, and below which the usual one is right whatever the other shows.
const NOISY: (f64, f64) = (0.13, 0.11);
/// The steep band is chosen when its noise state is less than this share of the usual one's, and left above the second.
/// In MIT-BIH the share is above 0.83 for 99 % of the beats of each record but one (207: 0.76), in electrode motion at 0 dB
/// above 1.06; in muscle noise it is 0.65 at 6 dB and 0.58 at 0 dB in the median.
const MUSCLE: (f64, f64) = (0.80, 0.95);
/// Beats that a band is believed after: as many as a median remembers.
const ENOUGH: usize = 8;

/// What beats have taught in one band.
#[derive(Clone, Debug)]
pub(super) struct Learned {
    pub(super) levels: Levels,
    pub(super) template: Template,
}

impl Learned {
    fn new(fs: Hertz) -> Self {
        Self { levels: Levels::default(), template: Template::new(fs) }
    }

    fn reset(&mut self) {
        self.levels = Levels::default();
        self.template.reset();
    }
}

/// Both bands, and the one in force.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    usual: Learned,
    steep: Learned,
    band: Band,
    alert: bool,
}

impl Bands {
    pub(super) fn new(fs: Hertz) -> Self {
        Self { usual: Learned::new(fs), steep: Learned::new(fs), band: Band::Usual, alert: true }
    }

    /// The band that candidates are looked for and judged in.
    pub(super) fn band(&self) -> Band {
        self.band
    }

    /// Whether the steep band has to be awake: at the start, and while the lead is not quiet.
    pub(super) fn is_alert(&self) -> bool {
        self.alert
    }

    /// What the band in force has learned.
    pub(super) fn here(&self) -> &Learned {
        self.learned(self.band)
    }

    /// What one band has learned.
    pub(super) fn learned(&self, band: Band) -> &Learned {
        match band {
            Band::Usual => &self.usual,
            Band::Steep => &self.steep,
        }
    }

    /// Sets the first levels from the candidates held while learning.
    pub(super) fn learn<'a>(&mut self, candidates: impl Iterator<Item = &'a Candidate> + Clone) {
        for band in [Band::Usual, Band::Steep] {
            let envelopes =
                candidates.clone().filter_map(|candidate| candidate.seen_in(band)).map(|view| view.envelope);
            if let Some(level) = learning::first_level(envelopes) {
                self.learned_mut(band).levels.learn(level);
            }
        }
    }

    /// Sets the levels from two beats that repeat each other.
    pub(super) fn learn_from_two(&mut self, pair: [&Candidate; 2]) {
        for band in [Band::Usual, Band::Steep] {
            if let [Some(a), Some(b)] = pair.map(|candidate| candidate.seen_in(band)) {
                self.learned_mut(band).levels.learn(0.5 * (a.envelope + b.envelope));
            }
        }
    }

    /// Samples are missing: what the usual band has learned stays as a guess. The steep one begins anew, for it may have
    /// been asleep; it is awake until the lead is known to be quiet.
    pub(super) fn interrupt(&mut self) {
        self.usual.levels.fade();
        self.steep.reset();
        self.band = Band::Usual;
        self.alert = true;
    }

    /// Forgets the shapes of the beats.
    pub(super) fn forget_shapes(&mut self) {
        self.usual.template.reset();
        self.steep.template.reset();
    }

    /// The lead has been turned upside down.
    pub(super) fn turn(&mut self) {
        self.usual.template.turn();
        self.steep.template.turn();
    }

    /// Begins anew with `level` in the band in force, and with what `candidates` show in the other.
    pub(super) fn relearn<'a>(&mut self, level: f64, candidates: impl Iterator<Item = &'a Candidate> + Clone) {
        (self.usual.levels, self.steep.levels) = Default::default();
        self.learn(candidates);
        let here = &mut self.learned_mut(self.band).levels;
        *here = Levels::default();
        here.learn(level);
    }

    /// Lowers the level of the band in force to `level`, by votes, and that of the other alike.
    pub(super) fn fall_to(&mut self, level: f64) {
        let share = level / self.here().levels.signal_level();
        let other = if self.band == Band::Usual { Band::Steep } else { Band::Usual };
        self.learned_mut(self.band).levels.vote(level);
        let levels = &mut self.learned_mut(other).levels;
        let known = levels.signal_level();
        if known > 0.0 {
            levels.vote(share * known);
        }
    }

    /// Learns from a beat, judged in `band` with this likeness: its sizes, and, if it `teaches`, its shape, when that is at
    /// least `similar`. `largest_rejected` holds the largest envelope rejected since the beat before, usual and steep.
    pub(super) fn beat(
        &mut self,
        candidate: &Candidate,
        (band, likeness): (Band, &Likeness),
        largest_rejected: [f64; 2],
        (teaches, similar): (bool, f64),
    ) {
        for (seen, largest) in [Band::Usual, Band::Steep].into_iter().zip(largest_rejected) {
            let Some(view) = candidate.seen_in(seen) else { continue };
            let Learned { levels, template } = self.learned_mut(seen);
            if levels.signal_level() <= 0.0 {
                levels.learn(view.envelope);
            }
            levels.beat(view.envelope, view.noise_ratio, largest);
            let likeness = if seen == band { *likeness } else { template.compare(&view.shape) };
            template.begin(&view.shape);
            if teaches && likeness.similarity > similar {
                template.learn(&view.shape, &likeness);
            }
        }
        self.choose();
    }

    pub(super) fn reset(&mut self) {
        self.usual.reset();
        self.steep.reset();
        self.band = Band::Usual;
        self.alert = true;
    }

    fn choose(&mut self) {
        let state = self.usual.levels.noise_state();
        if !self.alert && state > ALERT.0 {
            self.alert = true;
            // What it knew is of the time before it slept.
            self.steep.levels = Levels::default();
        }
        let share = self.steep.levels.noise_state() / state;
        let known = self.usual.levels.known() >= ENOUGH && self.steep.levels.known() >= ENOUGH;
        match self.band {
            Band::Usual if known && state > NOISY.0 && share < MUSCLE.0 => self.band = Band::Steep,
            Band::Usual if known && state < ALERT.1 => self.alert = false,
            Band::Steep if state < NOISY.1 || share > MUSCLE.1 => self.band = Band::Usual,
            _ => (),
        }
    }

    fn learned_mut(&mut self, band: Band) -> &mut Learned {
        match band {
            Band::Usual => &mut self.usual,
            Band::Steep => &mut self.steep,
        }
    }
}
