//! Text: one sample a line, `csv` (the original recordings) and `columns-1` to `columns-6`.
//!
//! ```text
//! timestamp,Channel 1,Channel 2,Channel 3
//! 1767759832,128363,11421861,652
//! ```
//!
//! * A line ends with `\n`; a `\r` before it, and spaces or quotes around a field, are ignored. Empty lines too.
//! * Fields are parted by `,`, `;` or a tab. A line has exactly the agreed number of them.
//! * A channel is an integer, signed, or the unsigned image of 24 bits, which is sign-extended: `11421861` is
//!   −5355355. A fraction of zeros (`128363.0`) is let pass.
//! * Every other field is a decimal number that is not read: time repeats, and the last column of the original
//!   is no lead-off status, whatever its documents say.
//! * What comes before the first end of line may be the tail of a cut line and is never a sample.
//! * A line that is too long (256 bytes) or not as agreed is refused; before the first sample (header, boot text)
//!   all of them together count as garbage once. A line refused in mid-stream is one missing frame.
//!
//! Which column is what:
//!
//! | format | columns | ECG |
//! | --- | --- | --- |
//! | `csv` | time in s, channel 1, channel 2, opaque | channel 1 |
//! | `columns-1` | channel 1 | it |
//! | `columns-2` | channel 1, channel 2 | channel 1 |
//! | `columns-3` | time, channel 1, channel 2 | channel 1 |
//! | `columns-4` (`cwxs-csv`: `ms,ecg,resp,status`) | time, channel 1, channel 2, opaque | channel 1 |
//! | `columns-5`, `columns-6` | time, channel 1, channel 2, opaque … | channel 1 |
//!
//! `csv` and `columns-4` read the same. They have two names because they are two front ends, and a gallery made on one
//! is not for the other. [`detect`](crate::detect) tells them apart by the time, which in `csv` stands still for a second;
//! a board that is met in the midst of its lines has no header.
//!
//! So with three columns or more the first is time. `ecg_channel = 2` takes channel 2 for the ECG.
//!
//! ```
//! use ecg_wire::{Decoded, Decoder, Format, Options};
//! let lines = b"timestamp,Channel 1,Channel 2,Channel 3\r\n1767759832,128363,11421861,652\r\n";
//! let mut decoder = Decoder::new(Format::Csv, Options::default());
//! let mut said = Vec::new();
//! decoder.push(lines, &mut |decoded| said.push(decoded));
//! let [Decoded::Refused(_), Decoded::Sample(sample)] = said[..] else { panic!("{said:?}") };
//! assert_eq!((sample.ecg, sample.respiration, sample.lead_off), (128_363, Some(-5_355_355), None));
//! ```

use crate::adc_code::{self, clamp, sign_extend};
use crate::exit::Exit;
use crate::format::Format;
use crate::sample::{Decoded, Refusal};

/// The longest line, in bytes; six columns need a third of it.
const MAX_LINE: usize = 256;

/// The number of columns a text format has; `None` for a binary one.
pub(crate) fn columns(format: Format) -> Option<usize> {
    match format {
        Format::Csv => Some(4),
        Format::Columns(count) => Some(usize::from(count.clamp(1, 6))),
        _ => None,
    }
}

/// One line taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) columns: usize,
    /// The first field, which is the time where there are three or more.
    pub(crate) first: &'a [u8],
    channel_1: i32,
    channel_2: Option<i32>,
}

impl<'a> Line<'a> {
    /// Takes a line apart, without its end; `None` if it is not 1 to 6 numbers with integers for channels.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Self> {
        let columns = 1 + line.iter().filter(|byte| is_separator(byte)).count();
        if columns > 6 {
            return None;
        }
        let first_channel = usize::from(columns >= 3);
        let mut channels = [None; 2];
        let mut first = None;
        for (n, field) in line.split(is_separator).map(trim).enumerate() {
            first.get_or_insert(field);
            match n.checked_sub(first_channel).and_then(|channel| channels.get_mut(channel)) {
                Some(channel) => *channel = Some(sign_extend(integer(field)? as u32)),
                None => is_decimal(field).then_some(())?,
            }
        }
        Some(Self { columns, first: first?, channel_1: channels[0]?, channel_2: channels[1] })
    }
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b',' | b';' | b'\t')
}

fn trim(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    match field {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        _ => field,
    }
}

/// Signed digits with at most one point among or after them.
fn is_decimal(field: &[u8]) -> bool {
    let digits = field.strip_prefix(b"-").or(field.strip_prefix(b"+")).unwrap_or(field);
    let points = digits.iter().filter(|&&byte| byte == b'.').count();
    digits.first().is_some_and(u8::is_ascii_digit)
        && points <= 1
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// An integer that is a signed 24-bit code or the unsigned image of one.
fn integer(field: &[u8]) -> Option<i32> {
    if !is_decimal(field) {
        return None;
    }
    let (whole, fraction) = match field.iter().position(|&byte| byte == b'.') {
        Some(point) => (&field[..point], &field[point + 1..]),
        None => (field, &[][..]),
    };
    let value: i32 = std::str::from_utf8(whole).ok()?.parse().ok()?;
    let fits = (adc_code::MIN..1 << 24).contains(&value);
    (fits && fraction.iter().all(|&byte| byte == b'0')).then_some(value)
}

/// Decodes lines, in any chunks. Holds at most one line.
#[derive(Debug, Clone)]
pub(crate) struct LineDecoder {
    columns: usize,
    ecg_channel: u8,
    exit: Exit,
    line: Vec<u8>,
    /// The line became longer than a line may; the rest of it is dropped.
    overlong: bool,
    /// An end of line was seen: what follows is a line from its beginning.
    aligned: bool,
    started: bool,
    garbage_said: bool,
}

impl LineDecoder {
    pub(crate) fn new(columns: usize, ecg_channel: u8, exit: Exit) -> Self {
        Self {
            columns,
            ecg_channel,
            exit,
            line: Vec::with_capacity(MAX_LINE),
            overlong: false,
            aligned: false,
            started: false,
            garbage_said: false,
        }
    }

    /// As new.
    pub(crate) fn reset(&mut self) {
        self.line.clear();
        self.overlong = false;
        self.aligned = false;
        self.started = false;
        self.garbage_said = false;
        self.exit.reset();
    }

    pub(crate) fn push(&mut self, bytes: &[u8], sink: &mut impl FnMut(Decoded)) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match part {
                [text @ .., b'\n'] => (text, true),
                _ => (part, false),
            };
            let room = MAX_LINE - self.line.len();
            self.overlong |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.end_of_line(sink);
            }
        }
    }

    fn end_of_line(&mut self, sink: &mut impl FnMut(Decoded)) {
        let line = std::mem::take(&mut self.line);
        let parsed = if self.aligned && !self.overlong { Line::parse(&line) } else { None };
        match parsed {
            Some(parsed) if parsed.columns == self.columns => self.accept(parsed, sink),
            _ if line.trim_ascii().is_empty() && !self.overlong => {}
            _ => self.refuse(sink),
        }
        self.line = line;
        self.line.clear();
        self.overlong = false;
        self.aligned = true;
    }

    fn accept(&mut self, line: Line<'_>, sink: &mut impl FnMut(Decoded)) {
        self.started = true;
        let (ecg, other) = match line.channel_2 {
            Some(two) if self.ecg_channel == 2 => (two, Some(line.channel_1)),
            two => (line.channel_1, two),
        };
        self.exit.give(ecg, other, None, sink);
    }

    fn refuse(&mut self, sink: &mut impl FnMut(Decoded)) {
        if self.started {
            sink(Decoded::Refused(Refusal::Line));
            sink(Decoded::Missing { frames: 1 });
            self.exit.reset();
        } else if !self.garbage_said {
            self.garbage_said = true;
            sink(Decoded::Refused(Refusal::Garbage));
        }
    }

    #[cfg(test)]
    pub(crate) fn held_capacity(&self) -> usize {
        self.line.capacity()
    }
}

/// Appends what a board says before its first line.
pub(crate) fn write_head(format: Format, out: &mut Vec<u8>) {
    out.extend_from_slice(match format {
        Format::Csv => b"timestamp,Channel 1,Channel 2,Channel 3\r\n",
        _ => b"ID register = 0x73\r\n",
    });
}

/// Appends the line of sample number `n` at `fs_hz`. The text formats have no lead-off.
pub(crate) fn write(format: Format, n: u64, fs_hz: f64, ecg: i32, respiration: i32, out: &mut Vec<u8>) {
    let (ecg, respiration) = (clamp(ecg), clamp(respiration));
    let seconds = n as f64 / fs_hz;
    let line = match format {
        Format::Csv => {
            // Whole seconds, and images of 24 bits without their sign, as the original wrote them.
            let image = |code: i32| code & 0xFF_FFFF;
            format!("{},{},{},0\r\n", CSV_START_S + seconds as u64, image(ecg), image(respiration))
        }
        _ => {
            let milliseconds = (seconds * 1000.0) as u64;
            match columns(format) {
                None | Some(1) => format!("{ecg}\r\n"),
                Some(2) => format!("{ecg},{respiration}\r\n"),
                Some(3) => format!("{milliseconds},{ecg},{respiration}\r\n"),
                Some(4) => format!("{milliseconds},{ecg},{respiration},0\r\n"),
                Some(5) => format!("{milliseconds},{ecg},{respiration},0,0\r\n"),
                Some(_) => format!("{milliseconds},{ecg},{respiration},0,0,0\r\n"),
            }
        }
    };
    out.extend_from_slice(line.as_bytes());
}

/// A time for the first line of `csv`; any would do.
const CSV_START_S: u64 = 1_767_759_832;
