//! The references of a classifier's classes: `NAME.references.toml` beside the model, without which the daemon refuses it.
//!
//! They are biometric templates, so they are no part of the card.

use std::collections::BTreeSet;

use anyhow::Context;
use ecg_identity::{Reference, mean_unit};
use ecg_signal::{Preparation, PreparedBeat};
use serde::Serialize;

use crate::measure::Embedder;
use crate::prepared::{Prepared, average};
use crate::split::Person;

/// Mean embedding of each class over its training records as they are, as the daemon would have heard them.
///
/// # Errors
/// A class without a heartbeat, which training does not make.
pub(super) fn of_classes(
    embedder: Embedder<'_>,
    records: &[Prepared],
    classes: &[Person],
    preparation: &Preparation,
) -> anyhow::Result<Vec<Reference>> {
    let of_class = |person: &Person| {
        let inputs = inputs(records, person, preparation);
        let embeddings = embedder.run(&inputs);
        let embedding = (!embeddings.is_empty()).then(|| mean_unit(embeddings.iter().map(Vec::as_slice)));
        let embedding = embedding.with_context(|| format!("{person} has no heartbeat for a reference"))?;
        Ok(Reference { subject: person.to_string(), revision: 1, template: embedding.into() })
    };
    classes.iter().map(of_class).collect()
}

/// The model inputs of a person; of somebody whose records are too short for one the average of the beats that there are.
fn inputs(records: &[Prepared], person: &Person, preparation: &Preparation) -> Vec<PreparedBeat> {
    let own = || records.iter().filter(|record| record.person == *person);
    let whole: Vec<PreparedBeat> = own().flat_map(|record| record.inputs.iter().copied()).collect();
    if !whole.is_empty() {
        return whole;
    }
    let takes = own().filter_map(|record| record.takes.first()).filter(|take| !take.is_empty());
    takes.map(|take| average(take, preparation)).collect()
}

/// What the daemon calls the front ends of a person's recordings: of a file it knows the sampling frequency, not the board.
fn front_ends(records: &[Prepared], person: &Person) -> Vec<String> {
    let own = records.iter().filter(|record| record.person == *person);
    let named: BTreeSet<String> = own.map(|record| format!("record/{:.0}Hz", record.fs.0)).collect();
    named.into_iter().collect()
}

/// The file of references beside a closed-set model.
#[derive(Debug, Serialize)]
struct References<'a> {
    schema: u32,
    model: &'a str,
    references: Vec<ReferencePart>,
}

#[derive(Debug, Serialize)]
struct ReferencePart {
    class: String,
    front_ends: Vec<String>,
    embedding: Vec<f32>,
}

/// The references' text, one for each class; `records` are those that they were made from.
///
/// # Errors
/// Never for the values that training makes; the serialiser's own error otherwise.
pub(super) fn text(
    model: &str,
    classes: &[Person],
    references: &[Reference],
    records: &[Prepared],
) -> Result<String, toml::ser::Error> {
    let part = |(person, reference): (&Person, &'_ Reference)| ReferencePart {
        class: reference.subject.clone(),
        front_ends: front_ends(records, person),
        embedding: reference.template.embedding.clone(),
    };
    let references = classes.iter().zip(references).map(part).collect();
    let text = toml::to_string(&References { schema: 2, model, references })?;
    Ok(format!(
        "# Written by ecg-train: the mean embedding of each class. These are biometric templates: do not publish them.\n{text}"
    ))
}
