//! Runs one part of the signal path over a signal, so many times over, and says what came out: the other side of
//! `scripts/bench_signal.py`, which measures the CPU time of this process.
//!
//! `cargo run --release -p ecg-signal --example throughput -- PART ROUNDS [FILE]`
//!
//! PART is `detector`, `conditioner`, `denoiser`, `path` (from millivolts) or `codes` (the whole path from the codes of a
//! converter); ROUNDS how often the signal is run through a new instance; FILE holds little-endian 64-bit floats in
//! millivolts at 250 Hz (without it: an hour of a synthetic heart). Reads no clock: CPU time belongs to the process, and
//! the difference of two runs of different ROUNDS takes start-up off.

use std::hint::black_box;
use std::process::ExitCode;

use ecg_signal::wavelet::denoise::Denoiser;
use ecg_signal::{Conditioner, Hertz, Mains, PathConfig, PathInput, QrsDetector, SignalPath};

const FS: Hertz = Hertz(250.0);
/// Samples that are handed over at once: a second.
const BLOCK: usize = 250;
/// Millivolts of one code: a 24-bit converter with a reference of ±2.42 V and a gain of 6.
const MILLIVOLTS_PER_CODE: f64 = 2420.0 / 6.0 / 8_388_607.0;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (part, rounds, file) =
        (arguments.next(), arguments.next().and_then(|text| text.parse().ok()), arguments.next());
    let (Some(part), Some(rounds)) = (part, rounds) else {
        eprintln!("usage: throughput detector|conditioner|denoiser|path|codes ROUNDS [FILE]");
        return ExitCode::FAILURE;
    };
    let signal = match file {
        None => heart(),
        Some(file) => match std::fs::read(&file) {
            Ok(bytes) => bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect(),
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::FAILURE;
            }
        },
    };
    let Some(results) = run(&part, rounds, &signal) else {
        eprintln!("no part is named {part}");
        return ExitCode::FAILURE;
    };
    println!("{{\"part\": \"{part}\", \"samples\": {}, \"rounds\": {rounds}, \"results\": {results}}}", signal.len());
    ExitCode::SUCCESS
}

/// Runs `part` and counts what it gives: beats, or samples.
fn run(part: &str, rounds: u32, signal: &[f64]) -> Option<u64> {
    let codes: Vec<i32> = signal.iter().map(|mv| (mv / MILLIVOLTS_PER_CODE).round() as i32).collect();
    let mut results = 0;
    for _ in 0..rounds {
        results += match part {
            "detector" => detector(signal),
            "denoiser" => denoiser(signal),
            "conditioner" => conditioner(signal),
            "path" => path(signal.chunks(BLOCK), |&mv| mv),
            "codes" => path(codes.chunks(BLOCK), |&code| f64::from(code) * MILLIVOLTS_PER_CODE),
            _ => return None,
        };
    }
    Some(results)
}

fn detector(signal: &[f64]) -> u64 {
    let (mut detector, mut beats) = (QrsDetector::new(FS), 0);
    signal.chunks(BLOCK).for_each(|block| detector.push_block(block, &mut |_| beats += 1));
    beats
}

fn denoiser(signal: &[f64]) -> u64 {
    let (mut denoiser, mut buffer) = (Denoiser::new(FS), [0.0; BLOCK]);
    for block in signal.chunks(BLOCK) {
        let buffer = &mut buffer[..block.len()];
        buffer.copy_from_slice(block);
        denoiser.run_block(buffer);
        black_box(buffer);
    }
    signal.len() as u64
}

fn conditioner(signal: &[f64]) -> u64 {
    let mut conditioner = Conditioner::new(FS, Mains::Hz50).expect("250 Hz is enough for the chain");
    let (mut notched, mut conditioned) = ([0.0; BLOCK], [0.0; BLOCK]);
    for block in signal.chunks(BLOCK) {
        let (notched, conditioned) = (&mut notched[..block.len()], &mut conditioned[..block.len()]);
        notched.copy_from_slice(block);
        conditioner.run_block(notched, conditioned);
        black_box(conditioned);
    }
    signal.len() as u64
}

fn path<'a, T: 'a>(blocks: impl Iterator<Item = &'a [T]>, millivolts: impl Fn(&T) -> f64) -> u64 {
    let config = PathConfig { fs: FS, mains: Mains::Hz50 };
    let mut path = SignalPath::new(&config).expect("250 Hz is a legal rate");
    let (mut inputs, mut beats) = (Vec::with_capacity(BLOCK), 0);
    for block in blocks {
        inputs.clear();
        inputs.extend(block.iter().map(|value| PathInput::of(millivolts(value))));
        path.push_block(&inputs, &mut |beat| {
            black_box(beat);
            beats += 1;
        });
    }
    beats
}

/// An hour of beats with a little noise.
fn heart() -> Vec<f64> {
    let mut state = 1u64;
    (0..(3600.0 * FS.0) as usize)
        .map(|n| {
            let phase = (n as f64 / FS.0) % 0.82 - 0.3;
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (state >> 40) as f64 / 16_777_216.0 - 0.5;
            let wave = |height: f64, at: f64, width: f64| height * (-0.5 * ((phase - at) / width).powi(2)).exp();
            wave(1.2, 0.0, 0.01) + wave(-0.22, 0.028, 0.009) + wave(0.28, 0.26, 0.045) + 0.05 * noise
        })
        .collect()
}
