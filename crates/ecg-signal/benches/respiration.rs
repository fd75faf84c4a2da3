//! What following the breathing costs beside the signal path: a source sample of the impedance, and the beats.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ecg_signal::{Beat, Hertz, Mains, PathConfig, PathInput, RespirationMonitor, SignalPath};

const FS: f64 = 250.0;
const SECONDS: usize = 600;

/// A heart of 75 beats a minute, larger and smaller with 15 breaths a minute.
fn beats() -> Vec<Beat> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).expect("legal");
    let mut beats = Vec::new();
    for n in 0..SECONDS * FS as usize {
        let t = n as f64 / FS;
        let phase = (t / 0.8).fract() * 0.8 - 0.4;
        let wave = |height: f64, at: f64, width: f64| height * (-0.5 * ((phase - at) / width).powi(2)).exp();
        let ecg = wave(1.2, 0.0, 0.01) + wave(-0.22, 0.028, 0.009) + wave(0.28, 0.26, 0.045);
        path.push(PathInput::of(ecg * (1.0 + 0.05 * breath(t))), &mut |beat| beats.push(beat));
    }
    beats
}

fn breath(t: f64) -> f64 {
    (std::f64::consts::TAU * 0.25 * t).sin()
}

fn run(monitor: &mut RespirationMonitor, impedance: &[Option<f64>], beats: &[Beat]) {
    let mut beats = beats.iter().peekable();
    for (n, &impedance) in impedance.iter().enumerate() {
        while let Some(beat) = beats.next_if(|beat| beat.decided_at <= n as u64) {
            monitor.push_beat(beat);
        }
        if let Some(breathing) = monitor.push(impedance) {
            black_box(breathing);
        }
    }
}

fn respiration(criterion: &mut Criterion) {
    let beats = beats();
    let none = vec![None; SECONDS * FS as usize];
    let some: Vec<_> = (0..none.len()).map(|n| Some(1000.0 * breath(n as f64 / FS))).collect();
    let monitor = RespirationMonitor::new(Hertz(FS)).expect("legal");
    let mut group = criterion.benchmark_group("respiration");
    group.throughput(Throughput::Elements(none.len() as u64));
    for (name, impedance, beats) in
        [("by beats", &none, &beats[..]), ("by impedance", &some, &[]), ("by both, with agreement", &some, &beats[..])]
    {
        group.bench_function(name, |bencher| {
            let monitor = || monitor.clone();
            bencher.iter_batched(monitor, |mut monitor| run(&mut monitor, impedance, beats), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, respiration);
criterion_main!(benches);
