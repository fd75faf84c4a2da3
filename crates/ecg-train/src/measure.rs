//! Error rates of a network on persons, before it goes anywhere: the protocols that the model card quotes.
//!
//! A reference is the mean of a person's enrolment records, a record is the mean of its embeddings. Persons are
//! compared within their collection only. The figures themselves come from `ecg-identity`.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::{Device, Tensor, TensorData};
use ecg_identity::rates::Comparison;
use ecg_identity::{cosine, mean_unit};
use ecg_signal::SEGMENT_SAMPLES;

use crate::network::Network;
use crate::parity::rows;
use crate::prepared::Prepared;
use crate::split::Person;

/// Inputs embedded at once.
const CHUNK: usize = 512;
/// Model inputs overlap; one in so many is used, so that each beat counts once.
pub const STRIDE: usize = 5;
/// Embeddings in one decision window, overlapping as the daemon's are.
pub const WINDOW: usize = 10;

/// What is enrolled and what is compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// First record of each person; all other records.
    Records,
    /// First session; second session.
    SecondSession,
    /// First session; all later ones.
    LaterSessions,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Self; 3] = [Self::Records, Self::SecondSession, Self::LaterSessions];

    /// As the card calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Records => "first record, other records",
            Self::SecondSession => "first session, second session",
            Self::LaterSessions => "first session, later sessions",
        }
    }

    /// Whether the record at `position` among the person's, in session number `session`, is enrolled, probed or left.
    fn role(self, position: usize, session: usize) -> Role {
        match (self, position, session) {
            (Self::Records, 0, _) | (Self::SecondSession | Self::LaterSessions, _, 0) => Role::Enrol,
            (Self::SecondSession, _, 2..) => Role::Leave,
            _ => Role::Probe,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Enrol,
    Probe,
    Leave,
}

/// A record's embeddings, one for each model input, in time.
#[derive(Clone, Debug)]
pub struct Embedded<'a> {
    /// The record.
    pub record: &'a Prepared,
    /// Unit embeddings.
    pub embeddings: Vec<Vec<f32>>,
}

/// Embeds the model inputs of every record of `persons`; every `stride`-th only.
pub fn embed<'a>(
    network: &Network,
    records: &'a [Prepared],
    persons: &BTreeSet<Person>,
    stride: usize,
) -> Vec<Embedded<'a>> {
    let chosen: Vec<&Prepared> = records.iter().filter(|record| persons.contains(&record.person)).collect();
    let inputs: Vec<&[f32; SEGMENT_SAMPLES]> =
        chosen.iter().flat_map(|record| record.inputs.iter().step_by(stride)).collect();
    let device = Device::flex();
    let mut embeddings = inputs.chunks(CHUNK).flat_map(|chunk| {
        let values: Vec<f32> = chunk.iter().flat_map(|input| input.iter().copied()).collect();
        let beats = Tensor::from_data(TensorData::new(values, [chunk.len(), 1, SEGMENT_SAMPLES]), &device);
        rows(network.forward(beats).embedding)
    });
    chosen
        .into_iter()
        .map(|record| {
            let count = record.inputs.len().div_ceil(stride);
            Embedded { record, embeddings: embeddings.by_ref().take(count).collect() }
        })
        .collect()
}

/// Every probe record against every reference of its collection. A record without an embedding has −∞ everywhere.
pub fn compare_records(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, |record| vec![mean(&record.embeddings)])
}

/// Every decision window of every probe record against every reference of its collection.
pub fn compare_windows(embedded: &[Embedded<'_>], protocol: Protocol) -> Vec<Comparison> {
    compare(embedded, protocol, |record| {
        let windows = record.embeddings.windows(WINDOW).step_by(WINDOW / 2).map(mean).collect::<Vec<_>>();
        if windows.is_empty() { vec![mean(&record.embeddings)] } else { windows }
    })
}

fn compare(
    embedded: &[Embedded<'_>],
    protocol: Protocol,
    probes: impl Fn(&Embedded<'_>) -> Vec<Option<Vec<f32>>>,
) -> Vec<Comparison> {
    let mut references: BTreeMap<&Person, Vec<f32>> = BTreeMap::new();
    let mut probed: Vec<&Embedded<'_>> = Vec::new();
    for (person, records) in by_person(embedded) {
        let mut enrolled: Vec<Vec<f32>> = Vec::new();
        for (record, role) in roles(&records, protocol) {
            match role {
                Role::Enrol => enrolled.extend(mean(&record.embeddings)),
                Role::Probe => probed.push(record),
                Role::Leave => {}
            }
        }
        if let Some(reference) = mean(&enrolled) {
            references.insert(person, reference);
        }
    }
    let mut comparisons = Vec::new();
    for record in probed.into_iter().filter(|record| references.contains_key(&record.record.person)) {
        let person = &record.record.person;
        for (number, probe) in probes(record).into_iter().enumerate() {
            let same = references.iter().filter(|(other, _)| other.collection == person.collection);
            comparisons.extend(same.map(|(other, reference)| Comparison {
                probe_record: format!("{}:{}#{number}", person.collection, record.record.record),
                probe_subject: person.to_string(),
                reference_subject: other.to_string(),
                score: probe.as_ref().map_or(f64::NEG_INFINITY, |probe| cosine(probe, reference)),
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

/// Roles of one person's records, which are in the order of the collection; sessions count as they first appear.
fn roles<'e, 'a>(records: &[&'e Embedded<'a>], protocol: Protocol) -> Vec<(&'e Embedded<'a>, Role)> {
    let mut sessions: Vec<&str> = Vec::new();
    let mut roles = Vec::with_capacity(records.len());
    for (position, record) in records.iter().enumerate() {
        let name = record.record.session.as_str();
        let session = sessions.iter().position(|known| *known == name).unwrap_or_else(|| {
            sessions.push(name);
            sessions.len() - 1
        });
        roles.push((*record, protocol.role(position, session)));
    }
    roles
}

/// Unit mean of embeddings; `None` of none.
fn mean(embeddings: &[Vec<f32>]) -> Option<Vec<f32>> {
    (!embeddings.is_empty()).then(|| mean_unit(embeddings.iter().map(Vec::as_slice)))
}
