//! F1 against the level of noise as a drawing: one panel a noise, the other detectors as thin lines where known.

use super::report::{Level, Report};
use super::stressed::Noise;
use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// What is written on the axis of F1. It is even in the logarithm of what is missing to 100 %: the first misses matter
/// as much as the last ones, and all of them show.
const F1_TICKS: [f64; 11] = [40.0, 60.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.98];

/// The document.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut noises: Vec<&str> = Vec::new();
    report.added.iter().for_each(|level| {
        if !noises.contains(&level.noise.as_str()) {
            noises.push(&level.noise);
        }
    });
    let peers = peer_names(report);
    let mut snr: Vec<f64> = report.added.iter().filter_map(|level| level.snr_db).collect();
    snr.sort_by(|a, b| b.total_cmp(a));
    snr.dedup();
    let panels = noises.into_iter().map(|noise| {
        let levels: Vec<&Level> = report.added.iter().filter(|level| level.noise == noise).collect();
        let title = Noise::parse(noise).map_or("", Noise::title);
        Panel { title: title.to_owned(), x: snr_axis(&snr), y: f1_axis(), lines: lines(&levels, &peers) }
    });
    let seeds = report.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    Chart {
        title: "Beats in added noise".into(),
        note: format!(
            "{}, first {} min, seeds {seeds}; noise power: {}; one-to-one, nearest first; lines of other detectors: ±150 ms",
            report.records.join(", "),
            report.minutes,
            report.noise_power
        ),
        size: (270.0, 300.0),
        panels: panels.collect(),
    }
    .svg()
}

fn snr_axis(snr: &[f64]) -> Axis {
    let ticks: Vec<_> = snr.iter().map(|snr_db| (*snr_db, snr_db.to_string())).collect();
    Axis::ticked("signal-to-noise ratio, dB", &ticks, |snr_db| snr_db)
}

fn f1_axis() -> Axis {
    let ticks = F1_TICKS.map(|f1| (f1, f1.to_string()));
    Axis::ticked("F1, per cent", &ticks, |f1| -(100.0 - f1).max(1e-3).log10())
}

fn peer_names(report: &Report) -> Vec<String> {
    let mut names: Vec<String> = report.added.iter().flat_map(|level| level.peers.keys().cloned()).collect();
    names.sort();
    names.dedup();
    names
}

fn lines(levels: &[&Level], peers: &[String]) -> Vec<Line> {
    let points = |figure: &dyn Fn(&Level) -> Option<f64>| -> Vec<(f64, f64)> {
        levels.iter().filter_map(|level| Some((level.snr_db?, figure(level)?))).collect()
    };
    let theirs = peers.iter().zip(colours::MANY.iter().cycle()).map(|(name, &colour)| Line {
        name: name.clone(),
        colour,
        thick: false,
        dashed: false,
        points: points(&|level| level.peers.get(name)?.f1_150ms),
    });
    let ours = |name: &str, dashed: bool, points: Vec<(f64, f64)>| Line {
        name: name.into(),
        colour: colours::BLUE,
        thick: true,
        dashed,
        points,
    };
    let at_50 = ours("ecgid, ±50 ms", true, points(&|level| level.figures.f1_50ms));
    theirs.chain([at_50, ours("ecgid, ±150 ms", false, points(&|level| level.figures.f1_150ms))]).collect()
}
