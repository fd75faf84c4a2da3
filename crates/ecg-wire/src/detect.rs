//! Recognises the format of a line from a window of its bytes.
//!
//! A single frame is no evidence: short syncs match inside other formats, and chance gives some in any noise.
//! So a format is believed when frames stand back to back: from one of the first 200 bytes of the window on, 8 frames
//! or more, and 90 % of the window. Text needs the same of its lines. If more than one format passes, what proves
//! itself by a checksum goes before what has head and end, that before bare frames, and those before text.
//!
//! A longer boot text, or a damaged byte, in the front of the window breaks this; so the last half and the last
//! quarter of the window are tried as well, in this order, down to 1 KiB.
//!
//! Must not know: ports, time, and how often to try.

use crate::cwxs_bin::CwxsBin;
use crate::format::Format;
use crate::framer::Layout;
use crate::openview::{self, OpenView, Variant};
use crate::raw9::Raw9;
use crate::text::Line;

/// The window to collect before asking, in bytes: enough for every format at any start, about 2 s of `ov9`.
pub const DETECTION_WINDOW: usize = 4096;

/// Frames may begin at any of so many bytes: a cut frame, or the end of a boot text.
const OFFSETS: usize = 200;
const MIN_FRAMES: usize = 8;
const MIN_COVERAGE: f64 = 0.90;
/// Lines from which on the time itself tells whether it stands still: of fewer, half may lie on both sides of a second.
const FEW_LINES: usize = 16;
/// The shortest part of a window that is tried for itself.
const MIN_PART: usize = 1024;

/// A recognised format.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The format. Where two cannot be told apart, the page of the format says which is taken.
    pub format: Format,
    /// Frames or lines back to back.
    pub frames: usize,
    /// Their share of the part of the window that was judged, 0.9 to 1.
    pub coverage: f64,
}

/// The format of `window`, or `None` when no known format is sure.
///
/// Give it [`DETECTION_WINDOW`] bytes; from about 300 on it may succeed. Bytes of a wrong line speed are `None`.
#[must_use]
pub fn detect(window: &[u8]) -> Option<Detection> {
    [1, 2, 4]
        .into_iter()
        .map(|part| window.len() / part)
        .filter(|&len| len == window.len() || len >= MIN_PART)
        .find_map(|len| detect_in(&window[window.len() - len..]))
}

fn detect_in(window: &[u8]) -> Option<Detection> {
    framed(window, &CwxsBin { ecg_channel: 1 }, |_| Some(Format::CwxsBin))
        .or_else(|| openview(window, Variant::Ov9, |_| Some(Format::Ov9)))
        .or_else(|| openview(window, Variant::Ov8b, openview::which_ov8))
        .or_else(|| openview(window, Variant::Ov8a, openview::which_ov8))
        .or_else(|| openview(window, Variant::Ov7, |_| Some(Format::Ov7)))
        .or_else(|| openview(window, Variant::Ov20, |frames| Some(openview::which_ov20(frames))))
        .or_else(|| framed(window, &Raw9 { ecg_channel: 2 }, |_| Some(Format::Raw9)))
        .or_else(|| text(window))
}

fn openview(window: &[u8], variant: Variant, which: impl Fn(&[u8]) -> Option<Format>) -> Option<Detection> {
    framed(window, &OpenView { variant, ecg_channel: 2 }, which)
}

/// The longest run of frames of `layout`; `which` names the format from the bytes of the run.
fn framed(window: &[u8], layout: &impl Layout, which: impl Fn(&[u8]) -> Option<Format>) -> Option<Detection> {
    let frame_len = layout.frame_len();
    let (start, frames) = (0..OFFSETS.min(window.len()))
        .map(|start| (start, intact_frames(&window[start..], layout)))
        .max_by_key(|&(_, frames)| frames)?;
    let len = frames * frame_len;
    let coverage = believed(frames, len, window.len())?;
    let format = which(&window[start..start + len])?;
    Some(Detection { format, frames, coverage })
}

fn intact_frames(bytes: &[u8], layout: &impl Layout) -> usize {
    bytes
        .chunks_exact(layout.frame_len())
        .take_while(|frame| layout.begins(frame) && layout.check(frame).is_ok())
        .count()
}

/// The coverage of a run, if the rule at the head of the file lets it pass.
fn believed(frames: usize, len: usize, window_len: usize) -> Option<f64> {
    let coverage = len as f64 / window_len as f64;
    (frames >= MIN_FRAMES && coverage >= MIN_COVERAGE).then_some(coverage)
}

/// A run of lines with one number of columns.
#[derive(Clone, Copy, Default)]
struct Run<'a> {
    columns: usize,
    lines: usize,
    len: usize,
    /// The first field of the last line, and how often it was that of the line before.
    first: &'a [u8],
    repeats: usize,
}

impl<'a> Run<'a> {
    /// Whether the run goes on with this line, which is taken if so. An empty line belongs to any run.
    fn takes(&mut self, line: &'a [u8]) -> bool {
        match Line::parse(line.trim_ascii_end()) {
            Some(parsed) if self.lines == 0 || self.columns == parsed.columns => {
                self.columns = parsed.columns;
                self.lines += 1;
                self.repeats += usize::from(parsed.first == self.first);
                self.first = parsed.first;
            }
            None if self.lines > 0 && line.trim_ascii().is_empty() => {}
            _ => return false,
        }
        self.len += line.len();
        true
    }
}

/// Whether a header has a column `timestamp`; `timestamp_ms` is another.
fn names_timestamp(head: &[u8]) -> bool {
    let word = b"timestamp";
    head.windows(word.len() + 1)
        .any(|at| at.starts_with(word) && !at[word.len()].is_ascii_alphanumeric() && at[word.len()] != b'_')
}

/// The longest run of equal lines that begins in the first 200 bytes, after an end of line.
///
/// Four columns are `csv` when the time stands still from most lines to the next, as whole seconds do; else they are
/// `columns-4`. Of too few lines to tell, a header with a column `timestamp` makes `csv`.
fn text(window: &[u8]) -> Option<Detection> {
    let head = &window[..OFFSETS.min(window.len())];
    let mut best = Run::default();
    let mut start = head.iter().position(|&byte| byte == b'\n')? + 1;
    while start < head.len() {
        let mut run = Run::default();
        for line in window[start..].split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n")) {
            if !run.takes(line) {
                break;
            }
        }
        if run.len > best.len {
            best = run;
        }
        // A run that begins inside this one is shorter; the line that ended it may begin another.
        let refused_len = || window[start..].iter().position(|&byte| byte == b'\n').map(|at| at + 1);
        start += if run.len > 0 { run.len } else { refused_len().unwrap_or(window.len()) };
    }
    let coverage = believed(best.lines, best.len, window.len())?;
    let stands_still = best.repeats * 2 > best.lines;
    let is_csv = best.columns == 4 && (stands_still || (best.lines < FEW_LINES && names_timestamp(head)));
    let format = if is_csv { Format::Csv } else { Format::Columns(best.columns as u8) };
    Some(Detection { format, frames: best.lines, coverage })
}
