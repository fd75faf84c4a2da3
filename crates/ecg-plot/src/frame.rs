//! A frame with two axes: maps values to pixels, and makes lines that never leave it.

use std::fmt::Write;

use super::svg::px;
use super::thin::thinned;
use super::{Anchor, Axis, Label, Svg, colours};

/// A rectangle in pixels and the axes along its left and lower edge.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Left edge, upper edge, width and height, pixels.
    pub area: [f64; 4],
    /// Left to right.
    pub x: Axis,
    /// Bottom to top.
    pub y: Axis,
}

impl Frame {
    /// The right edge.
    #[must_use]
    pub fn right(&self) -> f64 {
        self.area[0] + self.area[2]
    }

    /// The lower edge.
    #[must_use]
    pub fn bottom(&self) -> f64 {
        self.area[1] + self.area[3]
    }

    /// Where a value lies from left to right; at the nearest edge when beyond.
    #[must_use]
    pub fn at_x(&self, value: f64) -> f64 {
        self.area[0] + self.area[2] * self.x.along(value).clamp(0.0, 1.0)
    }

    /// Where a value lies from top to bottom; at the nearest edge when beyond.
    #[must_use]
    pub fn at_y(&self, value: f64) -> f64 {
        self.bottom() - self.area[3] * self.y.along(value).clamp(0.0, 1.0)
    }

    /// Draws lines across at the ticks, the ticks' words, the axes' names and the title.
    pub fn draw(&self, svg: &mut Svg, title: &str) {
        let [left, top, width, height] = self.area;
        let (right, bottom) = (self.right(), self.bottom());
        svg.text(&Label { size: 13.0, bold: true, room: width, ..Label::new(title, (left, top - 8.0)) });
        let (mut lines, mut marks) = (String::new(), String::new());
        for (value, word) in &self.y.ticks {
            let y = self.at_y(*value);
            let _ = write!(lines, "M{} {1}H{2}", px(left), px(y), px(right));
            // The lowest word must not meet those of the other axis.
            let at = (left - 6.0, (y + 4.0).min(bottom));
            svg.text(&Label { size: 11.0, anchor: Anchor::End, ..Label::new(word, at) });
        }
        for (value, word) in &self.x.ticks {
            let x = self.at_x(*value);
            let _ = write!(marks, "M{} {1}V{2}", px(x), px(bottom), px(bottom + 4.0));
            svg.text(&Label { size: 11.0, anchor: Anchor::Middle, ..Label::new(word, (x, bottom + 16.0)) });
        }
        svg.path(&lines, &format!("stroke=\"{}\" fill=\"none\"", colours::PAPER.1), "");
        svg.path(&marks, &format!("stroke=\"{}\" fill=\"none\"", colours::GREY), "");
        svg.rect(self.area, &format!("fill=\"none\" stroke=\"{}\"", colours::GREY));
        let middle = Anchor::Middle;
        let under = (left + width / 2.0, bottom + 31.0);
        svg.text(&Label { anchor: middle, room: width, ..Label::new(&self.x.label, under) });
        let beside = (left - 46.0, top + height / 2.0);
        svg.text(&Label { anchor: middle, turned: true, room: height, ..Label::new(&self.y.label, beside) });
    }

    /// Lines from top to bottom at the ticks, as [`Frame::draw`] has across.
    pub fn uprights(&self, svg: &mut Svg) {
        let mut lines = String::new();
        for (value, _) in &self.x.ticks {
            let _ = write!(lines, "M{} {}V{}", px(self.at_x(*value)), px(self.area[1]), px(self.bottom()));
        }
        svg.path(&lines, &format!("stroke=\"{}\" fill=\"none\"", colours::PAPER.1), "");
    }

    /// Thin lines from top to bottom and across, `step` apart, at whole multiples of it.
    pub fn grid(&self, svg: &mut Svg, steps: (f64, f64), colour: &str) {
        let mut lines = String::new();
        let multiples = |(low, high): (f64, f64), step: f64| {
            let first = (low / step).ceil() as i64;
            // A grid finer than pixels is none.
            let last = ((high / step).floor() as i64).min(first + 2000);
            (first..=last).map(move |k| k as f64 * step)
        };
        for value in multiples(self.x.ends, steps.0) {
            let _ = write!(lines, "M{} {}V{}", px(self.at_x(value)), px(self.area[1]), px(self.bottom()));
        }
        for value in multiples(self.y.ends, steps.1) {
            let _ = write!(lines, "M{} {}H{}", px(self.area[0]), px(self.at_y(value)), px(self.right()));
        }
        svg.path(&lines, &format!("stroke=\"{colour}\" stroke-width=\"0.7\" fill=\"none\""), "");
    }

    /// Path data of a line through points in ascending order of x. It is cut at the upper and lower edge, broken where
    /// a value is no number, and without points that nobody could see missing.
    #[must_use]
    pub fn line(&self, points: &[(f64, f64)]) -> String {
        let mut data = String::new();
        for run in points.split(|(_, value)| !value.is_finite()).filter(|run| !run.is_empty()) {
            let pixels: Vec<(f64, f64)> =
                run.iter().map(|(x, y)| (self.at_x(*x), self.bottom() - self.area[3] * self.y.along(*y))).collect();
            self.strokes(&thinned(&pixels), &mut data);
        }
        data
    }

    fn strokes(&self, pixels: &[(f64, f64)], data: &mut String) {
        if let [(x, y)] = pixels {
            if (self.area[1]..=self.bottom()).contains(y) {
                data.push_str(&dot(*x, *y));
            }
            return;
        }
        let mut pen = None;
        for pair in pixels.windows(2) {
            let Some((from, to)) = cut(pair[0], pair[1], (self.area[1], self.bottom())) else { continue };
            if pen != Some(from) {
                let _ = write!(data, "M{} {}", px(from.0), px(from.1));
            }
            let _ = write!(data, "L{} {}", px(to.0), px(to.1));
            pen = Some(to);
        }
    }
}

/// Path data of a dot, to be stroked with round ends.
fn dot(x: f64, y: f64) -> String {
    format!("M{0} {1}H{0}", px(x), px(y))
}

type Point = (f64, f64);

/// The part of a line between `top` and `bottom`.
fn cut(a: Point, b: Point, (top, bottom): (f64, f64)) -> Option<(Point, Point)> {
    if a.1.max(b.1) < top || a.1.min(b.1) > bottom {
        return None;
    }
    let inside = |p: Point, q: Point| {
        let y = p.1.clamp(top, bottom);
        if y == p.1 { p } else { (p.0 + (q.0 - p.0) * (y - p.1) / (q.1 - p.1), y) }
    };
    Some((inside(a, b), inside(b, a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let axis = || Axis::linear("", (0.0, 100.0), 5);
        Frame { area: [0.0, 0.0, 100.0, 100.0], x: axis(), y: axis() }
    }

    #[test]
    fn a_line_is_cut_where_it_leaves_and_broken_where_there_is_no_value() {
        assert_eq!(frame().line(&[(0.0, 50.0), (10.0, 150.0), (20.0, 50.0)]), "M0 50L5 0M15 0L20 50");
        assert_eq!(frame().line(&[(0.0, 50.0), (1.0, f64::NAN), (2.0, 60.0), (4.0, 60.0)]), "M0 50H0M2 40L4 40");
        assert_eq!(frame().line(&[(0.0, 150.0), (1.0, 200.0)]), "");
        assert_eq!(frame().line(&[]), "");
    }
}
