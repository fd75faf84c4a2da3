//! Text files of boards: read into a [`Record`], and written.
//!
//! Read, told apart by the header, columns in any order, quotes and spaces allowed, `,` `;` or tab between them:
//! - `timestamp,Channel 1,Channel 2,Channel 3`: whole Unix seconds, ECG, respiration, status; 24-bit codes as an
//!   unsigned image or signed, of gain 6 and VREF 2.42 V unless the caller knows better
//! - `ms,ecg,resp,status`: milliseconds, the same codes
//! - `time_s,ecg_mv`: seconds, millivolts
//! - 1 to 6 columns of whole numbers without a header: the ECG code first, then respiration and status; from three
//!   columns on a time comes before them (whole Unix seconds, or milliseconds), as [`ecg_wire::text`] reads them too
//!
//! A code on a rail is flagged as clipped; an empty field or `nan` is an invalid sample; time that was lost becomes
//! invalid samples, so that a beat before and a beat after it are never taken for neighbours.
//! Must not know of WFDB. Written: the first form ([`CodeWriter`]).

mod layout;
mod synthetic;
mod timing;
mod writer;

use std::path::Path;

use self::layout::{Layout, Role};
use crate::adc::{Adc, is_rail, sign_extend};
use crate::record::{Record, RecordError, Signal, read_text};

pub use synthetic::write_heart;
pub use writer::CodeWriter;

/// Lines of chatter (a board's greeting) that may come before the first row.
const CHATTER_LINES: usize = 16;

/// Reads a text file of one of the forms above, whose codes `adc` made.
pub(crate) fn read(path: &Path, adc: Adc) -> Result<Record, RecordError> {
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    parse_with(&name, &read_text(path)?, adc).map_err(|problem| match problem {
        Problem::Line(line, what) => RecordError::line(path, line, what),
        Problem::Whole(what) => RecordError::content(path, what),
    })
}

/// What is wrong with a text: one line of it, or all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The line, counted from 1, and what is wrong with it.
    Line(usize, String),
    /// What is wrong with the text as a whole.
    Whole(String),
}

/// Reads a text of one of the forms above into a record called `name`. Never panics, whatever the text.
///
/// # Errors
/// [`Problem`], with the line where there is one.
pub fn parse(name: &str, text: &str) -> Result<Record, Problem> {
    parse_with(name, text, Adc::default())
}

/// The same where the gain and the reference voltage of the board are known.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(name: &str, text: &str, adc: Adc) -> Result<Record, Problem> {
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim())).peekable();
    let (layout, separator) = find_layout(&mut lines)?;
    let mut table = Table::new(layout, adc);
    let torn = !text.is_empty() && !text.ends_with('\n');
    while let Some((number, line)) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match table.row(line, separator) {
            Ok(()) => {}
            Err(what) if torn && lines.peek().is_none() => {
                table.warnings.push(format!("line {number}, the last, is cut short and left out ({what})"));
            }
            Err(what) => return Err(Problem::Line(number, what)),
        }
    }
    table.finish(name)
}

/// Finds the header, or the first row of a text without one; the rows are left to the caller.
fn find_layout<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = (usize, &'a str)>>,
) -> Result<(Layout, char), Problem> {
    let mut chatter = 0;
    while let Some(&(number, line)) = lines.peek() {
        let separator = [',', ';', '\t'].into_iter().find(|&mark| line.contains(mark)).unwrap_or(',');
        let fields: Vec<&str> = layout::fields(line, separator).collect();
        if line.is_empty() || line.starts_with('#') {
        } else if fields.iter().all(|field| field.parse::<f64>().is_ok() || field.is_empty()) {
            let layout = Layout::without_header(fields.len()).map_err(|what| Problem::Line(number, what))?;
            return Ok((layout, separator));
        } else if let Some(layout) = Layout::from_header(&fields) {
            lines.next();
            return Ok((layout, separator));
        } else if fields.len() > 1 || chatter >= CHATTER_LINES {
            return Err(Problem::Line(number, format!("no ECG column in {line:?}; {}", layout::FORMS)));
        } else {
            chatter += 1;
        }
        lines.next();
    }
    Err(Problem::Whole(format!("no sample in it; {}", layout::FORMS)))
}

/// Rows as columns, while they are read.
struct Table {
    layout: Layout,
    adc: Adc,
    time: Vec<f64>,
    columns: Vec<Column>,
    warnings: Vec<String>,
}

struct Column {
    role: Role,
    /// Position in a row.
    position: usize,
    samples: Vec<f64>,
    /// Rows on a rail.
    clipped: Vec<usize>,
}

impl Table {
    fn new(layout: Layout, adc: Adc) -> Self {
        let column =
            |&(role, position): &(Role, usize)| Column { role, position, samples: Vec::new(), clipped: Vec::new() };
        let columns = layout.signals.iter().map(column).collect();
        let warnings = layout.warnings.clone();
        Self { layout, adc, time: Vec::new(), columns, warnings }
    }

    fn row(&mut self, line: &str, separator: char) -> Result<(), String> {
        let fields: Vec<&str> = layout::fields(line, separator).collect();
        if fields.len() != self.layout.width {
            let (found, width) = (fields.len(), self.layout.width);
            return Err(format!("{found} columns where {width} were expected: {}", shortened(line)));
        }
        // Everything is read before anything is kept, so that a cut last line leaves no half row.
        let time = match self.layout.time {
            None => None,
            Some(position) => Some(number(fields[position], "the time")?),
        };
        let mut values = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            values.push(column.role.value(fields[column.position], self.adc)?);
        }
        let row = self.columns.first().map_or(0, |column| column.samples.len());
        for (column, (value, is_rail)) in self.columns.iter_mut().zip(values) {
            column.samples.push(value);
            if is_rail {
                column.clipped.push(row);
            }
        }
        self.time.extend(time);
        Ok(())
    }

    fn finish(mut self, name: &str) -> Result<Record, Problem> {
        if self.columns.first().is_none_or(|column| column.samples.is_empty()) {
            return Err(Problem::Whole("a header and no sample after it".into()));
        }
        let timing = timing::of(&self.time, self.layout.time_unit_s).map_err(Problem::Whole)?;
        self.warnings.extend(timing.warnings.iter().cloned());
        let adc = self.adc;
        let signals = self.columns.into_iter().map(|column| column.into_signal(&timing.gaps, adc)).collect();
        Ok(Record { name: name.to_owned(), fs: timing.fs, signals, warnings: self.warnings, ..Record::default() })
    }
}

impl Column {
    fn into_signal(self, gaps: &[timing::Gap], adc: Adc) -> Signal {
        let step = match self.role {
            Role::EcgCode | Role::RespirationCode => Some(adc.millivolts_per_code()),
            Role::EcgMillivolts => None,
            Role::Status => Some(1.0),
        };
        let units = if self.role == Role::Status { "code" } else { "mV" };
        let mut clipped = Vec::new();
        if !self.clipped.is_empty() {
            clipped.resize(self.samples.len(), false);
            self.clipped.iter().for_each(|&row| clipped[row] = true);
            clipped = timing::fill(&clipped, gaps, false);
        }
        Signal {
            name: self.role.name().to_owned(),
            units: units.to_owned(),
            samples: timing::fill(&self.samples, gaps, f64::NAN),
            clipped,
            step,
            calibrated: true,
            ..Signal::default()
        }
    }
}

impl Role {
    /// The value of a field, and whether it lies on a rail.
    fn value(self, field: &str, adc: Adc) -> Result<(f64, bool), String> {
        if field.is_empty() || field.eq_ignore_ascii_case("nan") {
            return Ok((f64::NAN, false));
        }
        match self {
            Self::EcgMillivolts | Self::Status => Ok((number(field, self.name())?, false)),
            Self::EcgCode | Self::RespirationCode => {
                // A table program may have written `128363.0`.
                let whole = field.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|b| b == b'0'));
                let digits = whole.map_or(field, |(digits, _)| digits);
                let code: i64 = digits
                    .parse()
                    .map_err(|_| format!("{} {} is not a whole number", self.name(), shortened(field)))?;
                let code = sign_extend(code).ok_or_else(|| format!("{} {code} is no 24-bit code", self.name()))?;
                Ok((adc.millivolts(code), is_rail(code)))
            }
        }
    }
}

fn number(field: &str, what: &str) -> Result<f64, String> {
    let value: Option<f64> = field.parse().ok().filter(|value: &f64| value.is_finite());
    value.ok_or_else(|| format!("{what} {} is not a number", shortened(field)))
}

/// Quotes what a file holds, at a length that an error message can bear.
fn shortened(text: &str) -> String {
    let head: String = text.chars().take(60).collect();
    if head.len() < text.len() { format!("{head:?}…") } else { format!("{head:?}") }
}
