//! Heart-rate variability: a five-minute window and a day of intervals, every figure, and its costly parts.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecg_signal::RrInterval;
use ecg_signal::hrv::dfa::{ALPHA1_SCALES, ALPHA2_SCALES, alpha};
use ecg_signal::hrv::entropy::Entropy;
use ecg_signal::hrv::frequency::Welch;
use ecg_signal::hrv::{Analyser, Correction, NnSeries, lomb_scargle, two_sided};

/// A heart that breathes, wanders over minutes and hours, and jitters; as in `scripts/bench_hrv.py`.
fn intervals(count: usize) -> Vec<RrInterval> {
    let (mut now, mut state) = (0.0, 1u64);
    (0..count)
        .map(|n| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let jitter = (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
            let n_f = n as f64;
            let slow = 110.0 * (n_f / 100_000.0 * std::f64::consts::TAU).sin() + 30.0 * (n_f / 700.0).sin();
            let rr_ms = 850.0 + slow + 30.0 * (n_f * 1.4).sin() + 25.0 * (n_f * 0.5).sin() + 40.0 * jitter;
            now += rr_ms / 1000.0;
            RrInterval { end_s: now, rr_ms, follows: n > 0 }
        })
        .collect()
}

fn hrv(criterion: &mut Criterion) {
    for (name, count, seconds) in [("five minutes", 350, 3), ("a day", 100_000, 10)] {
        let row = intervals(count);
        let series = NnSeries::of(&row);
        let (analyser, welch) = (Analyser::new(), Welch::new());
        let mut group = criterion.benchmark_group(format!("hrv, {name}"));
        group.throughput(Throughput::Elements(count as u64)).sample_size(10);
        group.measurement_time(Duration::from_secs(seconds)).warm_up_time(Duration::from_millis(500));
        group.bench_function("every figure, corrected", |bencher| {
            bencher.iter(|| analyser.corrected(&two_sided(black_box(&row)), Correction::TwoSided));
        });
        group.bench_function("every figure", |bencher| bencher.iter(|| analyser.nn(black_box(&series))));
        group.bench_function("both entropies", |bencher| bencher.iter(|| Entropy::of(black_box(&series))));
        group.bench_function("both DFA", |bencher| {
            bencher.iter(|| (alpha(black_box(&series), ALPHA1_SCALES), alpha(&series, ALPHA2_SCALES)));
        });
        group.bench_function("Welch", |bencher| bencher.iter(|| welch.spectrum(black_box(&series))));
        group.bench_function("Lomb and Scargle", |bencher| bencher.iter(|| lomb_scargle::density(black_box(&series))));
        group.finish();
    }
}

criterion_group!(benches, hrv);
criterion_main!(benches);
