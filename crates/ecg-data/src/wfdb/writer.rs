//! Writes a record of one signal with its annotations, so that other programs read the very samples that were used.
//!
//! Responsible for format 16 and the MIT annotation format. Must not know where the samples come from.

use std::path::Path;

use super::annotation::AnnotationKind;
use crate::record::{RecordError, with_suffix};

/// Code of an invalid sample in format 16.
const INVALID: i16 = i16::MIN;
/// Largest interval that an annotation word holds; a longer one has a `SKIP` before it.
const LONGEST_STEP: u64 = 1023;
const SKIP: u16 = 59;

/// One signal as codes.
#[derive(Clone, Debug, PartialEq)]
pub struct CodedSignal {
    /// Sampling frequency in hertz.
    pub fs: f64,
    /// Codes a millivolt.
    pub gain: f64,
    /// What the signal is.
    pub description: String,
    /// The codes; −32768 is an invalid sample.
    pub codes: Vec<i16>,
}

impl CodedSignal {
    /// Rounds millivolts to codes. What lies beyond 16 bits is cut off, what is not finite is invalid.
    #[must_use]
    pub fn new(fs: f64, gain: f64, description: impl Into<String>, millivolts: &[f64]) -> Self {
        let code = |mv: &f64| if mv.is_finite() { ((mv * gain).round() as i16).max(INVALID + 1) } else { INVALID };
        Self { fs, gain, description: description.into(), codes: millivolts.iter().map(code).collect() }
    }

    /// What a reader of the file gets, in millivolts; NaN where a sample is invalid.
    pub fn millivolts(&self) -> impl Iterator<Item = f64> + '_ {
        self.codes.iter().map(|&code| if code == INVALID { f64::NAN } else { f64::from(code) / self.gain })
    }
}

/// Writes `NAME.hea`, `NAME.dat` and `NAME.atr` into a folder that exists, over what is there.
///
/// `annotations` are places in samples, ascending, and what they say; `comments` are lines of the header.
///
/// # Errors
/// [`RecordError::Write`] with the file.
pub fn write(
    folder: &Path,
    name: &str,
    signal: &CodedSignal,
    annotations: &[(u64, AnnotationKind)],
    comments: &[String],
) -> Result<(), RecordError> {
    let path = folder.join(name);
    let put = |extension: &str, bytes: &[u8]| {
        let path = with_suffix(&path, extension);
        std::fs::write(&path, bytes).map_err(|source| RecordError::Write { path, source })
    };
    put("hea", header(name, signal, comments).as_bytes())?;
    put("dat", &signal.codes.iter().flat_map(|code| code.to_le_bytes()).collect::<Vec<u8>>())?;
    put("atr", &annotation_bytes(annotations))
}

fn header(name: &str, signal: &CodedSignal, comments: &[String]) -> String {
    let CodedSignal { fs, gain, description, codes } = signal;
    let checksum = codes.iter().fold(0i16, |sum, code| sum.wrapping_add(*code));
    let first = codes.first().copied().unwrap_or(0);
    let mut text = format!("{name} 1 {fs} {}\n", codes.len());
    text += &format!("{name}.dat 16 {gain}(0)/mV 16 0 {first} {checksum} 0 {description}\n");
    comments.iter().for_each(|comment| text += &format!("# {comment}\n"));
    text
}

fn annotation_bytes(annotations: &[(u64, AnnotationKind)]) -> Vec<u8> {
    let mut words: Vec<u16> = Vec::new();
    let mut now = 0;
    for &(sample, kind) in annotations {
        let mut step = sample.saturating_sub(now);
        if step > LONGEST_STEP {
            words.extend([SKIP << 10, (step >> 16) as u16, step as u16]);
            step = 0;
        }
        words.push(u16::from(kind.code()) << 10 | step as u16);
        now = now.max(sample);
    }
    words.push(0);
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
