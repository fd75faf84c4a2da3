//! Error rates of a network on persons, before it goes anywhere: the protocols that the model card quotes.
//!
//! A record is the mean of its embeddings; an enrolled record is a template. A person has as many templates as enrolled
//! records, and the best one counts, as in the daemon with its placements. Persons are compared within their collection
//! only. The figures themselves come from `ecg-identity`.

mod embedded;
mod protocol;

use std::collections::BTreeMap;

use ecg_identity::calibration::each_template;
use ecg_identity::rates::Comparison;
use ecg_identity::{Template, mean_direction};

pub use embedded::{Embedded, Embedder, embed, glance};
pub use protocol::Protocol;
use protocol::{Role, roles};

use crate::split::Person;

/// Embeddings in one decision window, overlapping as the daemon's are.
pub const WINDOW: usize = 10;

/// Every probe record against every person of its collection. A record without an embedding has −∞ everywhere.
pub fn compare_records(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, best, |record| vec![mean(probed(record, protocol))])
}

/// Every decision window of every probe record against every person of its collection.
pub fn compare_windows(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, best, |record| {
        let embeddings = probed(record, protocol);
        let windows = embeddings.windows(WINDOW).step_by(WINDOW / 2).map(mean).collect::<Vec<_>>();
        if windows.is_empty() { vec![mean(embeddings)] } else { windows }
    })
}

/// What a decision rests on after the first `beats` (at least one) heartbeats since each moment of contact in every probe
/// record, as far as there are so many, against every template of every person of its collection.
pub fn compare_contacts(embedded: &[Embedded<'_>], protocol: Protocol, beats: usize) -> Vec<Comparison> {
    let each = |templates: &[Template], probe: &[f32]| each_template(templates, probe).collect();
    compare(embedded, protocol, each, |record| {
        record.contacts.iter().filter_map(|contact| contact.get(beats - 1)).cloned().map(Some).collect()
    })
}

/// Persons with records to probe of whom no record to enrol gives an embedding, by collection: no comparison is of them.
pub fn not_enrolled(embedded: &[Embedded<'_>], protocol: Protocol) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (person, records) in by_person(embedded) {
        let roles = roles(&records, protocol);
        let enrols = roles.iter().any(|(record, role)| *role == Role::Enrol && !record.embeddings.is_empty());
        if !enrols && roles.iter().any(|(_, role)| *role == Role::Probe) {
            *counts.entry(person.collection.clone()).or_default() += 1;
        }
    }
    counts
}

/// The embeddings of a probe record behind the board of the protocol.
fn probed<'e>(record: &'e Embedded<'_>, protocol: Protocol) -> &'e [Vec<f32>] {
    match protocol.board() {
        None => &record.embeddings,
        Some(board) => record.on_boards.get(board).map_or(&[], Vec::as_slice),
    }
}

/// The score of the best template.
fn best(templates: &[Template], probe: &[f32]) -> Vec<f64> {
    vec![each_template(templates, probe).fold(f64::NEG_INFINITY, f64::max)]
}

fn compare(
    embedded: &[Embedded<'_>],
    protocol: Protocol,
    scores: impl Fn(&[Template], &[f32]) -> Vec<f64>,
    probes: impl Fn(&Embedded<'_>) -> Vec<Option<Vec<f32>>>,
) -> Vec<Comparison> {
    let mut references: BTreeMap<&Person, Vec<Template>> = BTreeMap::new();
    let mut probed: Vec<&Embedded<'_>> = Vec::new();
    for (person, records) in by_person(embedded) {
        let mut templates: Vec<Template> = Vec::new();
        for (record, role) in roles(&records, protocol) {
            match role {
                Role::Enrol => templates.extend(record.template.clone()),
                Role::Probe => probed.push(record),
                Role::Leave => {}
            }
        }
        if !templates.is_empty() {
            references.insert(person, templates);
        }
    }
    let mut comparisons = Vec::new();
    for record in probed.into_iter().filter(|record| references.contains_key(&record.record.person)) {
        let person = &record.record.person;
        for (number, probe) in probes(record).into_iter().enumerate() {
            let same = references.iter().filter(|(other, _)| other.collection == person.collection);
            comparisons.extend(same.flat_map(|(other, templates)| {
                let scores = probe.as_ref().map_or_else(|| vec![f64::NEG_INFINITY], |probe| scores(templates, probe));
                let comparison = |score| Comparison {
                    probe_record: format!("{}:{}#{number}", person.collection, record.record.record),
                    probe_subject: person.to_string(),
                    reference_subject: other.to_string(),
                    score,
                };
                scores.into_iter().map(comparison).collect::<Vec<_>>()
            }));
        }
    }
    comparisons
}

fn by_person<'e, 'a>(embedded: &'e [Embedded<'a>]) -> BTreeMap<&'a Person, Vec<&'e Embedded<'a>>> {
    let mut persons: BTreeMap<&Person, Vec<&Embedded<'_>>> = BTreeMap::new();
    for record in embedded {
        persons.entry(&record.record.person).or_default().push(record);
    }
    persons
}

/// The mean of embeddings as a probe; `None` of none.
fn mean(embeddings: &[Vec<f32>]) -> Option<Vec<f32>> {
    (!embeddings.is_empty()).then(|| mean_direction(embeddings.iter().map(Vec::as_slice)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepared::Prepared;

    #[test]
    fn whose_first_record_gives_no_embedding_is_counted_and_compared_with_nobody() {
        let record = |subject: &str, number: usize| Prepared {
            person: Person { collection: "c".into(), subject: subject.into() },
            record: format!("{subject}{number}"),
            session: format!("s{number}"),
            fs: ecg_signal::FS,
            takes: Vec::new(),
            inputs: Vec::new(),
            contacts: Vec::new(),
            on_boards: Vec::new(),
            beats_found: 0,
        };
        let records = [("a", 0), ("a", 1), ("b", 0), ("b", 1), ("once", 0)].map(|(subject, n)| record(subject, n));
        let embedded: Vec<Embedded<'_>> = records
            .iter()
            .map(|record| {
                let embeddings = if record.record == "b0" { Vec::new() } else { vec![vec![1.0, 0.0]] };
                let template = embeddings.first().cloned().map(Template::from);
                Embedded { record, embeddings, on_boards: Vec::new(), contacts: Vec::new(), template }
            })
            .collect();
        assert_eq!(not_enrolled(&embedded, Protocol::Records), BTreeMap::from([("c".to_owned(), 1)]));
        let comparisons = compare_records(&embedded, Protocol::Records);
        assert!(comparisons.iter().all(|c| c.probe_subject == "c:a"), "{comparisons:?}");
    }
}
