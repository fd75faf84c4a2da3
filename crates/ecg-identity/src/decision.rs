//! The decision over time: from single embeddings to *who is on the electrodes*.
//!
//! It must not know signals, models or clocks: embeddings and the time of the stream come in, a [`Decision`] goes out,
//! and the same input always gives the same output.
//!
//! # Evidence
//! The evidence is the embeddings of the last [`window_s`](DecisionConfig::window_s) seconds since it was last cleared.
//! Beats of one placement are far from independent (intraclass correlation of the genuine score 0.77 on Heartprint),
//! so scores are not summed: the embeddings are averaged and the mean is compared once, which makes the threshold of
//! one comparison the threshold of the decision.
//!
//! With a calibration the threshold T is that of the evidence's heartbeats, for the false positive rate that was asked
//! for and the number of persons enrolled; after the first full window of a contact it is that of a ten times smaller
//! rate, because all further looks at the same person are chances for a stranger; not so with a subject who was verified
//! last in this contact. The floor (T − M below) is then the
//! threshold of a ten times larger rate. Averages of fewer than a full average's beats count until the first full one.
//!
//! Evidence is cleared by lost signal ([`Decider::no_signal`]), by missing samples ([`Decider::interrupted`]), by a new gallery, by a change of the person that single
//! heartbeats show ([`Decider::person_changed`]), by a pause longer than
//! [`max_pause_s`](DecisionConfig::max_pause_s), and by time that runs backwards. Where the newest embeddings
//! (`recent_s`) do not match the older ones for `exit_updates` updates, another person is on the electrodes: the
//! older ones are forgotten.
//!
//! # States
//! One embedding is one update. With T the threshold and M the margin, an update
//! - *matches* a subject: window score ≥ T, ahead of every other subject by `lead`, and each half of the window and
//!   the newest embeddings alone score ≥ T − M with the same subject (a mixture of two persons does not);
//! - *rejects*: no subject's window score reaches T − M, or nobody is enrolled;
//! - *is near* otherwise.
//!
//! | from | on | to |
//! | --- | --- | --- |
//! | any | `no_signal(lost)` | `NoSignal`, evidence cleared |
//! | `NoSignal` | `signal()`, or an embedding unless the signal is known to be unusable | `Acquiring` |
//! | any but `NoSignal` | `person_changed()`, `interrupted()` | `Acquiring`, evidence cleared |
//! | any | fewer than `min_embeddings` | `Acquiring` |
//! | `Acquiring`, `Unknown`, `Uncertain` | `enter_updates` updates in a row match one subject, and the intervals vary by `varied_s` | `Verified` |
//! | `Acquiring`, `Uncertain` | `enter_updates` updates in a row reject | `Unknown` |
//! | `Acquiring` | `2 · enter_updates` updates without either | `Uncertain` |
//! | `Verified` | `exit_updates` updates in a row in which the window, or the newest alone, score below T − M with the subject, or by `lead` higher with another one | `Uncertain`, only the newest evidence kept |
//! | `Unknown` | `exit_updates` updates in a row do not reject | `Uncertain` |
//!
//! While the heart is not believed to beat now ([`Decider::doubt`]), the state is `Uncertain` in place of all others but
//! `NoSignal`, and embeddings are not evidence.
//!
//! There is no way from one verified subject to another that does not pass through another state.

mod config;
mod evidence;
mod outcome;
mod run;

use crate::compare::{Reference, cosine, rank};
use crate::liveness::Suspicion;
pub use config::{Asked, Calibrated, DecisionConfig, comparisons};
pub use evidence::since_contact;
use evidence::{Evidence, Part};
pub use outcome::{Decision, Lost, State, Why};
use run::Runs;

/// What one update says, before the states look at it.
enum Update {
    Matches { subject: String, revision: u32, score: f64 },
    Rejects { score: Option<f64> },
    Near { score: f64, why: Why },
}

/// Decides over time, one embedding after another.
///
/// See [`DecisionConfig`] for the settings and `src/decision.rs` for the table of states.
#[derive(Debug, Clone)]
pub struct Decider {
    config: DecisionConfig,
    references: Vec<Reference>,
    /// What the number of references is worth.
    enrolled: usize,
    evidence: Evidence,
    runs: Runs,
    decision: Decision,
    doubt: Option<Suspicion>,
    /// The signal is known to be unusable: what a beat from before says comes too late.
    unusable: bool,
    /// Who was verified last in this contact: who comes back after a doubtful moment is no stranger who waits.
    seen: Option<String>,
}

impl Decider {
    /// A decider over a gallery, in `NoSignal` (starting).
    #[must_use]
    pub fn new(config: DecisionConfig, references: Vec<Reference>) -> Self {
        let decision = Decision {
            state: State::NoSignal,
            subject: None,
            revision: None,
            score: None,
            threshold: 0.0,
            why: Why::Lost(Lost::Starting),
            embeddings: 0,
        };
        let (evidence, enrolled) = (Evidence::new(&config), comparisons(&references));
        let (runs, doubt, unusable, seen) = (Runs::default(), None, false, None);
        let mut new = Self { evidence, runs, config, references, enrolled, decision, doubt, unusable, seen };
        new.decision.threshold = new.threshold(None);
        new
    }

    /// The latest decision.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Replaces the gallery. All evidence is cleared: nobody stays verified against a template that is gone.
    pub fn set_references(&mut self, references: Vec<Reference>) -> &Decision {
        (self.enrolled, self.references) = (comparisons(&references), references);
        self.clear();
        self.begin_contact();
        let stays = self.decision.state == State::NoSignal || self.doubt.is_some();
        if stays { &self.decision } else { self.settle(State::Acquiring, None, Why::GalleryChanged) }
    }

    /// The signal is lost: evidence is cleared at once. Where it is there and cannot be used, embeddings are no evidence until
    /// [`Self::signal`]: they are of heartbeats from before.
    pub fn no_signal(&mut self, lost: Lost) -> &Decision {
        self.unusable = lost.is_of_the_signal();
        self.clear();
        self.begin_contact();
        self.settle(State::NoSignal, None, Why::Lost(lost))
    }

    /// Samples are missing, too few for other electrodes to have been put on meanwhile: evidence is cleared, and the contact
    /// goes on, so that a line that loses samples gives a stranger no further first window.
    pub fn interrupted(&mut self) -> &Decision {
        self.clear();
        match (self.decision.state, self.doubt) {
            (State::NoSignal, _) => &self.decision,
            (_, None) => self.settle(State::Acquiring, None, Why::Collecting),
            (_, Some(suspicion)) => self.settle(State::Uncertain, None, Why::NotAlive(suspicion)),
        }
    }

    /// The signal is there (again) and can be used: out of `NoSignal` into `Acquiring`; nothing in any other state.
    pub fn signal(&mut self) -> &Decision {
        self.unusable = false;
        self.leave_no_signal()
    }

    fn leave_no_signal(&mut self) -> &Decision {
        if self.decision.state == State::NoSignal {
            match self.doubt {
                None => self.settle(State::Acquiring, None, Why::Collecting),
                Some(suspicion) => self.settle(State::Uncertain, None, Why::NotAlive(suspicion)),
            };
        }
        &self.decision
    }

    /// The heart is not believed to beat now, or is believed again: what was collected meanwhile, and before, is no
    /// evidence. Until then nobody is verified.
    pub fn doubt(&mut self, doubt: Option<Suspicion>) -> &Decision {
        if std::mem::replace(&mut self.doubt, doubt) != doubt {
            self.clear();
            self.begin_contact();
            if self.decision.state != State::NoSignal {
                match doubt {
                    None => self.settle(State::Acquiring, None, Why::Collecting),
                    Some(suspicion) => self.settle(State::Uncertain, None, Why::NotAlive(suspicion)),
                };
            }
        }
        &self.decision
    }

    /// Back to the start: as new, with the same gallery.
    pub fn reset(&mut self) {
        *self = Self::new(self.config.clone(), std::mem::take(&mut self.references));
    }

    /// Time has passed without an embedding: evidence that is too old is cleared.
    pub fn tick(&mut self, at_s: f64) -> &Decision {
        if self.evidence.paused_at(at_s) {
            self.clear();
            self.settle(State::Acquiring, None, Why::Paused);
        }
        &self.decision
    }

    /// Single heartbeats have shown that another person is on the electrodes ([`crate::ChangeWatch`]): evidence is
    /// cleared at once.
    pub fn person_changed(&mut self) -> &Decision {
        if self.decision.state == State::NoSignal || self.doubt.is_some() {
            return &self.decision;
        }
        self.clear();
        self.settle(State::Acquiring, None, Why::PersonChanged)
    }

    /// One embedding of a full average at `at_s` seconds of the stream. One without a direction, or of another length
    /// than the evidence, is not evidence and changes nothing.
    pub fn push(&mut self, at_s: f64, embedding: &[f32]) -> &Decision {
        self.push_average(at_s, self.config.beats_averaged(), embedding)
    }

    /// As [`Self::push`], of an average of `beats` heartbeats, which may be fewer than a full one's.
    pub fn push_average(&mut self, at_s: f64, beats: usize, embedding: &[f32]) -> &Decision {
        if self.unusable {
            return &self.decision;
        }
        if self.doubt.is_some() {
            return self.leave_no_signal();
        }
        if at_s.is_finite() {
            self.tick(at_s);
        }
        if !self.evidence.push(at_s, beats, embedding) {
            return &self.decision;
        }
        self.leave_no_signal();
        if self.another_person() {
            self.forget_older();
            self.settle(State::Acquiring, None, Why::PersonChanged);
        }
        if self.evidence.len() < self.config.min_embeddings.max(1) {
            self.runs = Runs::default();
            let why = if self.decision.state == State::Acquiring { self.decision.why } else { Why::Collecting };
            return self.settle(State::Acquiring, None, why);
        }
        let update = self.compare();
        self.advance(update)
    }

    /// The newest embeddings have not matched the older ones for `exit_updates` updates. Neither is a template, so neither has
    /// an offset: they are held against what an ordinary template is asked.
    fn another_person(&mut self) -> bool {
        let differs = self.evidence.older().is_some_and(|older| {
            let recent = self.evidence.recent();
            cosine(&older.embedding, &recent.embedding) < self.config.floor(older.beats.min(recent.beats), 1)
        });
        self.runs.changed = if differs { self.runs.changed + 1 } else { 0 };
        self.runs.changed >= self.config.exit_updates
    }

    /// Compares the evidence with the gallery.
    fn compare(&self) -> Update {
        let window = self.evidence.whole();
        let ranking = rank(&self.references, &window.embedding);
        let Some(best) = ranking.first() else { return Update::Rejects { score: None } };
        let score = best.score;
        if score < self.config.floor(window.beats, self.enrolled) {
            return Update::Rejects { score: Some(score) };
        }
        let subject = &best.reference.subject;
        let [older, newer] = self.evidence.halves();
        let parts_agree = [older, newer, self.evidence.recent()].iter().all(|part| self.holds(subject, part));
        if score < self.threshold(Some(subject)) || !parts_agree {
            return Update::Near { score, why: Why::ScoreNearThreshold };
        }
        if ranking.get(1).is_some_and(|second| score - second.score < self.config.lead) {
            return Update::Near { score, why: Why::TwoReferencesMatch };
        }
        Update::Matches { subject: subject.clone(), revision: best.reference.revision, score }
    }

    /// Applies the table of states.
    fn advance(&mut self, update: Update) -> &Decision {
        self.runs.count(&update);
        if self.decision.state == State::Verified {
            return self.hold_verified();
        }
        let (enter, exit) = (self.config.enter_updates.max(1), self.config.exit_updates.max(1));
        let state = self.decision.state;
        match update {
            Update::Matches { score, .. }
                if self.runs.matched >= enter && !self.evidence.varies(self.config.varied_s) =>
            {
                self.undecided(Some(score), Why::NotAlive(Suspicion::TooRegular))
            }
            Update::Matches { subject, revision, score } if self.runs.matched >= enter => {
                self.settle(State::Verified, Some(score), Why::ScoreAboveThreshold);
                self.decision.threshold = self.threshold(Some(&subject));
                self.seen = Some(subject.clone());
                (self.decision.subject, self.decision.revision) = (Some(subject), Some(revision));
                self.runs.below = 0;
                &self.decision
            }
            Update::Rejects { score } if state == State::Unknown || self.runs.rejected >= enter => {
                let nobody = self.references.is_empty();
                let why = if nobody { Why::NobodyEnrolled } else { Why::NoReferenceMatches };
                self.settle(State::Unknown, score, why)
            }
            Update::Rejects { score } => self.undecided(score, Why::ScoreNearThreshold),
            Update::Matches { score, .. } if state == State::Unknown && self.runs.not_rejected < exit => {
                self.settle(State::Unknown, Some(score), self.decision.why)
            }
            Update::Near { score, .. } if state == State::Unknown && self.runs.not_rejected < exit => {
                self.settle(State::Unknown, Some(score), self.decision.why)
            }
            Update::Matches { score, .. } => self.undecided(Some(score), Why::ScoreNearThreshold),
            Update::Near { score, why } => self.undecided(Some(score), why),
        }
    }

    /// Neither verified nor unknown: still acquiring for a while, then uncertain.
    fn undecided(&mut self, score: Option<f64>, why: Why) -> &Decision {
        let patience = 2 * self.config.enter_updates.max(1);
        if self.decision.state == State::Acquiring && self.runs.updates < patience {
            return self.settle(State::Acquiring, score, self.decision.why);
        }
        self.settle(State::Uncertain, score, why)
    }

    /// `Verified` holds as long as the window and the newest embeddings stay above the floor with this subject.
    fn hold_verified(&mut self) -> &Decision {
        let Some(subject) = self.decision.subject.clone() else { return &self.decision };
        let (window, recent) = (self.evidence.whole(), self.evidence.recent());
        let score = self.score(&subject, &window);
        let holds = [&window, &recent].iter().all(|part| self.holds(&subject, part) && !self.outdone(&subject, part));
        self.runs.below = if holds { 0 } else { self.runs.below + 1 };
        if self.runs.below >= self.config.exit_updates.max(1) {
            self.forget_older();
            return self.settle(State::Uncertain, Some(score), Why::ScoreNearThreshold);
        }
        self.decision.score = Some(score);
        self.decision.threshold = self.threshold(Some(&subject));
        self.decision.embeddings = self.evidence.len();
        &self.decision
    }

    /// Best score of one subject's templates.
    fn score(&self, subject: &str, part: &Part) -> f64 {
        let templates = self.references.iter().filter(|r| r.subject == subject);
        templates.map(|r| r.template.score(&part.embedding)).fold(f64::NEG_INFINITY, f64::max)
    }

    /// A part of the evidence speaks for another subject, as far ahead as one must be to be verified.
    fn outdone(&self, subject: &str, part: &Part) -> bool {
        let others = self.references.iter().filter(|r| r.subject != subject);
        let best = others.map(|r| r.template.score(&part.embedding)).fold(f64::NEG_INFINITY, f64::max);
        best >= self.score(subject, part) + self.config.lead
    }

    /// A part of the evidence does not speak against the subject.
    fn holds(&self, subject: &str, part: &Part) -> bool {
        self.score(subject, part) >= self.config.floor(part.beats, self.enrolled)
    }

    /// The score that the evidence, as long as it is now, has to reach with this subject, or with anybody.
    fn threshold(&self, subject: Option<&str>) -> f64 {
        let beats = self.evidence.whole().beats;
        let comes_back = subject.is_some() && subject == self.seen.as_deref();
        if self.evidence.is_late() && !comes_back {
            self.config.late_threshold(beats, self.enrolled)
        } else {
            self.config.threshold(beats, self.enrolled)
        }
    }

    fn clear(&mut self) {
        self.evidence.clear();
        self.runs = Runs::default();
    }

    fn begin_contact(&mut self) {
        self.evidence.begin_contact();
        self.seen = None;
    }

    fn forget_older(&mut self) {
        self.evidence.keep_recent();
        self.runs = Runs::default();
    }

    fn settle(&mut self, state: State, score: Option<f64>, why: Why) -> &Decision {
        self.decision = Decision {
            state,
            subject: None,
            revision: None,
            score,
            threshold: self.threshold(None),
            why,
            embeddings: self.evidence.len(),
        };
        &self.decision
    }
}
