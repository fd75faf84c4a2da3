//! The whole record: heart rate of each interval, quality of each beat, and a lane for each reason of refusal.

use std::fmt::Write;

use super::reasons::{self, refusal};
use super::{LEFT, RIGHT, Sheet, note};
use ecg_plot::{Anchor, Axis, Frame, Glyph, Label, Legend, Svg, colours};

/// Heights and distances, pixels.
const RATE: f64 = 110.0;
const SCORE: f64 = 70.0;
const LANE: f64 = 13.0;
const BETWEEN: f64 = 12.0;
/// Heart rates that are drawn, a minute; what lies beyond is no interval of a heart.
const RATES: (f64, f64) = (15.0, 350.0);
/// More points than this in a pixel column become a bar from the lowest to the highest, and a point at their median.
const SINGLE: usize = 6;
/// So many points have room for a thick pen.
const FEW: usize = 200;
/// For what a refused beat makes doubtful: told from the rest by its lightness.
const PALE: &str = "#a6a6a6";

/// Draws it; gives where the next panel may begin.
pub(super) fn draw(sheet: &Sheet, svg: &mut Svg, top: f64) -> f64 {
    let top = top + 14.0;
    let time = time_axis(sheet.recording.stream.duration_s());
    let lanes = lanes(sheet);
    let score_top = top + RATE + BETWEEN;
    let lanes_top = score_top + SCORE + BETWEEN / 2.0;
    let bottom = lanes_top + LANE * lanes.len() as f64;
    let mut rate = rate_frame(sheet, &time, top);
    let mut score = Frame {
        area: [LEFT, score_top, RIGHT - LEFT, SCORE],
        x: time.axis.clone(),
        y: Axis {
            ticks: [0.0, 0.5, 1.0].map(|v| (v, v.to_string())).into(),
            ..Axis::linear("quality", (-0.05, 1.05), 2)
        },
    };
    mark_stretch(sheet, &time, &rate, bottom, svg);
    for frame in [&mut rate, &mut score] {
        (frame.x.ticks, frame.x.label) = (Vec::new(), String::new());
    }
    if lanes.is_empty() {
        score.x = time.axis.clone();
    }
    rate.draw(svg, "Whole record: heart rate from each interval, quality of each beat, refused beats by reason");
    score.draw(svg, "");
    draw_rates(sheet, &time, &rate, svg);
    draw_scores(sheet, &time, &score, svg);
    draw_lanes(&lanes, &time, [LEFT, lanes_top, RIGHT - LEFT, bottom - lanes_top], svg);
    let below = if lanes.is_empty() { score.bottom() } else { bottom };
    legend(sheet).draw(svg, (LEFT, RIGHT), below + 52.0)
}

/// Seconds, minutes or hours along the record.
struct Time {
    axis: Axis,
    /// Seconds of one unit.
    unit_s: f64,
}

fn time_axis(length_s: f64) -> Time {
    let (unit_s, name) = match length_s {
        s if s <= 180.0 => (1.0, "s"),
        s if s <= 3.0 * 3600.0 => (60.0, "min"),
        _ => (3600.0, "h"),
    };
    let label = format!("time from the start of the record, {name}");
    Time { axis: Axis::linear(&label, (0.0, (length_s / unit_s).max(1e-3)), 12), unit_s }
}

fn mark_stretch(sheet: &Sheet, time: &Time, frame: &Frame, bottom: f64, svg: &mut Svg) {
    let (start, end) = sheet.stretch.ends_s(sheet.fs);
    let (from, to) = (frame.at_x(start / time.unit_s), frame.at_x(end / time.unit_s));
    let (from, to) = if to - from < 3.0 { ((from - 1.5).max(LEFT), (from + 1.5).min(RIGHT)) } else { (from, to) };
    svg.rect([from, frame.area[1], to - from, bottom - frame.area[1]], &band());
    let middle = (from + to) / 2.0;
    let tip = frame.area[1] + 8.0;
    let (left, right, end) = (middle - 4.5, middle + 4.5, tip - 7.0);
    let pointer = format!("M{middle:.1} {tip:.1}L{left:.1} {end:.1}L{right:.1} {end:.1}Z");
    svg.path(&pointer, &format!("fill=\"{}\"", colours::GREEN), "");
}

fn band() -> String {
    format!("fill=\"{0}\" fill-opacity=\"0.1\" stroke=\"{0}\" stroke-opacity=\"0.8\"", colours::GREEN)
}

/// Rates of the intervals: moment (unit of the axis), beats a minute, whether the beats at both ends are accepted.
fn rates(sheet: &Sheet, time: &Time) -> Vec<(f64, f64, bool)> {
    let mut previous = false;
    let mut rates = Vec::new();
    for beat in &sheet.beats {
        let accepted = beat.quality.verdict.is_accepted();
        let both = std::mem::replace(&mut previous, accepted) && accepted;
        if let Some(rate) = beat.rr_ms.map(|rr| 60_000.0 / rr).filter(|rate| (RATES.0..=RATES.1).contains(rate)) {
            rates.push((beat.r_peak / sheet.fs / time.unit_s, rate, both));
        }
    }
    rates
}

fn rate_frame(sheet: &Sheet, time: &Time, top: f64) -> Frame {
    let rates = rates(sheet, time);
    let (low, high) = rates.iter().fold((f64::MAX, f64::MIN), |(l, h), (_, rate, _)| (l.min(*rate), h.max(*rate)));
    let (low, high) = if low <= high { (low, high) } else { (40.0, 120.0) };
    // A steady heart must look steady.
    let around = (high - low).max(20.0);
    let (low, high) = ((low + high - around) / 2.0 - 0.08 * around, (low + high + around) / 2.0 + 0.08 * around);
    let y = Axis::linear("heart rate, /min", (low.max(0.0), high), 5);
    Frame { area: [LEFT, top, RIGHT - LEFT, RATE], x: time.axis.clone(), y }
}

fn draw_rates(sheet: &Sheet, time: &Time, frame: &Frame, svg: &mut Svg) {
    let rates = rates(sheet, time);
    let size = point_size(rates.len());
    for (kind, colour) in [(false, PALE), (true, colours::BLUE)] {
        let chosen = rates.iter().filter(|(.., both)| *both == kind);
        let columns = Columns::of(chosen.map(|(x, rate, _)| (frame.at_x(*x), frame.at_y(*rate))), 0.0);
        columns.draw(svg, colour, &dots(colour, size));
    }
    if rates.is_empty() {
        note(svg, frame.area, "no interval between two beats");
    }
}

fn draw_scores(sheet: &Sheet, time: &Time, frame: &Frame, svg: &mut Svg) {
    let looks = [
        (true, 0.0, colours::BLUE, dots(colours::BLUE, point_size(sheet.beats.len()))),
        (false, 2.5, colours::VERMILLION, strokes()),
    ];
    for (kind, half, colour, look) in looks {
        let chosen = sheet.beats.iter().filter(|beat| beat.quality.verdict.is_accepted() == kind);
        let at = |beat: &&ecg_signal::Beat| {
            (frame.at_x(beat.r_peak / sheet.fs / time.unit_s), frame.at_y(beat.quality.score))
        };
        Columns::of(chosen.map(at), half).draw(svg, colour, &look);
    }
}

/// Many points must not hide each other, few must be seen.
fn point_size(points: usize) -> f64 {
    if points > FEW { 2.2 } else { 4.5 }
}

fn dots(colour: &str, size: f64) -> String {
    format!("stroke=\"{colour}\" stroke-width=\"{size}\" stroke-linecap=\"round\" fill=\"none\"")
}

fn strokes() -> String {
    format!("stroke=\"{}\" stroke-width=\"1.2\" fill=\"none\"", colours::VERMILLION)
}

/// Path data of points along the record.
#[derive(Default)]
struct Columns {
    /// The points themselves, or the median of a pixel column that holds many.
    points: String,
    /// From the lowest to the highest of such a column.
    bars: String,
}

impl Columns {
    /// Of points in ascending order of x, each drawn `half` up and down.
    fn of(points: impl Iterator<Item = (f64, f64)>, half: f64) -> Self {
        let mut data = Self::default();
        let mut point = |x: f64, y: f64| {
            let _ = match half > 0.0 {
                true => write!(data.points, "M{x:.1} {:.1}V{:.1}", y - half, y + half),
                false => write!(data.points, "M{x:.1} {y:.1}H{x:.1}"),
            };
        };
        let points: Vec<(f64, f64)> = points.collect();
        for column in points.chunk_by(|a, b| a.0.floor() == b.0.floor()) {
            if column.len() <= SINGLE {
                column.iter().for_each(|(x, y)| point(*x, *y));
                continue;
            }
            let mut values: Vec<f64> = column.iter().map(|(_, y)| *y).collect();
            values.sort_by(f64::total_cmp);
            let middle = column[0].0.floor() + 0.5;
            point(middle, values[values.len() / 2]);
            let _ = write!(data.bars, "M{middle:.1} {:.1}V{:.1}", values[0], values[values.len() - 1]);
        }
        data
    }

    fn draw(&self, svg: &mut Svg, colour: &str, look: &str) {
        svg.path(&self.bars, &format!("stroke=\"{colour}\" stroke-opacity=\"0.35\" fill=\"none\""), "");
        svg.path(&self.points, look, "");
    }
}

/// A lane: its name, its colour, and when something of it holds, seconds.
struct Lane {
    name: String,
    colour: &'static str,
    spans: Vec<(f64, f64)>,
}

fn lanes(sheet: &Sheet) -> Vec<Lane> {
    let fs = sheet.fs;
    let mut lanes: Vec<Lane> = Vec::new();
    for (why, letter, _) in &sheet.reasons.found {
        let beats = sheet.beats.iter().filter(|beat| refusal(beat) == Some(why));
        let spans = beats.map(|beat| (beat.r_peak / fs, beat.r_peak / fs)).collect();
        lanes.push(Lane { name: format!("{} {letter}", reasons::words(why)), colour: colours::VERMILLION, spans });
    }
    let samples = &sheet.recording.stream.samples;
    let all = 0..samples.len();
    let off = super::stretch::runs(all.clone(), |i| super::traces::off(&samples[i]));
    let clipped = super::stretch::runs(all, |i| samples[i].clipped);
    for (name, colour, runs) in [("no sample", colours::GREY, off), ("at its limit", colours::PURPLE, clipped)] {
        if !runs.is_empty() {
            let spans = runs.into_iter().map(|run| (run.start as f64 / fs, run.end as f64 / fs)).collect();
            lanes.push(Lane { name: name.to_owned(), colour, spans });
        }
    }
    lanes
}

fn draw_lanes(lanes: &[Lane], time: &Time, area: [f64; 4], svg: &mut Svg) {
    if lanes.is_empty() {
        return;
    }
    let y = Axis { ticks: Vec::new(), ..Axis::linear("", (0.0, 1.0), 1) };
    let frame = Frame { area, x: time.axis.clone(), y };
    frame.draw(svg, "");
    for (number, lane) in lanes.iter().enumerate() {
        let top = area[1] + LANE * number as f64;
        let middle = top + LANE / 2.0;
        let mut data = String::new();
        let mut drawn = f64::NEG_INFINITY;
        for (from, to) in &lane.spans {
            let (from, to) = (frame.at_x(from / time.unit_s), frame.at_x(to / time.unit_s));
            // One mark a pixel column says as much as a thousand.
            let from = from.max(drawn);
            let to = to.max(from + 1.0).min(RIGHT);
            if to > drawn + 0.5 {
                let _ = write!(data, "M{from:.1} {middle:.1}H{to:.1}");
                drawn = to;
            }
        }
        svg.path(&data, &format!("stroke=\"{}\" stroke-width=\"9\" fill=\"none\"", lane.colour), "");
        let at = (LEFT - 6.0, middle + 3.5);
        svg.text(&Label { size: 10.0, anchor: Anchor::End, room: LEFT - 8.0, ..Label::new(&lane.name, at) });
    }
}

fn legend(sheet: &Sheet) -> Legend {
    let mut legend = Legend::default();
    let point = |x: f64, y: f64| format!("M{x:.1} {:.1}H{x:.1}", y - 4.0);
    let stroke = |x: f64, y: f64| format!("M{x:.1} {:.1}V{:.1}", y - 7.0, y - 1.0);
    legend.add(Glyph::Fill(band()), "the stretch above");
    legend.add(Glyph::Mark(point, dots(colours::BLUE, 4.0)), "accepted beat; interval between two of them");
    if !sheet.reasons.found.is_empty() {
        legend.add(Glyph::Mark(point, dots(PALE, 4.0)), "interval beside a refused beat");
        legend.add(Glyph::Mark(stroke, strokes()), "refused beat");
    }
    legend
}
