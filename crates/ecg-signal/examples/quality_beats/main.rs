//! What the quality verdict sees of the beats of recordings and of noise, one line of CSV for each: the other side of
//! `scripts/fit_quality.py`, which fits the weights of `quality::score` to it.
//!
//! `cargo run --release -p ecg-signal --example quality_beats -- DATA > beats.csv`
//!
//! DATA holds the folders `mitdb`, `nstdb`, `ecg-id` and `heartprint`. A beat is `right` when it is one whose segment
//! shows the shape of the heart:
//! - `mitdb` (`mitdb-unclear` where the annotators call the first signal noisy): it is annotated within 50 ms. What lies
//!   between 50 and 150 ms from an annotation is left out.
//! - `noisy` (`mitdb` with noise), `118e`: it was found within 50 ms without the noise, and its segment correlates with
//!   the one without by 0.9 or more.
//! - `ecg-id`: the same, with the signal that the author of the collection has filtered in place of the one without noise.
//! - `heartprint`: the device has marked it within 50 ms.
//! - noise alone, or between two stretches of a recording: never.

mod noises;
mod table;

use std::path::Path;
use std::process::ExitCode;

use ecg_data::stress::{self, Disturbance, Power};
use ecg_data::{Annotation, AnnotationKind, Collection, Record, RecordError, annotations};
use ecg_signal::{Beat, Mains};

use noises::ElectrodeMotion;
use table::{Row, beats, likeness, near, print, print_header};

/// Two places are the same beat within this, in seconds; what lies farther, but within [`DOUBTFUL_S`], is neither.
const SAME_S: f64 = 0.05;
const DOUBTFUL_S: f64 = 0.15;
/// Correlation from which on a disturbed segment shows the shape of the undisturbed one.
const SHOWS: f64 = 0.9;
/// Records that take noise, and how many seconds of each.
const QUIET: [&str; 8] = ["101", "112", "115", "122", "209", "220", "223", "230"];
const NOISY_S: f64 = 180.0;
const MIT_BIH: [&str; 24] = [
    "101", "102", "106", "107", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203",
    "205", "207", "208", "209", "215", "220", "223", "230",
];

fn main() -> ExitCode {
    let Some(data) = std::env::args().nth(1) else {
        eprintln!("usage: quality_beats DATA > beats.csv");
        return ExitCode::FAILURE;
    };
    match run(Path::new(&data)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(data: &Path) -> Result<(), Box<dyn std::error::Error>> {
    print_header();
    let motion = ElectrodeMotion::open(data)?;
    for name in MIT_BIH {
        mit_bih(&data.join("mitdb").join(name), name)?;
    }
    for (number, name) in QUIET.into_iter().enumerate() {
        noisy(&data.join("mitdb").join(name), name, &motion, number)?;
    }
    stress_records(data)?;
    for (folder, mains) in [("ecg-id", Mains::Hz50), ("heartprint", Mains::None)] {
        persons(&data.join(folder), folder, mains)?;
    }
    let heart = Record::open(&data.join("mitdb").join("122"))?;
    noises::alone(&motion, &heart);
    Ok(())
}

fn mit_bih(path: &Path, name: &str) -> Result<(), RecordError> {
    let record = Record::open(path)?;
    let marks = annotations(path, "atr")?;
    let truth: Vec<(f64, char)> = marks.items.iter().filter_map(symbol).collect();
    let noisy = marks.noisy(0);
    for beat in beats(&record.signals[0].samples, record.fs, Mains::Hz60) {
        let annotated = near(&truth, beat.r_peak, DOUBTFUL_S * record.fs);
        let right = annotated.is_some_and(|(distance, _)| distance <= SAME_S * record.fs);
        if right || annotated.is_none() {
            let kind = if noisy.iter().any(|stretch| stretch.contains(&(beat.r_peak as u64))) {
                "mitdb-unclear"
            } else {
                "mitdb"
            };
            print(&Row { kind, group: name, right, symbol: annotated.map_or('-', |(_, s)| s), fs: record.fs }, &beat);
        }
    }
    Ok(())
}

/// A beat with its place and symbol.
fn symbol(mark: &Annotation) -> Option<(f64, char)> {
    match mark.kind {
        AnnotationKind::Beat(symbol) => Some((mark.sample as f64, symbol)),
        _ => None,
    }
}

/// Compares the beats of a disturbed signal with those of the undisturbed one.
fn compare(row: Row<'_>, disturbed: &[Beat], clean: &[Beat]) {
    let truth: Vec<(f64, &Beat)> = clean.iter().map(|beat| (beat.r_peak, beat)).collect();
    for beat in disturbed {
        let same = near(&truth, beat.r_peak, DOUBTFUL_S * row.fs);
        let shows = |other: &Beat| likeness(&beat.segment, &other.segment) >= SHOWS;
        let right = same.is_some_and(|(distance, other)| distance <= SAME_S * row.fs && shows(other));
        print(&Row { right, ..row }, beat);
    }
}

fn noisy(path: &Path, name: &str, motion: &ElectrodeMotion, number: usize) -> Result<(), RecordError> {
    let record = Record::open(path)?;
    let fs = record.fs;
    let samples = &record.signals[0].samples[..(NOISY_S * fs) as usize];
    let places: Vec<u64> = annotations(path, "atr")?.beats().collect();
    let power = stress::qrs_power(samples, fs, &places).unwrap_or(1.0);
    let clean = beats(samples, fs, Mains::Hz60);
    let kinds = [Some(Disturbance::White), Some(Disturbance::Emg), Some(Disturbance::ElectrodeMotion), None];
    for (seed, kind) in (1 + 10 * number as u64..).zip(kinds) {
        let noise = match kind {
            Some(kind) => kind.samples(fs, samples.len(), seed),
            None => motion.samples(number, samples.len()),
        };
        for snr_db in [24.0, 18.0, 12.0, 6.0, 0.0, -6.0] {
            let gain = stress::gain(power, Power::Variance.of(&noise, fs), snr_db);
            let mixed: Vec<f64> = samples.iter().zip(&noise).map(|(x, noise)| x + gain * noise).collect();
            compare(
                Row { kind: "noisy", group: name, right: false, symbol: '-', fs },
                &beats(&mixed, fs, Mains::Hz60),
                &clean,
            );
        }
    }
    Ok(())
}

fn stress_records(data: &Path) -> Result<(), RecordError> {
    let clean = Record::open(&data.join("mitdb").join("118"))?;
    let clean_beats = beats(&clean.signals[0].samples, clean.fs, Mains::Hz60);
    for name in ["118e12", "118e24"] {
        let record = Record::open(&data.join("nstdb").join(name))?;
        let disturbed = beats(&record.signals[0].samples, record.fs, Mains::Hz60);
        compare(Row { kind: "118e", group: name, right: false, symbol: '-', fs: record.fs }, &disturbed, &clean_beats);
    }
    Ok(())
}

fn persons(folder: &Path, kind: &str, mains: Mains) -> Result<(), Box<dyn std::error::Error>> {
    for entry in Collection::open(folder)?.entries {
        let record = entry.open()?;
        let found = beats(&record.signals[0].samples, record.fs, mains);
        let row = Row { kind, group: &entry.subject, right: false, symbol: '-', fs: record.fs };
        if kind == "ecg-id" {
            compare(row, &found, &beats(&record.signals[1].samples, record.fs, mains));
            continue;
        }
        let truth: Vec<(f64, ())> = annotations(&entry.path, "atr")?.beats().map(|place| (place as f64, ())).collect();
        for beat in &found {
            let right = near(&truth, beat.r_peak, SAME_S * record.fs).is_some();
            print(&Row { right, ..row }, beat);
        }
    }
    Ok(())
}
