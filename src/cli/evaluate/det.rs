//! The detection-error trade-off as a drawing: FMR against FNMR, both on logarithmic axes.

use ecg_identity::rates::DetPoint;

use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// The axes run from here to 1; what is less stands at their end.
const LOWEST: f64 = 1e-3;
/// Side of the panel, pixels.
const SIDE: f64 = 520.0;

/// An SVG document of the curve. `title` stands above it, `note` below.
#[must_use]
pub fn det_svg(points: &[DetPoint], title: &str, note: &str) -> String {
    let mut curve: Vec<(f64, f64)> = points.iter().map(|p| (p.fmr, p.fnmr)).collect();
    curve.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let equal = vec![(LOWEST, LOWEST), (1.0, 1.0)];
    let lines = vec![
        Line { name: "equal rates".into(), colour: colours::GREY, thick: false, dashed: true, points: equal },
        Line { name: "this system".into(), colour: colours::BLUE, thick: true, dashed: false, points: curve },
    ];
    let (x, y) = (axis("false match rate"), axis("false non-match rate"));
    let panels = vec![Panel { title: String::new(), x, y, lines }];
    Chart { title: title.into(), note: note.into(), size: (SIDE, SIDE), panels }.svg()
}

fn axis(label: &str) -> Axis {
    let ticks = [
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
    ];
    Axis::ticked(label, &ticks.map(|(rate, word)| (rate, word.to_owned())), |rate| rate.max(LOWEST).log10())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_runs_from_corner_to_corner_and_stays_inside() {
        let points = [
            DetPoint { threshold: 0.0, fmr: 1.0, fnmr: 0.0 },
            DetPoint { threshold: 0.5, fmr: 0.05, fnmr: 0.05 },
            DetPoint { threshold: f64::INFINITY, fmr: 0.0, fnmr: 1.0 },
        ];
        let svg = det_svg(&points, "a < b & c", "n = 3");
        assert!(svg.contains(">a &lt; b &amp; c</text>") && svg.ends_with("</svg>\n"));
        let line = svg.lines().find(|line| line.contains("this system</title>")).expect("the curve");
        let data = line.split('"').nth(1).expect("path data");
        assert!(data.starts_with("M64 70L") && data.ends_with("L584 590"), "{data}");
    }
}
