//! A legend: samples of what is drawn, each with its meaning, in as many rows as they need.

use super::{Label, Svg, text_width};

/// Height of a row, and room for a sample before its words.
const ROW: f64 = 18.0;
const SAMPLE: f64 = 26.0;
const SIZE: f64 = 11.0;
/// Between two entries.
const BETWEEN: f64 = 12.0;

/// How a sample is drawn.
#[derive(Debug, Clone)]
pub enum Glyph {
    /// A short line with these attributes.
    Line(String),
    /// A small rectangle with these attributes.
    Fill(String),
    /// A path with these attributes, given where its reference point lies.
    Mark(fn(f64, f64) -> String, String),
}

/// A sample and its meaning.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The sample.
    pub glyph: Glyph,
    /// What it stands for.
    pub words: String,
}

/// All entries.
#[derive(Debug, Clone, Default)]
pub struct Legend {
    /// From left to right, then down.
    pub entries: Vec<Entry>,
}

impl Legend {
    /// Adds an entry.
    pub fn add(&mut self, glyph: Glyph, words: impl Into<String>) {
        self.entries.push(Entry { glyph, words: words.into() });
    }

    /// Draws it with its first row's base line at `top`, between `left` and `right`; gives the base line of the row
    /// below it.
    pub fn draw(&self, svg: &mut Svg, (left, right): (f64, f64), top: f64) -> f64 {
        let (mut x, mut y) = (left, top);
        for entry in &self.entries {
            let width = SAMPLE + text_width(&entry.words, SIZE, false);
            if x > left && x + width > right {
                (x, y) = (left, y + ROW);
            }
            match &entry.glyph {
                Glyph::Line(look) => svg.path(&format!("M{x:.1} {0:.1}H{1:.1}", y - 4.0, x + 20.0), look, ""),
                Glyph::Fill(look) => svg.rect([x, y - 10.0, 20.0, 12.0], look),
                Glyph::Mark(path, look) => svg.path(&path(x + 10.0, y), look, ""),
            }
            let room = right - x - SAMPLE;
            svg.text(&Label { size: SIZE, room, ..Label::new(&entry.words, (x + SAMPLE, y)) });
            x += width + BETWEEN;
        }
        if self.entries.is_empty() { y } else { y + ROW }
    }
}
