//! Inference: microseconds a beat, one thread, as the daemon runs it; and what surrounds it.
//!
//! `scripts/bench_onnxruntime.py` runs this beside onnxruntime on the same model and prints the ratio.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ecgid::inference::Model;

fn inference(criterion: &mut Criterion) {
    let mut model = Model::shipped().expect("the shipped model loads: a test says so");
    let beat: [f32; 175] = std::array::from_fn(|i| (-((i as f32 - 62.0) / 4.0).powi(2)).exp() * 5.0 - 0.4);
    let mut group = criterion.benchmark_group("inference");
    group.bench_function("one_beat", |b| b.iter(|| model.embed_values(black_box(&beat))));
    group.bench_function("load", |b| b.iter(Model::shipped));
    group.finish();
}

criterion_group!(benches, inference);
criterion_main!(benches);
