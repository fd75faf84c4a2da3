//! Inverted leads: the same beats at the same places, whichever way the electrodes are, and a word about it.
//!
//! Recordings are used where they are (`ECGID_DATA`, or `shared/data` beside the repository).

use ecg_data::{Collection, Record};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, Polarity, SignalPath};

use crate::recordings::data;
use crate::stream::{MATCH_S, SECONDS, Stream};

fn upside_down(stream: Stream, from_s: f64) -> Stream {
    stream.change(from_s..SECONDS, |_, x| -x)
}

#[test]
fn an_inverted_lead_has_its_beats_at_the_same_places_and_of_the_other_sign() {
    for fs in [250.0, 360.0, 500.0] {
        for person in 1..=6 {
            let upright = Stream::person(person, fs).run().beats;
            let inverted = upside_down(Stream::person(person, fs), 0.0).run().beats;
            assert_eq!(upright.len(), inverted.len(), "person {person} at {fs} Hz");
            for (a, b) in upright.iter().zip(&inverted) {
                assert!((a.r_peak - b.r_peak).abs() < 1e-6, "{} and {}", a.r_peak, b.r_peak);
                assert_ne!(a.polarity, b.polarity);
                assert_eq!(a.quality.verdict, b.quality.verdict);
                assert!(a.segment.iter().zip(&b.segment).all(|(a, b)| (a + b).abs() < 1e-9));
            }
        }
    }
}

#[test]
fn a_lead_that_is_turned_in_the_middle_of_a_record_loses_no_beat() {
    for person in 1..=6 {
        let stream = upside_down(Stream::person(person, 250.0), 30.0);
        let passage = stream.run();
        let tally = passage.tally(&stream, &(0.0..SECONDS - 0.2), MATCH_S);
        let turned: Vec<&Beat> = passage.beats.iter().filter(|beat| beat.r_peak > 30.5 * 250.0).collect();
        let inverted = turned.iter().filter(|beat| beat.polarity == Polarity::Inverted).count();
        let accepted = passage.accepted_after_s(30.0);
        println!(
            "person {person}: {:.1} % found, {} invented, {inverted} of {} inverted, accepted after {accepted:.1} s",
            tally.sensitivity(),
            tally.invented,
            turned.len()
        );
        assert_eq!((tally.marked, 0), (tally.found, tally.invented), "person {person}");
        assert_eq!(inverted, turned.len(), "person {person}");
        // The second beat upside down shows that the first was no ectopic one; the slowest heart has 55 a minute.
        assert!(accepted < 2.2, "person {person}: {accepted} s");
    }
}

/// What the path says of a record at its end, the signal multiplied by `factor`; at most `seconds` of it.
fn lead_inverted(record: &Record, mains: Mains, factor: f64, seconds: f64) -> Option<bool> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(record.fs), mains }).expect("a legal rate");
    for &millivolts in record.signals[0].samples.iter().take((seconds * record.fs) as usize) {
        path.push(PathInput::of(factor * millivolts), &mut |_| ());
    }
    path.signal_state().lead_inverted
}

/// Shares of the records called inverted and not yet known, as they are and negated, in per cent.
fn shares(records: &[(Record, Mains)]) -> [f64; 4] {
    let mut counts = [0.0; 4];
    for (record, mains) in records {
        let said = [1.0, -1.0].map(|factor| lead_inverted(record, *mains, factor, 300.0));
        if said[0] == Some(true) {
            println!("  {} looks inverted", record.name);
        }
        assert_eq!(said[0].map(|inverted| !inverted), said[1], "{}: the sign alone decides", record.name);
        for (n, said) in said.iter().enumerate() {
            counts[2 * n] += f64::from(u8::from(*said == Some(true)));
            counts[2 * n + 1] += f64::from(u8::from(said.is_none()));
        }
    }
    counts.map(|count| 100.0 * count / records.len().max(1) as f64)
}

#[test]
fn swapped_electrodes_are_reported_and_upright_ones_are_not() {
    for (folder, mains, most, unknown) in [("ecg-id", Mains::Hz50, 0.5, 3.0), ("heartprint", Mains::None, 1.0, 6.0)] {
        let Some(folder) = data(folder) else { continue };
        let collection = Collection::open(&folder).expect("a collection");
        let records: Vec<(Record, Mains)> =
            collection.entries.iter().map(|entry| (entry.open().expect("a readable record"), mains)).collect();
        let [inverted, open, negated, _] = shares(&records);
        println!(
            "{}: {} records: {inverted:.1} % called inverted, {open:.1} % open; negated {negated:.1} %",
            folder.display(),
            records.len()
        );
        assert!(inverted <= most && open <= unknown && negated >= 100.0 - most - unknown);
    }
    // Not lead I: what is said of them is printed only.
    let Some(folder) = data("mitdb") else { return };
    let names =
        ["101", "106", "108", "112", "114", "115", "116", "118", "119", "122", "124", "201", "205", "208", "209"];
    let record = |name: &str| (Record::open(&folder.join(name)).expect("a readable record"), Mains::Hz60);
    let [inverted, open, negated, _] = shares(&names.map(record));
    println!("MIT-BIH: {inverted:.1} % called inverted, {open:.1} % open; negated {negated:.1} %");
}

#[test]
fn synthetic_persons_are_upright_and_a_turned_lead_is_reported() {
    for person in 1..=6 {
        for (turned_s, expected) in [(SECONDS, false), (0.0, true), (20.0, true)] {
            let stream = upside_down(Stream::person(person, 250.0), turned_s);
            let mut path = SignalPath::new(&PathConfig { fs: Hertz(250.0), mains: Mains::Hz50 }).expect("legal");
            assert_eq!(path.signal_state().lead_inverted, None);
            stream.samples.iter().for_each(|&sample| path.push(sample, &mut |_| ()));
            assert_eq!(path.signal_state().lead_inverted, Some(expected), "person {person}, turned at {turned_s} s");
            path.gap(1000, &mut |_| ());
            assert_eq!(path.signal_state().lead_inverted, None);
        }
    }
}
