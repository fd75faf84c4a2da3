//! Every format, built and taken apart.

use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, Sample};

fn decode(format: Format, bytes: &[u8]) -> Vec<Decoded> {
    let mut said = Vec::new();
    Decoder::new(format, Options::default()).push(bytes, &mut |decoded| said.push(decoded));
    said
}

#[test]
fn every_format_gives_back_what_the_board_measured() {
    for format in Format::ALL {
        let codes: Vec<i32> = (0..500).map(|n| (f64::from(n) * 0.1).sin() * 50_000.0).map(|x| x as i32).collect();
        let mut encoder = Encoder::new(format);
        let mut bytes = Vec::new();
        for &code in &codes {
            encoder.encode(code, -code, false, &mut bytes);
        }
        let samples: Vec<Sample> = decode(format, &bytes)
            .into_iter()
            .filter_map(|decoded| match decoded {
                Decoded::Sample(sample) => Some(sample),
                _ => None,
            })
            .collect();
        let shift = format.spec().code_shift;
        assert_eq!(
            samples.iter().map(|s| s.ecg).collect::<Vec<_>>(),
            codes.iter().map(|c| c >> shift).collect::<Vec<_>>(),
            "{format}"
        );
    }
}
