//! Electrode motion as it was recorded, without a heart: it looks like beats, and must not be accepted as such.
//!
//! Needs the recordings (`ECGID_DATA`, or `shared/data` beside the repository); skipped, aloud, without them.

use ecg_data::Record;
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath};

use crate::recordings::data;

const FS: f64 = 360.0;
/// 118e12 is 118 with electrode motion in two of every four minutes from 5:00 on.
const FIRST: usize = 300 * 360;
const PERIOD: usize = 240 * 360;
const STRETCH: usize = 120 * 360;
/// Seconds of a heart before the noise.
const HEART: usize = 40 * 360;

fn beats(samples: impl Iterator<Item = f64>) -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz60 }).expect("legal");
    let mut beats = Vec::new();
    samples.for_each(|x| path.push(PathInput::of(x), &mut |beat| beats.push(beat)));
    path.flush(&mut |beat| beats.push(beat));
    beats
}

/// Beats found from sample `from` on, and how many of them are accepted.
fn count(beats: &[Beat], from: usize) -> [usize; 2] {
    let within = || beats.iter().filter(|beat| beat.r_peak >= from as f64);
    [within().count(), within().filter(|beat| beat.quality.verdict.is_accepted()).count()]
}

#[test]
fn of_recorded_electrode_motion_without_a_heart_hardly_a_beat_is_accepted() {
    let (Some(stressed), Some(clean)) = (data("nstdb"), data("mitdb")) else { return };
    let open = |path: std::path::PathBuf| Record::open(&path).expect("a readable record");
    let (stressed, calm) = (open(stressed.join("118e12")), open(clean.join("118")));
    let heart = &open(clean.join("122")).signals[0].samples[..HEART];
    let (mut alone, mut after) = ([0; 2], [0; 2]);
    for (stressed, calm) in stressed.signals.iter().zip(&calm.signals) {
        let noise: Vec<f64> = stressed.samples.iter().zip(&calm.samples).map(|(a, b)| a - b).collect();
        for start in (FIRST..=noise.len() - STRETCH).step_by(PERIOD) {
            let noise = &noise[start..start + STRETCH];
            let add = |sum: &mut [usize; 2], more: [usize; 2]| (0..2).for_each(|i| sum[i] += more[i]);
            add(&mut alone, count(&beats(noise.iter().copied()), 0));
            for size in [0.3, 1.0, 3.0] {
                let both = heart.iter().copied().chain(noise.iter().map(|x| size * x));
                // The segment of a beat that lies a third of a second from the edge reaches into the heart.
                add(&mut after, count(&beats(both), HEART + 120));
            }
        }
    }
    let percent = |[found, accepted]: [usize; 2]| 100.0 * accepted as f64 / found as f64;
    println!(
        "recorded electrode motion alone: {} of {} accepted ({:.2} %); after a heart: {} of {} ({:.2} %)",
        alone[1],
        alone[0],
        percent(alone),
        after[1],
        after[0],
        percent(after)
    );
    assert!(alone[0] > 1000 && after[0] > 3000, "noise is found: {alone:?} {after:?}");
    assert!(percent(alone) <= 0.7 && percent(after) <= 0.9, "{alone:?} {after:?}");
}
