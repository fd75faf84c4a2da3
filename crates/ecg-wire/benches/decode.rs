//! Decoding throughput of every format, in bytes a second.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, detect};
use std::hint::black_box;

const SAMPLES: i32 = 20_000;
/// What a serial read returns at most.
const CHUNK: usize = 256;

fn stream(format: Format) -> Vec<u8> {
    let mut encoder = Encoder::new(format);
    let mut bytes = Vec::new();
    for n in 0..SAMPLES {
        encoder.encode((n % 250 - 125) * 4_000, n % 1000, false, &mut bytes);
    }
    bytes
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for format in Format::ALL {
        let bytes = stream(format);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(format.name(), |bench| {
            let mut decoder = Decoder::new(format, Options::default());
            bench.iter(|| {
                let mut sum = 0_i64;
                for chunk in bytes.chunks(CHUNK) {
                    decoder.push(black_box(chunk), &mut |decoded| {
                        if let Decoded::Sample(sample) = decoded {
                            sum += i64::from(sample.ecg);
                        }
                    });
                }
                sum
            });
        });
    }
    group.finish();
}

fn recognise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detect");
    for format in [Format::CwxsBin, Format::Ov9, Format::Csv] {
        let bytes = stream(format);
        let window = &bytes[5..5 + ecg_wire::DETECTION_WINDOW];
        group.bench_function(format.name(), |bench| bench.iter(|| detect(black_box(window))));
    }
    group.finish();
}

criterion_group!(benches, decode, recognise);
criterion_main!(benches);
