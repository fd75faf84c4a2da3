//! Closed-set models in the pipeline: their classes as references, and what their class scores may say.
//!
//! A class score is never a reason to accept: softmax names somebody for every stranger and for noise. Whether the heart
//! is known at all is decided by the embedding, against the mean embeddings of the classes. The scores can only object:
//! where the newest beats are mostly another class than the reference that matches, nobody is verified.

use std::collections::VecDeque;

use ecg_identity::{Decision, Reference, State, Why};

use super::gallery::Gallery;

/// Beats whose class counts, at most: as many as a decision window holds.
const VOTES: usize = 10;

/// A gallery and the classes of the model, which are compared like enrolled references.
#[derive(Debug)]
pub(super) struct WithClasses<G> {
    /// What was enrolled.
    pub(super) gallery: G,
    /// Mean embedding of each class; none for a model without classes.
    pub(super) classes: Vec<Reference>,
}

impl<G: Gallery> Gallery for WithClasses<G> {
    fn read(&mut self, front_end: &str, model: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        let read = self.gallery.read(front_end, model, always)?;
        Ok(read.map(|mut references| {
            references.extend(self.classes.iter().cloned());
            references
        }))
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
    pub(super) fn new(classes: &[Reference]) -> Self {
        let subjects = classes.iter().map(|class| class.subject.clone()).collect();
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

    fn class(subject: &str) -> Reference {
        Reference { subject: subject.into(), revision: 1, embedding: vec![1.0, 0.0] }
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
        let mut gallery = WithClasses { gallery: vec![class("eve")], classes: vec![class("ann")] };
        let subjects =
            |read: Option<Vec<Reference>>| read.map(|all| all.into_iter().map(|r| r.subject).collect::<Vec<_>>());
        assert_eq!(subjects(gallery.read("f", "m", true).unwrap()), Some(vec!["eve".into(), "ann".into()]));
        assert_eq!(gallery.read("f", "m", false).unwrap(), None);
    }
}
