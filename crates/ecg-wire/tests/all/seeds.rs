//! The seed corpus of the fuzz targets, through every decoder, on a stable compiler.

use super::board;
use ecg_wire::{Decoder, Format, Options, detect};
use std::path::{Path, PathBuf};

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("fuzz/seeds is part of the repository, with a folder a target");
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

fn seeds() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    entries(&root).iter().flat_map(|target| entries(target)).collect()
}

#[test]
fn every_seed_goes_through_every_decoder_whole_and_byte_by_byte() {
    let seeds = seeds();
    assert!(seeds.len() >= 48, "{} seeds", seeds.len());
    for seed in seeds {
        let bytes = std::fs::read(&seed).expect("a readable seed");
        for format in Format::ALL {
            let mut said = Vec::new();
            let mut decoder = Decoder::new(format, Options::default());
            for byte in bytes.chunks(1) {
                decoder.push(byte, &mut |decoded| said.push(decoded));
            }
            assert_eq!(said, board::decode(format, &bytes), "{format}, {}", seed.display());
        }
        let _ = detect(&bytes);
    }
}
