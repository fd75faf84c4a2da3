//! Speed of the signal path and of its parts, on five minutes of a noisy synthetic heart in blocks of a second, one
//! thread; "codes" begins with the codes of a converter.
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
const BLOCK: usize = 250;
/// Of a converter with 24 bits, a reference of ±2.42 V and a gain of 6.
const MILLIVOLTS_PER_CODE: f64 = 2420.0 / 6.0 / 8_388_607.0;

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

fn part<K: Clone>(
    criterion: &mut Criterion,
    name: &str,
    x: &[f64],
    kernel: &K,
    mut run: impl FnMut(&mut K, &mut [f64]),
) {
    let mut group = criterion.benchmark_group("part");
    group.throughput(Throughput::Elements(x.len() as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_batched(
            || (kernel.clone(), x.to_vec()),
            |(mut kernel, mut x)| {
                x.chunks_mut(BLOCK).for_each(|block| run(&mut kernel, block));
                x
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn parts(criterion: &mut Criterion) {
    let fs = Hertz(250.0);
    let x = heart(250.0);
    let band = design::band_pass(4, Hertz(0.5), Hertz(40.0), fs).expect("legal");
    part(criterion, "band-pass of four sections", &x, &SosFilter::new(&band), |kernel, x| kernel.run_block(x));
    part(criterion, "sliding median", &x, &SlidingMedian::new(375), |kernel, x| {
        for x in x {
            kernel.push(*x);
            *x = kernel.value();
        }
    });
    part(criterion, "denoiser", &x, &Denoiser::new(fs), |kernel, x| kernel.run_block(x));
    let mut conditioned = [0.0; BLOCK];
    part(criterion, "conditioner", &x, &Conditioner::new(fs, Mains::Hz50).expect("legal"), |kernel, x| {
        kernel.run_block(x, &mut conditioned[..x.len()]);
    });
    part(criterion, "detector", &x, &QrsDetector::new(fs), |kernel, x| {
        kernel.push_block(x, &mut |detection| {
            black_box(detection);
        });
    });
    for rate in [128.0, 360.0, 500.0] {
        let resampler = Resampler::prompt(Hertz(rate), fs, 0.0).expect("legal");
        part(criterion, &format!("resampler from {rate} Hz"), &heart(rate), &resampler, |kernel, x| {
            kernel.push_block(x, &mut |y| {
                black_box(y);
            });
        });
    }
}

/// The whole path, from codes of a 24-bit converter to beats with their segments.
fn from_codes(path: &mut SignalPath, codes: &[i32]) {
    let mut inputs = Vec::with_capacity(BLOCK);
    for block in codes.chunks(BLOCK) {
        inputs.clear();
        inputs.extend(block.iter().map(|&code| PathInput::of(f64::from(code) * MILLIVOLTS_PER_CODE)));
        path.push_block(&inputs, &mut |beat| {
            black_box(beat);
        });
    }
}

fn whole(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path");
    let path = |rate| SignalPath::new(&PathConfig { fs: Hertz(rate), mains: Mains::Hz50 }).expect("legal");
    let codes = |rate| heart(rate).iter().map(|mv| (mv / MILLIVOLTS_PER_CODE).round() as i32).collect::<Vec<_>>();
    for rate in [250.0, 360.0, 500.0] {
        let codes = codes(rate);
        group.throughput(Throughput::Elements(codes.len() as u64));
        group.bench_function(format!("codes at {rate} Hz"), |bencher| {
            bencher.iter_batched(|| path(rate), |mut path| from_codes(&mut path, &codes), BatchSize::LargeInput);
        });
    }
    // Seconds of signal in place of samples: the figure printed as "elem/s" is the number of times real time, and the
    // number of streams that one core carries.
    group.throughput(Throughput::Elements(SECONDS as u64));
    let codes = codes(250.0);
    group.bench_function("real time", |bencher| {
        bencher.iter_batched(|| path(250.0), |mut path| from_codes(&mut path, &codes), BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, parts, whole);
criterion_main!(benches);
