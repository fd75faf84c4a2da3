//! A synthetic heart written as a recording of a board.
//!
//! Must not know how a heart beats.

use std::io::{self, Write};

use super::CodeWriter;
use crate::adc::Adc;
use crate::heart::SyntheticHeart;

/// Half-cell potential of the electrodes, in millivolts: no real baseline lies at 0.
const ELECTRODE_OFFSET_MV: f64 = 5.0;
/// Respiration channel: its middle and its millivolts a unit of respiration.
const RESPIRATION_MV: (f64, f64) = (1.2, 0.25);

/// Writes `rows` samples of a heart in the form `timestamp,Channel 1,Channel 2,Channel 3`, at the heart's own rate;
/// gives the sink back. `start_unix_s` is the time of the first row.
///
/// # Errors
/// What the sink gives.
pub fn write_heart<W: Write>(heart: &mut SyntheticHeart, rows: u64, start_unix_s: u64, sink: W) -> io::Result<W> {
    let adc = Adc::default();
    let mut writer = CodeWriter::new(sink, start_unix_s, heart.fs())?;
    for _ in 0..rows {
        let sample = heart.step();
        let respiration = RESPIRATION_MV.0 + RESPIRATION_MV.1 * sample.respiration;
        let ecg = adc.code(sample.millivolts + ELECTRODE_OFFSET_MV);
        writer.push(ecg, adc.code(respiration), u32::from(sample.lead_off))?;
    }
    writer.finish()
}
