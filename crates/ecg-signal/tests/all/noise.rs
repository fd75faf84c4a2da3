//! What is no heart must not be accepted as one.

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, SignalPath};

use crate::wave::{Noise, heart};

const FS: f64 = 250.0;
const MINUTES: usize = 5;
const SAMPLES: usize = MINUTES * 60 * 250;

fn beats(input: impl Iterator<Item = PathInput>) -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("legal");
    let mut beats = Vec::new();
    input.for_each(|input| path.push(input, &mut |beat| beats.push(beat)));
    path.flush(&mut |beat| beats.push(beat));
    beats
}

fn accepted(beats: &[Beat]) -> usize {
    beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count()
}

/// At most `percent` of the beats are accepted, and at most two a minute.
fn refuses(name: &str, percent: usize, signal: Vec<f64>) {
    let beats = beats(signal.into_iter().map(PathInput::of));
    let accepted = accepted(&beats);
    println!("{name}: {} beats in {MINUTES} min, {accepted} accepted", beats.len());
    assert!(
        accepted * 100 <= percent * beats.len() && accepted <= 2 * MINUTES,
        "{name}: {accepted} of {}",
        beats.len()
    );
}

#[test]
fn noise_mains_and_flat_lines_are_refused() {
    let mut random = Noise::new(2026);
    refuses("white", 1, (0..SAMPLES).map(|_| 0.3 * random.normal()).collect());
    let mut sum = 0.0;
    let brown = (0..SAMPLES).map(|_| {
        sum = 0.999 * sum + 0.05 * random.normal();
        sum
    });
    refuses("brown", 1, brown.collect());
    let mut muscle = SosFilter::new(&design::band_pass(4, Hertz(20.0), Hertz(110.0), Hertz(FS)).expect("legal"));
    let mut envelope = 1.0;
    let emg = (0..SAMPLES).map(|n| {
        if n % 250 == 0 {
            envelope = 0.4 - random.uniform().max(1e-9).ln();
        }
        0.3 * envelope * muscle.run(random.normal())
    });
    refuses("EMG", 1, emg.collect());
    for mains in [49.5, 50.0, 50.5, 60.0] {
        let w = 2.0 * std::f64::consts::PI * mains / FS;
        let hum = (0..SAMPLES).map(|n| (1.0 + 0.3 * (n as f64 / 400.0).sin()) * (w * n as f64).sin());
        refuses(&format!("mains of {mains} Hz"), 1, hum.collect());
    }
    refuses("flat", 1, vec![1.7; SAMPLES]);
    refuses("one step of a converter", 1, (0..SAMPLES).map(|_| 5e-5 * random.uniform().round()).collect());
    refuses("rail", 1, vec![403.3; SAMPLES]);
}

/// Until a usual shape is known, the first beats rest on their score alone: three of them may pass.
#[test]
fn touching_the_cable_is_refused() {
    let mut random = Noise::new(5);
    let mut offset = 0.0;
    let touch = (0..SAMPLES).map(|n| {
        if random.uniform() < 1.0 / 500.0 {
            offset = 300.0 * random.normal();
        }
        offset + if (n / 250) % 3 == 0 { 1.5 } else { 0.03 } * random.normal()
    });
    refuses("touch", 2, touch.collect());
}

#[test]
fn twenty_seconds_without_electrodes_bring_no_beat_and_the_heart_returns_after_them() {
    for board_says in [Some(true), None] {
        let mut random = Noise::new(9);
        let off = 5000..10_000;
        let input = (0..20_000).map(|n| {
            if off.contains(&n) {
                PathInput { millivolts: 403.3, clipped: board_says.is_some(), lead_off: board_says }
            } else {
                PathInput::of(heart(n as f64 / FS, 0.8) + 0.01 * random.normal())
            }
        });
        let beats = beats(input);
        let within = |from: f64, to: f64| {
            let inside = beats.iter().filter(|beat| (from..to).contains(&beat.r_peak));
            inside.filter(|beat| beat.quality.verdict.is_accepted()).count()
        };
        assert_eq!(within(5000.0, 10_000.0), 0);
        let back = within(10_000.0, 12_500.0);
        println!("{board_says:?}: {back} of 12 beats in the ten seconds after contact");
        assert!(within(12_500.0, 20_000.0) >= 35);
    }
}
