//! A recording as a board would send it: brought to the board's rate, quantised, encoded, decoded again.
//!
//! A person enrolled from a file this way has a template of that board's front end, as if the board had been worn.

use ecg_data::SimulatedBoard;
use ecg_signal::{Hertz, PathInput, resample};
use ecg_wire::{Decoded, Decoder, Format, Options, Sample, millivolts_per_code};

use super::Stream;

/// A stream that cannot go through a board.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BoardError {
    /// The sampling frequency cannot be changed to that of the board.
    #[error("{from} Hz cannot be resampled to the {to} Hz of the format")]
    Rate {
        /// Of the recording.
        from: f64,
        /// Of the board.
        to: f64,
    },
}

/// Sends a stream through a simulated board of `format` and decodes what it sent.
///
/// `fs` is the board's sampling frequency, the format's usual one where `None`. A sample that is missing in the
/// recording (NaN) is sent as a lifted electrode; a frame that is lost comes back as a missing sample. The respiration
/// channel is not sent.
///
/// # Errors
/// [`BoardError::Rate`] where one of the sampling frequencies is unusable.
pub fn through_board(stream: &Stream, format: Format, fs: Option<Hertz>) -> Result<Stream, BoardError> {
    let spec = format.spec();
    let fs = fs.unwrap_or(Hertz(spec.fs_hz));
    let sent = at_rate(stream, fs)?;
    let step = millivolts_per_code(spec.gain, spec.vref_volts, spec.code_shift);
    let mut board = SimulatedBoard::new(format, fs.0, 0);
    let mut decoder = Decoder::new(format, Options::default());
    let (mut bytes, mut samples) = (Vec::new(), Vec::with_capacity(sent.len()));
    for input in sent {
        bytes.clear();
        board.push(input.millivolts, 0.0, false, &mut bytes);
        decoder.push(&bytes, &mut |decoded| match decoded {
            Decoded::Sample(sample) => samples.push(received(sample, step)),
            Decoded::Missing { frames } => samples.extend((0..frames).map(|_| missing())),
            Decoded::Refused(_) => {}
        });
    }
    Ok(Stream { format: format.name().to_owned(), fs, samples, respiration: None })
}

/// The stream at another rate. A run of missing samples stays missing, and is bridged for the filter meanwhile.
fn at_rate(stream: &Stream, fs: Hertz) -> Result<Vec<PathInput>, BoardError> {
    if (stream.fs.0 - fs.0).abs() < 1e-9 || stream.samples.is_empty() {
        return Ok(stream.samples.clone());
    }
    let mut held = 0.0;
    let bridge = |s: &PathInput| {
        held = if s.millivolts.is_finite() { s.millivolts } else { held };
        held
    };
    let bridged: Vec<f64> = stream.samples.iter().map(bridge).collect();
    let resampled = resample(&bridged, stream.fs, fs).map_err(|_| BoardError::Rate { from: stream.fs.0, to: fs.0 })?;
    let at = |(i, value): (usize, f64)| {
        let nearest = (i as f64 * stream.fs.0 / fs.0).round() as usize;
        let source = &stream.samples[nearest.min(stream.samples.len() - 1)];
        let millivolts = if source.millivolts.is_finite() { value } else { f64::NAN };
        PathInput { millivolts, clipped: source.clipped, lead_off: None }
    };
    Ok(resampled.into_iter().enumerate().map(at).collect())
}

fn received(sample: Sample, step: f64) -> PathInput {
    PathInput { millivolts: f64::from(sample.ecg) * step, clipped: sample.clipped, lead_off: sample.lead_off }
}

fn missing() -> PathInput {
    PathInput { millivolts: f64::NAN, clipped: false, lead_off: None }
}
