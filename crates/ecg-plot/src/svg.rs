//! The document: elements, escaped text, coordinates short and finite.

use std::fmt::Write;

/// Which end of a text its position is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The left one.
    Start,
    /// The middle.
    Middle,
    /// The right one.
    End,
}

/// A piece of text.
#[derive(Debug, Clone)]
pub struct Label<'a> {
    /// What it says.
    pub text: &'a str,
    /// Where, on its base line.
    pub at: (f64, f64),
    /// Height of the letters, pixels.
    pub size: f64,
    /// Which end stands at `at`.
    pub anchor: Anchor,
    /// Its colour.
    pub colour: &'static str,
    /// Heavy letters.
    pub bold: bool,
    /// Letters of equal width, with feet: a lone I is no stroke.
    pub mono: bool,
    /// Read from bottom to top.
    pub turned: bool,
    /// Longest extent, pixels; what does not fit ends in an ellipsis.
    pub room: f64,
}

impl<'a> Label<'a> {
    /// Dark grey text of 12 pixels that begins at a point.
    #[must_use]
    pub fn new(text: &'a str, at: (f64, f64)) -> Self {
        let (anchor, colour) = (Anchor::Start, "#222222");
        Self { text, at, size: 12.0, anchor, colour, bold: false, mono: false, turned: false, room: f64::INFINITY }
    }
}

/// An SVG document in the making. Coordinates are pixels, y downwards.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    body: String,
}

impl Svg {
    /// An empty document.
    #[must_use]
    pub fn new(width: f64) -> Self {
        Self { width, body: String::new() }
    }

    /// Its width, pixels.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Adds text.
    pub fn text(&mut self, label: &Label) {
        if label.text.is_empty() {
            return;
        }
        let shown = fitted(label.text, label.size, label.bold, label.room);
        let (x, y) = (px(label.at.0), px(label.at.1));
        let place = if label.turned {
            format!("transform=\"translate({x} {y}) rotate(-90)\"")
        } else {
            format!("x=\"{x}\" y=\"{y}\"")
        };
        let anchor = match label.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let bold = if label.bold { " font-weight=\"bold\"" } else { "" };
        let mono = if label.mono { " font-family=\"monospace\"" } else { "" };
        let _ = writeln!(
            self.body,
            "<text {place} font-size=\"{}\"{anchor}{bold}{mono} fill=\"{}\">{}</text>",
            px(label.size),
            label.colour,
            escape(&shown)
        );
    }

    /// Adds a path; `look` holds its other attributes. `words`, where not empty, are shown when one points at it.
    pub fn path(&mut self, d: &str, look: &str, words: &str) {
        if d.is_empty() {
            return;
        }
        let _ = match words {
            "" => writeln!(self.body, "<path d=\"{d}\" {look}/>"),
            _ => writeln!(self.body, "<path d=\"{d}\" {look}><title>{}</title></path>", escape(words)),
        };
    }

    /// Adds a rectangle: left, top, width, height.
    pub fn rect(&mut self, [left, top, width, height]: [f64; 4], look: &str) {
        let (x, y, width, height) = (px(left), px(top), px(width.max(0.0)), px(height.max(0.0)));
        let _ = writeln!(self.body, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {look}/>");
    }

    /// The document. `title` and `description` are read out to who cannot see it; `definitions` are its patterns.
    #[must_use]
    pub fn finish(self, height: f64, title: &str, description: &str, definitions: &str) -> String {
        let (width, height) = (px(self.width), px(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" font-family=\"sans-serif\">\n<title>{}</title>\n<desc>{}</desc>\n\
             <defs>{definitions}</defs>\n\
             <rect x=\"0\" y=\"0\" width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n{}</svg>\n",
            escape(title),
            escape(description),
            self.body
        )
    }
}

/// A coordinate with at most one decimal; what is no number becomes 0.
pub(super) fn px(value: f64) -> String {
    let tenths = (value * 10.0).round();
    if !tenths.is_finite() {
        return "0".into();
    }
    let text = format!("{:.1}", (tenths + 0.0) / 10.0);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// Width of a text in pixels, as wide as the widest of the common sans-serif faces draws it.
#[must_use]
pub fn text_width(text: &str, size: f64, bold: bool) -> f64 {
    let em = |c: char| match c {
        'i' | 'j' | 'l' | '\'' | '|' | ' ' | '.' | ',' | ':' | ';' | '(' | ')' | '[' | ']' | 'I' | 'f' | 't' | 'r'
        | '/' => 0.41,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '\u{2026}' | '+' | '\u{2212}' | '<' | '>' | '=' => 1.0,
        _ if c.is_ascii_uppercase() => 0.75,
        _ if c.is_ascii() => 0.64,
        _ if c < '\u{1100}' => 0.8,
        _ => 1.1,
    };
    text.chars().map(em).sum::<f64>() * size * if bold { 1.12 } else { 1.0 }
}

/// The text, shortened to `room` pixels.
fn fitted(text: &str, size: f64, bold: bool, room: f64) -> String {
    if text_width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if text_width(&short, size, bold) + size > room {
            short.pop();
            break;
        }
    }
    short + "\u{2026}"
}

/// Text as XML and HTML take it between tags; characters that XML forbids become the replacement character.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_numbers() {
        assert_eq!([1.0, 2.25, -0.04, f64::NAN, f64::INFINITY].map(px), ["1", "2.3", "0", "0", "0"]);
    }

    #[test]
    fn text_is_escaped_and_made_to_fit() {
        let mut svg = Svg::new(100.0);
        svg.text(&Label::new("a<b>&\u{1}\"c\"", (1.0, 2.0)));
        svg.text(&Label { room: 60.0, ..Label::new("a very long name of a record", (1.0, 20.0)) });
        let text = svg.finish(50.0, "t & u", "", "");
        assert!(text.contains(">a&lt;b&gt;&amp;\u{fffd}\"c\"</text>") && text.contains("t &amp; u"), "{text}");
        let shown = text.lines().find(|line| line.contains('\u{2026}')).expect("shortened");
        let shown = shown.split(['<', '>']).nth(2).unwrap_or_default();
        assert!(shown.starts_with("a v") && text_width(shown, 12.0, false) <= 60.0, "{shown}");
    }
}
