//! Whom a new enrolment resembles. Must not know what is done about it.

use super::verdict::Judged;
use crate::compare::{Reference, rank};

/// An enrolled subject and how much the new enrolment is like it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resemblance {
    /// The subject.
    pub subject: String,
    /// The highest score of its references with the new template or any part of it.
    pub score: f64,
}

/// The subjects whom an enrolment resembles, the most alike first. The parts count as well as their mean: whoever
/// resembles one placement of another person may be taken for that person in that placement.
#[must_use]
pub fn resemblances(references: &[Reference], enrolment: &Judged) -> Vec<Resemblance> {
    let mut found: Vec<Resemblance> = Vec::new();
    let embeddings = enrolment.parts.iter().map(|part| &part.embedding).chain([&enrolment.template]);
    for matched in embeddings.flat_map(|embedding| rank(references, embedding)) {
        match found.iter_mut().find(|known| known.subject == matched.reference.subject) {
            Some(known) => known.score = known.score.max(matched.score),
            None => found.push(Resemblance { subject: matched.reference.subject.clone(), score: matched.score }),
        }
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}
