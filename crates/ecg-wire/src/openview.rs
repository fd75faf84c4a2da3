//! The ProtoCentral OpenView family: `ov9`, `ov8a`, `ov8b`, `ov7` and the three `ov20`.
//!
//! One frame around a payload whose length and meaning changed over the years; little-endian:
//!
//! ```text
//!  0  1   2  3   4   5 ..        +0 +1
//! 0A FA  length  02  payload     00 0B
//! ```
//!
//! * bytes 0–1, sync: `0A FA`.
//! * bytes 2–3, length: u16, bytes of the payload.
//! * byte 4, type: 2.
//! * payload: below.
//! * end: `00 0B`; one firmware of the `ov8a` days ended with `02 0B`.
//!
//! There is no checksum, and only `ov8b` has a counter: a damaged payload goes through, except for a lone jump, which
//! is refused (`Slew`). The lead-off flag is never real: the firmware leaves the comparators off (LOFF_SENS = 0).
//! Respiration is channel 1 at gain 4, ECG channel 2 at gain 12, whatever the firmware's comments say.
//!
//! # `ov9`: shield and breakout since January 2021 (125 Hz, 57600 baud)
//!
//! * 0–1, ECG: i16, bits 23 to 8, low-pass filtered at 40 Hz by the firmware.
//! * 2–3, respiration: i16, bits 23 to 8.
//! * 4–5, time between beats: u16. Not read.
//! * 6–7, heart rate: u16. Not read.
//! * 8, always 0. Not read.
//!
//! # `ov8a`: February to April 2017 (125 Hz, 57600, later 115200 baud)
//!
//! * 0–3, channel 2: i32, ECG, all 24 bits.
//! * 4–7, channel 1: i32, respiration.
//!
//! Both are sign-extended, so a value outside 24 bits is a damaged frame (`Range`).
//!
//! # `ov8b`: 2016 (125 Hz, 57600 baud)
//!
//! * 0–3, packet counter: u32.
//! * 4–7, channel 2: i32, ECG, all 24 bits.
//!
//! As long as `ov8a`; [`detect`](crate::detect) tells the two apart by a first field that goes up by one.
//!
//! # `ov7`: August 2017 (125 Hz, 115200 baud)
//!
//! * 0–1, ECG: i16, bits 23 to 8, filtered.
//! * 2–5, respiration: i32, all 24 bits.
//! * 6, heart rate: u8. Not read.
//!
//! # `ov20`, `ov20-healthypi4`, `ov20-healthypi3` (125 Hz, 115200 baud)
//!
//! * 0–1, ECG: i16, bits 23 to 8.
//! * 2–3, respiration: i16, bits 23 to 8.
//! * 4–13: unset (shield); infrared i32, red i32, temperature × 100 i16 (HealthyPi). Not read.
//! * 14–16: respiration rate and heart rate, with SpO2 between on the HealthyPi. Not read.
//! * 17, 18: on the HealthyPi a made-up blood pressure: 80, and 120 on v4 or the pressure module's pulse on v3.
//!   The only place where the three differ, and how [`detect`](crate::detect) tells them apart.
//! * 19, status: v3, bit 0 lead-off, bit 1 probe open; v4, LOFF_STAT, never real; shield, unset.
//!
//! HealthyPi v3 sends zeros for ECG and respiration when it sets its lead-off bit. Such a sample is marked
//! `lead_off: Some(true)`: it is no ECG. It never says `Some(false)`, since its detection is off.
//!
//! # One frame of each
//!
//! ```
//! use ecg_wire::{Decoded, Decoder, Format, Options};
//!
//! fn decode(format: Format, frame: &[u8]) -> (i32, Option<i32>, Option<bool>) {
//!     let mut said = Vec::new();
//!     Decoder::new(format, Options::default()).push(frame, &mut |decoded| said.push(decoded));
//!     let [Decoded::Sample(sample)] = said[..] else { panic!("{said:?}") };
//!     (sample.ecg, sample.respiration, sample.lead_off)
//! }
//!
//! let ov9 = [0x0A, 0xFA, 9, 0, 2, 0x39, 0x30, 0xFE, 0xFF, 0, 0, 72, 0, 0, 0x00, 0x0B];
//! assert_eq!(decode(Format::Ov9, &ov9), (12_345, Some(-2), None));
//!
//! let ov8a = [0x0A, 0xFA, 8, 0, 2, 0x40, 0xE2, 0x01, 0, 0xFE, 0xFF, 0xFF, 0xFF, 0x02, 0x0B];
//! assert_eq!(decode(Format::Ov8a, &ov8a), (123_456, Some(-2), None));
//!
//! let ov8b = [0x0A, 0xFA, 8, 0, 2, 7, 0, 0, 0, 0x40, 0xE2, 0x01, 0, 0x00, 0x0B];
//! assert_eq!(decode(Format::Ov8b, &ov8b), (123_456, None, None));
//!
//! let ov7 = [0x0A, 0xFA, 7, 0, 2, 0x39, 0x30, 0xFE, 0xFF, 0xFF, 0xFF, 72, 0x00, 0x0B];
//! assert_eq!(decode(Format::Ov7, &ov7), (12_345, Some(-2), None));
//!
//! let mut ov20 = [
//!     0x0A, 0xFA, 20, 0, 2, 0x39, 0x30, 0xFE, 0xFF, // ECG, respiration
//!     0, 0, 0, 0, 0, 0, 0, 0, 0x74, 0x0E, // light, temperature
//!     15, 98, 72, 80, 0, 0b00, 0x00, 0x0B,
//! ];
//! assert_eq!(decode(Format::Ov20, &ov20), (12_345, Some(-2), None));
//! assert_eq!(decode(Format::Ov20HealthyPi4, &ov20), (12_345, Some(-2), None));
//! assert_eq!(decode(Format::Ov20HealthyPi3, &ov20), (12_345, Some(-2), None));
//!
//! ov20[5..9].fill(0); // what HealthyPi v3 does without electrodes
//! ov20[24] = 0b01;
//! assert_eq!(decode(Format::Ov20HealthyPi3, &ov20), (0, Some(0), Some(true)));
//! ```

use crate::adc_code::{clamp, in_range};
use crate::format::Format;
use crate::framer::{Fields, Layout};
use crate::sample::Refusal;

const SYNC: [u8; 2] = [0x0A, 0xFA];
const TYPE: u8 = 2;
const FOOTER: [u8; 2] = [0x00, 0x0B];
/// Of one firmware in the `ov8a` days.
const FOOTER_2017: [u8; 2] = [0x02, 0x0B];
const HEAD_LEN: usize = 5;
/// Where the two made-up blood pressures and the status of a HealthyPi stand in the payload.
const DIASTOLIC_AT: usize = 17;
const SYSTOLIC_AT: usize = 18;
const STATUS_AT: usize = 19;
const DIASTOLIC: u8 = 80;
const SYSTOLIC: u8 = 120;
/// HealthyPi v3 status.
const LEAD_OFF_BIT: u8 = 0b01;

/// Bytes of a frame around a payload of so many.
pub(crate) const fn frame_len(payload_len: usize) -> usize {
    HEAD_LEN + payload_len + FOOTER.len()
}

/// The meaning of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variant {
    Ov9,
    Ov8a,
    Ov8b,
    Ov7,
    /// The shield's and HealthyPi v4's, which differ in nothing that is read.
    Ov20,
    Ov20HealthyPi3,
}

impl Variant {
    /// The variant of a format of this family.
    pub(crate) fn of(format: Format) -> Option<Self> {
        match format {
            Format::Ov9 => Some(Variant::Ov9),
            Format::Ov8a => Some(Variant::Ov8a),
            Format::Ov8b => Some(Variant::Ov8b),
            Format::Ov7 => Some(Variant::Ov7),
            Format::Ov20 | Format::Ov20HealthyPi4 => Some(Variant::Ov20),
            Format::Ov20HealthyPi3 => Some(Variant::Ov20HealthyPi3),
            Format::CwxsBin | Format::Raw9 | Format::Csv | Format::Columns(_) => None,
        }
    }

    fn payload_len(self) -> usize {
        match self {
            Variant::Ov9 => 9,
            Variant::Ov8a | Variant::Ov8b => 8,
            Variant::Ov7 => 7,
            Variant::Ov20 | Variant::Ov20HealthyPi3 => 20,
        }
    }
}

/// How to read the frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenView {
    pub(crate) variant: Variant,
    /// 1 or 2.
    pub(crate) ecg_channel: u8,
}

impl Layout for OpenView {
    fn frame_len(&self) -> usize {
        frame_len(self.variant.payload_len())
    }

    fn begins(&self, bytes: &[u8]) -> bool {
        let head = [SYNC[0], SYNC[1], self.variant.payload_len() as u8, 0, TYPE];
        bytes.iter().zip(head).all(|(&byte, expected)| byte == expected)
    }

    fn check(&self, frame: &[u8]) -> Result<(), Refusal> {
        let (body, footer) = frame.split_at(frame.len() - FOOTER.len());
        if footer != FOOTER && !(self.variant == Variant::Ov8a && footer == FOOTER_2017) {
            return Err(Refusal::Footer);
        }
        let payload = &body[HEAD_LEN..];
        let good = match self.variant {
            Variant::Ov8a => in_range(i32_at(payload, 0)) && in_range(i32_at(payload, 4)),
            Variant::Ov8b => in_range(i32_at(payload, 4)),
            Variant::Ov7 => in_range(i32_at(payload, 2)),
            Variant::Ov9 | Variant::Ov20 | Variant::Ov20HealthyPi3 => true,
        };
        if good { Ok(()) } else { Err(Refusal::Range) }
    }

    fn read(&self, frame: &[u8]) -> Fields {
        let payload = &frame[HEAD_LEN..];
        let (two, one) = match self.variant {
            Variant::Ov8a => (i32_at(payload, 0), Some(i32_at(payload, 4))),
            Variant::Ov8b => (i32_at(payload, 4), None),
            Variant::Ov7 => (i16_at(payload, 0), Some(i32_at(payload, 2))),
            Variant::Ov9 | Variant::Ov20 | Variant::Ov20HealthyPi3 => (i16_at(payload, 0), Some(i16_at(payload, 2))),
        };
        let zero_filled = self.variant == Variant::Ov20HealthyPi3
            && payload[STATUS_AT] & LEAD_OFF_BIT != 0
            && (two, one) == (0, Some(0));
        let (ecg, other) = match one {
            Some(one) if self.ecg_channel == 1 => (one, Some(two)),
            _ => (two, one),
        };
        Fields {
            counter: (self.variant == Variant::Ov8b).then(|| counter_at(payload)),
            ecg,
            other,
            lead_off: zero_filled.then_some(true),
        }
    }
}

fn i16_at(payload: &[u8], at: usize) -> i32 {
    i32::from(i16::from_le_bytes([payload[at], payload[at + 1]]))
}

fn i32_at(payload: &[u8], at: usize) -> i32 {
    i32::from_le_bytes([payload[at], payload[at + 1], payload[at + 2], payload[at + 3]])
}

fn counter_at(payload: &[u8]) -> u32 {
    i32_at(payload, 0) as u32
}

/// Which of `ov8a` and `ov8b` a run of intact frames is. The counter decides: it goes up by one in most pairs of
/// neighbours (a board that loses every other frame is not to be recognised anyway). Else both fields are converter
/// values; a run that is neither is none of the two.
pub(crate) fn which_ov8(frames: &[u8]) -> Option<Format> {
    let payloads = || frames.chunks_exact(frame_len(8)).map(|frame| &frame[HEAD_LEN..]);
    let pairs = payloads().zip(payloads().skip(1));
    let (mut neighbours, mut counted) = (0_usize, 0_usize);
    for (earlier, later) in pairs {
        neighbours += 1;
        counted += usize::from(counter_at(later).wrapping_sub(counter_at(earlier)) == 1);
    }
    if counted * 2 > neighbours {
        return Some(Format::Ov8b);
    }
    let in_both = payloads().all(|payload| in_range(i32_at(payload, 0)) && in_range(i32_at(payload, 4)));
    in_both.then_some(Format::Ov8a)
}

/// Which `ov20` a run of intact frames is, by the made-up blood pressures in most of them. A v3 whose pressure module
/// says 120 throughout looks like a v4, and its zero-filled samples then pass for ECG: name the format in that case.
pub(crate) fn which_ov20(frames: &[u8]) -> Format {
    let payloads = || frames.chunks_exact(frame_len(20)).map(|frame| &frame[HEAD_LEN..]);
    let most =
        |test: &dyn Fn(&[u8]) -> bool| payloads().filter(|payload| test(payload)).count() * 2 > payloads().count();
    if !most(&|payload| payload[DIASTOLIC_AT] == DIASTOLIC) {
        Format::Ov20
    } else if most(&|payload| payload[SYSTOLIC_AT] == SYSTOLIC) {
        Format::Ov20HealthyPi4
    } else {
        Format::Ov20HealthyPi3
    }
}

/// Appends the frame of a format of this family; nothing for another. `counter` is sent where there is one.
pub(crate) fn write(format: Format, counter: u32, ecg: i32, respiration: i32, lead_off: bool, out: &mut Vec<u8>) {
    let Some(variant) = Variant::of(format) else { return };
    let (ecg, respiration) = (clamp(ecg), clamp(respiration));
    let high = |code: i32| ((code >> 8) as i16).to_le_bytes();
    out.extend(SYNC);
    out.extend([variant.payload_len() as u8, 0, TYPE]);
    match variant {
        Variant::Ov9 => {
            out.extend(high(ecg));
            out.extend(high(respiration));
            out.extend([0; 5]);
        }
        Variant::Ov8a => {
            out.extend(ecg.to_le_bytes());
            out.extend(respiration.to_le_bytes());
        }
        Variant::Ov8b => {
            out.extend(counter.to_le_bytes());
            out.extend(ecg.to_le_bytes());
        }
        Variant::Ov7 => {
            out.extend(high(ecg));
            out.extend(respiration.to_le_bytes());
            out.push(0);
        }
        Variant::Ov20 | Variant::Ov20HealthyPi3 => out.extend(payload_20(format, ecg, respiration, lead_off)),
    }
    out.extend(FOOTER);
}

fn payload_20(format: Format, ecg: i32, respiration: i32, lead_off: bool) -> [u8; 20] {
    let mut payload = [0; 20];
    let zero_filled = format == Format::Ov20HealthyPi3 && lead_off;
    if !zero_filled {
        payload[..2].copy_from_slice(&((ecg >> 8) as i16).to_le_bytes());
        payload[2..4].copy_from_slice(&((respiration >> 8) as i16).to_le_bytes());
    }
    match format {
        Format::Ov20HealthyPi4 => {
            payload[DIASTOLIC_AT] = DIASTOLIC;
            payload[SYSTOLIC_AT] = SYSTOLIC;
        }
        Format::Ov20HealthyPi3 => {
            payload[DIASTOLIC_AT] = DIASTOLIC;
            payload[STATUS_AT] = if lead_off { LEAD_OFF_BIT } else { 0 };
        }
        _ => {}
    }
    payload
}
