//! Samples to the bytes that a board of a format would send: for simulated boards and for tests.
//!
//! Must not know how the bytes travel, nor the time: sample numbers are its clock.

use crate::format::Format;
use crate::{cwxs_bin, openview, raw9, text};

/// The sending side of a format.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Format,
    fs_hz: f64,
    /// Samples encoded or skipped: the counter, and the time column of text.
    count: u64,
    head_sent: bool,
}

impl Encoder {
    /// A board that has just started: its counter is 0. A text format sends its header before the first line.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self::with_fs(format, format.spec().fs_hz)
    }

    /// As [`new`](Self::new), for a board with a sampling frequency of its own; only the time column of text shows it.
    /// A frequency that is not positive is replaced by the usual one.
    #[must_use]
    pub fn with_fs(format: Format, fs_hz: f64) -> Self {
        let fs_hz = if fs_hz > 0.0 { fs_hz } else { format.spec().fs_hz };
        Self { format, fs_hz, count: 0, head_sent: false }
    }

    /// Appends one frame or line to `out`.
    ///
    /// `ecg` and `respiration` are 24-bit codes (anything beyond is cut to the rails); a format that sends 16 bits
    /// drops the low 8. The ECG goes to the format's usual channel. `lead_off` is sent where the format can say it,
    /// as HealthyPi v3 does by zeros; elsewhere it is lost, as on the real board.
    pub fn encode(&mut self, ecg: i32, respiration: i32, lead_off: bool, out: &mut Vec<u8>) {
        // The counter on the wire has 32 bits and wraps.
        let counter = self.count as u32;
        match self.format {
            Format::CwxsBin => cwxs_bin::write(counter, ecg, respiration, lead_off, out),
            Format::Raw9 => raw9::write(ecg, respiration, lead_off, out),
            Format::Csv | Format::Columns(_) => {
                if !std::mem::replace(&mut self.head_sent, true) {
                    text::write_head(self.format, out);
                }
                text::write(self.format, self.count, self.fs_hz, ecg, respiration, out);
            }
            _ => openview::write(self.format, counter, ecg, respiration, lead_off, out),
        }
        self.count += 1;
    }

    /// Goes on as if so many frames had been sent and lost on the way.
    pub fn skip(&mut self, frames: u32) {
        self.count += u64::from(frames);
    }
}
