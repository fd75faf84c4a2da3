//! The stretch, raw and conditioned, on ECG paper, with R marks and what could not be used.

use ecg_data::record::millivolts_per_unit;
use ecg_signal::{Beat, FS, Polarity, SEGMENT_R_INDEX, SEGMENT_SAMPLES};

use super::reasons::{self, OFF_SHADE, RAIL_SHADE, mark, refusal};
use super::stretch::{runs, within};
use super::{LEFT, RIGHT, Sheet, note};
use ecg_plot::{Anchor, Axis, Frame, Glyph, Label, Legend, Svg, colours};

/// Heights of the two frames, and room above and below the signal for marks and letters, pixels.
const RAW: f64 = 150.0;
const CONDITIONED: f64 = 210.0;
const ABOVE: f64 = 44.0;
const BELOW: f64 = 18.0;
/// A conditioned axis shows so many times the height of a usual beat; an artefact beyond is cut off, and that is said.
const BEATS_HIGH: f64 = 5.0;
/// Rows of letters and how far two of a row must be apart, pixels.
const LETTER_ROWS: usize = 2;
const LETTER: f64 = 10.0;

/// Draws both; gives where the next panel may begin.
pub(super) fn draw(sheet: &Sheet, trace: &[(f64, f64)], svg: &mut Svg, top: f64) -> f64 {
    let top = raw(sheet, svg, top + 26.0);
    conditioned(sheet, trace, svg, top + 26.0)
}

fn raw(sheet: &Sheet, svg: &mut Svg, top: f64) -> f64 {
    let (samples, fs) = (&sheet.recording.stream.samples, sheet.fs);
    let part = sheet.stretch.part.clone();
    let points: Vec<(f64, f64)> = part.map(|i| (i as f64 / fs, samples[i].millivolts)).collect();
    let ends = padded(extremes(points.iter().map(|(_, mv)| *mv)), RAW, (10.0, 10.0));
    let frame = frame(sheet, top, RAW, ends, &unit(sheet));
    let paper = paper(&frame, svg);
    let (start, end) = sheet.stretch.ends_s(fs);
    let chosen = sheet.stretch.words;
    let title = format!("Raw signal, {start:.1} to {end:.1} s ({chosen}); grid {paper}");
    shade_samples(sheet, &frame, svg);
    frame.draw(svg, &title);
    svg.path(
        &frame.line(&points),
        "stroke=\"#222222\" stroke-width=\"1.1\" stroke-linejoin=\"round\" fill=\"none\"",
        "",
    );
    if !points.iter().any(|(_, mv)| mv.is_finite()) {
        note(svg, frame.area, "no sample of this stretch is a number");
    }
    frame.bottom() + 34.0
}

fn conditioned(sheet: &Sheet, trace: &[(f64, f64)], svg: &mut Svg, top: f64) -> f64 {
    let fs = sheet.fs;
    let points: Vec<(f64, f64)> = trace.iter().map(|(at, mv)| (at / fs, *mv)).collect();
    let beats = within(&sheet.beats, &sheet.stretch.part);
    let (ends, cut_off) = height(&points, beats);
    let frame = frame(sheet, top, CONDITIONED, padded(ends, CONDITIONED, (ABOVE, BELOW)), "mV");
    let paper = paper(&frame, svg);
    shade_beats(&frame, beats, fs, svg);
    shade_samples(sheet, &frame, svg);
    let accepted = beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
    let cut_off = if cut_off { "; what is beyond the axis is cut off" } else { "" };
    let count = beats.len();
    let count = if count == 1 { "1 beat".into() } else { format!("{count} beats") };
    let title = format!("Conditioned signal with its R peaks: {count}, {accepted} accepted; grid {paper}{cut_off}");
    frame.draw(svg, &title);
    let look = format!("stroke=\"{}\" stroke-width=\"1.3\" stroke-linejoin=\"round\" fill=\"none\"", colours::BLUE);
    svg.path(&frame.line(&points), &look, "");
    let mut rows = [f64::NEG_INFINITY; LETTER_ROWS];
    for beat in beats {
        let at_s = beat.r_peak / fs;
        let y = frame.at_y(value_at(&points, at_s)).clamp(top + ABOVE - 6.0, frame.bottom() - BELOW + 6.0);
        let x = frame.at_x(at_s);
        let score = beat.quality.score;
        let Some(why) = refusal(beat) else {
            let look = format!("class=\"r accepted\" {}", reasons::accepted_look());
            svg.path(&mark(beat.polarity, x, y), &look, &format!("R at {at_s:.3} s, accepted, quality {score:.2}"));
            continue;
        };
        let look = format!("class=\"r refused\" {}", reasons::refused_look());
        let words = format!("R at {at_s:.3} s, refused: {}, quality {score:.2}", reasons::words(why));
        svg.path(&mark(beat.polarity, x, y), &look, &words);
        // Where no row has room the hollow mark speaks alone.
        let inside = x > frame.area[0] + LETTER && x < frame.right() - LETTER;
        if let Some(row) = rows.iter().position(|last| inside && x - last >= LETTER) {
            rows[row] = x;
            let letter = sheet.reasons.letter(why).to_string();
            let at = (x, top + 13.0 + 13.0 * row as f64);
            let (anchor, colour) = (Anchor::Middle, colours::VERMILLION);
            svg.rect([at.0 - 4.5, at.1 - 9.5, 9.0, 11.0], "fill=\"white\" fill-opacity=\"0.75\"");
            svg.text(&Label { size: 12.0, bold: true, mono: true, anchor, colour, ..Label::new(&letter, at) });
        }
    }
    if beats.is_empty() {
        let at = [frame.area[0], top, frame.area[2], 30.0];
        note(svg, at, "no beat was found in this stretch");
    }
    legend(sheet, beats).draw(svg, (LEFT, RIGHT), frame.bottom() + 52.0)
}

fn legend(sheet: &Sheet, beats: &[&Beat]) -> Legend {
    let mut legend = Legend::default();
    let upright = |x, y| mark(Polarity::Upright, x, y + 2.0);
    let inverted = |x, y| mark(Polarity::Inverted, x, y - 11.0);
    legend.add(Glyph::Mark(upright, reasons::accepted_look()), "R of an accepted beat");
    let here = |why: &str| beats.iter().any(|beat| refusal(beat) == Some(why));
    let letters = sheet
        .reasons
        .found
        .iter()
        .filter(|(name, ..)| here(name))
        .map(|(name, letter, _)| format!("{letter} {}", reasons::words(name)));
    let letters = letters.collect::<Vec<_>>().join(", ");
    if !letters.is_empty() {
        legend.add(Glyph::Mark(upright, reasons::refused_look()), format!("refused: {letters}"));
        legend.add(Glyph::Fill(reasons::refused_shade()), "segment of a refused beat");
    }
    if beats.iter().any(|beat| beat.polarity == Polarity::Inverted) {
        legend.add(Glyph::Mark(inverted, reasons::accepted_look()), "from below: R points down");
    }
    let samples = &sheet.recording.stream.samples[sheet.stretch.part.clone()];
    if samples.iter().any(off) {
        legend.add(Glyph::Fill(OFF_SHADE.into()), "no sample, or electrode off");
    }
    if samples.iter().any(|s| s.clipped) {
        legend.add(Glyph::Fill(RAIL_SHADE.into()), "converter at its limit");
    }
    legend
}

fn frame(sheet: &Sheet, top: f64, height: f64, ends: (f64, f64), unit: &str) -> Frame {
    let x = Axis::linear("time from the start of the record, s", sheet.stretch.ends_s(sheet.fs), 10);
    let y = Axis::linear(unit, ends, (height / 22.0) as usize);
    Frame { area: [LEFT, top, RIGHT - LEFT, height], x, y }
}

/// ECG paper as fine as pixels allow; gives its divisions in words.
fn paper(frame: &Frame, svg: &mut Svg) -> String {
    let second = frame.area[2] / (frame.x.ends.1 - frame.x.ends.0);
    let y = frame.y.step;
    let (x, fine) = if second * 0.2 >= 6.0 { (0.2, 0.04) } else { (1.0, 0.2) };
    if second * fine >= 3.5 {
        frame.grid(svg, (fine, y / 5.0), colours::PAPER.0);
    }
    frame.grid(svg, (x, y), colours::PAPER.1);
    let decimals = usize::from(y < 1.0) + usize::from(y < 0.095) + usize::from(y < 0.0095);
    format!("{x} s \u{d7} {y:.decimals$} mV")
}

/// Whether nothing is known of the heart at this sample.
pub(super) fn off(sample: &ecg_signal::PathInput) -> bool {
    !sample.millivolts.is_finite() || sample.lead_off == Some(true)
}

fn shade_samples(sheet: &Sheet, frame: &Frame, svg: &mut Svg) {
    let samples = &sheet.recording.stream.samples;
    let part = &sheet.stretch.part;
    let shades = [
        (runs(part.clone(), |i| off(&samples[i])), OFF_SHADE),
        (runs(part.clone(), |i| samples[i].clipped), RAIL_SHADE),
    ];
    for (runs, look) in shades {
        let spans = runs.into_iter().map(|run| (run.start as f64 / sheet.fs, run.end as f64 / sheet.fs));
        shade(frame, spans, look, svg);
    }
}

fn shade_beats(frame: &Frame, beats: &[&Beat], fs: f64, svg: &mut Svg) {
    let before = SEGMENT_R_INDEX as f64 / FS.0;
    let after = (SEGMENT_SAMPLES - SEGMENT_R_INDEX) as f64 / FS.0;
    let refused = beats.iter().filter(|beat| refusal(beat).is_some());
    let spans = refused.map(|beat| (beat.r_peak / fs - before, beat.r_peak / fs + after));
    shade(frame, spans, &reasons::refused_shade(), svg);
}

/// Shades spans in ascending order from top to bottom; those that touch, to the pixel, become one.
fn shade(frame: &Frame, spans: impl Iterator<Item = (f64, f64)>, look: &str, svg: &mut Svg) {
    let mut open: Option<(f64, f64)> = None;
    let rect = |svg: &mut Svg, (from, to): (f64, f64)| {
        svg.rect([from, frame.area[1], (to - from).max(1.0).min(frame.right() - from), frame.area[3]], look);
    };
    for (from, to) in spans {
        let (from, to) = (frame.at_x(from), frame.at_x(to));
        open = match open {
            Some((first, last)) if from <= last + 1.0 => Some((first, last.max(to))),
            Some(done) => {
                rect(svg, done);
                Some((from, to))
            }
            None => Some((from, to)),
        };
    }
    if let Some(done) = open {
        rect(svg, done);
    }
}

/// The unit of the raw axis. Everything is millivolts in here, by the file's word or by assumption.
fn unit(sheet: &Sheet) -> String {
    let units = sheet.recording.units.as_str();
    match millivolts_per_unit(units) {
        Some(_) if units.eq_ignore_ascii_case("au") => "mV (1 au as 0.1 mV)".into(),
        Some(_) => "mV".into(),
        None if units.is_empty() => "no unit, as mV".into(),
        None => format!("{units}, as mV"),
    }
}

/// Lowest and highest number.
fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
}

/// Ends of an axis `height` pixels long that leaves room above and below the signal; a flat signal gets half a
/// millivolt.
fn padded((low, high): (f64, f64), height: f64, (above, below): (f64, f64)) -> (f64, f64) {
    let (low, high) = if low <= high { (low, high) } else { (-0.5, 0.5) };
    let span = (high - low).max(0.1);
    let (low, high) = ((low + high - span) / 2.0, (low + high + span) / 2.0);
    let pixel = span / (height - above - below);
    (low - below * pixel, high + above * pixel)
}

/// What the conditioned axis must show, and whether something does not fit.
fn height(points: &[(f64, f64)], beats: &[&Beat]) -> ((f64, f64), bool) {
    let (low, high) = extremes(points.iter().map(|(_, mv)| *mv));
    let mut heights: Vec<f64> = beats
        .iter()
        .filter(|beat| beat.quality.verdict.is_accepted())
        .map(|beat| beat.quality.peak_to_peak_mv)
        .collect();
    heights.sort_by(f64::total_cmp);
    let Some(usual) = heights.get(heights.len() / 2).copied() else { return ((low, high), false) };
    let limit = BEATS_HIGH / 2.0 * usual;
    let shown = (low.max(-limit), high.min(limit));
    (shown, shown != (low, high))
}

/// The trace at a moment, between its samples.
fn value_at(points: &[(f64, f64)], at: f64) -> f64 {
    let after = points.partition_point(|(x, _)| *x < at);
    match (points.get(after.wrapping_sub(1)), points.get(after)) {
        (Some((x0, y0)), Some((x1, y1))) => y0 + (y1 - y0) * (at - x0) / (x1 - x0),
        (Some((_, y)), None) | (None, Some((_, y))) => *y,
        (None, None) => 0.0,
    }
}
