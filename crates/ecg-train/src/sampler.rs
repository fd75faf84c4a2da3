//! Which beats a training step sees: persons equally often, then their sessions, records, front ends, and moments.

use std::collections::{BTreeMap, BTreeSet};

use ecg_signal::{Preparation, SEGMENT_SAMPLES};

use crate::augment::augment;
use crate::prepared::{Prepared, average};
use crate::random::chance;
use crate::split::Person;

/// Probability of the record as it is; else one of its variants.
const AS_RECORDED: f64 = 0.3;
/// Fewest and most consecutive beats averaged for one training input. The daemon averages five.
const BEATS: std::ops::RangeInclusive<usize> = 1..=6;

/// Draws training inputs from prepared records.
#[derive(Debug)]
pub struct Sampler<'a> {
    /// Person → session → records.
    persons: Vec<Vec<Vec<&'a Prepared>>>,
    names: Vec<Person>,
    preparation: Preparation,
}

/// One step's inputs and their classes.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Beats of 175 samples, one after the other.
    pub beats: Vec<f32>,
    /// Index of the person of each beat.
    pub classes: Vec<i64>,
}

/// Where training inputs come from.
pub trait Draw {
    /// Number of classes; those of a batch are below it.
    fn class_count(&self) -> usize;

    /// A batch of `size` inputs.
    fn batch(&self, size: usize, rng: &mut fastrand::Rng) -> Batch;
}

impl Draw for Sampler<'_> {
    fn class_count(&self) -> usize {
        self.names.len()
    }

    fn batch(&self, size: usize, rng: &mut fastrand::Rng) -> Batch {
        self.batch(size, rng)
    }
}

impl<'a> Sampler<'a> {
    /// A sampler over the records of `trained` that have at least one accepted beat.
    pub fn new(records: &'a [Prepared], trained: &BTreeSet<Person>, preparation: Preparation) -> Self {
        let mut tree: BTreeMap<&Person, BTreeMap<&str, Vec<&Prepared>>> = BTreeMap::new();
        for record in records {
            let usable = record.takes.first().is_some_and(|take| !take.is_empty());
            if usable && trained.contains(&record.person) {
                tree.entry(&record.person).or_default().entry(&record.session).or_default().push(record);
            }
        }
        let names = tree.keys().map(|&person| person.clone()).collect();
        let persons = tree.into_values().map(|sessions| sessions.into_values().collect()).collect();
        Self { persons, names, preparation }
    }

    /// The classes, in order. Persons without a single accepted beat are absent.
    pub fn classes(&self) -> &[Person] {
        &self.names
    }

    /// A batch of `size` augmented inputs.
    pub fn batch(&self, size: usize, rng: &mut fastrand::Rng) -> Batch {
        let mut batch = Batch { beats: Vec::with_capacity(size * SEGMENT_SAMPLES), classes: Vec::with_capacity(size) };
        for _ in 0..size {
            let class = rng.usize(..self.persons.len());
            let session = pick(self.persons[class].as_slice(), rng);
            let record = pick(session.as_slice(), rng);
            batch.beats.extend_from_slice(&augment(&self.input(record, rng), rng));
            batch.classes.push(class as i64);
        }
        batch
    }

    fn input(&self, record: &Prepared, rng: &mut fastrand::Rng) -> [f32; SEGMENT_SAMPLES] {
        let as_recorded = record.takes.len() < 2 || chance(rng, AS_RECORDED);
        let mut take = &record.takes[0];
        if !as_recorded {
            let variant = &record.takes[rng.usize(1..record.takes.len())];
            if !variant.is_empty() {
                take = variant;
            }
        }
        let count = rng.usize(BEATS).min(take.len());
        let first = rng.usize(..=take.len() - count);
        average(&take[first..first + count], &self.preparation)
    }
}

fn pick<'b, T>(items: &'b [T], rng: &mut fastrand::Rng) -> &'b T {
    &items[rng.usize(..items.len())]
}
