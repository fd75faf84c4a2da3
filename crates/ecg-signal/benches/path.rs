//! Speed of the signal path and of its parts, on five minutes of a noisy synthetic heart, one thread.
//!
//! `cargo bench -p ecg-signal --bench path` prints source samples per second; divided by the rate of the source that is
//! the number of times real time, which `path/real time` prints for the whole path.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::wavelet::denoise::Denoiser;
use ecg_signal::wavelet::median::SlidingMedian;
use ecg_signal::{Conditioner, Hertz, Mains, PathConfig, PathInput, QrsDetector, Resampler, SignalPath};

const SECONDS: f64 = 300.0;

fn heart(fs: f64) -> Vec<f64> {
    let mut state = 1u64;
    (0..(SECONDS * fs) as usize)
        .map(|n| {
            let phase = (n as f64 / fs) % 0.82 - 0.3;
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f64 / 16_777_216.0 - 0.5;
            let wave = |height: f64, at: f64, width: f64| height * (-0.5 * ((phase - at) / width).powi(2)).exp();
            wave(1.2, 0.0, 0.01) + wave(-0.22, 0.028, 0.009) + wave(0.28, 0.26, 0.045) + 0.05 * noise
        })
        .collect()
}

fn part<K: Clone>(criterion: &mut Criterion, name: &str, x: &[f64], kernel: &K, mut push: impl FnMut(&mut K, f64)) {
    let mut group = criterion.benchmark_group("part");
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || kernel.clone(),
            |mut kernel| x.iter().for_each(|&v| push(&mut kernel, v)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let fs = Hertz(250.0);
    let x = heart(250.0);
    let band = design::band_pass(4, Hertz(0.5), Hertz(40.0), fs).expect("legal");
    part(criterion, "band-pass of four sections", &x, &SosFilter::new(&band), |kernel, v| {
        black_box(kernel.run(v));
    });
    part(criterion, "sliding median", &x, &SlidingMedian::new(375), |kernel, v| {
        kernel.push(v);
        black_box(kernel.value());
    });
    part(criterion, "denoiser", &x, &Denoiser::new(fs), |kernel, v| {
        black_box(kernel.run(v));
    });
    part(criterion, "conditioner", &x, &Conditioner::new(fs, Mains::Hz50).expect("legal"), |kernel, v| {
        black_box(kernel.run(v));
    });
    part(criterion, "detector", &x, &QrsDetector::new(fs), |kernel, v| {
        kernel.push(v, &mut |detection| {
            black_box(detection);
        });
    });
    for rate in [128.0, 360.0, 500.0] {
        let resampler = Resampler::new(Hertz(rate), fs).expect("legal");
        part(criterion, &format!("resampler from {rate} Hz"), &heart(rate), &resampler, |kernel, v| {
            kernel.push(v, &mut |y| {
                black_box(y);
            });
        });
    }
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path");
    for rate in [250.0, 360.0, 500.0] {
        let x = heart(rate);
        let path = SignalPath::new(&PathConfig { fs: Hertz(rate), mains: Mains::Hz50 }).expect("legal");
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(format!("from {rate} Hz"), |bencher| {
            bencher.iter_batched(
                || path.clone(),
                |mut path| {
                    for &v in &x {
                        path.push(PathInput::of(v), &mut |beat| {
                            black_box(beat);
                        });
                    }
                },
                BatchSize::LargeInput,
            );
        });
    }
    // Seconds of signal in place of samples: the figure printed as "elem/s" is the number of times real time, and the
    // number of streams that one core carries.
    group.throughput(Throughput::Elements(SECONDS as u64));
    let x = heart(250.0);
    let path = SignalPath::new(&PathConfig { fs: Hertz(250.0), mains: Mains::Hz50 }).expect("legal");
    group.bench_function("real time", |bencher| {
        bencher.iter_batched(
            || path.clone(),
            |mut path| {
                for &v in &x {
                    path.push(PathInput::of(v), &mut |beat| {
                        black_box(beat);
                    });
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, parts, whole);
criterion_main!(benches);
