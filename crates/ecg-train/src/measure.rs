//! Error rates of a network on persons, before it goes anywhere: the protocols that the model card quotes.
//!
//! A record is the mean of its embeddings; an enrolled record is a template. A person has as many templates as enrolled
//! records, and the best one counts, as in the daemon with its placements. Persons are compared within their collection
//! only. The figures themselves come from `ecg-identity`.

mod embedded;
mod protocol;

use std::collections::BTreeMap;

use ecg_identity::rates::Comparison;
use ecg_identity::{cosine, mean_unit};

pub use embedded::{Embedded, Embedder, embed, glance};
pub use protocol::Protocol;
use protocol::{Role, roles};

use crate::split::Person;

/// Embeddings in one decision window, overlapping as the daemon's are.
pub const WINDOW: usize = 10;

/// Every probe record against every person of its collection. A record without an embedding has −∞ everywhere.
pub fn compare_records(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, |record| vec![mean(probed(record, protocol))])
}

/// Every decision window of every probe record against every person of its collection.
pub fn compare_windows(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, |record| {
        let embeddings = probed(record, protocol);
        let windows = embeddings.windows(WINDOW).step_by(WINDOW / 2).map(mean).collect::<Vec<_>>();
        if windows.is_empty() { vec![mean(embeddings)] } else { windows }
    })
}

/// What a decision rests on after the first `beats` (at least one) heartbeats since each moment of contact in every probe
/// record, as far as there are so many, against every person of its collection.
pub fn compare_contacts(embedded: &[Embedded<'_>], protocol: Protocol, beats: usize) -> Vec<Comparison> {
    compare(embedded, protocol, |record| {
        record.contacts.iter().filter_map(|contact| contact.get(beats - 1)).cloned().map(Some).collect()
    })
}

/// The embeddings of a probe record behind the board of the protocol.
fn probed<'e>(record: &'e Embedded<'_>, protocol: Protocol) -> &'e [Vec<f32>] {
    match protocol.board() {
        None => &record.embeddings,
        Some(board) => record.on_boards.get(board).map_or(&[], Vec::as_slice),
    }
}

fn compare(
    embedded: &[Embedded<'_>],
    protocol: Protocol,
    probes: impl Fn(&Embedded<'_>) -> Vec<Option<Vec<f32>>>,
) -> Vec<Comparison> {
    let mut references: BTreeMap<&Person, Vec<Vec<f32>>> = BTreeMap::new();
    let mut probed: Vec<&Embedded<'_>> = Vec::new();
    for (person, records) in by_person(embedded) {
        let mut templates: Vec<Vec<f32>> = Vec::new();
        for (record, role) in roles(&records, protocol) {
            match role {
                Role::Enrol => templates.extend(mean(&record.embeddings)),
                Role::Probe => probed.push(record),
                Role::Leave => {}
            }
        }
        if !templates.is_empty() {
            references.insert(person, templates);
        }
    }
    let best = |templates: &[Vec<f32>], probe: &[f32]| {
        templates.iter().map(|template| cosine(probe, template)).fold(f64::NEG_INFINITY, f64::max)
    };
    let mut comparisons = Vec::new();
    for record in probed.into_iter().filter(|record| references.contains_key(&record.record.person)) {
        let person = &record.record.person;
        for (number, probe) in probes(record).into_iter().enumerate() {
            let same = references.iter().filter(|(other, _)| other.collection == person.collection);
            comparisons.extend(same.map(|(other, templates)| Comparison {
                probe_record: format!("{}:{}#{number}", person.collection, record.record.record),
                probe_subject: person.to_string(),
                reference_subject: other.to_string(),
                score: probe.as_ref().map_or(f64::NEG_INFINITY, |probe| best(templates, probe)),
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

/// Unit mean of embeddings; `None` of none.
fn mean(embeddings: &[Vec<f32>]) -> Option<Vec<f32>> {
    (!embeddings.is_empty()).then(|| mean_unit(embeddings.iter().map(Vec::as_slice)))
}
