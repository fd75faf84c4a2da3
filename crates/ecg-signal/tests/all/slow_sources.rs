//! Boards slower than the path: recordings as such a board would have taken them, beside themselves as they are.
//!
//! Needs the recordings (`ECGID_DATA`, or `shared/data` beside the repository); skipped, aloud, without them.

use ecg_data::{AnnotationKind, Record, annotations};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath, resample};

use crate::recordings::data;
use crate::wave::decibel;

/// A converter's step, in millivolts: that of MIT-BIH's recorder.
const STEP_MV: f64 = 0.005;
/// Two places are the same beat within this, in seconds; an annotated one within the other.
const SAME_S: f64 = 0.05;
const MATCH_S: f64 = 0.15;

fn beats(samples: &[f64], fs: f64) -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz60 }).expect("a legal rate");
    let mut beats = Vec::new();
    samples.iter().for_each(|&x| path.push(PathInput::of(x), &mut |beat| beats.push(beat)));
    path.flush(&mut |beat| beats.push(beat));
    beats
}

/// For each of `places` (seconds), the beat within `tolerance_s` of it; each beat once.
fn matched<'a>(places: &[f64], beats: &'a [Beat], fs: f64, tolerance_s: f64) -> Vec<Option<&'a Beat>> {
    let mut rest = beats;
    let near = |&place: &f64| {
        let first = rest.iter().take_while(|beat| beat.r_peak / fs < place - tolerance_s).count();
        rest = &rest[first..];
        let (next, behind) = rest.split_first().filter(|(beat, _)| beat.r_peak / fs <= place + tolerance_s)?;
        rest = behind;
        Some(next)
    };
    places.iter().map(near).collect()
}

/// How far a segment is from another one, in decibel below that one, whatever their means.
fn unlike(segment: &[f64], other: &[f64]) -> f64 {
    let variance = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        x.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    let difference: Vec<f64> = segment.iter().zip(other).map(|(a, b)| a - b).collect();
    decibel(variance(&difference) / variance(other))
}

/// What a board of some rate makes of all records together.
#[derive(Default)]
struct Tally {
    annotated: usize,
    given: usize,
    found: usize,
    off_s: f64,
    normal: usize,
    accepted: usize,
    unlike: Vec<f64>,
}

impl Tally {
    fn add(&mut self, truth: &[(f64, char)], found: &[Beat], fs: f64) {
        let places: Vec<f64> = truth.iter().map(|(place, _)| *place).collect();
        self.annotated += truth.len();
        self.given += found.len();
        for ((place, symbol), beat) in truth.iter().zip(matched(&places, found, fs, MATCH_S)) {
            let Some(beat) = beat else { continue };
            self.found += 1;
            self.off_s += (beat.r_peak / fs - place).abs();
            if *symbol == 'N' {
                self.normal += 1;
                self.accepted += usize::from(beat.quality.verdict.is_accepted());
            }
        }
    }

    /// F1 and the share of normal beats accepted, in per cent; mean error of R in milliseconds.
    fn figures(&self) -> [f64; 3] {
        [
            200.0 * self.found as f64 / (self.annotated + self.given) as f64,
            100.0 * self.accepted as f64 / self.normal as f64,
            1000.0 * self.off_s / self.found as f64,
        ]
    }
}

#[test]
fn a_slow_board_gives_the_beats_and_segments_of_a_fast_one() {
    let Some(folder) = data("mitdb") else { return };
    let rates = [100.0, 125.0, 200.0];
    let (mut fast, mut slow) = (Tally::default(), rates.map(|_| Tally::default()));
    for name in ["101", "115", "119", "209", "223", "230"] {
        let record = Record::open(&folder.join(name)).expect("a readable record");
        let marks = annotations(&folder.join(name), "atr").expect("readable annotations");
        let truth = marks.items.iter().filter_map(|mark| match mark.kind {
            AnnotationKind::Beat(symbol) => Some((mark.sample as f64 / marks.fs, symbol)),
            _ => None,
        });
        let truth: Vec<(f64, char)> = truth.collect();
        let samples = &record.signals[0].samples;
        let native = beats(samples, record.fs);
        fast.add(&truth, &native, record.fs);
        let places: Vec<f64> = native.iter().map(|beat| beat.r_peak / record.fs).collect();
        for (fs, tally) in rates.into_iter().zip(&mut slow) {
            let taken = resample(samples, Hertz(record.fs), Hertz(fs)).expect("a legal rate");
            let taken: Vec<f64> = taken.iter().map(|x| (x / STEP_MV).round() * STEP_MV).collect();
            let found = beats(&taken, fs);
            tally.add(&truth, &found, fs);
            for (native, beat) in native.iter().zip(matched(&places, &found, fs, SAME_S)) {
                if let Some(beat) = beat.filter(|beat| beat.quality.verdict.is_accepted()) {
                    tally.unlike.push(unlike(&beat.segment, &native.segment));
                }
            }
        }
    }
    let [f1, accepted, off_ms] = fast.figures();
    println!("360 Hz: F1 {f1:.3} %, normal beats accepted {accepted:.2} %, R {off_ms:.2} ms off");
    // Sharp taps gave -36.9, -43.4 and -52.0 dB: of a source of 100 Hz they leave nothing unchanged above 40 Hz.
    for ((fs, mut tally), most) in rates.into_iter().zip(slow).zip([-38.0, -44.5, -51.0]) {
        let [slow_f1, slow_accepted, slow_off_ms] = tally.figures();
        tally.unlike.sort_by(f64::total_cmp);
        let median = tally.unlike[tally.unlike.len() / 2];
        println!(
            "{fs} Hz: F1 {slow_f1:.3} %, accepted {slow_accepted:.2} %, R {slow_off_ms:.2} ms off, segments differ by {median:.1} dB"
        );
        assert!(slow_f1 >= f1 - 0.01 && slow_accepted >= accepted - 0.05 && slow_off_ms <= off_ms + 0.05, "{fs} Hz");
        assert!(median < most, "{fs} Hz: {median:.1} dB");
    }
}
