//! Mains of 50 and 60 Hz, on and off their frequency, weak and strong, under the right notch and the wrong one.
//!
//! Each row says how many beats are found, and what is left of the mains in the conditioned segment between the beats.

use std::f64::consts::TAU;

use ecg_signal::Mains;

use crate::stream::{MATCH_S, Passage, SECONDS, Stream, Tally};

/// A synthetic person under mains of `hz` whose frequency swings by `swing` every 20 s.
fn under(person: u64, notch: Mains, millivolts: f64, hz: f64, swing: f64) -> Stream {
    let phase = |t: f64| TAU * (hz * t - swing * 20.0 / TAU * (TAU * t / 20.0).cos());
    let mut stream = Stream::person(person, 250.0).change(0.0..SECONDS, |t, x| x + millivolts * phase(t).sin());
    stream.mains = notch;
    stream
}

/// Root mean square difference between the segments of a stream and those of the same person without mains, in
/// millivolts, from the tenth second on.
fn left_over(with: &Passage, without: &Passage) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for beat in with.beats.iter().filter(|beat| beat.r_peak > 2500.0) {
        // Segments begin on whole samples: only those that begin on the same one can be compared.
        let same = without.beats.iter().find(|other| other.r_peak.round() == beat.r_peak.round());
        let Some(other) = same else { continue };
        sum += beat.segment.iter().zip(&other.segment).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        count += beat.segment.len();
    }
    assert!(count > 0, "no beat can be compared");
    (sum / count as f64).sqrt()
}

/// Prints a row; gives its name if it falls short of `found` and `accepted` (per cent), invents a beat, or has more left than
/// `left_mv`.
fn row(
    notch: Mains,
    hz: f64,
    swing: f64,
    millivolts: f64,
    (found, accepted, left_mv): (f64, f64, f64),
) -> Option<String> {
    let (mut tally, mut left, mut good, mut beats) = (Tally::default(), 0.0f64, 0, 0);
    for person in 1..=3 {
        let stream = under(person, notch, millivolts, hz, swing);
        let passage = stream.run();
        tally.add(&passage.tally(&stream, &(0.0..SECONDS - 0.2), MATCH_S));
        good += passage.beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
        beats += passage.beats.len();
        left = left.max(left_over(&passage, &under(person, notch, 0.0, hz, 0.0).run()));
    }
    let (name, share) =
        (format!("{millivolts} mV of {hz} ± {swing} Hz, {notch:?}"), 100.0 * good as f64 / beats as f64);
    let sensitivity = tally.sensitivity();
    println!("{name:34} | {sensitivity:6.2} {:3} {share:6.1} % | {:5.1} µV", tally.invented, 1000.0 * left);
    (sensitivity < found || tally.invented > 0 || share < accepted || left > left_mv).then_some(name)
}

#[test]
fn mains_of_any_phase_and_half_a_hertz_off_hide_no_beat() {
    println!("{:34} | found  inv accepted | left in the segment", "");
    let mut short = Vec::new();
    for (notch, middle) in [(Mains::Hz50, 50.0), (Mains::Hz60, 60.0)] {
        for (hz, swing) in [(middle, 0.0), (middle + 0.1, 0.0), (middle + 0.5, 0.0), (middle - 0.5, 0.0), (middle, 0.5)]
        {
            short.extend(row(notch, hz, swing, 0.2, (100.0, 98.0, 0.02)));
            short.extend(row(notch, hz, swing, 1.0, (100.0, 98.0, 0.03)));
            short.extend(row(notch, hz, swing, 2.0, (100.0, 85.0, 0.04)));
        }
    }
    assert!(short.is_empty(), "{short:#?}");
}

/// Whoever sets the wrong mains loses most accepted beats at 2 mV, and none at 1 mV.
#[test]
fn mains_under_the_wrong_notch_hide_no_beat() {
    let mut short = Vec::new();
    for (notch, hz) in [(Mains::Hz50, 60.0), (Mains::Hz60, 50.0), (Mains::None, 50.0)] {
        for off in [0.0, 0.5] {
            short.extend(row(notch, hz + off, 0.0, 0.2, (100.0, 98.0, 0.03)));
            short.extend(row(notch, hz + off, 0.0, 1.0, (100.0, 80.0, 0.03)));
            short.extend(row(notch, hz + off, 0.0, 2.0, (99.0, 30.0, 0.04)));
        }
    }
    assert!(short.is_empty(), "{short:#?}");
}
