//! What is no heart must not be accepted as one.

use ecg_data::stress::Disturbance;
use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::{Beat, Contact, Hertz, Mains, PathConfig, PathInput, SignalPath};

use crate::wave::{Noise, heart};

const FS: f64 = 250.0;
const MINUTES: usize = 5;
/// After a touch in the learning phase two beats of 75 a minute must repeat each other; see `qrs::learning`.
const LATEST_AFTER_TOUCH_S: f64 = 2.0;
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
    refuses("touch", 1, touch.collect());
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
        let first = within(10_000.0, 10_500.0);
        println!("{board_says:?}: {back} of 12 beats in the ten seconds after contact, {first} in the first two");
        assert!(first >= 1, "{board_says:?}: the heart is not back within two seconds");
        assert!(within(12_500.0, 20_000.0) >= 35);
    }
}

/// A minute of a heart, a minute of a disturbance and a minute of the heart again. Gives the beats accepted in each,
/// those of the first two seconds after the disturbance, and those that were found in the disturbance.
fn between_two_hearts(disturbance: &[f64]) -> [usize; 5] {
    let mut random = Noise::new(17);
    let minute = 15_000;
    let signal = (0..3 * minute).map(|n| {
        let shown = if (minute..2 * minute).contains(&n) { disturbance[n - minute] } else { heart(n as f64 / FS, 0.8) };
        PathInput::of(shown + 0.01 * random.normal())
    });
    let beats = beats(signal);
    let within = |from: f64, to: f64| {
        let inside = beats.iter().filter(|beat| (from * 60.0..to * 60.0).contains(&(beat.r_peak / FS)));
        inside.filter(|beat| beat.quality.verdict.is_accepted()).count()
    };
    // The segment of a beat that lies a third of a second from the edge reaches into the other minute.
    let found = beats.iter().filter(|beat| (60.3..119.7).contains(&(beat.r_peak / FS))).count();
    [within(0.0, 0.995), within(1.005, 1.995), within(2.0, 3.0), within(2.0, 2.0 + 2.4 / 60.0), found]
}

#[test]
fn electrode_motion_and_other_noise_are_refused_at_every_size_alone_and_between_beats() {
    for kind in [Disturbance::ElectrodeMotion, Disturbance::Emg, Disturbance::White, Disturbance::Mains(50.4)] {
        let (mut found, mut accepted, mut minutes) = (0, 0, 0);
        for (seed, size) in [(1, 0.1), (2, 0.3), (3, 1.0), (4, 3.0), (5, 0.3), (6, 1.0)] {
            let noise = kind.samples(FS, SAMPLES, seed).into_iter().map(|x| PathInput::of(size * x));
            let beats = beats(noise);
            found += beats.len();
            accepted += self::accepted(&beats);
            minutes += MINUTES;
        }
        println!("{kind:?} alone: {accepted} of {found} accepted in {minutes} min");
        assert!(accepted * 100 <= found && accepted <= minutes, "{kind:?}: {accepted} of {found}");

        let (mut found, mut within) = (0, 0);
        for (seed, size) in [(11, 0.1), (12, 0.3), (13, 1.0), (14, 2.0), (15, 0.5), (16, 1.0)] {
            let noise: Vec<f64> = kind.samples(FS, 15_000, seed).into_iter().map(|x| size * x).collect();
            let [before, during, after, soon, all] = between_two_hearts(&noise);
            println!("{kind:?} of {size} mV after a heart: {before}, {during} of {all}, {after}, {soon} in 2.4 s");
            assert!(before >= 71 && after >= 66, "{kind:?}: {before} before, {after} after");
            (found, within) = (found + all, within + during);
        }
        assert!(within * 100 <= found.max(300), "{kind:?}: {within} of {found}");
    }
}

/// An electrode that is off, of a board that says nothing: at the rail, still, with hum, drifting.
#[test]
fn a_lost_electrode_is_seen_in_the_signal_alone() {
    let hum = |n: f64| (2.0 * std::f64::consts::PI * 50.2 * n / FS).sin();
    type Kind<'a> = (&'a str, &'a dyn Fn(f64, f64) -> f64);
    let kinds: [Kind<'_>; 4] = [
        ("rail", &|_, _| 403.3),
        ("still", &|_, random| 12.0 + 1e-4 * random),
        ("hum", &|n, random| 40.0 * hum(n) + 0.2 * random),
        ("drift", &|n, random| 0.02 * n + 0.05 * random),
    ];
    for (name, kind) in kinds {
        let mut random = Noise::new(21);
        let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("legal");
        let (mut lost, mut contacts) = (0, Vec::new());
        for n in 0..15_000u32 {
            let t = f64::from(n) / FS;
            let off = (5000..10_000).contains(&n);
            let shown = if off { kind(f64::from(n - 5000), random.normal()) } else { heart(t, 0.8) };
            path.push(PathInput::of(shown + if off { 0.0 } else { 0.01 * random.normal() }), &mut |beat| {
                let inside = (5080.0..9950.0).contains(&beat.r_peak);
                lost += usize::from(inside && beat.quality.verdict.is_accepted());
            });
            if [4990, 6250, 9990, 13_000].contains(&n) {
                contacts.push(path.signal_state().contact);
            }
        }
        println!("{name}: {lost} accepted, {contacts:?}");
        assert!(lost <= 1, "{name}: {lost}");
        assert_eq!((contacts[0], contacts[3]), (Contact::Good, Contact::Good), "{name}");
        assert!(contacts[1] != Contact::Good && contacts[2] != Contact::Good, "{name}: {contacts:?}");
    }
}

/// A touch in the first seconds must not become the usual shape.
#[test]
fn a_touch_while_learning_costs_little_after_it_has_ended() {
    let (mut latest, mut sum) = (0.0_f64, 0.0);
    let seeds = 20;
    for seed in 1..=seeds {
        let mut random = Noise::new(seed);
        let signal = (0..7500).map(|n| {
            let touch = if n < 750 { 2.0 * random.normal() } else { 0.01 * random.normal() };
            PathInput::of(heart(f64::from(n) / FS, 0.8) + touch)
        });
        let beats = beats(signal);
        let first = beats.iter().find(|beat| beat.r_peak > 750.0 && beat.quality.verdict.is_accepted());
        let after = first.map_or(30.0, |beat| beat.r_peak / FS - 3.0);
        (latest, sum) = (latest.max(after), sum + after);
    }
    println!("first accepted beat {:.1} s after the touch in the mean, {latest:.1} s at most", sum / seeds as f64);
    assert!(latest <= LATEST_AFTER_TOUCH_S, "{latest}");
}
