//! A board for the tests: a beating signal, in frames that are kept apart.

use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, Sample, millivolts_per_code};

/// A made-up heart at 72 beats a minute, in millivolts: P, QRS and T as bell curves, on a slow wander.
pub(crate) fn heart(seconds: f64) -> f64 {
    let phase = (seconds * 1.2).fract();
    let bell = |at: f64, width: f64, height: f64| height * (-((phase - at) / width).powi(2)).exp();
    let beat = bell(0.2, 0.03, 0.15) + bell(0.37, 0.012, -0.15) + bell(0.4, 0.012, 1.2) + bell(0.43, 0.012, -0.25);
    beat + bell(0.65, 0.06, 0.3) + 0.2 * (seconds * 1.5).sin()
}

/// The 24-bit codes of `samples` samples of [`heart`] at the format's rate and gain.
pub(crate) fn codes(format: Format, samples: usize) -> Vec<i32> {
    let spec = format.spec();
    let step = millivolts_per_code(spec.gain, spec.vref_volts, 0);
    (0..samples).map(|n| (heart(n as f64 / spec.fs_hz) / step) as i32).collect()
}

/// The frames of `codes`, one by one; respiration is the ECG upside down. The head of a text comes first, alone.
pub(crate) fn frames(format: Format, codes: &[i32]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut encoder = Encoder::new(format);
    let mut head = Vec::new();
    let frames = codes
        .iter()
        .enumerate()
        .map(|(n, &code)| {
            let mut frame = Vec::new();
            encoder.encode(code, -code, false, &mut frame);
            if n == 0 && format.frame_len().is_none() {
                let end = frame.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                head = frame.drain(..end).collect();
            }
            frame
        })
        .collect();
    (head, frames)
}

/// The bytes of a board that measures [`heart`].
pub(crate) fn line(format: Format, samples: usize) -> Vec<u8> {
    let (head, frames) = frames(format, &codes(format, samples));
    head.into_iter().chain(frames.concat()).collect()
}

/// All that a new decoder says of `bytes`.
pub(crate) fn decode(format: Format, bytes: &[u8]) -> Vec<Decoded> {
    decode_with(format, Options::default(), bytes)
}

pub(crate) fn decode_with(format: Format, options: Options, bytes: &[u8]) -> Vec<Decoded> {
    let mut said = Vec::new();
    Decoder::new(format, options).push(bytes, &mut |decoded| said.push(decoded));
    said
}

/// The samples alone.
pub(crate) fn samples(said: &[Decoded]) -> Vec<Sample> {
    said.iter()
        .filter_map(|decoded| match decoded {
            Decoded::Sample(sample) => Some(*sample),
            _ => None,
        })
        .collect()
}

/// The ECG alone.
pub(crate) fn ecg(said: &[Decoded]) -> Vec<i32> {
    samples(said).iter().map(|sample| sample.ecg).collect()
}

/// `codes` as the format transmits them.
pub(crate) fn transmitted(format: Format, codes: &[i32]) -> Vec<i32> {
    codes.iter().map(|code| code >> format.spec().code_shift).collect()
}
