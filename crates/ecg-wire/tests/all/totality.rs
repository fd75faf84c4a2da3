//! Any bytes, in any chunks: no panic, the same words, values in range.

use super::board;
use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, detect};
use proptest::prelude::*;

fn any_format() -> impl Strategy<Value = Format> {
    proptest::sample::select(Format::ALL.to_vec())
}

/// Bytes as they come: noise, frames of any format, cut and stuck together.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let ascii = proptest::collection::vec(proptest::sample::select(b"0123456789,.-+;\t\" \r\n\nx".to_vec()), 0..300);
    let frames = (any_format(), 0..20_usize, any::<i32>(), any::<i32>(), 0..30_usize).prop_map(
        |(format, count, code, step, cut)| {
            let mut encoder = Encoder::new(format);
            let mut bytes = Vec::new();
            for n in 0..count {
                encoder.encode(code.wrapping_add(step.wrapping_mul(n as i32)), code, n % 7 == 0, &mut bytes);
            }
            bytes.drain(..cut.min(bytes.len()));
            bytes
        },
    );
    proptest::collection::vec(prop_oneof![noise, ascii, frames], 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn what_is_said_does_not_depend_on_the_chunks(
        format in any_format(),
        bytes in any_line(),
        chunks in proptest::collection::vec(1..40_usize, 1..20),
    ) {
        let mut said = Vec::new();
        let mut decoder = Decoder::new(format, Options::default());
        let mut rest = &bytes[..];
        for len in chunks.iter().cycle() {
            let (chunk, later) = rest.split_at((*len).min(rest.len()));
            decoder.push(chunk, &mut |decoded| said.push(decoded));
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(said, board::decode(format, &bytes));
    }

    #[test]
    fn every_sample_fits_the_converter_and_its_frame_fits_the_bytes(format in any_format(), bytes in any_line()) {
        let said = board::decode(format, &bytes);
        let shortest = format.frame_len().unwrap_or(2);
        prop_assert!(board::samples(&said).len() * shortest <= bytes.len());
        for sample in board::samples(&said) {
            // 24 bits, and at most eight turns of that range.
            prop_assert!((-17 * 0x80_0000..17 * 0x80_0000).contains(&sample.ecg));
            prop_assert!(sample.respiration.is_none_or(|code| (-0x80_0000..=0x7F_FFFF).contains(&code)));
        }
        for decoded in said {
            if let Decoded::Missing { frames } = decoded {
                prop_assert!((1..=1 << 20).contains(&frames));
            }
        }
    }

    #[test]
    fn recognition_is_total(bytes in any_line()) {
        if let Some(found) = detect(&bytes) {
            prop_assert!(found.frames >= 8 && (0.9..=1.0).contains(&found.coverage));
        }
    }
}
