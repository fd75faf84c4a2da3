//! Writes the seed corpus of the fuzz targets: `cargo run -p ecg-wire --example fuzz_seeds -- fuzz/seeds`.
//!
//! A seed is two bytes that pick format and chunk length (see `fuzz/src/lib.rs`), then a short line of a simulated
//! board: as it is, or with noise between and a frame cut. Those of `detect` are windows without the two bytes.

use ecg_wire::{Encoder, Format};
use std::io;
use std::path::Path;

/// Target, and the formats in its order.
const TARGETS: [(&str, &[Format]); 4] = [
    ("cwxs_bin", &[Format::CwxsBin]),
    (
        "openview",
        &[
            Format::Ov9,
            Format::Ov8a,
            Format::Ov8b,
            Format::Ov7,
            Format::Ov20,
            Format::Ov20HealthyPi4,
            Format::Ov20HealthyPi3,
        ],
    ),
    ("raw9", &[Format::Raw9]),
    (
        "text",
        &[
            Format::Csv,
            Format::Columns(1),
            Format::Columns(2),
            Format::Columns(3),
            Format::Columns(4),
            Format::Columns(5),
            Format::Columns(6),
        ],
    ),
];

/// A few frames: small values, a step, the rails, lead-off, lost frames.
fn line(format: Format, samples: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(format);
    let mut bytes = Vec::new();
    for n in 0..samples {
        let ecg = match n % 16 {
            13 => 6_000_000,
            14 => i32::MAX,
            15 => i32::MIN,
            n => n as i32 * 700 - 3_000,
        };
        encoder.encode(ecg, ecg / -3, n % 16 == 12, &mut bytes);
        if n % 16 == 7 {
            encoder.skip(3);
        }
    }
    bytes
}

fn main() -> io::Result<()> {
    let root = std::env::args().nth(1).unwrap_or_else(|| "fuzz/seeds".to_owned());
    let root = Path::new(&root);
    let windows = root.join("detect");
    std::fs::create_dir_all(&windows)?;
    for (target, formats) in TARGETS {
        let folder = root.join(target);
        std::fs::create_dir_all(&folder)?;
        for (n, format) in (0..).zip(formats) {
            let clean = [&[n, 255], &line(*format, 20)[..]].concat();
            std::fs::write(folder.join(format!("{format}-clean")), &clean)?;

            let (head, tail) = clean.split_at(clean.len() / 2);
            let noisy =
                [&[n | 0x80, 7], &head[2..], b"Initiliziation is done\r\n\x0a\xfa\xa5\x5a\xc0\0\0", tail].concat();
            std::fs::write(folder.join(format!("{format}-noisy")), noisy)?;

            std::fs::write(windows.join(format.name()), &line(*format, 60)[5..])?;
        }
    }
    Ok(())
}
