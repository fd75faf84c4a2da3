//! What the detector finds of annotated beats, on the recordings and with noise added: floors slightly below what was
//! measured, so that a change that costs beats does not pass unseen.
//!
//! Needs the recordings (`ECGID_DATA`, or `shared/data` beside the repository); skipped, aloud, without them.

use std::path::Path;

use ecg_data::stress::{self, Disturbance, Power};
use ecg_data::{AnnotationKind, Record, annotations};
use ecg_signal::{Hertz, Mains, PathConfig, PathInput, SignalPath};

use crate::recordings::data;

const MIT_BIH: [&str; 24] = [
    "101", "102", "106", "107", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203",
    "205", "207", "208", "209", "215", "220", "223", "230",
];

/// The first signal in millivolts, its rate, and its annotated beats in seconds.
fn annotated(path: &Path) -> (Vec<f64>, f64, Vec<f64>) {
    let mut record = Record::open(path).expect("a readable record");
    let marks = annotations(path, "atr").expect("readable annotations");
    let beats = marks.items.iter().filter(|mark| matches!(mark.kind, AnnotationKind::Beat(_)));
    let beats = beats.map(|mark| mark.sample as f64 / marks.fs).collect();
    (record.signals.swap_remove(0).samples, record.fs, beats)
}

/// R peaks in seconds, whatever the quality gate says of them.
fn found(samples: &[f64], fs: f64) -> Vec<f64> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("a legal rate");
    let mut found = Vec::new();
    samples.iter().for_each(|&x| path.push(PathInput::of(x), &mut |beat| found.push(beat.r_peak / fs)));
    path.flush(&mut |beat| found.push(beat.r_peak / fs));
    found
}

#[derive(Debug, Default)]
struct Score {
    /// Found, false and missed within 150 ms, and the same within 50 ms.
    counts: [[usize; 3]; 2],
    errors_ms: f64,
}

impl Score {
    fn add(&mut self, beats: &[f64], found: &[f64]) {
        for (counts, tolerance_s) in self.counts.iter_mut().zip([0.150_001, 0.050_001]) {
            let pairs = pairs(beats, found, tolerance_s);
            if tolerance_s > 0.1 {
                self.errors_ms += pairs.iter().map(|distance| 1000.0 * distance).sum::<f64>();
            }
            counts[0] += pairs.len();
            counts[1] += found.len() - pairs.len();
            counts[2] += beats.len() - pairs.len();
        }
    }

    /// F1 within 150 ms and within 50 ms, per cent.
    fn f1(&self) -> [f64; 2] {
        self.counts.map(|[hits, wrong, missed]| 200.0 * hits as f64 / (2 * hits + wrong + missed) as f64)
    }

    /// Mean absolute error of R over the pairs within 150 ms.
    fn mae_ms(&self) -> f64 {
        self.errors_ms / self.counts[0][0] as f64
    }

    #[track_caller]
    fn at_least(&self, name: &str, floor: [f64; 2]) {
        let [wide, narrow] = self.f1();
        println!("{name}: {:?}, F1 {wide:.3} / {narrow:.3} %, error {:.2} ms", self.counts[0], self.mae_ms());
        assert!(wide >= floor[0] && narrow >= floor[1], "{name}: {wide:.3} / {narrow:.3}, floor {floor:?}");
    }
}

/// Distances of the pairs, one to one, nearest first; both lists ascend.
fn pairs(beats: &[f64], found: &[f64], tolerance_s: f64) -> Vec<f64> {
    let mut near = Vec::new();
    for (i, beat) in beats.iter().enumerate() {
        let first = found.partition_point(|at| *at < beat - tolerance_s);
        let within = found[first..].iter().take_while(|at| **at <= beat + tolerance_s);
        near.extend(within.enumerate().map(|(k, at)| ((at - beat).abs(), i, first + k)));
    }
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut beat_taken, mut found_taken) = (vec![false; beats.len()], vec![false; found.len()]);
    near.retain(|&(_, i, j)| {
        let free = !beat_taken[i] && !found_taken[j];
        (beat_taken[i], found_taken[j]) = (beat_taken[i] || free, found_taken[j] || free);
        free
    });
    near.into_iter().map(|(distance, ..)| distance).collect()
}

#[test]
fn the_beats_of_24_records_are_found_where_they_are() {
    let Some(folder) = data("mitdb") else { return };
    let mut score = Score::default();
    for name in MIT_BIH {
        let (samples, fs, beats) = annotated(&folder.join(name));
        score.add(&beats, &found(&samples, fs));
    }
    score.at_least("24 records", [99.87, 99.71]);
    assert!(score.mae_ms() <= 2.7, "{}", score.mae_ms());
}

#[test]
fn beats_are_found_through_recorded_electrode_motion() {
    let Some(folder) = data("nstdb") else { return };
    for (name, floor) in [("118e24", [99.97, 99.80]), ("118e12", [99.45, 99.30])] {
        let (samples, fs, beats) = annotated(&folder.join(name));
        let mut score = Score::default();
        score.add(&beats, &found(&samples, fs));
        score.at_least(name, floor);
    }
}

/// Ten minutes of four clean records, as the tables of public detectors have them.
#[test]
fn beats_are_found_through_added_noise() {
    let (Some(clean), Some(noise)) = (data("mitdb"), data("nstdb")) else { return };
    let wander = Record::open(&noise.join("bw")).expect("a readable record");
    let levels: [(Option<Disturbance>, f64, [f64; 2]); 5] = [
        (None, 0.0, [99.85, 99.85]),
        (Some(Disturbance::Emg), 6.0, [99.85, 99.80]),
        (Some(Disturbance::Emg), 0.0, [99.65, 99.40]),
        (Some(Disturbance::ElectrodeMotion), 12.0, [99.7, 99.7]),
        (Some(Disturbance::ElectrodeMotion), 6.0, [97.9, 97.6]),
    ];
    for (kind, snr_db, floor) in levels {
        let mut score = Score::default();
        for (name, seed) in [("101", 1010), ("115", 1150), ("122", 1220), ("230", 2300)] {
            let (samples, fs, beats) = annotated(&clean.join(name));
            let samples = &samples[..(600.0 * fs) as usize];
            let beats = &beats[..beats.partition_point(|at| *at < 600.0)];
            let places: Vec<u64> = beats.iter().map(|at| (at * fs).round() as u64).collect();
            let disturbance = match kind {
                Some(kind) => kind.samples(fs, samples.len(), seed),
                None => stress::recorded(&wander.signals[0].samples, wander.fs, 0, fs, samples.len()),
            };
            let power = stress::qrs_power(samples, fs, &places).expect("beats");
            let gain = stress::gain(power, Power::Variance.of(&disturbance, fs), snr_db);
            let noisy: Vec<f64> = samples.iter().zip(&disturbance).map(|(x, noise)| x + gain * noise).collect();
            score.add(beats, &found(&noisy, fs));
        }
        score.at_least(&format!("{kind:?} at {snr_db} dB"), floor);
    }
}
