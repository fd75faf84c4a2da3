//! Lines in panels side by side with one legend, as an SVG document.
//!
//! Must not know what the lines mean.

use std::fmt::Write;

use super::plot::escape;

/// A panel and its margins, pixels.
const PANEL: (f64, f64) = (270.0, 300.0);
const LEFT: f64 = 64.0;
const TOP: f64 = 74.0;
const BETWEEN: f64 = 70.0;
/// Rows of the legend.
const ROW: f64 = 20.0;
const ENTRY: f64 = 215.0;

/// Colours that are told apart; the first seven by most eyes (Okabe and Ito 2008, the palest left out).
pub const COLOURS: [&str; 12] = [
    "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b", "#b8a400", "#7b3294", "#e41a1c",
    "#66c2a5", "#333333",
];
/// The colour of our own lines.
pub const OURS: &str = "#0b3d91";

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the legend calls it; lines of one name look alike.
    pub name: String,
    /// Its colour.
    pub colour: &'static str,
    /// Thick lines are looked at first.
    pub thick: bool,
    /// Broken.
    pub dashed: bool,
    /// Its points in the units of the axes; a single one is drawn as a dot.
    pub points: Vec<(f64, f64)>,
}

/// Lines over one pair of axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Stands above it.
    pub title: String,
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
    /// Drawn in this order: the last lies on top.
    pub lines: Vec<Line>,
}

/// An axis from its first tick to its last.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// Where a line stands, and what is written there.
    pub ticks: Vec<(f64, String)>,
    /// Makes distances even: the identity, or a logarithm.
    pub scale: fn(f64) -> f64,
}

impl Axis {
    /// 0…1 along the axis; beyond its ends at the end.
    fn along(&self, value: f64) -> f64 {
        let ends = (self.ticks.first(), self.ticks.last());
        let (Some((first, _)), Some((last, _))) = ends else { return 0.0 };
        let (first, last) = ((self.scale)(*first), (self.scale)(*last));
        let along = ((self.scale)(value) - first) / (last - first);
        if along.is_finite() { along.clamp(0.0, 1.0) } else { 0.0 }
    }
}

/// The whole drawing.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Stands above it.
    pub title: String,
    /// Stands below it: data, conditions.
    pub note: String,
    /// Side by side.
    pub panels: Vec<Panel>,
}

impl Chart {
    /// The document.
    #[must_use]
    pub fn svg(&self) -> String {
        let legend = self.legend();
        let across = PANEL.0 + BETWEEN;
        let width = (LEFT + across * self.panels.len() as f64).max(LEFT + 2.0 * ENTRY);
        let columns = (((width - LEFT) / ENTRY) as usize).max(1);
        let below = TOP + PANEL.1 + 56.0;
        let height = below + ROW * legend.len().div_ceil(columns) as f64 + 34.0;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"28\" font-size=\"16\">{}</text>\n",
            escape(&self.title)
        );
        for (number, panel) in self.panels.iter().enumerate() {
            panel.draw(&mut svg, LEFT + across * number as f64);
        }
        for (number, line) in legend.iter().enumerate() {
            let (column, row) = (number % columns, number / columns);
            let (x, y) = (LEFT + ENTRY * column as f64, below + ROW * row as f64);
            if line.points.len() == 1 {
                dot(&mut svg, x + 22.0, y, line.colour);
            } else {
                let _ = writeln!(svg, "<path d=\"M{x} {y}h30\" {}/>", stroke(line));
            }
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\">{}</text>", x + 38.0, y + 4.0, escape(&line.name));
        }
        let _ = writeln!(
            svg,
            "<text x=\"{LEFT}\" y=\"{}\" font-size=\"11\" fill=\"#555\">{}</text>\n</svg>",
            height - 12.0,
            escape(&self.note)
        );
        svg
    }

    /// One line of each name, in the order of drawing.
    fn legend(&self) -> Vec<&Line> {
        let mut known: Vec<&Line> = Vec::new();
        for line in self.panels.iter().flat_map(|panel| &panel.lines) {
            if !known.iter().any(|other| other.name == line.name) {
                known.push(line);
            }
        }
        known
    }
}

impl Panel {
    fn draw(&self, svg: &mut String, left: f64) {
        let (right, bottom) = (left + PANEL.0, TOP + PANEL.1);
        let x = |value: f64| left + PANEL.0 * self.x.along(value);
        let y = |value: f64| bottom - PANEL.1 * self.y.along(value);
        let middle = left + PANEL.0 / 2.0;
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\">{}</text>\n\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
             <text transform=\"translate({} {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            TOP - 12.0,
            escape(&self.title),
            bottom + 36.0,
            escape(&self.x.label),
            left - 46.0,
            TOP + PANEL.1 / 2.0,
            escape(&self.y.label)
        );
        for (value, label) in &self.x.ticks {
            let at = x(*value);
            let _ = writeln!(
                svg,
                "<path d=\"M{at:.1} {TOP}V{bottom}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                bottom + 18.0,
                escape(label)
            );
        }
        for (value, label) in &self.y.ticks {
            let at = y(*value);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 6.0,
                at + 4.0,
                escape(label)
            );
        }
        for line in &self.lines {
            if let [(a, b)] = line.points[..] {
                dot(svg, x(a), y(b), line.colour);
                continue;
            }
            let points = line.points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b)));
            let points = points.collect::<Vec<_>>().join(" ");
            let _ = writeln!(svg, "<polyline points=\"{points}\" {}/>", stroke(line));
        }
    }
}

fn dot(svg: &mut String, x: f64, y: f64, colour: &str) {
    let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{colour}\"/>");
}

fn stroke(line: &Line) -> String {
    let width = if line.thick { 3.0 } else { 1.4 };
    let dash = if line.dashed { " stroke-dasharray=\"6 4\"" } else { "" };
    format!("fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"{dash}", line.colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_inside_their_panel_and_the_legend_names_each_once() {
        let axis = |label: &str, ticks: &[f64]| Axis {
            label: label.into(),
            ticks: ticks.iter().map(|t| (*t, t.to_string())).collect(),
            scale: |value| value,
        };
        let line = Line {
            name: "a < b".into(),
            colour: OURS,
            thick: true,
            dashed: false,
            points: vec![(0.0, 0.0), (5.0, 99.0), (10.0, f64::NAN)],
        };
        let panel = |title: &str| Panel {
            title: title.into(),
            x: axis("x", &[0.0, 10.0]),
            y: axis("y", &[0.0, 10.0]),
            lines: vec![line.clone()],
        };
        let panels = vec![panel("left"), panel("right")];
        let chart = Chart { title: "t & u".into(), note: String::new(), panels };
        let svg = chart.svg();
        assert!(svg.contains("t &amp; u") && svg.matches("a &lt; b").count() == 1 && svg.ends_with("</svg>\n"));
        let (bottom, middle) = (TOP + PANEL.1, LEFT + PANEL.0 / 2.0);
        let points = format!("{LEFT:.1},{bottom:.1} {middle:.1},{TOP:.1} {:.1},{bottom:.1}", LEFT + PANEL.0);
        assert!(svg.contains(&points), "{svg}");
    }
}
