//! Training curves: what is drawn by epoch. How lines look is `ecg-plot`'s affair.

use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// Width and height of a panel, pixels.
const SIZE: (f64, f64) = (360.0, 220.0);

/// One value an epoch, under a name.
#[derive(Clone, Debug)]
pub struct Series {
    /// For the legend.
    pub name: String,
    /// In the unit of the axis; `None` where nothing was measured.
    pub values: Vec<Option<f64>>,
}

/// Loss on the left, what was watched on the right. `kept` is the epoch that the model is of, counted from 1; `note`
/// stands below.
pub fn chart(title: &str, loss: &[f64], watched_label: &str, watched: &[Series], kept: usize, note: &str) -> Chart {
    let loss = Series { name: "training loss".into(), values: loss.iter().copied().map(Some).collect() };
    let panels =
        vec![panel("Training loss", "loss", &[loss], kept), panel(watched_label, watched_label, watched, kept)];
    Chart { title: title.to_owned(), note: note.to_owned(), size: SIZE, panels }
}

fn panel(title: &str, label: &str, series: &[Series], kept: usize) -> Panel {
    let palette = [colours::BLUE, colours::VERMILLION, colours::GREEN];
    let values = || series.iter().flat_map(|one| one.values.iter().flatten()).filter(|value| value.is_finite());
    let lowest = values().fold(f64::INFINITY, |low, value| low.min(*value));
    let highest = values().fold(f64::NEG_INFINITY, |high, value| high.max(*value));
    // From zero, unless all is far from it: an accuracy of 99 % must show its last per cent.
    let bottom = if lowest.is_finite() && lowest > 0.6 * highest { lowest - 0.1 * (highest - lowest) } else { 0.0 };
    let top = if highest > bottom { highest + 0.05 * (highest - bottom) } else { bottom + 1.0 };
    let epochs = series.iter().map(|one| one.values.len()).max().unwrap_or(0).max(2);
    let mut lines = Vec::new();
    for (one, colour) in series.iter().zip(palette.into_iter().cycle()) {
        let line = |name: &str, points| Line { name: name.into(), colour, thick: true, dashed: false, points };
        let points: Vec<(f64, f64)> =
            (1..).zip(&one.values).filter_map(|(epoch, value)| Some((f64::from(epoch), (*value)?))).collect();
        let mark = points.iter().find(|(epoch, _)| *epoch == kept as f64).copied();
        if !points.is_empty() {
            lines.push(line(&one.name, points));
        }
        lines.extend(mark.map(|point| line("", vec![point])));
    }
    let title = if lines.is_empty() { format!("{title}: not measured") } else { title.to_owned() };
    let x = Axis::linear("epoch", (1.0, epochs as f64), 8);
    Panel { title, x, y: Axis::linear(label, (bottom, top), 5), lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_drawn_and_the_kept_epoch_marked() {
        let rates = Series { name: "two persons".into(), values: vec![Some(20.0), Some(10.0)] };
        let drawing = chart("a < b", &[8.0, 3.0], "equal error rate, %", &[rates], 2, "note");
        let dots = |panel: &Panel| panel.lines.iter().filter(|line| line.points.len() == 1).count();
        assert_eq!(drawing.panels.iter().map(dots).sum::<usize>(), 2);
        assert!(drawing.svg().contains("a &lt; b"));
        let nothing = Series { name: "nobody".into(), values: vec![None, None] };
        assert!(chart("", &[1.0], "rate", &[nothing], 1, "").svg().contains("not measured"));
    }

    #[test]
    fn an_axis_far_from_zero_does_not_begin_there() {
        let rates = Series { name: String::new(), values: vec![Some(95.0), Some(99.0)] };
        let drawing = chart("", &[1.0, 0.5], "accuracy, %", &[rates], 2, "");
        assert!(drawing.panels[1].y.ends.0 > 90.0 && drawing.panels[0].y.ends.0 == 0.0);
    }
}
