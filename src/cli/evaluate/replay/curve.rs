//! The share of attacks that are recognised against time as a drawing: replays on the left, loops on the right.

use std::path::Path;

use super::report::{Kind, Report};
use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// The document; of the first group alone.
#[must_use]
pub fn svg(report: &Report, collection: &Path, seconds: f64) -> String {
    let group = report.attacks.first().map(|kind| kind.group().to_owned()).unwrap_or_default();
    let of_group = |replays: bool| -> Vec<&Kind> {
        report.attacks.iter().filter(|kind| kind.group() == group && kind.replays_history == replays).collect()
    };
    let panel = |title: &str, kinds: &[&Kind]| Panel {
        title: title.to_owned(),
        x: Axis::linear("seconds from the first repetition", (0.0, seconds), 6),
        y: Axis::linear("recognised, per cent", (0.0, 100.0), 6),
        lines: kinds
            .iter()
            .zip(colours::MANY.iter().cycle())
            .map(|(kind, colour)| line(kind, colour, seconds))
            .collect(),
    };
    let name = collection.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Chart {
        title: "How soon a replay is recognised".into(),
        note: format!(
            "{name}, group: {group}; {} beats of history before a replay, none before a loop",
            report.history_beats
        ),
        size: (430.0, 320.0),
        panels: vec![panel("replays", &of_group(true)), panel("loops and metronomes", &of_group(false))],
    }
    .svg()
}

/// A step for each that is recognised.
fn line(kind: &Kind, colour: &'static str, seconds: f64) -> Line {
    let step = 100.0 / kind.detected.of.max(1) as f64;
    let mut points = vec![(0.0, 0.0)];
    for (number, at_s) in kind.times_s.iter().filter(|at_s| **at_s <= seconds).enumerate() {
        points.push((*at_s, number as f64 * step));
        points.push((*at_s, (number + 1) as f64 * step));
    }
    points.push((seconds, points.last().map_or(0.0, |point| point.1)));
    let name = kind.attack.trim_start_matches("replay: ").to_owned();
    Line { name, colour, thick: false, dashed: false, points }
}
