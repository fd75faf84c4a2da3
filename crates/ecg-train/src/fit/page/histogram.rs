//! Scores of mated and non-mated windows, and where the threshold lies between them.

use ecg_plot::{Axis, Chart, Line, Panel, colours};

use super::{Scores, Section, drawable, pictures};

/// Width of a bin, in units of the score.
const BIN: f64 = 0.04;
/// Width and height of a panel, pixels.
const SIZE: (f64, f64) = (330.0, 190.0);

/// One panel for each set of comparisons.
pub(in crate::fit) fn histograms(scores: &[Scores<'_>], threshold: f64) -> Section {
    let drawings: Vec<String> =
        scores.iter().filter(|one| !one.windows.is_empty()).map(|one| drawing(one, threshold)).collect();
    Section {
        title: "Scores",
        note: "Decision windows. Both sides have the same area, however many comparisons they hold; what of the blue \
               lies left of the threshold is refused, what of the orange lies right of it is accepted."
            .into(),
        body: pictures(&drawings),
    }
}

fn drawing(scores: &Scores<'_>, threshold: f64) -> String {
    let sides = [(false, "non-mated", colours::VERMILLION), (true, "mated", colours::BLUE)];
    let bars = sides.map(|(mated, name, colour)| (name, colour, drawable(scores.windows, mated)));
    let counts = format!("{} mated, {} non-mated windows", bars[1].2.len(), bars[0].2.len());
    let outlines = bars.map(|(name, colour, values)| Line {
        name: name.into(),
        colour,
        thick: true,
        dashed: false,
        points: outline(&values),
    });
    let highest = outlines.iter().flat_map(|line| &line.points).fold(0.0_f64, |most, point| most.max(point.1));
    let lowest = outlines.iter().flat_map(|line| &line.points).fold(threshold, |least, point| least.min(point.0));
    let top = 1.05 * highest.max(1e-3);
    let at_threshold = vec![(threshold, 0.0), (threshold, top)];
    let mut lines = Vec::from(outlines);
    let name = format!("threshold {threshold:.3}");
    lines.push(Line { name, colour: colours::BLACK, thick: false, dashed: true, points: at_threshold });
    let panel = Panel {
        title: scores.protocol.to_owned(),
        x: Axis::linear("score", (lowest.max(-1.0), 1.0), 7),
        y: Axis::linear("% of the side", (0.0, top), 4),
        lines,
    };
    let note = format!("{counts}; persons {}", scores.group);
    Chart { title: scores.collection.to_owned(), note, size: SIZE, panels: vec![panel] }.svg()
}

/// The outline of a histogram in per cent a bin, from left to right; nothing without values.
fn outline(values: &[f64]) -> Vec<(f64, f64)> {
    let bin = |value: f64| ((value + 1.0) / BIN).floor() as usize;
    let bins = bin(1.0) + 1;
    let mut counts = vec![0_usize; bins];
    values.iter().for_each(|&value| counts[bin(value.clamp(-1.0, 1.0)).min(bins - 1)] += 1);
    let (Some(first), Some(last)) = (counts.iter().position(|c| *c > 0), counts.iter().rposition(|c| *c > 0)) else {
        return Vec::new();
    };
    let edge = |bin: usize| bin as f64 * BIN - 1.0;
    let mut points = vec![(edge(first), 0.0)];
    for (bin, count) in counts.iter().enumerate().take(last + 1).skip(first) {
        let share = 100.0 * *count as f64 / values.len() as f64;
        points.extend([(edge(bin), share), (edge(bin + 1), share)]);
    }
    points.push((edge(last + 1), 0.0));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outline_holds_all_values_and_returns_to_zero() {
        let points = outline(&[-1.0, 0.5, 0.51, 1.0, 7.0]);
        let area: f64 = points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[0].1).sum();
        assert!((area - 100.0 * BIN).abs() < 1e-9, "{area}");
        assert!(points.is_sorted_by(|a, b| a.0 <= b.0));
        assert_eq!((points[0].1, points[points.len() - 1].1), (0.0, 0.0));
        assert!(outline(&[]).is_empty());
    }
}
