//! Throughput of the QRS detector, in samples a second on one thread: an hour of a synthetic heart at 250 Hz, in quiet
//! and with noise (noise makes more candidates). Divide by 250 for the number of times real time.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecg_signal::Hertz;
use ecg_signal::qrs::QrsDetector;

const FS: f64 = 250.0;

/// An hour of beats 0.75 to 0.85 s apart (R and T as Gaussians) with white noise of the given size.
fn heart(noise: f64) -> Vec<f64> {
    let mut state = 1u64;
    let mut signal: Vec<f64> = (0..(3600.0 * FS) as usize)
        .map(|n| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let white = (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0;
            0.1 * (1.3 * n as f64 / FS).sin() + noise * white
        })
        .collect();
    let mut at: f64 = 0.5;
    while at < 3599.0 {
        for (place, height, width) in [(0.0, 1.0, 0.011), (0.03, -0.2, 0.01), (0.27, 0.25, 0.045)] {
            let (from, to) = (at + place - 5.0 * width, at + place + 5.0 * width);
            for (n, sample) in signal.iter_mut().enumerate().take((to * FS) as usize).skip((from * FS) as usize) {
                *sample += height * (-0.5 * ((n as f64 / FS - at - place) / width).powi(2)).exp();
            }
        }
        at += 0.8 + 0.05 * at.sin();
    }
    signal
}

fn detector(c: &mut Criterion) {
    let mut group = c.benchmark_group("qrs");
    for (name, noise) in [("quiet", 0.0), ("noisy", 0.2)] {
        let signal = heart(noise);
        group.throughput(Throughput::Elements(signal.len() as u64)).sample_size(20);
        group.bench_function(name, |b| {
            b.iter(|| {
                let mut detector = QrsDetector::new(Hertz(FS));
                let mut beats = 0u32;
                signal.chunks(250).for_each(|block| detector.push_block(black_box(block), &mut |_| beats += 1));
                beats
            });
        });
    }
    group.finish();
}

criterion_group!(benches, detector);
criterion_main!(benches);
