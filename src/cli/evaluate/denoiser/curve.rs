//! What a denoiser gains and what it costs, as a drawing: by level of noise, and by threshold.

use super::report::{Figures, Level, Report, Row, TARGET_GAIN_DB, TARGET_QRS_PER_CENT};
use crate::cli::evaluate::noise::stressed::Noise;
use ecg_plot::{Axis, Chart, Line, Panel, colours};

/// Where thresholds are compared, dB.
const COMPARED_DB: f64 = 6.0;

/// The document.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut panels = Vec::new();
    if let Some(shipped) = report.denoisers.first() {
        panels.push(by_level("gain beyond the band-pass", "dB", shipped, &|level| level.gain_db, &GAIN_TICKS));
        panels.push(by_level("QRS height left", "per cent", shipped, &|level| level.qrs_per_cent, &QRS_TICKS));
    }
    if report.denoisers.len() > 1 {
        panels.extend(noises(report).into_iter().map(|noise| trade_off(report, noise)));
    }
    Chart {
        title: "What the denoiser gains, and what it costs".into(),
        note: format!(
            "medians over {} records and {} synthetic hearts, {} s each; dots at {COMPARED_DB} dB on the records",
            report.records, report.hearts, report.seconds
        ),
        size: (270.0, 300.0),
        panels,
    }
    .svg()
}

const GAIN_TICKS: [f64; 9] = [-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
const QRS_TICKS: [f64; 6] = [90.0, 92.0, 94.0, 96.0, 98.0, 100.0];
/// The candidates lose more.
const QRS_LOST_TICKS: [f64; 6] = [80.0, 84.0, 88.0, 92.0, 96.0, 100.0];

fn axis(label: &str, ticks: &[f64]) -> Axis {
    let ticks: Vec<_> = ticks.iter().map(|tick| (*tick, tick.to_string())).collect();
    Axis::ticked(label, &ticks, |value| value)
}

fn noises(report: &Report) -> Vec<&'static str> {
    let mut noises = Vec::new();
    for level in levels(report.denoisers.first().and_then(|row| row.records.as_ref())) {
        if !noises.contains(&level.noise) {
            noises.push(level.noise);
        }
    }
    noises
}

fn levels(figures: Option<&Figures>) -> &[Level] {
    figures.map_or(&[], |figures| &figures.levels)
}

/// A figure of the shipped denoiser against the level, a line for each noise on records and on synthetic hearts.
fn by_level(title: &str, unit: &str, row: &Row, figure: &dyn Fn(&Level) -> f64, ticks: &[f64]) -> Panel {
    let (mut snr, mut lines): (Vec<f64>, Vec<Line>) = (Vec::new(), Vec::new());
    for (source, figures, dashed) in [("records", &row.records, false), ("synthetic", &row.synthetic, true)] {
        for level in levels(figures.as_ref()) {
            snr.push(level.snr_db);
            let name = format!("{}, {source}", level.noise);
            let point = (level.snr_db, figure(level));
            match lines.iter_mut().find(|line| line.name == name) {
                Some(line) => line.points.push(point),
                None => {
                    let colour = if level.noise == "emg" { colours::BLUE } else { colours::VERMILLION };
                    lines.push(Line { name, colour, thick: !dashed, dashed, points: vec![point] });
                }
            }
        }
    }
    snr.sort_by(|a, b| b.total_cmp(a));
    snr.dedup();
    Panel { title: title.into(), x: axis("signal-to-noise ratio, dB", &snr), y: axis(unit, ticks), lines }
}

/// Gain against what is left of the QRS: thresholds as a line, every other candidate as a dot.
fn trade_off(report: &Report, noise: &str) -> Panel {
    let point = |row: &Row| {
        let at = |level: &&Level| level.noise == noise && (level.snr_db - COMPARED_DB).abs() < 1e-9;
        levels(row.records.as_ref()).iter().find(at).map(|level| (level.qrs_per_cent, level.gain_db))
    };
    let dot = |name: &str, colour, point| Line {
        name: name.to_owned(),
        colour,
        thick: true,
        dashed: false,
        points: vec![point],
    };
    let mut scaled: Vec<&Row> = report.denoisers.iter().filter(|row| row.factor.is_some()).collect();
    scaled.sort_by(|a, b| a.factor.unwrap_or(0.0).total_cmp(&b.factor.unwrap_or(0.0)));
    let ends = scaled.first().zip(scaled.last()).and_then(|(first, last)| first.factor.zip(last.factor));
    let name = ends.map_or_else(String::new, |(first, last)| format!("thresholds x {first} to {last}"));
    let points = scaled.iter().filter_map(|row| point(row)).collect();
    let corner = vec![(TARGET_QRS_PER_CENT, 7.0), (TARGET_QRS_PER_CENT, TARGET_GAIN_DB), (100.0, TARGET_GAIN_DB)];
    let mut lines = vec![
        Line { name: "wanted: within".into(), colour: colours::GREY, thick: false, dashed: true, points: corner },
        Line { name, colour: colours::BLACK, thick: false, dashed: false, points },
    ];
    let others = report.denoisers.iter().filter(|row| row.factor.is_none());
    for (row, colour) in others.zip(colours::MANY.iter().cycle()) {
        lines.extend(point(row).map(|point| dot(&row.name, colour, point)));
    }
    lines.extend(report.denoisers.first().and_then(point).map(|point| dot("shipped", colours::BLUE, point)));
    let title = format!("{}, {COMPARED_DB} dB", Noise::parse(noise).map_or("", Noise::title));
    Panel { title, x: axis("QRS height left, per cent", &QRS_LOST_TICKS), y: axis("gain, dB", &GAIN_TICKS), lines }
}
