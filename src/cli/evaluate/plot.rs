//! The detection-error trade-off as an SVG file: FMR against FNMR, both on logarithmic axes.

use std::fmt::Write;

use ecg_identity::rates::DetPoint;

/// Drawing area and margins, pixels.
const SIZE: f64 = 520.0;
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
/// The axes run from 0.1 % to 100 %: three decades.
const LOWEST: f64 = 1e-3;
const DECADES: f64 = 3.0;

/// An SVG document of the curve. `title` stands above it, `note` below.
#[must_use]
pub fn det_svg(points: &[DetPoint], title: &str, note: &str) -> String {
    let (width, height) = (LEFT + SIZE + 30.0, TOP + SIZE + 80.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"16\">{}</text>\n",
        escape(title)
    );
    grid(&mut svg);
    let path: Vec<String> = points.iter().map(|p| format!("{:.1},{:.1}", x(p.fmr), y(p.fnmr))).collect();
    let _ = writeln!(
        svg,
        "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#bbb\" stroke-dasharray=\"4 4\"/>\n\
         <polyline points=\"{}\" fill=\"none\" stroke=\"#1560bd\" stroke-width=\"2\"/>\n\
         <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">false match rate</text>\n\
         <text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">false non-match rate</text>\n\
         <text x=\"{LEFT}\" y=\"{}\" font-size=\"11\" fill=\"#555\">{}</text>\n</svg>",
        x(LOWEST),
        y(LOWEST),
        x(1.0),
        y(1.0),
        path.join(" "),
        LEFT + SIZE / 2.0,
        TOP + SIZE + 40.0,
        TOP + SIZE / 2.0,
        TOP + SIZE + 66.0,
        escape(note)
    );
    svg
}

fn grid(svg: &mut String) {
    for (value, label) in [
        (0.001, "0.1 %"),
        (0.002, "0.2"),
        (0.005, "0.5"),
        (0.01, "1 %"),
        (0.02, "2"),
        (0.05, "5"),
        (0.1, "10 %"),
        (0.2, "20"),
        (0.5, "50"),
        (1.0, "100 %"),
    ] {
        let (px, py, end, bottom) = (x(value), y(value), LEFT + SIZE, TOP + SIZE);
        let _ = writeln!(
            svg,
            "<path d=\"M{px:.1} {TOP}V{bottom}M{LEFT} {py:.1}H{end}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{px:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            bottom + 18.0,
            LEFT - 6.0,
            py + 4.0
        );
    }
}

/// 0…1 along an axis: the logarithm between the lowest rate that is shown and 100 %.
fn along(rate: f64) -> f64 {
    (rate.max(LOWEST) / LOWEST).log10() / DECADES
}

fn x(fmr: f64) -> f64 {
    LEFT + SIZE * along(fmr)
}

fn y(fnmr: f64) -> f64 {
    TOP + SIZE * (1.0 - along(fnmr))
}

/// Text that may stand in a document.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_stays_inside_its_axes_and_text_is_escaped() {
        let points = [
            DetPoint { threshold: 0.0, fmr: 1.0, fnmr: 0.0 },
            DetPoint { threshold: 0.5, fmr: 0.05, fnmr: 0.05 },
            DetPoint { threshold: f64::INFINITY, fmr: 0.0, fnmr: 1.0 },
        ];
        let svg = det_svg(&points, "a < b & c", "n = 3");
        assert!(svg.contains("a &lt; b &amp; c") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(&format!("{:.1},{:.1}", LEFT + SIZE, TOP + SIZE)));
        assert!(svg.contains(&format!("{LEFT:.1},{TOP:.1}")));
    }
}
