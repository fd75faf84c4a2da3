//! Heart-rate variability of the record: the tachogram, the spectrum with its bands, the Poincaré plot with its ellipse.

use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt::Write;

use ecg_signal::hrv::bands::BAND_EDGES_HZ;
use ecg_signal::hrv::frequency::{STEP_HZ, Welch};
use ecg_signal::hrv::{NnInterval, NnSeries};

use super::super::Analysis;
use super::{LEFT, RIGHT, note};
use ecg_plot::{Anchor, Axis, Frame, Glyph, Label, Legend, Svg, colours};

/// Height of the frames, widths of the first two (the last is a square), and what lies between, pixels.
const HEIGHT: f64 = 200.0;
const WIDTHS: (f64, f64) = (470.0, 270.0);
const BETWEEN: f64 = 75.0;
/// More dots than this say no more.
const MOST_DOTS: usize = 3000;
/// Highest frequency that is drawn, Hz.
const HIGHEST_HZ: f64 = 0.45;
const BANDS: [(&str, &str); 3] = [("VLF", colours::GREY), ("LF", colours::ORANGE), ("HF", colours::BLUE)];

/// Draws it; gives where the next panel may begin.
pub(super) fn draw(analysis: &Analysis, svg: &mut Svg, top: f64) -> f64 {
    let top = top + 22.0;
    let series = NnSeries::of_nn(&analysis.nn);
    let second = LEFT + WIDTHS.0 + BETWEEN;
    let third = second + WIDTHS.1 + BETWEEN;
    tachogram(&analysis.nn, svg, [LEFT, top, WIDTHS.0, HEIGHT]);
    spectrum(analysis, &series, svg, [second, top, WIDTHS.1, HEIGHT]);
    poincare(analysis, &series, svg, [third, top, HEIGHT, HEIGHT]);
    legend().draw(svg, (LEFT, RIGHT), top + HEIGHT + 52.0)
}

/// An axis that holds all values with some room; a steady heart must look steady.
fn interval_axis(label: &str, nn: &[f64], about: usize) -> Axis {
    let (low, high) = nn.iter().fold((f64::MAX, f64::MIN), |(low, high), nn| (low.min(*nn), high.max(*nn)));
    let (low, high) = if low <= high { (low, high) } else { (600.0, 1000.0) };
    let (middle, half) = ((low + high) / 2.0, ((high - low) / 2.0).max(60.0) * 1.08);
    Axis::linear(label, (middle - half, middle + half), about)
}

fn tachogram(nn: &[NnInterval], svg: &mut Svg, area: [f64; 4]) {
    let lengths: Vec<f64> = nn.iter().map(|nn| nn.nn_ms).collect();
    let end = nn.last().map_or(60.0, |nn| nn.end_s).max(1.0) / 60.0;
    let frame = Frame {
        area,
        x: Axis::linear("time from the start of the record, min", (0.0, end), 8),
        y: interval_axis("NN, ms", &lengths, 5),
    };
    frame.draw(svg, "Tachogram: intervals after correction");
    if nn.is_empty() {
        note(svg, area, "no interval between two accepted beats");
        return;
    }
    let mut points = Vec::with_capacity(nn.len());
    for nn in nn {
        if !nn.follows {
            points.push((nn.end_s / 60.0, f64::NAN));
        }
        points.push((nn.end_s / 60.0, nn.nn_ms));
    }
    svg.path(&frame.line(&points), &line(colours::BLUE, 1.0), "");
    let corrected = nn.iter().filter(|nn| nn.corrected.is_some());
    svg.path(
        &dots(corrected.map(|nn| (frame.at_x(nn.end_s / 60.0), frame.at_y(nn.nn_ms)))),
        &pen(colours::VERMILLION, 4.5),
        "",
    );
}

fn spectrum(analysis: &Analysis, series: &NnSeries, svg: &mut Svg, area: [f64; 4]) {
    let figures = &analysis.hrv;
    let found = figures.hf_ms2.and_then(|_| Welch::new().spectrum(series));
    let curve: Vec<(f64, f64)> = found
        .iter()
        .flat_map(|spectrum| spectrum.density.iter().enumerate())
        .map(|(k, density)| (k as f64 * STEP_HZ, *density))
        .take_while(|(f, _)| *f <= HIGHEST_HZ)
        .collect();
    let most = curve.iter().fold(1e-9, |most: f64, (_, density)| most.max(*density)) * 1.15;
    let frame = Frame {
        area,
        x: Axis::linear("frequency, Hz", (0.0, HIGHEST_HZ), 5),
        y: Axis::linear("power, ms\u{b2}/Hz", (0.0, if curve.is_empty() { 1.0 } else { most }), 4),
    };
    for (edges, (_, colour)) in BAND_EDGES_HZ.windows(2).zip(BANDS) {
        let inside = curve.iter().filter(|(f, _)| (edges[0]..edges[1]).contains(f));
        let at = |f: f64| {
            curve
                .windows(2)
                .find(|pair| f < pair[1].0)
                .map(|pair| pair[0].1 + (pair[1].1 - pair[0].1) * (f - pair[0].0) / (pair[1].0 - pair[0].0))
        };
        let (Some(first), Some(last)) = (at(edges[0]), at(edges[1])) else { continue };
        let mut shape = format!("M{:.1} {:.1}", frame.at_x(edges[0]), frame.bottom());
        for (f, density) in [(edges[0], first)].iter().chain(inside).chain(&[(edges[1], last)]) {
            let _ = write!(shape, "L{:.1} {:.1}", frame.at_x(*f), frame.at_y(*density));
        }
        let _ = write!(shape, "L{:.1} {:.1}Z", frame.at_x(edges[1]), frame.bottom());
        svg.path(&shape, &format!("fill=\"{colour}\" fill-opacity=\"0.35\""), "");
    }
    frame.draw(svg, "Spectrum by Welch's method");
    svg.path(&frame.line(&curve), &line(colours::BLACK, 1.2), "");
    if curve.is_empty() {
        let why = figures.missing.get("hf_ms2").map_or("no spectrum", String::as_str);
        // The sentence is longer than the frame is wide.
        let [left, top, width, height] = area;
        let lines = halves(why);
        let parts = (1..).zip(&lines).map(|(k, line)| (20.0 * f64::from(k), line));
        parts.for_each(|(down, line)| note(svg, [left, top + down, width, height - 60.0], line));
        return;
    }
    let power = |value: Option<f64>| value.map_or_else(|| "\u{2212}".to_owned(), |value| format!("{value:.0}"));
    let lines = [
        format!("VLF {} ms\u{b2}", power(figures.vlf_ms2)),
        format!("LF {} ms\u{b2}", power(figures.lf_ms2)),
        format!("HF {} ms\u{b2}", power(figures.hf_ms2)),
        format!("LF/HF {}", figures.lf_hf.map_or_else(|| "\u{2212}".to_owned(), |value| format!("{value:.2}"))),
    ];
    corner(svg, area, &lines);
}

fn poincare(analysis: &Analysis, series: &NnSeries, svg: &mut Svg, area: [f64; 4]) {
    let nn = series.nn_ms();
    let frame = Frame { area, x: interval_axis("NN, ms", nn, 3), y: interval_axis("next NN, ms", nn, 4) };
    frame.draw(svg, "Poincar\u{e9} plot");
    let count = series.pairs().count();
    let step = count.div_ceil(MOST_DOTS).max(1);
    let pairs = series.pairs().step_by(step).map(|(x, y)| (frame.at_x(x), frame.at_y(y)));
    let look = format!("{} stroke-opacity=\"0.45\"", pen(colours::BLUE, 2.6));
    svg.path(&dots(pairs), &look, "");
    if count == 0 {
        note(svg, area, "no pair");
        return;
    }
    let figures = &analysis.hrv;
    let (Some(sd1), Some(sd2), Some(mean)) = (figures.sd1_ms, figures.sd2_ms, figures.mean_nn_ms) else {
        return;
    };
    // The ellipse lies along the line of identity, which is a diagonal of the square.
    let at = |along: f64, across: f64| {
        let (x, y) = (mean + (along - across) * FRAC_1_SQRT_2, mean + (along + across) * FRAC_1_SQRT_2);
        (frame.at_x(x), frame.at_y(y))
    };
    let round = (0..=72).map(|k| {
        let (sin, cos) = (f64::from(k) * std::f64::consts::TAU / 72.0).sin_cos();
        at(sd2 * cos, sd1 * sin)
    });
    let mut shape = String::new();
    for (k, (x, y)) in round.enumerate() {
        let _ = write!(shape, "{}{x:.1} {y:.1}", if k == 0 { 'M' } else { 'L' });
    }
    for (from, to) in [(at(-sd2, 0.0), at(sd2, 0.0)), (at(0.0, -sd1), at(0.0, sd1))] {
        let _ = write!(shape, "M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1);
    }
    svg.path(&shape, &line(colours::VERMILLION, 1.6), "");
    corner(
        svg,
        [area[0], area[1] + area[3] - 38.0, area[2], 38.0],
        &[format!("SD1 {sd1:.1} ms"), format!("SD2 {sd2:.1} ms")],
    );
}

/// A sentence in two lines, broken at the space nearest to its middle.
fn halves(words: &str) -> Vec<&str> {
    let middle = words.len() / 2;
    let at = words.match_indices(' ').map(|(at, _)| at).min_by_key(|at| at.abs_diff(middle));
    match at.filter(|_| words.len() > 30) {
        Some(at) => vec![&words[..at], &words[at + 1..]],
        None => vec![words],
    }
}

/// Lines of small print in the upper right corner of an area.
fn corner(svg: &mut Svg, [left, top, width, _]: [f64; 4], lines: &[String]) {
    for (k, line) in (1..).zip(lines) {
        let at = (left + width - 8.0, top + 4.0 + 14.0 * f64::from(k));
        svg.text(&Label { size: 11.0, anchor: Anchor::End, room: width - 16.0, ..Label::new(line, at) });
    }
}

fn dots(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut data = String::new();
    points.for_each(|(x, y)| {
        let _ = write!(data, "M{x:.1} {y:.1}H{x:.1}");
    });
    data
}

fn pen(colour: &str, width: f64) -> String {
    format!("stroke=\"{colour}\" stroke-width=\"{width}\" stroke-linecap=\"round\" fill=\"none\"")
}

fn line(colour: &str, width: f64) -> String {
    format!("stroke=\"{colour}\" stroke-width=\"{width}\" fill=\"none\"")
}

fn legend() -> Legend {
    let mut legend = Legend::default();
    legend.add(
        Glyph::Mark(|x, y| format!("M{x:.1} {:.1}H{x:.1}", y - 4.0), pen(colours::VERMILLION, 4.5)),
        "corrected beat",
    );
    for ((name, colour), edges) in BANDS.iter().zip(BAND_EDGES_HZ.windows(2)) {
        let words = format!("{name} {} to {} Hz", edges[0], edges[1]);
        legend.add(Glyph::Fill(format!("fill=\"{colour}\" fill-opacity=\"0.35\"")), words);
    }
    legend.add(Glyph::Line(line(colours::VERMILLION, 1.6)), "SD1 across, SD2 along the line of identity");
    legend
}
