//! Beats over one another, R on R: the accepted ones, and beside them the refused ones.

use ecg_signal::{Beat, FS, Refusal, SEGMENT_R_INDEX, SEGMENT_SAMPLES, Verdict};

use super::reasons;
use super::{LEFT, RIGHT, Sheet, note};
use ecg_plot::{Axis, Frame, Glyph, Legend, Svg, colours};

const HEIGHT: f64 = 250.0;
/// Between the two frames: the right one's axis stands there.
const BETWEEN: f64 = 80.0;
/// Lines drawn in one frame: more only make it darker and the file larger.
const MOST: usize = 120;
/// The refused beats may make the axis so many times as high as the accepted ones need; what is beyond is cut off.
const STRETCHED: f64 = 2.0;

/// Draws both; gives where the next panel may begin.
pub(super) fn draw(sheet: &Sheet, svg: &mut Svg, top: f64) -> f64 {
    let top = top + 24.0;
    let accepted: Vec<&Beat> = sheet.beats.iter().copied().filter(|b| b.quality.verdict.is_accepted()).collect();
    // Where samples of a segment are missing they are zero, and a line through zeros would be none of the signal.
    let incomplete = |beat: &&&Beat| beat.quality.verdict == Verdict::Refused(Refusal::Incomplete);
    let all_refused = sheet.beats.len() - accepted.len();
    let refused: Vec<&Beat> =
        sheet.beats.iter().filter(|b| !b.quality.verdict.is_accepted() && !incomplete(b)).copied().collect();
    let median = median(&accepted);
    let ends = ends(&chosen(&accepted), &chosen(&refused));
    let width = (RIGHT - LEFT - BETWEEN) / 2.0;
    let frame = |left: f64| Frame {
        area: [left, top, width, HEIGHT],
        x: Axis::linear("time from R, ms", (-250.0, 450.0), 7),
        y: Axis::linear("mV", ends, 6),
    };
    let left = frame(LEFT);
    left.draw(svg, &format!("Accepted: {}", share(accepted.len())));
    lines(&left, &accepted, colours::BLUE, svg);
    let right = frame(LEFT + width + BETWEEN);
    let missing = all_refused - refused.len();
    let missing = if missing > 0 { format!("; {missing} incomplete left out") } else { String::new() };
    right.draw(svg, &format!("Refused: {}{missing}", share(refused.len())));
    lines(&right, &refused, colours::VERMILLION, svg);
    match &median {
        Some(median) => svg.path(&left.line(&curve(median)), &heavy(false), ""),
        None => note(svg, left.area, "no beat was accepted"),
    }
    match &median {
        _ if refused.is_empty() && all_refused == 0 => note(svg, right.area, "no beat was refused"),
        _ if refused.is_empty() => note(svg, right.area, "no refused beat has its whole segment"),
        Some(median) => svg.path(&right.line(&curve(median)), &heavy(true), ""),
        None => {}
    }
    let legend = legend(sheet, median.is_some(), !refused.is_empty());
    legend.draw(svg, (LEFT, RIGHT), left.bottom() + 52.0)
}

fn share(beats: usize) -> String {
    match beats {
        0 => "no beat".into(),
        n if n > MOST => format!("{MOST} of {n}, evenly chosen"),
        n => format!("all {n}"),
    }
}

/// All of them or, where they are too many, [`MOST`] evenly chosen ones.
fn chosen<'a>(beats: &[&'a Beat]) -> Vec<&'a Beat> {
    let shown = beats.len().min(MOST);
    (0..shown).map(|k| beats[k * beats.len() / shown]).collect()
}

fn lines(frame: &Frame, beats: &[&Beat], colour: &str, svg: &mut Svg) {
    let shown = chosen(beats);
    // Few lines may be strong, many must shine through.
    let opacity = (6.0 / shown.len().max(1) as f64).clamp(0.16, 0.7);
    let look = format!(
        "stroke=\"{colour}\" stroke-width=\"0.8\" stroke-opacity=\"{opacity:.2}\" stroke-linejoin=\"round\" fill=\"none\""
    );
    for beat in shown {
        svg.path(&frame.line(&curve(&beat.segment)), &look, "");
    }
}

fn heavy(dashed: bool) -> String {
    let dash = if dashed { " stroke-dasharray=\"6 4\"" } else { "" };
    format!("stroke=\"{}\" stroke-width=\"2.2\" stroke-linejoin=\"round\" fill=\"none\"{dash}", colours::BLACK)
}

/// Milliseconds from R, and millivolts.
fn curve(segment: &[f64; SEGMENT_SAMPLES]) -> Vec<(f64, f64)> {
    let at = |i: usize| FS.milliseconds(i as f64 - SEGMENT_R_INDEX as f64);
    segment.iter().enumerate().map(|(i, mv)| (at(i), *mv)).collect()
}

/// The median of the beats at each moment; `None` without beats.
fn median(beats: &[&Beat]) -> Option<[f64; SEGMENT_SAMPLES]> {
    let mut median = [0.0; SEGMENT_SAMPLES];
    let mut column: Vec<f64> = Vec::with_capacity(beats.len());
    for (i, value) in median.iter_mut().enumerate() {
        column.clear();
        column.extend(beats.iter().map(|beat| beat.segment[i]));
        let middle = column.len() / 2;
        let (below, upper, _) = (!column.is_empty()).then(|| column.select_nth_unstable_by(middle, f64::total_cmp))?;
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        *value = if beats.len().is_multiple_of(2) { (lower + *upper) / 2.0 } else { *upper };
    }
    Some(median)
}

/// Ends of both axes.
fn ends(accepted: &[&Beat], refused: &[&Beat]) -> (f64, f64) {
    let of = |beats: &[&Beat]| {
        let values = beats.iter().flat_map(|beat| beat.segment.iter()).filter(|mv| mv.is_finite());
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)))
    };
    let (inner, outer) = (of(accepted), of(refused));
    let (low, high) = match (inner.0 <= inner.1, outer.0 <= outer.1) {
        (true, _) => {
            let more = (inner.1 - inner.0) * (STRETCHED - 1.0) / 2.0;
            (inner.0.min(outer.0.max(inner.0 - more)), inner.1.max(outer.1.min(inner.1 + more)))
        }
        (false, true) => outer,
        (false, false) => (-0.5, 1.0),
    };
    let margin = 0.05 * (high - low).max(0.1);
    (low - margin, high + margin)
}

fn legend(sheet: &Sheet, median: bool, refused: bool) -> Legend {
    let mut legend = Legend::default();
    if median {
        legend.add(Glyph::Line(heavy(false)), "median of all accepted beats");
    }
    if median && refused {
        legend.add(Glyph::Line(heavy(true)), "the same, beside the refused ones");
    }
    let reasons = sheet.reasons.found.iter().map(|(name, _, beats)| format!("{beats} {}", reasons::words(name)));
    let reasons = reasons.collect::<Vec<_>>().join(", ");
    if !reasons.is_empty() {
        let look = format!("stroke=\"{}\" stroke-width=\"1.2\" fill=\"none\"", colours::VERMILLION);
        legend.add(Glyph::Line(look), format!("refused beats of the whole record: {reasons}"));
    }
    legend
}
