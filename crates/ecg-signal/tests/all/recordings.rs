//! Real recordings through the whole path: the gate accepts normal beats, the denoiser earns its place.
//!
//! Needs the recordings (`ECGID_DATA`, or `shared/data` beside the repository); skipped, aloud, without them.

use std::path::PathBuf;

use ecg_data::{AnnotationKind, Collection, Record, annotations};
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
    assert!(normal.percent() >= 98.0, "{}", normal.percent());
}

#[test]
fn beats_of_resting_persons_are_accepted() {
    for (folder, mains, floor) in [("ecg-id", Mains::Hz50, 96.0), ("heartprint", Mains::None, 97.5)] {
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
