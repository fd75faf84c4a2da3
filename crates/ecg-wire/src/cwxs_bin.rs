//! `cwxs-bin`: a counter and a checksum in 14 bytes; the format to choose for a new firmware.
//!
//! Little-endian:
//!
//! ```text
//!  0  1   2  3  4  5   6  7  8   9 10 11   12      13
//! A5 5A  counter      ECG       other     status  XOR
//! ```
//!
//! * bytes 0–1, sync: `A5 5A`.
//! * bytes 2–5, counter: u32, one more with each frame, wraps to 0; a jump is lost frames, backwards is a restart.
//! * bytes 6–8, ECG: i24, the code of the converter. Channel 1 of [`EcgChannel`].
//! * bytes 9–11, respiration: i24. Channel 2 of [`EcgChannel`].
//! * byte 12, status: bits 0 to 3 as LOFF_STAT of the chip (IN1P, IN1N, IN2P, IN2N off); any of them is lead-off.
//! * byte 13, checksum: exclusive or of bytes 0 to 12. Every single flipped bit, and every damage inside one byte,
//!   is refused; two damaged bytes pass once in 255.
//!
//! Usually 250 Hz at 115200 baud. The gain is the chip's default of 6 unless the firmware sets another: the public
//! sketch for the CWXS module sets 12 (CHnSET = 0x60), sends channel 1 as ECG, and always 0 as status.
//!
//! ```
//! use ecg_wire::{Decoded, Decoder, Format, Options};
//! let frame = [0xA5, 0x5A, 7, 0, 0, 0, 0x56, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0x00, 0x77];
//! let mut decoder = Decoder::new(Format::CwxsBin, Options::default());
//! let mut said = Vec::new();
//! decoder.push(&frame, &mut |decoded| said.push(decoded));
//! let [Decoded::Sample(sample)] = said[..] else { panic!("{said:?}") };
//! assert_eq!((sample.ecg, sample.respiration, sample.lead_off), (0x12_3456, Some(-1), Some(false)));
//! ```
//!
//! [`EcgChannel`]: crate::EcgChannel

use crate::adc_code::{clamp, sign_extend};
use crate::framer::{Fields, Layout};
use crate::sample::Refusal;

/// Bytes of a frame.
pub const FRAME_LEN: usize = 14;

const SYNC: [u8; 2] = [0xA5, 0x5A];
/// IN1P, IN1N, IN2P, IN2N. Not RLD_STAT: it says nothing of the inputs.
const LEAD_OFF_BITS: u8 = 0b1111;

/// How to read the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CwxsBin {
    /// 1 or 2.
    pub(crate) ecg_channel: u8,
}

impl Layout for CwxsBin {
    fn frame_len(&self) -> usize {
        FRAME_LEN
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        bytes.iter().zip(SYNC).all(|(&byte, expected)| byte == expected)
    }

    fn check(&self, frame: &[u8]) -> Result<(), Refusal> {
        // The exclusive or of all bytes, its own included, is zero.
        if checksum(frame) == 0 { Ok(()) } else { Err(Refusal::Checksum) }
    }

    fn read(&self, frame: &[u8]) -> Fields {
        let i24 = |at: usize| sign_extend(u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], 0]));
        let (first, second) = (i24(6), i24(9));
        let (ecg, other) = if self.ecg_channel == 1 { (first, second) } else { (second, first) };
        Fields {
            counter: Some(u32::from_le_bytes([frame[2], frame[3], frame[4], frame[5]])),
            ecg,
            other: Some(other),
            lead_off: Some(frame[12] & LEAD_OFF_BITS != 0),
        }
    }

    fn is_checksummed(&self) -> bool {
        true
    }
}

fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// Appends the frame.
pub(crate) fn write(counter: u32, ecg: i32, respiration: i32, lead_off: bool, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend(SYNC);
    out.extend(counter.to_le_bytes());
    out.extend(&clamp(ecg).to_le_bytes()[..3]);
    out.extend(&clamp(respiration).to_le_bytes()[..3]);
    out.push(if lead_off { 0b0011 } else { 0 });
    out.push(checksum(&out[start..]));
}
