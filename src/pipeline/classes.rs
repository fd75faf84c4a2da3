//! Closed-set models in the pipeline: their classes as references, and what their class scores may say.
//!
//! A class score is never a reason to accept: softmax names somebody for every stranger and for noise. Whether the heart
//! is known at all is decided by the embedding, against the mean embeddings of the classes. The scores can only object:
//! where the newest beats are mostly another class than the reference that matches, nobody is verified.
//!
//! Templates are never compared on another front end than theirs, and those of classes are no exception: they count on
//! the front ends that recorded them, and on those of which the operator says so.

use std::collections::{BTreeSet, VecDeque};

use ecg_identity::{Decision, Reference, State, Why};

use super::front_end::is_of;
use super::gallery::Gallery;

/// Beats whose class counts, at most: as many as a decision window holds.
const VOTES: usize = 10;

/// The mean embedding of a class of a closed-set model, as a reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassReference {
    /// What a probe is compared with.
    pub reference: Reference,
    /// Where it may be: formats (`cwxs-bin`), or formats with their rate (`record/500Hz`). Empty: nowhere.
    pub front_ends: Vec<String>,
}

impl ClassReference {
    /// Whether it may be compared on the front end with this key.
    fn is_of(&self, front_end: &str) -> bool {
        self.front_ends.iter().any(|named| is_of(front_end, named))
    }
}

/// A gallery and the classes of the model, which are compared like enrolled references.
#[derive(Debug)]
pub(super) struct WithClasses<G> {
    gallery: G,
    /// None for a model without classes.
    pub(super) classes: Vec<ClassReference>,
    /// The front end of which it was said last that classes are left out.
    told_of: Option<String>,
}

impl<G> WithClasses<G> {
    /// What was enrolled, and the classes of the model.
    pub(super) fn new(gallery: G, classes: Vec<ClassReference>) -> Self {
        Self { gallery, classes, told_of: None }
    }

    /// Says once of each front end that comes how many of the classes are not compared on it.
    fn tell_of_those_left_out(&mut self, front_end: &str) {
        let mut left_out = self.classes.iter().filter(|class| !class.is_of(front_end)).peekable();
        if left_out.peek().is_none() || self.told_of.as_deref() == Some(front_end) {
            return;
        }
        let recorded_on: BTreeSet<&str> =
            left_out.clone().flat_map(|class| &class.front_ends).map(String::as_str).collect();
        tracing::warn!(
            classes = left_out.count(),
            front_end,
            recorded_on = recorded_on.into_iter().collect::<Vec<_>>().join(", "),
            "classes of the model were recorded on another front end and are not compared on this one, so that nobody is \
             verified by them; if this board is of the kind that recorded them, name it in model.class_front_ends; \
             otherwise enrol these persons on it"
        );
        self.told_of = Some(front_end.to_owned());
    }
}

impl<G: Gallery> Gallery for WithClasses<G> {
    fn read(&mut self, front_end: &str, model: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        let Some(mut references) = self.gallery.read(front_end, model, always)? else { return Ok(None) };
        self.tell_of_those_left_out(front_end);
        let here = self.classes.iter().filter(|class| class.is_of(front_end));
        references.extend(here.map(|class| class.reference.clone()));
        Ok(Some(references))
    }
}

/// Classes of the newest beats.
#[derive(Debug, Default)]
pub(super) struct Votes {
    subjects: Vec<String>,
    newest_first: VecDeque<String>,
}

impl Votes {
    /// Votes on these classes.
    pub(super) fn new(classes: &[ClassReference]) -> Self {
        let subjects = classes.iter().map(|class| class.reference.subject.clone()).collect();
        Self { subjects, newest_first: VecDeque::new() }
    }

    /// The class of one beat's highest score, if the model has classes.
    pub(super) fn push(&mut self, class: Option<String>) {
        if let Some(class) = class {
            self.newest_first.push_front(class);
            self.newest_first.truncate(VOTES);
        }
    }

    /// The decision, unless it names a class and most beats of its evidence are another class: then it is uncertain.
    pub(super) fn checked(&self, decision: &Decision) -> Decision {
        let objected = decision.subject.as_ref().is_some_and(|subject| self.object(subject, decision.embeddings));
        if decision.state != State::Verified || !objected {
            return decision.clone();
        }
        Decision {
            state: State::Uncertain,
            subject: None,
            revision: None,
            why: Why::ScoreNearThreshold,
            ..decision.clone()
        }
    }

    /// Whether fewer than half of the newest `evidence` beats are of the class `subject`. Older beats may have been
    /// another person's.
    fn object(&self, subject: &str, evidence: usize) -> bool {
        let votes = self.newest_first.iter().take(evidence);
        let (agreeing, all) =
            votes.fold((0, 0), |(agreeing, all), vote| (agreeing + usize::from(vote == subject), all + 1));
        self.subjects.iter().any(|class| class == subject) && 2 * agreeing < all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(subject: &str) -> Reference {
        Reference { subject: subject.into(), revision: 1, template: vec![1.0, 0.0].into() }
    }

    fn class(subject: &str) -> ClassReference {
        ClassReference { reference: reference(subject), front_ends: vec!["record/500Hz".into()] }
    }

    fn verified(subject: &str, embeddings: usize) -> Decision {
        Decision {
            state: State::Verified,
            subject: Some(subject.into()),
            revision: Some(1),
            score: Some(0.9),
            threshold: 0.8,
            why: Why::ScoreAboveThreshold,
            embeddings,
        }
    }

    #[test]
    fn a_class_that_the_scores_do_not_name_is_not_verified() {
        let mut votes = Votes::new(&[class("ann"), class("bob")]);
        ["ann", "bob", "bob", "bob"].into_iter().for_each(|vote| votes.push(Some(vote.into())));
        let checked = votes.checked(&verified("ann", 4));
        assert_eq!((checked.state, checked.subject), (State::Uncertain, None));
        assert_eq!(votes.checked(&verified("bob", 4)), verified("bob", 4));
        // Only beats of the evidence count: the oldest three may have been somebody else's.
        votes.push(Some("ann".into()));
        assert_eq!(votes.checked(&verified("ann", 1)), verified("ann", 1));
    }

    #[test]
    fn an_enrolled_subject_who_is_no_class_is_not_objected_to() {
        let mut votes = Votes::new(&[class("ann")]);
        votes.push(Some("ann".into()));
        assert_eq!(votes.checked(&verified("eve", 1)), verified("eve", 1));
        let mut none = Votes::new(&[]);
        none.push(None);
        assert_eq!(none.checked(&verified("ann", 5)), verified("ann", 5));
    }

    #[test]
    fn classes_are_references_beside_those_that_were_enrolled() {
        let mut gallery = WithClasses::new(vec![reference("eve")], vec![class("ann")]);
        let own = "record/500Hz/chain/m";
        assert_eq!(subjects(gallery.read(own, "m", true).unwrap()), Some(vec!["eve".into(), "ann".into()]));
        assert_eq!(gallery.read(own, "m", false).unwrap(), None);
    }

    fn subjects(read: Option<Vec<Reference>>) -> Option<Vec<String>> {
        read.map(|all| all.into_iter().map(|reference| reference.subject).collect())
    }

    #[test]
    fn on_another_front_end_only_those_classes_are_compared_of_which_somebody_says_so() {
        let known = ClassReference { front_ends: vec!["record/500Hz".into(), "cwxs-bin".into()], ..class("bob") };
        let nowhere = ClassReference { front_ends: Vec::new(), ..class("joe") };
        let mut gallery = WithClasses::new(vec![reference("eve")], vec![class("ann"), known, nowhere]);
        let mut on = |front_end: &str| subjects(gallery.read(front_end, "m", true).unwrap()).unwrap();
        assert_eq!(on("record/500Hz/chain/m"), ["eve", "ann", "bob"]);
        assert_eq!(on("cwxs-bin/250Hz/chain/m"), ["eve", "bob"]);
        assert_eq!(on("record/250Hz/chain/m"), ["eve"]);
    }
}
