//! Real recordings through the whole path: the gate accepts normal beats, the denoiser earns its place.
//!
//! Needs the recordings (`ECGID_DATA`, or `shared/data` beside the repository); skipped, aloud, without them.

use std::path::PathBuf;

use ecg_data::stress::{self, Disturbance, Power};
use ecg_data::{Annotation, AnnotationKind, Collection, Record, annotations};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath, Verdict};

pub(crate) fn data(folder: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("ECGID_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join(folder);
    if !folder.is_dir() {
        skipped!("SKIPPED: no recordings in {}", folder.display());
        return None;
    }
    Some(folder)
}

fn beats(record: &Record, mains: Mains) -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(record.fs), mains }).expect("a legal rate");
    let mut beats = Vec::new();
    for &millivolts in &record.signals[0].samples {
        path.push(PathInput::of(millivolts), &mut |beat| beats.push(beat));
    }
    path.flush(&mut |beat| beats.push(beat));
    beats
}

/// Counts of beats that could be cut, and of those accepted.
#[derive(Default)]
struct Tally {
    whole: usize,
    accepted: usize,
}

impl Tally {
    fn add(&mut self, beat: &Beat) {
        self.whole += usize::from(beat.quality.verdict != Verdict::Refused(ecg_signal::Refusal::Incomplete));
        self.accepted += usize::from(beat.quality.verdict.is_accepted());
    }

    fn percent(&self) -> f64 {
        100.0 * self.accepted as f64 / self.whole as f64
    }
}

#[test]
fn normal_beats_of_mit_bih_are_accepted() {
    let Some(folder) = data("mitdb") else { return };
    let (mut normal, mut found, mut marked, mut given) = (Tally::default(), 0, 0, 0);
    for name in ["101", "112", "115", "119", "122", "205", "209", "215", "220", "223", "230"] {
        let record = Record::open(&folder.join(name)).expect("a readable record");
        let marks = annotations(&folder.join(name), "atr").expect("readable annotations");
        let truth: Vec<(f64, char)> = marks
            .items
            .iter()
            .filter_map(|mark| match mark.kind {
                AnnotationKind::Beat(symbol) => Some((mark.sample as f64, symbol)),
                _ => None,
            })
            .collect();
        let beats = beats(&record, Mains::Hz60);
        let tolerance = 0.15 * record.fs;
        let mut next = 0;
        for beat in &beats {
            while next < truth.len() && truth[next].0 < beat.r_peak - tolerance {
                next += 1;
            }
            if next < truth.len() && truth[next].0 <= beat.r_peak + tolerance {
                found += 1;
                if truth[next].1 == 'N' {
                    normal.add(beat);
                }
                next += 1;
            }
        }
        (marked, given) = (marked + truth.len(), given + beats.len());
    }
    let f1 = 200.0 * f64::from(found) / (marked + given) as f64;
    println!("MIT-BIH: F1 {f1:.2} %, normal beats accepted {:.2} % of {}", normal.percent(), normal.whole);
    assert!(f1 > 99.8, "{f1}");
    assert!(normal.percent() >= 99.8, "{}", normal.percent());
}

#[test]
fn beats_of_resting_persons_are_accepted() {
    for (folder, mains, floor) in [("ecg-id", Mains::Hz50, 98.0), ("heartprint", Mains::None, 98.5)] {
        let Some(folder) = data(folder) else { continue };
        let collection = Collection::open(&folder).expect("a collection");
        let (mut tally, mut unusable) = (Tally::default(), 0);
        for entry in collection.entries.iter().step_by(3) {
            let beats = beats(&entry.open().expect("a readable record"), mains);
            beats.iter().for_each(|beat| tally.add(beat));
            unusable += usize::from(beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count() < 5);
        }
        let percent = tally.percent();
        println!("{}: {percent:.2} % of {} accepted", folder.display(), tally.whole);
        assert!(percent >= floor, "{}: {percent:.2} %", folder.display());
        assert_eq!(unusable, 0, "every record gives at least five beats");
    }
}

const MIT_BIH: [&str; 24] = [
    "101", "102", "106", "107", "108", "109", "112", "114", "115", "116", "118", "119", "122", "124", "201", "203",
    "205", "207", "208", "209", "215", "220", "223", "230",
];

/// Clean is what the annotators call so: outside the stretches that a `~` with the bits of the first signal begins. The
/// beats that fall short are those of an R that moves between two deflections (108, 114), of bigeminy, in which the
/// ectopic beat is the usual one at times (208), and of fibrillation with noise (203).
#[test]
fn normal_beats_of_all_24_records_are_accepted_where_they_are_clean_and_where_not() {
    let Some(folder) = data("mitdb") else { return };
    let (mut all, mut clean, mut steady) = (Tally::default(), Tally::default(), Tally::default());
    for name in MIT_BIH {
        let path = folder.join(name);
        let record = Record::open(&path).expect("a readable record");
        let marks = annotations(&path, "atr").expect("readable annotations");
        let normal = |beat: &&Beat| {
            let next = marks.items.partition_point(|mark| (mark.sample as f64) < beat.r_peak - 0.15 * record.fs);
            let near = marks.items[next..].iter().take_while(|m| m.sample as f64 <= beat.r_peak + 0.15 * record.fs);
            near.into_iter().any(|mark| mark.kind == AnnotationKind::Beat('N'))
        };
        let noisy = marks.noisy(0);
        let beats = beats(&record, Mains::Hz60);
        let mut tally = Tally::default();
        let (mut noise, mut shape) = (0, 0);
        for beat in beats.iter().filter(normal) {
            tally.add(beat);
            if !noisy.iter().any(|stretch| stretch.contains(&(beat.r_peak as u64))) {
                clean.add(beat);
            }
            noise += usize::from(beat.quality.verdict == Verdict::Refused(ecg_signal::Refusal::Noise));
            shape += usize::from(beat.quality.verdict == Verdict::Refused(ecg_signal::Refusal::Shape));
        }
        if tally.whole > 0 {
            println!("{name}: {:.2} % of {}; {noise} noise, {shape} shape", tally.percent(), tally.whole);
        }
        for sum in
            [Some(&mut all), (!["108", "114", "203"].contains(&name)).then_some(&mut steady)].into_iter().flatten()
        {
            sum.whole += tally.whole;
            sum.accepted += tally.accepted;
        }
    }
    println!("all: {:.2} % of {}; without 108, 114, 203: {:.2} %", all.percent(), all.whole, steady.percent());
    println!("where the annotators call the signal clean: {:.2} % of {}", clean.percent(), clean.whole);
    assert!(all.percent() >= 97.2, "{}", all.percent());
    assert!(clean.percent() >= 98.0, "{}", clean.percent());
    assert!(steady.percent() >= 99.3, "{}", steady.percent());
}

/// The verdict falls with the signal-to-noise ratio, and no beat that is not there is accepted.
#[test]
fn acceptance_falls_with_the_signal_to_noise_ratio() {
    let Some(folder) = data("mitdb") else { return };
    let names = ["101", "112", "122", "220"];
    println!("accepted share of the beats found, and mean score of the windows");
    println!("{:8} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}", "dB", 24, 18, 12, 6, 0, -6);
    for kind in [Disturbance::White, Disturbance::Emg, Disturbance::ElectrodeMotion] {
        let mut row = Vec::new();
        for snr_db in [24.0, 18.0, 12.0, 6.0, 0.0, -6.0] {
            let (mut tally, mut score, mut windows) = (Tally::default(), 0.0, 0.0);
            for (seed, name) in (1..).zip(names) {
                let record = Record::open(&folder.join(name)).expect("a readable record");
                let marks = annotations(&folder.join(name), "atr").expect("readable annotations");
                let samples = &record.signals[0].samples[..(180.0 * record.fs) as usize];
                let is_beat = |mark: &&Annotation| matches!(mark.kind, AnnotationKind::Beat(_));
                let places: Vec<u64> = marks.items.iter().filter(is_beat).map(|mark| mark.sample).collect();
                let power = stress::qrs_power(samples, record.fs, &places).expect("beats");
                let noise = kind.samples(record.fs, samples.len(), seed);
                let gain = stress::gain(power, Power::Variance.of(&noise, record.fs), snr_db);
                let mut path =
                    SignalPath::new(&PathConfig { fs: Hertz(record.fs), mains: Mains::Hz60 }).expect("legal");
                for (n, (x, disturbance)) in samples.iter().zip(noise).enumerate() {
                    path.push(PathInput::of(x + gain * disturbance), &mut |beat| tally.add(&beat));
                    if n % 3600 == 3599 {
                        score += path.window_quality().map_or(0.0, |window| window.score);
                        windows += 1.0;
                    }
                }
            }
            row.push((tally.percent(), score / windows));
        }
        let cells: Vec<String> = row.iter().map(|(share, score)| format!("{share:5.1} % {score:.2}")).collect();
        println!("{:8} {}", format!("{kind:?}").chars().take(8).collect::<String>(), cells.join(" "));
        assert!(row[0].0 >= 98.0 && row[0].1 > 0.9, "{kind:?} at 24 dB: {row:?}");
        assert!(row[5].0 <= 5.0 && row[5].1 < 0.1, "{kind:?} at -6 dB: {row:?}");
        for pair in row.windows(2) {
            assert!(pair[1].0 <= pair[0].0 + 0.5 && pair[1].1 <= pair[0].1 + 0.02, "{kind:?}: {row:?}");
        }
    }
}
