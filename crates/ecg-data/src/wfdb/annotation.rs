//! Annotation files of WFDB in the MIT format: where each beat is and what it is.
//!
//! Must not know of signals.
//!
//! Each item is a 16-bit little-endian word: the upper 6 bits are its code, the lower 10 the samples since the item
//! before. Codes 59 to 63 are no annotations but say more about one:
//! - 59 `SKIP`: a 32-bit interval follows (high word first), for what 10 bits cannot hold
//! - 60 `NUM` and 62 `CHN`: a number, a signal; they hold for the annotation before them and all that follow
//! - 61 `SUB`: a subtype, for the annotation before only
//! - 63 `AUX`: a text of that many bytes follows, padded to an even number
//! - the word 0 ends the file
//!
//! A note `## time resolution: F` at the start says that positions count ticks of F hertz, not samples of the record.

use std::path::Path;

use crate::record::{RecordError, read_bytes, with_suffix};

/// Annotations of one file, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Annotations {
    /// What [`Annotation::sample`] counts, in hertz: the record's sampling frequency, unless the file says otherwise.
    pub fs: f64,
    /// The annotations.
    pub items: Vec<Annotation>,
}

/// One annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Its place, in ticks of [`Annotations::fs`] since the record's start.
    pub sample: u64,
    /// What it says.
    pub kind: AnnotationKind,
    /// Subtype; 0 where the file gives none.
    pub subtype: i8,
    /// Signal that it belongs to.
    pub channel: u8,
    /// Number, free for the annotator's own use.
    pub number: i8,
    /// Text, e.g. `(AFIB` for a change of rhythm, without the zero bytes that end it.
    pub text: String,
}

/// What an annotation says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AnnotationKind {
    /// A beat, with its symbol: one of `NLRBAaJSVrFejnE/fQ?`.
    Beat(char),
    /// Ventricular flutter or fibrillation begins: `[`. No beats are marked until it ends.
    VfStart,
    /// Ventricular flutter or fibrillation ends: `]`.
    VfEnd,
    /// Anything else, by its code in the file.
    Other(u8),
}

/// Codes of beats and their symbols.
const BEATS: [(u8, char); 19] = [
    (1, 'N'),
    (2, 'L'),
    (3, 'R'),
    (4, 'a'),
    (5, 'V'),
    (6, 'F'),
    (7, 'J'),
    (8, 'A'),
    (9, 'S'),
    (10, 'E'),
    (11, 'j'),
    (12, '/'),
    (13, 'Q'),
    (25, 'B'),
    (30, '?'),
    (34, 'e'),
    (35, 'n'),
    (38, 'f'),
    (41, 'r'),
];
const VF_START: u8 = 32;
const VF_END: u8 = 33;
/// Code of `~`: the quality of a signal changes.
const QUALITY_CHANGE: u8 = 14;

impl AnnotationKind {
    /// From the code of the file (`ecgcodes.h` of the WFDB library).
    pub fn from_code(code: u8) -> Self {
        match (code, BEATS.iter().find(|(known, _)| *known == code)) {
            (_, Some(&(_, symbol))) => Self::Beat(symbol),
            (VF_START, _) => Self::VfStart,
            (VF_END, _) => Self::VfEnd,
            (other, _) => Self::Other(other),
        }
    }

    /// The code of the file; that of `Q` (unclassifiable) for a beat whose symbol is none of those.
    pub fn code(self) -> u8 {
        match self {
            Self::Beat(symbol) => BEATS.iter().find(|(_, known)| *known == symbol).map_or(13, |(code, _)| *code),
            Self::VfStart => VF_START,
            Self::VfEnd => VF_END,
            Self::Other(code) => code,
        }
    }

    /// True for a beat.
    pub fn is_beat(self) -> bool {
        matches!(self, Self::Beat(_))
    }
}

impl Annotations {
    /// Places of the beats, in ticks of [`Annotations::fs`].
    pub fn beats(&self) -> impl Iterator<Item = u64> + '_ {
        self.items.iter().filter(|item| item.kind.is_beat()).map(|item| item.sample)
    }

    /// Stretches in which the annotators call signal `signal` (0 … 3) noisy or unreadable, in ticks, ascending: from a `~`
    /// whose subtype has bit `signal` or `signal + 4` to the next one without. What comes before the first `~` is clean.
    pub fn noisy(&self, signal: u8) -> Vec<std::ops::Range<u64>> {
        let bits = 0b1_0001_i8 << signal.min(3);
        let (mut stretches, mut since) = (Vec::new(), None);
        for item in self.items.iter().filter(|item| item.kind == AnnotationKind::Other(QUALITY_CHANGE)) {
            match (since, item.subtype & bits != 0) {
                (None, true) => since = Some(item.sample),
                (Some(from), false) => {
                    stretches.push(from..item.sample);
                    since = None;
                }
                _ => {}
            }
        }
        stretches.extend(since.map(|from| from..u64::MAX));
        stretches
    }
}

/// Reads `RECORD.ANNOTATOR`, e.g. `100.atr`; `record` is the path without extension, or its `.hea`.
///
/// # Errors
/// [`RecordError`] where the file, or the header that holds its sampling frequency, cannot be read.
pub fn annotations(record: &Path, annotator: &str) -> Result<Annotations, RecordError> {
    let stem =
        if record.extension().is_some_and(|e| e == "hea") { record.with_extension("") } else { record.to_owned() };
    let path = with_suffix(&stem, annotator);
    let bytes = read_bytes(&path)?;
    let (items, resolution) = parse(&bytes).map_err(|problem| RecordError::content(&path, problem))?;
    let fs = match resolution {
        Some(fs) => fs,
        None => super::read_header(&with_suffix(&stem, "hea"))?.fs,
    };
    Ok(Annotations { fs, items })
}

const SKIP: u8 = 59;
const NUM: u8 = 60;
const SUB: u8 = 61;
const CHN: u8 = 62;
const AUX: u8 = 63;
/// Code of a comment; the time resolution is one.
const NOTE: u8 = 22;

/// Takes an annotation file apart: its items, and the time resolution where it has one. Never panics.
///
/// # Errors
/// What is wrong: the file is cut short, or its time runs below 0.
pub fn parse(bytes: &[u8]) -> Result<(Vec<Annotation>, Option<f64>), String> {
    let mut words = Words { bytes, at: 0 };
    let mut items: Vec<Annotation> = Vec::new();
    let mut now = 0i64;
    let (mut channel, mut number) = (0u8, 0i8);
    // Some files end with their last annotation, without the word 0.
    while let Some(word) = words.next() {
        let (code, low) = ((word >> 10) as u8, word & 0x3FF);
        if word == 0 {
            break;
        }
        match (code, items.last_mut()) {
            // No annotation, only time: what follows a skip that leads back over the time resolution.
            (0, _) => now = now.saturating_add(i64::from(low)),
            (SKIP, _) => now = now.saturating_add(i64::from(words.long()?)),
            (NUM, last) => {
                number = low as i8;
                last.into_iter().for_each(|item| item.number = number);
            }
            (CHN, last) => {
                channel = low as u8;
                last.into_iter().for_each(|item| item.channel = channel);
            }
            (SUB, last) => last.into_iter().for_each(|item| item.subtype = low as i8),
            (AUX, last) => {
                let text = words.text(usize::from(low))?;
                last.into_iter().for_each(|item| item.text.clone_from(&text));
            }
            (code, _) => {
                now = now.saturating_add(i64::from(low));
                let sample = u64::try_from(now).map_err(|_| format!("byte {}: a place before the start", words.at))?;
                let kind = AnnotationKind::from_code(code);
                items.push(Annotation { sample, kind, subtype: 0, channel, number, text: String::new() });
            }
        }
    }
    let resolution = take_definitions(&mut items);
    Ok((items, resolution))
}

/// Takes the notes at the start that describe the file itself out of the list, and the time resolution out of them.
fn take_definitions(items: &mut Vec<Annotation>) -> Option<f64> {
    let mut resolution = None;
    let mut inside = false;
    items.retain(|item| {
        if item.sample != 0 || item.kind != AnnotationKind::Other(NOTE) {
            return true;
        }
        if let Some(value) = item.text.strip_prefix("## time resolution:") {
            resolution = value.trim().parse().ok().filter(|fs: &f64| *fs > 0.0 && fs.is_finite()).or(resolution);
            return false;
        }
        match item.text.as_str() {
            "## annotation type definitions" => inside = true,
            "## end of definitions" => inside = false,
            _ => return !inside,
        }
        false
    });
    resolution
}

/// Reads little-endian words.
struct Words<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Words<'_> {
    fn next(&mut self) -> Option<u16> {
        let pair = self.bytes.get(self.at..self.at + 2)?;
        self.at += 2;
        Some(u16::from_le_bytes([pair[0], pair[1]]))
    }

    /// A 32-bit number with its high word first (the order of a PDP-11).
    fn long(&mut self) -> Result<i32, String> {
        let high = self.next().ok_or("cut short within an interval: fetch it again")?;
        let low = self.next().ok_or("cut short within an interval: fetch it again")?;
        Ok((u32::from(high) << 16 | u32::from(low)) as i32)
    }

    fn text(&mut self, length: usize) -> Result<String, String> {
        let text = self.bytes.get(self.at..self.at + length).ok_or("cut short within a text: fetch it again")?;
        // Padded to whole words; the pad itself may be missing at the end of the file.
        self.at = (self.at + length + length % 2).min(self.bytes.len());
        Ok(String::from_utf8_lossy(text).trim_end_matches('\0').to_owned())
    }
}
