//! Signal files of WFDB: bytes to codes, frames taken apart by signal.
//!
//! Must not know of headers' text or of physical units.
//!
//! Format 212, three bytes for two 12-bit samples:
//! - byte 0: the first sample's bits 0–7
//! - byte 1: low nibble, the first sample's bits 8–11; high nibble, the second's bits 8–11
//! - byte 2: the second sample's bits 0–7

use super::header::{SampleFormat, SignalSpec};

/// The codes of one signal.
#[derive(Debug)]
pub(super) struct Codes {
    /// A code for each frame; NaN is invalid. Several samples of one frame are averaged.
    pub(super) frames: Vec<f64>,
    /// The code of each frame before averaging: its first sample.
    pub(super) raw: Vec<i32>,
    /// Sum modulo 2^16 of all codes as they lie in the file.
    pub(super) sum: u16,
}

/// Reads a group of interleaved signals; `frames` as the header promises, or as many as the file holds.
pub(super) fn read(bytes: &[u8], group: &[SignalSpec], frames: Option<u64>) -> Result<Vec<Codes>, String> {
    let first = group.first().ok_or("a group without signals")?;
    let data = bytes.get(first.byte_offset..).ok_or_else(|| {
        format!("holds {} bytes, its header says that samples begin at byte {}", bytes.len(), first.byte_offset)
    })?;
    let stored = match first.format {
        SampleFormat::Bits16 => data.len() / 2,
        // Two bytes at the end hold one more sample.
        SampleFormat::Bits12Packed => data.len() / 3 * 2 + usize::from(data.len() % 3 == 2),
    };
    let mut per_frame = 0usize;
    for spec in group {
        per_frame = per_frame.checked_add(spec.samples_per_frame).ok_or("too many samples a frame")?;
    }
    let held = stored / per_frame;
    let frames = match frames {
        None => held,
        Some(promised) => usize::try_from(promised)
            .ok()
            .filter(|&promised| promised <= held)
            .ok_or_else(|| format!("holds {held} of the {promised} samples in its header: fetch it again"))?,
    };
    let mut start = 0;
    Ok(group
        .iter()
        .map(|spec| {
            let codes = take(data, spec, frames, per_frame, start);
            start += spec.samples_per_frame;
            codes
        })
        .collect())
}

/// Takes one signal out of the frames: its samples lie at `start` in each frame of `per_frame`.
fn take(data: &[u8], spec: &SignalSpec, frames: usize, per_frame: usize, start: usize) -> Codes {
    let invalid = spec.format.invalid();
    let mut codes = Codes { frames: Vec::with_capacity(frames), raw: Vec::with_capacity(frames), sum: 0 };
    for frame in 0..frames {
        let at = frame * per_frame + start;
        let mut total = 0i64;
        let mut valid = true;
        for offset in 0..spec.samples_per_frame {
            let code = code_at(data, spec.format, at + offset);
            valid &= code != invalid;
            total += i64::from(code);
        }
        codes.sum = codes.sum.wrapping_add(total as u16);
        codes.raw.push(code_at(data, spec.format, at));
        codes.frames.push(if valid { total as f64 / spec.samples_per_frame as f64 } else { f64::NAN });
    }
    unskew(&mut codes, spec.skew, invalid);
    codes
}

/// Moves a signal that lies `skew` frames late in its file to where it belongs; what is then missing is invalid.
fn unskew(codes: &mut Codes, skew: usize, invalid: i32) {
    let length = codes.frames.len();
    let skew = skew.min(length);
    codes.frames.drain(..skew);
    codes.frames.resize(length, f64::NAN);
    codes.raw.drain(..skew);
    codes.raw.resize(length, invalid);
}

/// The sample at `index`; the caller has checked that the data holds it (0 where it does not).
fn code_at(data: &[u8], format: SampleFormat, index: usize) -> i32 {
    let byte = |at: usize| data.get(at).copied().unwrap_or(0);
    match format {
        SampleFormat::Bits16 => i32::from(i16::from_le_bytes([byte(2 * index), byte(2 * index + 1)])),
        SampleFormat::Bits12Packed => {
            let pair = index / 2 * 3;
            let middle = u16::from(byte(pair + 1));
            let bits = if index.is_multiple_of(2) {
                u16::from(byte(pair)) | (middle & 0x0F) << 8
            } else {
                u16::from(byte(pair + 2)) | (middle & 0xF0) << 4
            };
            // Shifted up and arithmetically down again: the sign of 12 bits extends to 16.
            i32::from((bits << 4) as i16 >> 4)
        }
    }
}
