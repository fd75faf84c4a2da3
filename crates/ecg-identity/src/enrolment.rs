//! Enrolment: what is asked of a person who puts the electrodes on, how far it has come, and what is refused.
//!
//! ```text
//! PutOn ─contact─▶ Collect ─enough─▶ TakeOff ─contact lost─▶ PutOn ─▶ … ─▶ Done
//!                     ▲ │ too many refused beats, or a heart that is not believed: the placement again
//!                     └─┘
//! ```
//! Several placements, because the electrodes never sit twice in the same way, and a template of one placement knows
//! only that one. A change of placement is seen by the contact going away; where a board does not show that, the person
//! may say so ([`Enrolment::moved`]).
//!
//! It is driven by events and has no clock: time is the seconds that the caller counts. It must not know signals,
//! networks, files or words for people: [`EnrolmentStatus`] says everything that a screen or a topic has to show.

mod config;
mod days;
mod placement;
mod resemblance;
mod status;
mod update;
mod verdict;

pub use config::{EnrolmentConfig, Requirements};
pub use days::{DAY_APART_S, HEART_RATES_APART_BPM, days, heart_rates_apart};
pub use placement::{Fault, Placement};
pub use resemblance::{Resemblance, resemblances};
pub use status::{Advice, Contact, EnrolmentStatus, Step};
pub use update::{Blend, MAX_DRIFT_COSINE, UpdateRefusal, UpdateRule, blend};
pub use verdict::{EnrolmentRefusal, Judged, Part, judge};

use crate::Suspicion;

/// How often a placement that is unlike the others is taken again before the enrolment is refused.
const REPEATS: u32 = 1;

/// How long before a doubt arose its beats may have begun, seconds: the slowest rule against an even rhythm takes twenty
/// intervals, and of replays that are recognised 95 in 100 are within 14 s even through noise (`docs/liveness.md`).
const BEFORE_DOUBT_S: f64 = 20.0;

/// An enrolment in progress.
#[derive(Debug, Clone)]
pub struct Enrolment {
    config: EnrolmentConfig,
    done: Vec<Placement>,
    /// When each of them was.
    done_at_s: Vec<f64>,
    current: Placement,
    step: Step,
    contact: Contact,
    /// Why the placement that is asked for is taken again.
    again: Option<EnrolmentRefusal>,
    /// Why the heart is not believed now.
    doubt: Option<Suspicion>,
    doubted_beats: usize,
    repeats_left: u32,
    clock_s: f64,
    /// Seconds in this step.
    waited_s: f64,
}

impl Enrolment {
    /// An enrolment that waits for the electrodes to be put on.
    #[must_use]
    pub fn new(config: EnrolmentConfig) -> Self {
        Self {
            config,
            done: Vec::new(),
            done_at_s: Vec::new(),
            current: Placement::default(),
            step: Step::PutOn,
            contact: Contact::Unknown,
            again: None,
            doubt: None,
            doubted_beats: 0,
            repeats_left: REPEATS,
            clock_s: 0.0,
            waited_s: 0.0,
        }
    }

    /// A good beat; `rr_s` is the time since the beat before, where that is known.
    pub fn accepted(&mut self, rr_s: Option<f64>) {
        self.believed();
        if self.step == Step::Collect {
            self.current.accepted(rr_s);
        }
    }

    /// A beat that the quality gate refused.
    pub fn refused(&mut self, fault: Fault) {
        self.believed();
        if self.step == Step::Collect {
            self.current.refused(fault);
        }
    }

    /// A beat while the heart is not believed to beat now; `fault` is what it would have been refused for anyway. The
    /// doubt ends with the next beat that is told otherwise.
    ///
    /// It is younger than the beats that it comes from. Those may have been taken already, so the placement begins anew,
    /// and so does one that was complete a moment ago.
    pub fn doubted(&mut self, suspicion: Suspicion, fault: Option<Fault>) {
        if self.ended() {
            return;
        }
        if self.doubt.replace(suspicion) != Some(suspicion) {
            self.disbelieve(suspicion);
        }
        if self.step == Step::Collect {
            self.current.doubted(suspicion, fault);
            self.doubted_beats += usize::from(fault.is_none());
        }
    }

    /// What the network makes of the newest beats; comes after [`Self::accepted`] of the newest of them.
    pub fn embedding(&mut self, embedding: &[f32]) {
        if self.step == Step::Collect && self.doubt.is_none() {
            self.current.embedding(embedding);
            self.advance();
        }
    }

    /// The contact as it is now.
    pub fn contact(&mut self, contact: Contact) {
        self.contact = contact;
        match (self.step, contact) {
            (Step::PutOn, Contact::On) => self.go(Step::Collect),
            (Step::TakeOff, Contact::Off(_) | Contact::NoHeart) => self.go(Step::PutOn),
            _ => {}
        }
    }

    /// The person says that the electrodes were taken off and put back; heard only while that is asked for.
    pub fn moved(&mut self) {
        if self.step == Step::TakeOff {
            self.go(Step::Collect);
        }
    }

    /// Time passes, with or without a signal. Seconds that are no time (negative, not finite) do not count.
    pub fn elapsed(&mut self, seconds: f64) {
        if seconds.is_finite() && seconds > 0.0 && !self.ended() {
            self.clock_s += seconds;
            self.waited_s += seconds;
            if self.clock_s >= self.config.give_up_after_s {
                self.step = Step::GaveUp;
            }
        }
    }

    /// Nothing more is to come: complete, or given up.
    #[must_use]
    pub fn ended(&self) -> bool {
        matches!(self.step, Step::Done | Step::GaveUp)
    }

    /// How far it has come and what to do now.
    #[must_use]
    pub fn status(&self) -> EnrolmentStatus {
        EnrolmentStatus::of(self)
    }

    /// The verdict on what was collected so far: of a source that ended early, too. A placement that is too short to
    /// count is left out where another one counts.
    ///
    /// # Errors
    /// [`EnrolmentRefusal`]: why this makes no template.
    pub fn finish(&self) -> Result<Judged, EnrolmentRefusal> {
        let mut placements = self.done.clone();
        if self.current.counts() || placements.is_empty() {
            placements.push(self.current.clone());
        }
        judge(&placements, &self.config.requirements)
    }

    /// Goes on where the placement has what it needs.
    fn advance(&mut self) {
        // A slow heart, or little time asked for: the placements together must reach the least number of beats.
        let few = self.current.beats() * self.config.placements.max(1) < self.config.requirements.min_beats;
        if few || self.current.seconds() < self.config.placement_s() || !self.current.counts() {
            return;
        }
        if let Some(refusal) = self.current.spoilt(self.done.len() + 1, &self.config.requirements) {
            // The beats that passed between so many that did not are the doubtful ones: they are not kept.
            self.again = Some(refusal);
            self.current = Placement::default();
            return;
        }
        self.done.push(std::mem::take(&mut self.current));
        self.done_at_s.push(self.clock_s);
        self.again = None;
        if self.done.len() < self.config.placements.max(1) {
            return self.go(Step::TakeOff);
        }
        match judge(&self.done, &self.config.requirements) {
            Err(refusal) if self.repeats_left > 0 && refusal.placement().is_some() => {
                self.repeats_left -= 1;
                let odd = refusal.placement().unwrap_or(1) - 1;
                self.done.remove(odd);
                self.done_at_s.remove(odd);
                self.again = Some(refusal);
                self.go(if self.config.placements > 1 { Step::TakeOff } else { Step::Collect });
            }
            _ => self.go(Step::Done),
        }
    }

    /// Takes back what may come from the beats that are doubted now.
    fn disbelieve(&mut self, suspicion: Suspicion) {
        let kept = self.done_at_s.iter().take_while(|at_s| self.clock_s - **at_s >= BEFORE_DOUBT_S).count();
        if kept < self.done.len() || self.step == Step::Collect {
            self.again = Some(EnrolmentRefusal::Doubted { placement: kept + 1, suspicion });
        }
        self.done.truncate(kept);
        self.done_at_s.truncate(kept);
        self.current = Placement::default();
    }

    /// A beat of a heart that is believed.
    fn believed(&mut self) {
        if self.doubt.take().is_some() {
            self.current = Placement::default();
        }
    }

    fn go(&mut self, step: Step) {
        self.step = step;
        self.waited_s = 0.0;
    }
}
