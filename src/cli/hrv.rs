//! `ecgid hrv`: heart-rate variability of a file of beats or of intervals, without a signal.
//!
//! The keys of its JSON are those of the topic `…/hrv`.

mod lines;
mod series;

use std::path::PathBuf;

use ecg_signal::RrInterval;
use ecg_signal::hrv::{Analyser, Correction, Hrv, HrvDay, NnInterval, NnSeries, two_sided};
use serde::Serialize;

use super::Failure;
use crate::event::{HrvDayFigures, HrvFigures, hrv_reason};
pub use lines::HrvLines;
use series::Series;
pub(crate) use series::annotated_intervals;

/// What the figures are; shown by `--help`.
const FIGURES: &str = "\
FILE is a WFDB annotation file with its header beside it (nsr001.ecg beside nsr001.hea), or a text with one RR interval
in milliseconds a line; empty lines and lines that begin with # are passed over. An interval outside 250 to 3000 ms ends
the row: no difference is taken across it.

Beats are corrected after Lipponen and Tarvainen 2019 with those before and after each. Above 5 % of corrected beats, or
with a rhythm as in atrial fibrillation, only heart rate and mean interval are given. --no-correction takes the intervals
for NN as they are, and believes them.

Examples
  ecgid hrv nsr2db/nsr001.ecg                    24 hours of beats
  ecgid hrv rr.txt --json | jq .rmssd_ms         one figure of a list
  ecgid hrv nn.txt --no-correction --json        intervals that are NN already";

/// Arguments of `ecgid hrv`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = FIGURES)]
pub struct Args {
    /// WFDB annotation file, or text with one RR interval in ms a line
    file: PathBuf,
    /// Take the intervals for NN as they are
    #[arg(long)]
    no_correction: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    file: String,
    /// From the first beat to the last, seconds.
    window_s: f64,
    /// Distances between beats that are no intervals: they end a row.
    refused_intervals: usize,
    #[serde(flatten)]
    figures: HrvFigures,
    /// Why figures are missing, where they are: the reason that stands longest.
    reason: Option<String>,
    day: HrvDayFigures,
}

/// Runs the command.
///
/// # Errors
/// The file, and what to do.
pub fn main(args: Args) -> Result<(), Failure> {
    let series = Series::read(&args.file)?;
    let report = report(&args, &series);
    if args.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

fn report(args: &Args, series: &Series) -> Report {
    let intervals = &series.intervals;
    let (hrv, day) = if args.no_correction {
        let nn = intervals.iter().map(NnInterval::from).collect();
        (Analyser::new().nn(&NnSeries::of(intervals)), day(HrvDay::new(), nn))
    } else {
        corrected(intervals)
    };
    Report {
        file: args.file.display().to_string(),
        window_s: series.length_s,
        refused_intervals: series.refused,
        figures: HrvFigures::from(&hrv),
        reason: hrv_reason(&hrv),
        day,
    }
}

fn corrected(intervals: &[RrInterval]) -> (Hrv, HrvDayFigures) {
    let nn = two_sided(intervals);
    (Analyser::new().corrected(&nn, Correction::TwoSided), day(HrvDay::screened(), nn))
}

fn day(mut day: HrvDay, nn: Vec<NnInterval>) -> HrvDayFigures {
    let last = nn.last().map_or(0.0, |nn| nn.end_s);
    nn.into_iter().for_each(|nn| day.push(nn));
    HrvDayFigures::from(&day.summary(last))
}

fn print(report: &Report) {
    say!("{}: {:.0} s from the first beat to the last", report.file, report.window_s);
    if report.refused_intervals > 0 {
        say!("refused    {} distances outside 250 to 3000 ms", report.refused_intervals);
    }
    say!("{}", HrvLines(&report.figures).to_string().trim_end());
    let day = &report.day;
    match (day.sdann_ms, day.sdnn_index_ms, &day.reason) {
        (Some(sdann), Some(index), _) => {
            say!("day        SDANN {sdann:.1} ms, SDNN index {index:.1} ms over {} times 5 min", day.stretches);
        }
        (.., reason) => say!("day        - ({})", reason.as_deref().unwrap_or("not defined")),
    }
    for hour in day.hours.iter().filter(|_| day.hours.len() > 1) {
        let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
        say!(
            "  hour {:>3}  {:>6} /min  mean NN {:>7} ms  {:>5.0} s clean",
            hour.begin_s / 3600.0,
            figure(hour.mean_hr_bpm),
            figure(hour.mean_nn_ms),
            hour.clean_s
        );
    }
}
