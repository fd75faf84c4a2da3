//! Single beats dealt at random, person by person. **Leaky** by construction: neighbouring beats of one recording
//! stand on both sides, so a figure on them measures how well recordings are told apart and not persons on another day.

use ecg_signal::SEGMENT_SAMPLES;

use crate::prepared::Prepared;
use crate::random::stream;
use crate::split::Person;

/// Shares of each person's beats that are tested on and that are watched while training; the rest is trained on.
const TEST: f64 = 0.2;
const VALIDATION: f64 = 0.1;
/// Fewest beats of a person: with fewer, one of the three parts would be empty.
pub(super) const FEWEST: usize = 10;

/// A single accepted beat as model input, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Labelled<'a> {
    /// Index into [`RandomBeats::classes`].
    pub(super) class: usize,
    /// Number of its record.
    pub(super) record: usize,
    /// The model input.
    pub(super) input: &'a [f32; SEGMENT_SAMPLES],
}

/// Every accepted beat of the chosen persons, in three parts.
#[derive(Clone, Debug, Default)]
pub(super) struct RandomBeats<'a> {
    /// The persons with at least [`FEWEST`] accepted beats, in order.
    pub(super) classes: Vec<Person>,
    /// Persons with fewer.
    pub(super) left_out: Vec<Person>,
    /// About 70 % of each person's beats.
    pub(super) train: Vec<Labelled<'a>>,
    /// About 10 %.
    pub(super) validation: Vec<Labelled<'a>>,
    /// About 20 %.
    pub(super) test: Vec<Labelled<'a>>,
}

impl<'a> RandomBeats<'a> {
    /// Deals the beats of `records`, whose inputs are of one beat each, by `seed`.
    pub(super) fn deal(records: &[&'a Prepared], seed: u64) -> Self {
        let mut persons: Vec<&Person> = records.iter().map(|record| &record.person).collect();
        persons.sort();
        persons.dedup();
        let mut dealt = Self::default();
        for (item, person) in persons.into_iter().enumerate() {
            let own = records.iter().enumerate().filter(|(_, record)| record.person == *person);
            let mut inputs: Vec<(usize, &'a [f32; SEGMENT_SAMPLES])> = own
                .flat_map(|(number, record)| record.inputs.iter().map(move |input| (number, &input.values)))
                .collect();
            if inputs.len() < FEWEST {
                dealt.left_out.push(person.clone());
                continue;
            }
            stream(seed, item as u64).shuffle(&mut inputs);
            let class = dealt.classes.len();
            let count = |share: f64| (share * inputs.len() as f64).round() as usize;
            let (test, rest) = inputs.split_at(count(TEST));
            let (validation, train) = rest.split_at(count(VALIDATION));
            let label =
                |(record, input): &(usize, &'a [f32; SEGMENT_SAMPLES])| Labelled { class, record: *record, input };
            dealt.test.extend(test.iter().map(label));
            dealt.validation.extend(validation.iter().map(label));
            dealt.train.extend(train.iter().map(label));
            dealt.classes.push(person.clone());
        }
        dealt
    }
}

#[cfg(test)]
mod tests {
    use ecg_signal::PreparedBeat;

    use super::*;

    fn record(subject: &str, beats: usize) -> Prepared {
        let person = Person { collection: "c".into(), subject: subject.into() };
        let beat = |i| PreparedBeat { values: [i as f32; SEGMENT_SAMPLES], amplitude_mv: 0.2 };
        let inputs = (0..beats).map(beat).collect();
        let (record, session) = (subject.to_owned(), String::new());
        Prepared {
            person,
            record,
            session,
            fs: ecg_signal::FS,
            takes: vec![],
            inputs,
            contacts: vec![],
            on_boards: vec![],
            beats_found: beats,
        }
    }

    #[test]
    fn each_person_is_dealt_seventy_ten_twenty_and_no_beat_twice() {
        let records = [record("a", 100), record("b", 50), record("c", FEWEST - 1)];
        let dealt = RandomBeats::deal(&records.iter().collect::<Vec<_>>(), 3);
        assert_eq!(dealt.classes.len(), 2);
        assert_eq!(dealt.left_out[0].subject, "c");
        for (class, beats) in [(0, 100), (1, 50)] {
            let of = |part: &[Labelled<'_>]| part.iter().filter(|beat| beat.class == class).count();
            assert_eq!([&dealt.train, &dealt.validation, &dealt.test].map(|p| of(p) * 100 / beats), [70, 10, 20]);
            let parts = [&dealt.train, &dealt.validation, &dealt.test].into_iter().flatten();
            let mut seen: Vec<f32> = parts.filter(|beat| beat.class == class).map(|beat| beat.input[0]).collect();
            seen.sort_by(f32::total_cmp);
            seen.dedup();
            assert_eq!(seen.len(), beats);
        }
    }

    #[test]
    fn the_seed_decides_who_gets_which_beat() {
        let records = [record("a", 40), record("b", 40)];
        let records: Vec<&Prepared> = records.iter().collect();
        let first = |seed| RandomBeats::deal(&records, seed).test.iter().map(|beat| beat.input[0]).collect::<Vec<_>>();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
