//! Which beats a training step sees: persons equally often, then their sessions, records, front ends, and moments.

use std::collections::{BTreeMap, BTreeSet};

use ecg_signal::{Preparation, SEGMENT_SAMPLES};

use crate::augment::augment;
use crate::prepared::{Prepared, average};
use crate::random::chance;
use crate::split::Person;
use crate::virtual_person::{Cast, VirtualPerson};

/// Probability of the record as it is; else one of its variants.
const AS_RECORDED: f64 = 0.3;
/// Fewest and most consecutive beats averaged for one training input. The daemon averages five.
const BEATS: std::ops::RangeInclusive<usize> = 1..=6;
/// Probability that one of a person's virtual persons is drawn in their place, where there are any.
const VIRTUAL: f64 = 0.5;

/// Draws training inputs from prepared records.
#[derive(Debug)]
pub struct Sampler<'a> {
    /// Person → session → records.
    persons: Vec<Vec<Vec<&'a Prepared>>>,
    names: Vec<Person>,
    /// The virtual persons made of each person, equally many.
    made_up: Vec<Vec<VirtualPerson>>,
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
        self.names.len() + self.made_up.iter().map(Vec::len).sum::<usize>()
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
        let names: Vec<Person> = tree.keys().map(|&person| person.clone()).collect();
        let persons = tree.into_values().map(|sessions| sessions.into_values().collect()).collect();
        Self { made_up: vec![Vec::new(); names.len()], persons, names, preparation }
    }

    /// The same with the virtual persons of `cast`. Their classes come after those of the real ones.
    pub fn with_virtual_persons(mut self, cast: &Cast) -> Self {
        self.made_up = self.names.iter().map(|person| cast.of(person).to_vec()).collect();
        self
    }

    /// The classes of real persons, in order. Persons without a single accepted beat are absent.
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
            let (beat, class) = self.somebody(self.input(record, rng), class, rng);
            batch.beats.extend_from_slice(&augment(&beat, rng));
            batch.classes.push(class as i64);
        }
        batch
    }

    /// The beat as it is, or as one of the person's virtual persons would have had it; and whose class that is.
    fn somebody(
        &self,
        beat: [f32; SEGMENT_SAMPLES],
        class: usize,
        rng: &mut fastrand::Rng,
    ) -> ([f32; SEGMENT_SAMPLES], usize) {
        let made_up = &self.made_up[class];
        if made_up.is_empty() || !chance(rng, VIRTUAL) {
            return (beat, class);
        }
        let number = rng.usize(..made_up.len());
        (made_up[number].beat(&beat), self.names.len() + class * made_up.len() + number)
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
        average(&take[first..first + count], &self.preparation).values
    }
}

fn pick<'b, T>(items: &'b [T], rng: &mut fastrand::Rng) -> &'b T {
    &items[rng.usize(..items.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepared::Cut;
    use crate::random::stream;

    fn record(subject: &str) -> Prepared {
        let segment = std::array::from_fn(|i| (-((i as f32 - 62.0) / 4.0).powi(2)).exp());
        Prepared {
            person: Person { collection: "c".into(), subject: subject.into() },
            record: subject.into(),
            session: "s".into(),
            fs: ecg_signal::FS,
            takes: vec![vec![Cut { segment, median_rr_s: None }]],
            inputs: Vec::new(),
            contacts: Vec::new(),
            on_boards: Vec::new(),
            beats_found: 1,
        }
    }

    #[test]
    fn half_of_the_inputs_are_of_virtual_persons_with_classes_of_their_own() {
        let records = [record("a"), record("b"), record("c")];
        let trained: BTreeSet<Person> = records.iter().map(|record| record.person.clone()).collect();
        let sampler = || Sampler::new(&records, &trained, Preparation::default());
        assert_eq!(sampler().class_count(), 3);
        let batch = sampler().batch(300, &mut stream(1, 0));
        assert!(batch.classes.iter().all(|class| (0..3).contains(class)));

        let sampler = sampler().with_virtual_persons(&Cast::draw(&trained, 2, 1));
        assert_eq!((sampler.class_count(), sampler.classes().len()), (9, 3));
        let batch = sampler.batch(900, &mut stream(1, 0));
        let of = |class: i64| batch.classes.iter().filter(|&&drawn| drawn == class).count();
        assert!((0..3).all(|class| (110..190).contains(&of(class))), "{:?}", batch.classes);
        assert!((3..9).all(|class| (50..100).contains(&of(class))), "{:?}", batch.classes);
    }
}
