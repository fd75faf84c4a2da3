//! The cohort that comes with a model: what the network makes of virtual persons on whom it was not trained.
//!
//! Embeddings of the persons themselves would be those of whom the network has learned to keep apart, and all of two
//! boards; virtual persons of theirs are neither (ADR 35). Must not know what a score is.

use std::collections::{BTreeMap, BTreeSet};

use ecg_identity::{Cohort, CohortRule, mean_unit};
use ecg_signal::PreparedBeat;

use crate::measure::Embedder;
use crate::prepared::{MeanBeat, Prepared, mean};
use crate::random::{normal, stream};
use crate::split::Person;
use crate::virtual_person::VirtualPerson;

/// Deviation of the logarithm of a virtual person's size from the real one's: that of one person from another (ADR 29).
const SIZE: f64 = 0.39;
/// Which stream of the seed draws them.
const STREAM: u64 = u64::MAX - 2;

/// A cohort of `each` virtual persons made of everybody in `persons`, by their first record with model inputs; `None` of
/// nobody. Others are drawn than those who were trained on. The usual likeness is that of the persons themselves to the
/// strangers who were made of the others.
pub fn cohort(
    embedder: Embedder<'_>,
    records: &[Prepared],
    persons: &BTreeSet<Person>,
    each: usize,
    seed: u64,
) -> Option<Cohort> {
    let mut first: BTreeMap<&Person, (&Prepared, MeanBeat)> = BTreeMap::new();
    for record in records.iter().filter(|record| persons.contains(&record.person)) {
        if let Some(beat) = mean(&record.inputs) {
            first.entry(&record.person).or_insert((record, beat));
        }
    }
    let mut rng = stream(seed, STREAM);
    let mut beats = Vec::with_capacity(first.len() * each);
    let mut templates = Vec::with_capacity(first.len());
    for (record, (shape, size)) in first.into_values() {
        let shape = shape.map(|x| x as f32);
        beats.extend((0..each).map(|_| PreparedBeat {
            values: VirtualPerson::draw(&mut rng).beat(&shape),
            amplitude_mv: size * (SIZE * normal(&mut rng)).exp(),
        }));
        templates.push(mean_unit(embedder.run(&record.inputs).iter().map(Vec::as_slice)));
    }
    let cohort = Cohort::new(&embedder.run(&beats), CohortRule::default())?;
    // Whoever is enrolled has no virtual persons among the strangers.
    let of_others =
        |(number, template): (usize, &Vec<f32>)| cohort.likeness_without(template, number * each..(number + 1) * each);
    let usual = templates.iter().enumerate().map(of_others).sum::<f64>() / templates.len() as f64;
    Some(cohort.with_usual(usual))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Network, NetworkKind};
    use burn::tensor::Device;

    fn record(subject: &str, inputs: usize) -> Prepared {
        let values = std::array::from_fn(|i| (-((i as f32 - 62.0) / 4.0).powi(2)).exp());
        Prepared {
            person: Person { collection: "c".into(), subject: subject.into() },
            record: subject.into(),
            session: "s".into(),
            fs: ecg_signal::FS,
            takes: Vec::new(),
            inputs: vec![PreparedBeat { values, amplitude_mv: 0.2 }; inputs],
            contacts: Vec::new(),
            on_boards: Vec::new(),
            beats_found: inputs,
        }
    }

    #[test]
    fn everybody_with_a_good_record_brings_as_many_strangers_and_the_seed_decides_which() {
        let device = Device::flex();
        device.seed(1);
        let network = Network::new(NetworkKind::Binned, None, &device);
        let embedder = Embedder { network: &network, amplitude: None, cohort: None };
        let records = [record("a", 3), record("a", 2), record("b", 1), record("silent", 0), record("stranger", 2)];
        let persons: BTreeSet<Person> = records[..4].iter().map(|record| record.person.clone()).collect();
        let of = |seed| cohort(embedder, &records, &persons, 7, seed);
        assert_eq!(of(1).unwrap().strangers(), 14);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert_eq!(cohort(embedder, &records, &BTreeSet::new(), 7, 1), None);
        assert_eq!(cohort(embedder, &records, &persons, 0, 1), None);
    }
}
