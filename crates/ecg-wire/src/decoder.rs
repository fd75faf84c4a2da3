//! One decoder for every format: chosen once, then fed with bytes in any chunks.
//!
//! Must not know where the bytes come from, nor the time.

use crate::adc_code::millivolts_per_code;
use crate::cwxs_bin::CwxsBin;
use crate::exit::Exit;
use crate::format::{EcgChannel, Format};
use crate::framer::Framer;
use crate::openview::{OpenView, Variant};
use crate::raw9::Raw9;
use crate::sample::Decoded;
use crate::text::{self, LineDecoder};

/// What a decoder may be told beside its format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Which channel is the ECG; the other becomes `respiration`.
    pub ecg_channel: EcgChannel,
    /// What one step of the ECG is worth, where the configuration knows better than the format's
    /// [`Spec`](crate::Spec): it scales the outlier gate and what counts as a turn of the range. Not a positive number: as `None`.
    pub millivolts_per_code: Option<f64>,
    /// Whether a lone sample more than 5 mV off its predecessor is refused, in formats without a checksum.
    /// On by default; off only to measure what it is good for.
    pub outlier_gate: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { ecg_channel: EcgChannel::OfFormat, millivolts_per_code: None, outlier_gate: true }
    }
}

/// Bytes to samples. Never panics, holds less than 2 KiB, and allocates only when it is made.
///
/// What it says depends on the bytes alone, not on how they are cut into pushes.
#[derive(Debug, Clone)]
pub struct Decoder {
    format: Format,
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    CwxsBin(Framer<CwxsBin>),
    OpenView(Framer<OpenView>),
    Raw9(Framer<Raw9>),
    Text(LineDecoder),
}

impl Decoder {
    /// A decoder that has seen nothing yet.
    #[must_use]
    pub fn new(format: Format, options: Options) -> Self {
        let spec = format.spec_for(options.ecg_channel);
        let (ecg_channel, code_shift) = (spec.ecg_channel, spec.code_shift);
        let usual = millivolts_per_code(spec.gain, spec.vref_volts, code_shift);
        let step = options.millivolts_per_code.filter(|&step| step > 0.0).unwrap_or(usual);
        let exit = Exit::new(code_shift, step, options.outlier_gate);
        let inner = match (Variant::of(format), text::columns(format)) {
            (Some(variant), _) => Inner::OpenView(Framer::new(OpenView { variant, ecg_channel }, exit)),
            (None, Some(columns)) => Inner::Text(LineDecoder::new(columns, ecg_channel, exit)),
            (None, None) if format == Format::Raw9 => Inner::Raw9(Framer::new(Raw9 { ecg_channel }, exit)),
            (None, None) => Inner::CwxsBin(Framer::new(CwxsBin { ecg_channel }, exit)),
        };
        Self { format, inner }
    }

    /// The format it was made for.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Takes the next bytes of the line and hands on, in order, what they say. A frame that is not complete yet is
    /// kept for the next push; `raw9` also keeps the first frame after a loss of sync until the next confirms it.
    pub fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Decoded)) {
        match &mut self.inner {
            Inner::CwxsBin(framer) => framer.push(bytes, sink),
            Inner::OpenView(framer) => framer.push(bytes, sink),
            Inner::Raw9(framer) => framer.push(bytes, sink),
            Inner::Text(lines) => lines.push(bytes, sink),
        }
    }

    /// Forgets everything but format and options: what comes next has no past, and no counter to continue.
    pub fn reset(&mut self) {
        match &mut self.inner {
            Inner::CwxsBin(framer) => framer.reset(),
            Inner::OpenView(framer) => framer.reset(),
            Inner::Raw9(framer) => framer.reset(),
            Inner::Text(lines) => lines.reset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_megabyte_in_one_push_does_not_grow_the_memory() {
        // No line end, no frame; and with every sync in it.
        let noise: Vec<u8> = b"1,\xA5\x5A\x0A\xFA\x09\0\x02\xC0\0\0".repeat(80_000);
        for format in Format::ALL {
            let mut decoder = Decoder::new(format, Options::default());
            let before = decoder.held_capacity();
            decoder.push(&noise, &mut |_| {});
            decoder.push(&vec![b'7'; 1 << 20], &mut |_| {});
            assert_eq!(decoder.held_capacity(), before, "{format}");
            assert!(before <= 1024, "{format}");
        }
    }

    impl Decoder {
        fn held_capacity(&self) -> usize {
            match &self.inner {
                Inner::CwxsBin(framer) => framer.held_capacity(),
                Inner::OpenView(framer) => framer.held_capacity(),
                Inner::Raw9(framer) => framer.held_capacity(),
                Inner::Text(lines) => lines.held_capacity(),
            }
        }
    }
}
