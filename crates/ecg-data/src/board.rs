//! The simulated board: millivolts in, the bytes of a wire format out, with the faults that real lines have.
//!
//! Pure: it does not sleep, and neither knows nor asks the time. Who sends the bytes paces them.
//! Must not know how a frame is laid out: that is [`ecg_wire`].

use ecg_wire::{Encoder, Format};

use crate::adc::{Adc, CODE_MAX};
use crate::heart::HeartSample;

/// Respiration as the board's other channel sees it, in millivolts a unit of respiration.
const RESPIRATION_MV: f64 = 0.25;

/// A board that sends what it is given.
///
/// ```
/// use ecg_data::{Fault, HeartParams, SimulatedBoard, SyntheticHeart};
///
/// let mut heart = SyntheticHeart::new(&HeartParams::from_seed(1), 250.0, 1).unwrap();
/// let mut board = SimulatedBoard::new(ecg_wire::Format::CwxsBin, 250.0, 1);
/// board.inject(Fault::Garbage { bytes: 100 });
/// let mut bytes = Vec::new();
/// for _ in 0..250 {
///     board.push_heart(&heart.step(), &mut bytes);
/// }
/// assert_eq!(bytes.len(), 100 + 250 * 14);
/// ```
#[derive(Clone, Debug)]
pub struct SimulatedBoard {
    encoder: Encoder,
    format: Format,
    adc: Adc,
    fs: f64,
    random: fastrand::Rng,
    pending: Pending,
}

/// What goes wrong, from the next sample on. Faults of different kinds may overlap; of one kind they add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// So many frames are lost on the way; the board's counter, where it has one, runs on.
    Drop {
        /// Frames that do not arrive.
        frames: u32,
    },
    /// One bit is flipped in each of so many frames.
    Corrupt {
        /// Frames that arrive damaged.
        frames: u32,
    },
    /// So many random bytes come between two frames.
    Garbage {
        /// Bytes that belong to no frame.
        bytes: u32,
    },
    /// An electrode is off for so many samples: the ECG lies on the rail, and the flag is set where the format has one.
    LeadOff {
        /// Samples without contact.
        frames: u32,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    drop: u32,
    corrupt: u32,
    garbage: u32,
    lead_off: u32,
}

impl SimulatedBoard {
    /// A board that sends `format` with the gain and reference that this format's firmware sets, `fs` samples a second
    /// (seen only in the time column of text). `seed` chooses what faults hit.
    pub fn new(format: Format, fs: f64, seed: u64) -> Self {
        let spec = format.spec();
        Self {
            encoder: Encoder::with_fs(format, fs),
            format,
            adc: Adc { gain: spec.gain, vref_volts: spec.vref_volts },
            fs,
            random: fastrand::Rng::with_seed(seed),
            pending: Pending::default(),
        }
    }

    /// The same board with another gain or reference.
    #[must_use]
    pub fn with_adc(self, adc: Adc) -> Self {
        Self { adc, ..self }
    }

    /// What it sends.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Samples a second.
    pub fn fs(&self) -> f64 {
        self.fs
    }

    /// Makes something go wrong from the next sample on.
    pub fn inject(&mut self, fault: Fault) {
        let pending = &mut self.pending;
        let (count, more) = match fault {
            Fault::Drop { frames } => (&mut pending.drop, frames),
            Fault::Corrupt { frames } => (&mut pending.corrupt, frames),
            Fault::Garbage { bytes } => (&mut pending.garbage, bytes),
            Fault::LeadOff { frames } => (&mut pending.lead_off, frames),
        };
        *count = count.saturating_add(more);
    }

    /// Sends a sample of a synthetic heart: appends its bytes to `out`.
    pub fn push_heart(&mut self, sample: &HeartSample, out: &mut Vec<u8>) {
        self.push(sample.millivolts, sample.respiration, sample.lead_off, out);
    }

    /// Sends a sample: appends its bytes to `out`.
    ///
    /// `millivolts` beyond the converter's range are clipped at its rails, as is everything while an electrode is off;
    /// NaN, a sample that the source does not have, counts as an electrode that is off. `respiration` has no unit,
    /// about −2 to 2.
    pub fn push(&mut self, millivolts: f64, respiration: f64, lead_off: bool, out: &mut Vec<u8>) {
        for _ in 0..std::mem::take(&mut self.pending.garbage) {
            out.push(self.random.u8(..));
        }
        let lead_off = lead_off | take_one(&mut self.pending.lead_off) | millivolts.is_nan();
        if take_one(&mut self.pending.drop) {
            self.encoder.skip(1);
            return;
        }
        let ecg = if lead_off { CODE_MAX } else { self.adc.code(millivolts) };
        let respiration = self.adc.code(RESPIRATION_MV * respiration);
        let start = out.len();
        self.encoder.encode(ecg, respiration, lead_off, out);
        if take_one(&mut self.pending.corrupt) {
            self.flip_a_bit(&mut out[start..]);
        }
    }

    fn flip_a_bit(&mut self, frame: &mut [u8]) {
        if frame.is_empty() {
            return;
        }
        let at = self.random.usize(..frame.len());
        frame[at] ^= 1 << self.random.u8(..8);
    }
}

/// Takes one from a count; false where there is none left.
fn take_one(count: &mut u32) -> bool {
    let left = count.checked_sub(1);
    *count = left.unwrap_or(0);
    left.is_some()
}
