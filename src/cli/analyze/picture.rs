//! The picture of `ecgid analyze --plot`: one sheet that says at a glance how a signal is, what was found in it, what
//! was refused and why, and where to look.
//!
//! From top to bottom: a stretch of the raw signal, the same stretch conditioned with its beats, the whole record, the
//! beats over one another, heart-rate variability. It computes nothing of its own: everything shown came out of the signal path. Must not know
//! where the picture goes.

mod overlay;
mod overview;
mod reasons;
mod stretch;
mod traces;
mod variability;

use ecg_signal::{Beat, Mains, PathError};

use super::{Analysis, percent};
use crate::recording::{Passage, Recording, mains_name};
use ecg_plot::{Label, Svg, colours, text_width};
use reasons::Reasons;
use stretch::Stretch;
pub(super) use stretch::{Asked, StretchError};

/// Width of the sheet and where the frames begin and end, pixels.
const WIDTH: f64 = 1200.0;
const LEFT: f64 = 86.0;
const RIGHT: f64 = 1176.0;
/// Patterns that shade what cannot be used, beside their colours.
const PATTERNS: &str = "<pattern id=\"off\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">\
    <rect width=\"7\" height=\"7\" fill=\"#d9d9d9\"/><path d=\"M0 7L7 0\" stroke=\"#595959\" fill=\"none\"/></pattern>\
    <pattern id=\"rail\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">\
    <rect width=\"5\" height=\"5\" fill=\"#f3dbe8\"/><path d=\"M0 2.5H5\" stroke=\"#a8417c\" fill=\"none\"/></pattern>";
/// Lines of notes and of the command that are shown; the description holds all of the command.
const NOTES: usize = 3;
const COMMAND_LINES: usize = 3;

/// What is drawn.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    /// The record.
    pub(super) recording: &'a Recording,
    /// What the path made of it.
    pub(super) passage: &'a Passage,
    /// Its figures.
    pub(super) analysis: &'a Analysis,
    /// Which signal of the record it is, counted from 0.
    pub(super) signal: usize,
    /// The mains that was removed.
    pub(super) mains: Mains,
    /// The stretch that was asked for.
    pub(super) asked: Asked,
    /// The command that draws it again, without the stretch.
    pub(super) command: String,
}

/// What every panel needs.
struct Sheet<'a> {
    recording: &'a Recording,
    /// In order of R.
    beats: Vec<&'a Beat>,
    stretch: Stretch,
    reasons: Reasons,
    /// Samples a second.
    fs: f64,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    /// The stretch does not exist.
    #[error(transparent)]
    Stretch(#[from] StretchError),
    /// The path does not take the record.
    #[error("{0}")]
    Path(#[from] PathError),
}

impl Picture<'_> {
    /// The SVG document.
    ///
    /// # Errors
    /// The stretch lies outside the record, or the path does not take its sampling frequency.
    pub(super) fn svg(&self) -> Result<String, PictureError> {
        let fs = self.recording.stream.fs.0;
        let mut beats: Vec<&Beat> = self.passage.beats.iter().collect();
        beats.sort_by(|a, b| a.r_peak.total_cmp(&b.r_peak));
        let stretch = Stretch::of(self.asked, &beats, self.recording.stream.samples.len(), fs)?;
        let trace = self.recording.stream.conditioned(stretch.part.clone(), self.mains)?;
        let reasons = Reasons::of(&beats);
        let command = format!("{} {}", self.command, stretch.options(fs));
        let sheet = Sheet { recording: self.recording, beats, stretch, reasons, fs };
        let mut svg = Svg::new(WIDTH);
        let top = self.header(&mut svg);
        let top = traces::draw(&sheet, &trace, &mut svg, top);
        let top = overview::draw(&sheet, &mut svg, top);
        let top = overlay::draw(&sheet, &mut svg, top);
        let top = variability::draw(self.analysis, &mut svg, top);
        let height = footer(&mut svg, &command, top);
        let title = format!("{}, {}", self.recording.name, self.recording.signal);
        let words = format!("{}\nDrawn by: {command}", self.summary());
        Ok(svg.finish(height, &title, &words, PATTERNS))
    }

    fn header(&self, svg: &mut Svg) -> f64 {
        let room = RIGHT - LEFT;
        let title = format!("{}, signal {} ({})", self.recording.name, self.signal, self.recording.signal);
        svg.text(&Label { size: 18.0, bold: true, room, ..Label::new(&title, (LEFT, 32.0)) });
        svg.text(&Label { size: 13.0, room, ..Label::new(&self.summary(), (LEFT, 54.0)) });
        let chain = format!("chain {}", self.passage.chain_id);
        small(svg, &chain, 72.0);
        let mut y = 72.0;
        let warnings = &self.recording.warnings;
        for (i, warning) in warnings.iter().take(NOTES).enumerate() {
            let more = warnings.len() - NOTES.min(warnings.len());
            let more = if i + 1 == NOTES && more > 0 { format!(" (and {more} more notes)") } else { String::new() };
            y += 16.0;
            small(svg, &format!("note: {warning}{more}"), y);
        }
        y + 14.0
    }

    fn summary(&self) -> String {
        let (q, h) = (&self.analysis.quality, &self.analysis.hrv);
        let rate = match (h.mean_hr_bpm, h.missing.get("mean_hr_bpm")) {
            (Some(rate), _) => format!("mean heart rate {rate:.0} /min"),
            (None, Some(why)) => format!("no mean heart rate ({why})"),
            (None, None) => "no mean heart rate".into(),
        };
        let mains = match self.mains {
            Mains::None => "no mains notch".to_owned(),
            mains => format!("mains {} Hz removed", mains_name(mains)),
        };
        let beats = match q.beats {
            0 => "no beat found".to_owned(),
            n => format!("{n} beats found, {} accepted ({})", q.accepted, percent(q.accepted, q.beats)),
        };
        let length = duration(self.recording.stream.duration_s());
        format!("{length} at {} Hz \u{b7} {mains} \u{b7} {beats} \u{b7} {rate}", self.analysis.fs)
    }
}

/// A line of small print across the sheet.
fn small(svg: &mut Svg, text: &str, y: f64) {
    let room = RIGHT - LEFT;
    svg.text(&Label { size: 11.0, colour: colours::GREY, room, ..Label::new(text, (LEFT, y)) });
}

fn footer(svg: &mut Svg, command: &str, top: f64) -> f64 {
    let mut y = top + 4.0;
    let lines = wrapped(command, RIGHT - LEFT);
    for (i, line) in lines.iter().take(COMMAND_LINES).enumerate() {
        let cut = if i + 1 == COMMAND_LINES && lines.len() > COMMAND_LINES { "\u{2026}" } else { "" };
        small(svg, &format!("{line}{cut}"), y);
        y += 15.0;
    }
    let words = concat!(
        "ecgid ",
        env!("CARGO_PKG_VERSION"),
        " \u{b7} shows a person's ECG: keep it as the recording itself is kept \u{b7} not for diagnosis"
    );
    small(svg, words, y);
    y + 14.0
}

/// Text in lines of at most `room` pixels, broken at spaces where there are some.
fn wrapped(text: &str, room: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    let fits = |line: &str| text_width(line, 11.0, false) <= room - 20.0;
    for word in text.split_inclusive(' ') {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && !fits(&format!("{}{word}", lines[line])) {
            lines.push(String::new());
        }
        for c in word.chars() {
            let line = lines.len() - 1;
            if !fits(&format!("{}{c}", lines[line])) {
                lines.push(String::new());
            }
            let line = lines.len() - 1;
            lines[line].push(c);
        }
    }
    lines
}

/// A length of time as people write it.
fn duration(seconds: f64) -> String {
    if seconds < 180.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    if minutes < 180.0 {
        return format!("{minutes:.0} min {:.0} s", (seconds - 60.0 * minutes).floor());
    }
    format!("{:.0} h {:.0} min", (minutes / 60.0).floor(), minutes % 60.0)
}

/// A sentence in the middle of a frame that has nothing else to show.
fn note(svg: &mut Svg, [left, top, width, height]: [f64; 4], words: &str) {
    let at = (left + width / 2.0, top + height / 2.0);
    let anchor = ecg_plot::Anchor::Middle;
    svg.text(&Label { size: 13.0, anchor, colour: colours::GREY, room: width - 20.0, ..Label::new(words, at) });
}
