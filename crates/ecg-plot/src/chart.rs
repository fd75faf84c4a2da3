//! Lines in panels side by side with one legend.

use super::{Anchor, Axis, Entry, Frame, Glyph, Label, Legend, Svg, colours, text_width};

/// Margins, pixels.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 70.0;
const BETWEEN: f64 = 70.0;
/// From a panel to the legend: words of its axis stand between.
const BELOW: f64 = 62.0;
/// The narrowest drawing, so that titles and legends have room.
const NARROWEST: f64 = 500.0;
/// Height of the note's letters.
const NOTE: f64 = 11.0;
/// Radius of a dot.
const DOT: f64 = 4.5;

/// One line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What the legend calls it; lines of one name look alike. Without a name it is in no legend.
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

/// The whole drawing.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Stands above it.
    pub title: String,
    /// Stands below it: data, conditions.
    pub note: String,
    /// Width and height of a panel, pixels.
    pub size: (f64, f64),
    /// Side by side.
    pub panels: Vec<Panel>,
}

impl Chart {
    /// The document.
    #[must_use]
    pub fn svg(&self) -> String {
        let across = self.size.0 + BETWEEN;
        let right = (LEFT + across * self.panels.len() as f64 - BETWEEN).max(NARROWEST);
        let mut svg = Svg::new(right + RIGHT);
        let title = Label { size: 16.0, room: right - LEFT, ..Label::new(&self.title, (LEFT, 28.0)) };
        svg.text(&title);
        for (number, panel) in self.panels.iter().enumerate() {
            panel.draw(&mut svg, [LEFT + across * number as f64, TOP, self.size.0, self.size.1]);
        }
        let mut below = self.legend().draw(&mut svg, (LEFT, right), TOP + self.size.1 + BELOW);
        for row in rows(&self.note, right - LEFT) {
            svg.text(&Label { size: NOTE, colour: colours::GREY, ..Label::new(&row, (LEFT, below + 6.0)) });
            below += 16.0;
        }
        svg.finish(below + 6.0, &self.title, &self.note, "")
    }

    /// One line of each name, in the order of drawing.
    fn legend(&self) -> Legend {
        let mut legend = Legend::default();
        for line in self.panels.iter().flat_map(|panel| &panel.lines) {
            if !line.name.is_empty() && !legend.entries.iter().any(|Entry { words, .. }| *words == line.name) {
                let glyph = match line.points.len() {
                    1 => Glyph::Mark(|x, y| dot(x, y - DOT), format!("fill=\"{}\"", line.colour)),
                    _ => Glyph::Line(stroke(line)),
                };
                legend.add(glyph, line.name.clone());
            }
        }
        legend
    }
}

impl Panel {
    fn draw(&self, svg: &mut Svg, area: [f64; 4]) {
        let frame = Frame { area, x: self.x.clone(), y: self.y.clone() };
        frame.uprights(svg);
        frame.draw(svg, "");
        let above = (area[0] + area[2] / 2.0, area[1] - 10.0);
        let room = area[2] + BETWEEN / 2.0;
        svg.text(&Label { size: 13.0, anchor: Anchor::Middle, room, ..Label::new(&self.title, above) });
        for line in &self.lines {
            match line.points[..] {
                [(x, y)] if x.is_finite() && y.is_finite() => {
                    svg.path(&dot(frame.at_x(x), frame.at_y(y)), &format!("fill=\"{}\"", line.colour), &line.name);
                }
                _ => svg.path(&frame.line(&line.points), &stroke(line), &line.name),
            }
        }
    }
}

/// The words of a note in rows of at most `room` pixels, where no word is longer.
fn rows(note: &str, room: f64) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in note.split_whitespace() {
        match rows.last_mut() {
            Some(row) if text_width(row, NOTE, false) + text_width(word, NOTE, false) < room - NOTE => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}

/// Path data of a disc.
fn dot(x: f64, y: f64) -> String {
    format!("M{:.1} {y:.1}a{DOT} {DOT} 0 1 0 {1} 0a{DOT} {DOT} 0 1 0 -{1} 0", x - DOT, 2.0 * DOT)
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
        let ticks = [0.0, 10.0].map(|t| (t, t.to_string()));
        let line = Line {
            name: "a < b".into(),
            colour: colours::BLUE,
            thick: true,
            dashed: false,
            points: vec![(0.0, 0.0), (5.0, 20.0), (10.0, f64::NAN)],
        };
        let panel = |title: &str| Panel {
            title: title.into(),
            x: Axis::ticked("x", &ticks, |value| value),
            y: Axis::ticked("y", &ticks, |value| value),
            lines: vec![line.clone()],
        };
        let panels = vec![panel("left"), panel("right")];
        let svg = Chart { title: "t & u".into(), note: String::new(), size: (100.0, 100.0), panels }.svg();
        assert!(svg.contains(">t &amp; u</text>") && svg.matches(">a &lt; b</text>").count() == 1);
        // Half way to (5, 20) it leaves at the top; the point that is no number is not drawn.
        let (bottom, quarter) = (TOP + 100.0, LEFT + 25.0);
        assert!(svg.contains(&format!("M{LEFT} {bottom}L{quarter} {TOP}\"")), "{svg}");
    }

    #[test]
    fn a_note_is_broken_between_words() {
        let rows = rows("one two  three four", 70.0);
        assert!(rows.len() > 1 && rows.iter().all(|row| text_width(row, NOTE, false) <= 70.0), "{rows:?}");
        assert_eq!(rows.join(" "), "one two three four");
    }

    #[test]
    fn a_logarithmic_axis_that_runs_backwards_is_even_in_the_logarithm() {
        let ticks = [100.0, 10.0, 1.0].map(|t| (t, t.to_string()));
        let axis = Axis::ticked("x", &ticks, |value| value.log10());
        assert_eq!([100.0, 10.0, 1.0].map(|value| axis.along(value)), [0.0, 0.5, 1.0]);
    }
}
