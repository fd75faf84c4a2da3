//! Inverted leads: the same beats at the same places, whichever way the electrodes are.

use ecg_signal::{Beat, Polarity};

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
        let accepted = passage.accepted_after_s(30.5);
        println!(
            "person {person}: {:.1} % found, {} invented, {inverted} of {} inverted, accepted after {accepted:.1} s",
            tally.sensitivity(),
            tally.invented,
            turned.len()
        );
        assert_eq!((tally.marked, 0), (tally.found, tally.invented), "person {person}");
        assert_eq!(inverted, turned.len(), "person {person}");
        // A shape that is new is believed when it has come about as often as the old one is remembered.
        assert!(accepted < 16.0, "person {person}: {accepted} s");
    }
}
