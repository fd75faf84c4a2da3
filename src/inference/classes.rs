//! The references of a closed-set model's classes: `NAME.references.toml` beside the model.
//!
//! They are biometric templates, so they are no part of the card, which may be published. Must not know thresholds.

use ecg_identity::{Reference, unit};
use serde::Deserialize;

use super::{Card, ModelError};
use crate::config::Slug;
use crate::pipeline::classes::ClassReference;

/// Versions of the layout that this program reads. The first did not say from which front ends the recordings came.
const SCHEMAS: std::ops::RangeInclusive<u32> = 1..=2;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    model: String,
    references: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    class: String,
    #[serde(default)]
    front_ends: Vec<String>,
    embedding: Vec<f32>,
}

/// One reference for each class of the card, in the card's order; its subject is the class's name as a slug.
///
/// # Errors
/// [`ModelError::References`]: the file cannot be read, is of another model, or lacks a class.
pub(super) fn parse(text: &str, card: &Card, file: &str) -> Result<Vec<ClassReference>, ModelError> {
    let wrong = |problem: String| ModelError::References { file: file.into(), problem };
    let parsed: File = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
    if !SCHEMAS.contains(&parsed.schema) {
        let (first, last) = (SCHEMAS.start(), SCHEMAS.end());
        return Err(wrong(format!("schema {} (this program reads {first} to {last})", parsed.schema)));
    }
    if parsed.model != card.name {
        return Err(wrong(format!("they are of model `{}`, the card is of `{}`", parsed.model, card.name)));
    }
    let mut references: Vec<ClassReference> = Vec::with_capacity(card.output.classes.len());
    for class in &card.output.classes {
        let found = parsed.references.iter().find(|reference| reference.class == *class);
        let embedding = found.filter(|reference| reference.embedding.len() == card.embedding_length());
        let embedding = embedding.and_then(|reference| unit(&reference.embedding));
        let embedding = embedding.ok_or_else(|| wrong(format!("class `{class}` has no usable embedding")))?;
        let subject = subject(class).ok_or_else(|| wrong(format!("class `{class}` gives no name for a subject")))?;
        if references.iter().any(|class| class.reference.subject == subject) {
            return Err(wrong(format!("two classes give the subject `{subject}`")));
        }
        let front_ends = found.map_or_else(Vec::new, |reference| reference.front_ends.clone());
        references.push(ClassReference {
            reference: Reference { subject, revision: 1, template: embedding.into() },
            front_ends,
        });
    }
    Ok(references)
}

/// `collection:Person 01` as `person_01`: what travels is a pseudonym in the form of all subjects.
fn subject(class: &str) -> Option<String> {
    let name = class.rsplit(':').next().unwrap_or(class).to_lowercase();
    let text: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    Slug::subject(text).ok().map(String::from)
}

#[cfg(test)]
mod tests {
    use super::subject;

    #[test]
    fn a_class_becomes_a_subject_in_the_form_of_all_subjects() {
        assert_eq!(subject("ecg-id:Person_01").as_deref(), Some("person_01"));
        assert_eq!(subject("Ann Bee").as_deref(), Some("ann_bee"));
        assert_eq!([subject("c:"), subject("c:unknown"), subject("c:_x")], [None, None, None]);
    }
}
