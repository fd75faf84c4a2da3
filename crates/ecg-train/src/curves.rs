//! Training curves as one SVG file: loss on the left, equal error rate on the right, by epoch.

use std::fmt::Write;

use crate::training::Epoch;

/// Size of one panel's plotting area and the space round it, pixels.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 56.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 44.0;
const GAP: f64 = 30.0;

/// A drawing of the history. `watched` says whose error rate it is; `epoch` is the one that was kept, from 1.
pub fn svg(title: &str, history: &[Epoch], watched: &str, epoch: usize) -> String {
    let panel_width = LEFT + WIDTH + GAP;
    let (width, height) = (2.0 * panel_width, TOP + HEIGHT + BOTTOM);
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">
<title>{title}</title>
<rect width="100%" height="100%" fill="white"/>
"#,
        title = escaped(title)
    );
    let losses: Vec<Option<f64>> = history.iter().map(|epoch| Some(epoch.loss)).collect();
    let rates: Vec<Option<f64>> = history.iter().map(|epoch| epoch.eer.map(|eer| 100.0 * eer)).collect();
    panel(&mut out, 0.0, "Training loss", &losses, "#c45c4a", epoch);
    panel(&mut out, panel_width, &format!("Equal error rate, %: {watched}"), &rates, "#2c6fa6", epoch);
    out.push_str("</svg>\n");
    out
}

/// One panel at horizontal offset `x`.
fn panel(out: &mut String, x: f64, title: &str, values: &[Option<f64>], colour: &str, kept: usize) {
    let highest = values.iter().flatten().fold(0.0_f64, |most, value| most.max(*value));
    let top = nice_above(highest);
    let count = values.len().max(2) - 1;
    let at_x = |index: usize| x + LEFT + WIDTH * index as f64 / count as f64;
    let at_y = |value: f64| TOP + HEIGHT * (1.0 - value / top);
    let _ = writeln!(out, r#"<text x="{}" y="22" font-size="14">{}</text>"#, x + LEFT, escaped(title));
    for tick in 0..=4 {
        let value = top * f64::from(tick) / 4.0;
        let y = at_y(value);
        let right = x + LEFT + WIDTH;
        let _ = writeln!(
            out,
            r##"<line x1="{}" y1="{y:.1}" x2="{right}" y2="{y:.1}" stroke="#ddd"/><text x="{}" y="{:.1}" text-anchor="end">{value:.2}</text>"##,
            x + LEFT,
            x + LEFT - 6.0,
            y + 4.0
        );
    }
    let every = values.len().div_ceil(10).max(1);
    for index in (0..values.len()).step_by(every) {
        let (x, y) = (at_x(index), TOP + HEIGHT + 16.0);
        let _ = writeln!(out, r#"<text x="{x:.1}" y="{y}" text-anchor="middle">{}</text>"#, index + 1);
    }
    let y = TOP + HEIGHT + 34.0;
    let _ = writeln!(out, r#"<text x="{}" y="{y}" text-anchor="middle">epoch</text>"#, x + LEFT + WIDTH / 2.0);
    let points: Vec<(usize, f64)> =
        values.iter().enumerate().filter_map(|(index, value)| value.map(|value| (index, value))).collect();
    if points.is_empty() {
        let (x, y) = (x + LEFT + WIDTH / 2.0, TOP + HEIGHT / 2.0);
        let _ = writeln!(out, r##"<text x="{x}" y="{y}" text-anchor="middle" fill="#888">not measured</text>"##);
    }
    let line: Vec<String> = points.iter().map(|&(i, value)| format!("{:.1},{:.1}", at_x(i), at_y(value))).collect();
    let _ = writeln!(out, r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#, line.join(" "));
    for (index, value) in points {
        let radius = if index + 1 == kept { 5 } else { 2 };
        let _ = writeln!(
            out,
            r#"<circle cx="{:.1}" cy="{:.1}" r="{radius}" fill="{colour}"><title>{value:.4}</title></circle>"#,
            at_x(index),
            at_y(value)
        );
    }
}

/// The smallest of 1, 2, 4, 5, 10 × a power of ten that is not below `value`; 1 for nothing.
fn nice_above(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let decade = 10.0_f64.powf(value.log10().floor());
    [1.0, 2.0, 4.0, 5.0, 10.0].into_iter().map(|step| step * decade).find(|top| *top >= value).unwrap_or(value)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_above_the_data() {
        assert_eq!([0.7, 1.0, 3.1, 42.0, 0.0].map(nice_above), [1.0, 1.0, 4.0, 50.0, 1.0]);
    }

    #[test]
    fn a_history_is_drawn_and_the_kept_epoch_marked() {
        let history = [Epoch { loss: 8.0, eer: Some(0.2) }, Epoch { loss: 3.0, eer: Some(0.1) }];
        let drawing = svg("a < b", &history, "2 persons", 2);
        assert!(drawing.contains("a &lt; b") && drawing.matches("<circle").count() == 4);
        assert_eq!(drawing.matches(r#"r="5""#).count(), 2);
        assert!(svg("", &[Epoch { loss: 1.0, eer: None }], "", 1).contains("not measured"));
    }
}
