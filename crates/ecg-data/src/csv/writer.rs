//! Writes the form `timestamp,Channel 1,Channel 2,Channel 3`.
//!
//! Must not know of where the codes come from; reads no clock: the start is given.

use std::io::{self, Write};

use crate::adc::unsigned_image;

/// Writes codes as boards' recorders do: whole Unix seconds, ECG, respiration, status, one row a sample.
///
/// Codes are written as the unsigned 24-bit image; [`crate::Record::open`] gives them back exactly.
///
/// ```
/// let mut writer = ecg_data::csv::CodeWriter::new(Vec::new(), 1_767_759_832, 250.0).unwrap();
/// writer.push(128_363, -5_355_355, 652).unwrap();
/// let text = String::from_utf8(writer.finish().unwrap()).unwrap();
/// assert_eq!(text, "timestamp,Channel 1,Channel 2,Channel 3\n1767759832,128363,11421861,652\n");
/// ```
#[derive(Debug)]
pub struct CodeWriter<W: Write> {
    sink: W,
    start_unix_s: u64,
    fs: f64,
    rows: u64,
}

impl<W: Write> CodeWriter<W> {
    /// Writes the header. `start_unix_s` is the time of the first row, `fs` the rows a second.
    ///
    /// # Errors
    /// What the sink gives.
    pub fn new(mut sink: W, start_unix_s: u64, fs: f64) -> io::Result<Self> {
        sink.write_all(b"timestamp,Channel 1,Channel 2,Channel 3\n")?;
        Ok(Self { sink, start_unix_s, fs, rows: 0 })
    }

    /// Writes a row; codes beyond 24 bits are clipped.
    ///
    /// # Errors
    /// What the sink gives.
    pub fn push(&mut self, ecg: i32, respiration: i32, status: u32) -> io::Result<()> {
        let time = self.start_unix_s + (self.rows as f64 / self.fs) as u64;
        self.rows += 1;
        writeln!(self.sink, "{time},{},{},{status}", unsigned_image(ecg), unsigned_image(respiration))
    }

    /// Rows written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Flushes and gives the sink back.
    ///
    /// # Errors
    /// What the sink gives.
    pub fn finish(mut self) -> io::Result<W> {
        self.sink.flush()?;
        Ok(self.sink)
    }
}
