//! Respiration where the rest is real, or as real as a synthetic heart: its rhythm, its noise, its ectopic beats.
//!
//! No recording at hand has a reference of its breathing. So breaths of a known rate are put into real ones, on top of
//! the breaths that are in them; and the synthetic heart knows its own.

use ecg_data::Record;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_signal::{Hertz, Mains, PathConfig, PathInput, SignalPath};

use crate::recordings::data;
use crate::respiration::{Errors, breath, by_both, monitor};

/// Ten minutes of each record, its signal made larger and smaller by `share` of a breath.
fn put_into_real_beats(folder: &std::path::Path, share: f64) -> Errors {
    const NAMES: [&str; 24] = [
        "101", "102", "106", "107", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203",
        "205", "207", "208", "209", "215", "220", "223", "230",
    ];
    const PER_MIN: [f64; 7] = [6.0, 9.0, 12.0, 15.0, 18.0, 20.0, 22.0];
    let mut errors = Errors::default();
    for (name, per_min) in NAMES.into_iter().zip(PER_MIN.into_iter().cycle()) {
        let record = Record::open(&folder.join(name)).expect("a readable record");
        let samples = &record.signals[0].samples;
        let found = by_both(record.fs, 600.0, |t| {
            let millivolts = samples[(t * record.fs).round() as usize];
            (millivolts * (1.0 + share * breath(per_min / 60.0 * t)), None)
        });
        found.iter().for_each(|breathing| errors.add(breathing.ecg, per_min));
    }
    errors
}

#[test]
fn breaths_that_are_put_into_real_beats_are_found_or_not_claimed() {
    let Some(folder) = data("mitdb") else { return };
    // Depth of the breath; floor of the windows that give a rate and of the rates that are right to 1 and 2 a minute.
    for (share, answered, within_1, within_2) in
        [(0.05, 0.22, 0.86, 0.90), (0.08, 0.44, 0.95, 0.97), (0.12, 0.62, 0.96, 0.98)]
    {
        let errors = put_into_real_beats(&folder, share);
        let [half, one, two] = [0.5, 1.0, 2.0].map(|limit| errors.within(limit));
        println!(
            "breaths of {share}: {}; within 0.5: {:.1} %, 1: {:.1} %, 2: {:.1} %",
            errors.line(),
            100.0 * half,
            100.0 * one,
            100.0 * two
        );
        assert!(errors.answered() >= answered && one >= within_1 && two >= within_2, "{share}: {}", errors.line());
    }
}

/// Mean rate over the newest minute, by the times at which breathing in begins.
fn counted(breaths: &[f64], fs: f64) -> Option<f64> {
    let from = breaths.len().saturating_sub((60.0 * fs) as usize);
    let mut begins = (from + 1..breaths.len()).filter(|&n| breaths[n - 1] < 0.0 && breaths[n] >= 0.0);
    let (first, mut last, mut count) = (begins.next()?, None, 0.0);
    for begin in begins {
        (last, count) = (Some(begin), count + 1.0);
    }
    Some(60.0 * fs * count / (last? - first) as f64)
}

#[test]
fn the_breath_of_a_synthetic_heart_is_seen_both_ways_and_they_agree() {
    const FS: f64 = 250.0;
    let (mut impedance, mut ecg) = (Errors::default(), Errors::default());
    let (mut differences, mut similarities) = (Vec::new(), Vec::new());
    for seed in 0..20 {
        let mut heart =
            SyntheticHeart::new(&HeartParams::from_seed(seed), FS, seed).expect("a heart").with_noise(Noise::at_rest());
        let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("a legal rate");
        let (mut monitor, mut breaths) = (monitor(FS), Vec::new());
        for _ in 0..300 * 250 {
            let sample = heart.step();
            breaths.push(sample.respiration);
            path.push(PathInput::of(sample.millivolts), &mut |beat| monitor.push_beat(&beat));
            let Some(breathing) = monitor.push(Some(sample.respiration)) else { continue };
            let Some(truth) = counted(&breaths, FS) else { continue };
            impedance.add(breathing.impedance, truth);
            ecg.add(breathing.ecg, truth);
            differences.extend(breathing.agreement.map(|agreement| agreement.difference_per_min.abs()));
            similarities.extend(breathing.agreement.map(|agreement| agreement.similarity));
        }
    }
    differences.sort_by(f64::total_cmp);
    similarities.sort_by(f64::total_cmp);
    let (difference, similarity) = (differences[differences.len() * 19 / 20], similarities[similarities.len() / 20]);
    println!("impedance: {}\nECG: {}", impedance.line(), ecg.line());
    println!("95 % of differences within {difference:.2}/min, of similarities above {similarity:.3}");
    // The heart's rate wanders within the minute, and a count weighs its edges as the middle: they need not be equal.
    for errors in [impedance, ecg] {
        assert!(
            errors.answered() > 0.97 && errors.quantile(0.5) < 0.3 && errors.quantile(0.95) < 0.9,
            "{}",
            errors.line()
        );
    }
    assert!(difference < 0.3 && similarity > 0.85, "{difference} {similarity}");
}
