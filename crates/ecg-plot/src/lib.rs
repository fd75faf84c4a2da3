//! Pictures for ecgid: axes, lines, marks and legends as an SVG document.
//!
//! Shared by the program and the trainer. It knows neither hearts nor files: values and words come in, a text goes out,
//! and the same values give the same text. It has no dependency.

mod axis;
mod chart;
mod frame;
mod legend;
mod svg;
mod theme;
mod thin;

pub use axis::{Axis, linear_ticks};
pub use chart::{Chart, Line, Panel};
pub use frame::Frame;
pub use legend::{Entry, Glyph, Legend};
pub use svg::{Anchor, Label, Svg, escape, text_width};
pub use theme::DARK;

/// Colours that are told apart with every kind of colour vision (M. Okabe and K. Ito, *Color Universal Design*, 2008).
pub mod colours {
    /// For accepted things and the main line.
    pub const BLUE: &str = "#0072b2";
    /// For refused things.
    pub const VERMILLION: &str = "#d55e00";
    /// For what a line is compared with.
    pub const BLACK: &str = "#000000";
    /// For a stretch that is pointed at.
    pub const GREEN: &str = "#009e73";
    /// For shading.
    pub const ORANGE: &str = "#e69f00";
    /// For shading of another kind.
    pub const PURPLE: &str = "#cc79a7";
    /// For what is less important.
    pub const GREY: &str = "#595959";
    /// For many lines that one wants to tell apart: the first seven by most eyes.
    pub const MANY: [&str; 12] = [
        VERMILLION, GREEN, PURPLE, ORANGE, "#56b4e9", "#7f7f7f", "#8c564b", "#b8a400", "#7b3294", "#e41a1c", "#66c2a5",
        "#333333",
    ];
    /// For grids: the pink of ECG paper, light and stronger.
    pub const PAPER: (&str, &str) = ("#fbe9e7", "#f2c4bd");
}
