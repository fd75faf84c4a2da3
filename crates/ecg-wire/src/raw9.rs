//! `raw9`: the chip's RDATAC frame as it comes, 9 bytes, without head or end.
//!
//! Big-endian:
//!
//! ```text
//!  0  1  2   3  4  5    6  7  8
//! status    channel 1  channel 2
//! ```
//!
//! * bytes 0–2, status: `1100`, LOFF_STAT (5 bits), GPIO (2 bits), 13 zeros. The constant bits are all the sync
//!   there is, so the first frame after a loss of sync is believed only when the next status word is good too.
//!   LOFF_STAT bits 0 and 1 are the inputs of channel 1, bits 2 and 3 those of channel 2; the bits of the ECG channel
//!   are its lead-off. They are zeros in a firmware that never set LOFF_SENS.
//! * bytes 3–5, channel 1: i24; respiration, in the usual wiring.
//! * bytes 6–8, channel 2: i24; ECG, in the usual wiring (respiration is possible on channel 1 only).
//!
//! Usually 125 Hz at 115200 baud, gain 6. No checksum and no counter: a lone jump is refused (`Slew`), and a byte lost
//! inside a frame damages the sample just before the `Garbage` that it leads to.
//!
//! ```
//! use ecg_wire::{Decoded, Decoder, Format, Options};
//! let frame = [0xC6, 0x00, 0x00, 0xFF, 0xFF, 0xFE, 0x12, 0x34, 0x56];
//! let mut decoder = Decoder::new(Format::Raw9, Options::default());
//! let mut said = Vec::new();
//! decoder.push(&frame, &mut |decoded| said.push(decoded));
//! assert!(said.is_empty(), "17 constant bits are not enough to believe in");
//! decoder.push(&frame, &mut |decoded| said.push(decoded));
//! let [Decoded::Sample(sample), Decoded::Sample(_)] = said[..] else { panic!("{said:?}") };
//! assert_eq!((sample.ecg, sample.respiration, sample.lead_off), (0x12_3456, Some(-2), Some(true)));
//! ```

use crate::adc_code::{clamp, sign_extend};
use crate::framer::{Fields, Layout};
use crate::sample::Refusal;

/// Bytes of a frame.
pub const FRAME_LEN: usize = 9;

const STATUS_LEN: usize = 3;
/// The constant bits of the three status bytes, and what they are.
const CONSTANT: [(u8, u8); STATUS_LEN] = [(0xF0, 0xC0), (0x1F, 0x00), (0xFF, 0x00)];

/// How to read the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw9 {
    /// 1 or 2.
    pub(crate) ecg_channel: u8,
}

impl Layout for Raw9 {
    fn frame_len(&self) -> usize {
        FRAME_LEN
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        bytes.iter().zip(CONSTANT).all(|(&byte, (mask, expected))| byte & mask == expected)
    }

    fn check(&self, _frame: &[u8]) -> Result<(), Refusal> {
        Ok(())
    }

    fn read(&self, frame: &[u8]) -> Fields {
        let i24 = |at: usize| sign_extend(u32::from_be_bytes([0, frame[at], frame[at + 1], frame[at + 2]]));
        let loff_stat = (u16::from_be_bytes([frame[0], frame[1]]) >> 7) & 0x1F;
        let (one, two) = (i24(3), i24(6));
        let (ecg, other, bits) = if self.ecg_channel == 1 { (one, two, 0b0011) } else { (two, one, 0b1100) };
        Fields { counter: None, ecg, other: Some(other), lead_off: Some(loff_stat & bits != 0) }
    }

    fn confirmation(&self) -> usize {
        STATUS_LEN
    }
}

/// Appends the frame, ECG on channel 2.
pub(crate) fn write(ecg: i32, respiration: i32, lead_off: bool, out: &mut Vec<u8>) {
    let loff_stat: u16 = if lead_off { 0b0_1100 } else { 0 };
    out.extend((0xC000 | loff_stat << 7).to_be_bytes());
    out.push(0);
    out.extend(&clamp(respiration).to_be_bytes()[1..]);
    out.extend(&clamp(ecg).to_be_bytes()[1..]);
}
