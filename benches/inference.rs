//! Inference: microseconds a beat, one thread, as the daemon runs it; and what surrounds it.
//!
//! `scripts/bench_onnxruntime.py` runs this beside onnxruntime on the same model and prints the ratio.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ecg_signal::PreparedBeat;
use ecgid::inference::Model;

fn inference(criterion: &mut Criterion) {
    let mut model = Model::shipped().expect("the shipped model loads: a test says so");
    let values = std::array::from_fn(|i| (-((i as f32 - 62.0) / 4.0).powi(2)).exp() * 5.0 - 0.4);
    let beat = PreparedBeat { values, amplitude_mv: 0.2 };
    let mut group = criterion.benchmark_group("inference");
    group.bench_function("one_beat", |b| {
        b.iter_custom(|calls| median(calls, || drop(black_box(model.embed_beat(black_box(&beat))))))
    });
    group.bench_function("load", |b| b.iter(Model::shipped));
    group.finish();
}

/// `calls` times the median duration of a call. The median and not the sum: a call in which another process had the
/// processor says nothing about the network, and the script takes the median of onnxruntime's calls, too.
#[allow(clippy::disallowed_methods, reason = "a measurement, not a decision")]
fn median(calls: u64, mut call: impl FnMut()) -> Duration {
    let mut durations: Vec<Duration> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default() * u32::try_from(calls).unwrap_or(u32::MAX)
}

criterion_group!(benches, inference);
criterion_main!(benches);
