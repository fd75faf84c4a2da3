//! Wire formats of ADS1292R boards: bytes to samples, and back.
//!
//! Responsible for the layouts that real firmware sends: framing, checksums, counters, sign extension,
//! rails, and the recognition of a format from a window of bytes.
//! Must not know: ports, clocks, sampling-rate estimation, filters, or anything that allocates per sample.
//! It has no dependency, it never panics on any input, and the memory of a decoder is bounded.
//!
//! | format | page | frame | counter | checksum | lead-off |
//! | --- | --- | --- | --- | --- | --- |
//! | `cwxs-bin` | [`cwxs_bin`] | 14 bytes | yes | yes | yes |
//! | `ov9` `ov8a` `ov8b` `ov7` `ov20` `ov20-healthypi4` `ov20-healthypi3` | [`openview`] | 14 to 27 bytes | `ov8b` | no | no |
//! | `raw9` | [`raw9`] | 9 bytes | no | no | yes |
//! | `csv`, `columns-1` to `columns-6` | [`text`] | a line | no | no | no |
//!
//! Recognise, then decode:
//!
//! ```
//! use ecg_wire::{Decoded, Decoder, Encoder, Format, Options, detect};
//!
//! let mut bytes = Vec::new();
//! let mut board = Encoder::new(Format::CwxsBin);
//! for n in 0..100 {
//!     board.encode(n * 1000, 0, false, &mut bytes);
//! }
//!
//! let found = detect(&bytes).expect("a hundred good frames");
//! assert_eq!(found.format, Format::CwxsBin);
//!
//! let mut decoder = Decoder::new(found.format, Options::default());
//! let mut ecg = Vec::new();
//! decoder.push(&bytes, &mut |decoded| {
//!     if let Decoded::Sample(sample) = decoded {
//!         ecg.push(sample.ecg);
//!     }
//! });
//! assert_eq!(ecg[..3], [0, 1000, 2000]);
//! ```

pub mod cwxs_bin;
pub mod openview;
pub mod raw9;
pub mod text;

mod adc_code;
mod continuity;
mod decoder;
mod detect;
mod encoder;
mod exit;
mod format;
mod framer;
mod outlier;
mod sample;
mod wrap;

pub use adc_code::millivolts_per_code;
pub use decoder::{Decoder, Options};
pub use detect::{DETECTION_WINDOW, Detection, detect};
pub use encoder::Encoder;
pub use format::{EcgChannel, Format, Spec, UnknownFormat};
pub use sample::{Decoded, Refusal, Sample};
