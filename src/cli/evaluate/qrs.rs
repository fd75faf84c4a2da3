//! `ecgid evaluate qrs`: beats of the streaming path against the annotated beats of WFDB records.

use std::collections::BTreeMap;

use ecg_signal::Mains;
use serde::Serialize;

use super::annotated::{Selection, truth};
use super::decision::Decisions;
use super::score::{Figures, Rates, RecordScore, Scopes, figures, score};
use super::work::{all_went_well, for_each};
use crate::cli::Failure;
use crate::recording::{Recording, mains_name, parse_mains};

/// What the columns mean; shown by `--help`.
const COLUMNS: &str = "\
Each record runs through the streaming path of the daemon, sample by sample, at its own sampling
frequency. Beats that the quality gate refuses count, too: what is scored is the detector.

Reference  annotations NLRBAaJSVrFejnE/fQ?; marks of rhythm, noise and flutter waves are no beats
Matching   one-to-one, nearest pair first, within 150 ms; F1@75, F1@50: within 75 and 50 ms
TP FP FN   true, false and missed beats
Se +P F1   TP/(TP+FN), TP/(TP+FP), 2 TP/(2 TP+FP+FN), per cent
MAE        mean absolute error of R over the pairs within 150 ms, ms
offset     their median error, ms: positive is late
MAEc       MAE after the record's own offset is taken off, ms
EC57       the same from 5:00 on, without ventricular flutter, as ANSI/AAMI EC57 scores
last line  from R to the beat that the path hands out; search-back adds what it missed at first

Examples
  ecgid evaluate qrs mitdb                      all records below a folder
  ecgid evaluate qrs mitdb --records 203,207    two of them
  ecgid evaluate qrs mitdb --json | jq .total   all counts and rates at 150, 75 and 50 ms";

/// Arguments of `ecgid evaluate qrs`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COLUMNS)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

/// The whole result.
#[derive(Debug, Serialize)]
struct Report {
    mains: &'static str,
    signal: usize,
    n_records: usize,
    /// From R to the finished segment as the path states it, ms.
    delay_ms: f64,
    /// From R to the beat, measured over all records.
    decisions: Decisions,
    total: Scopes,
    records: BTreeMap<String, Scopes>,
    failed: BTreeMap<String, String>,
}

/// Runs the command.
///
/// # Errors
/// No annotated record below the folder, or a record that could not be analysed (after all have been tried).
pub fn main(args: &Args) -> Result<(), Failure> {
    let names = args.selection.names()?;
    let results = for_each("records", &names, || (), |(), name| evaluate(args, name));
    let (mut scores, mut records, mut failed) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    let (mut delay_ms, mut decisions) = (0.0, Decisions::default());
    for (name, result) in names.iter().zip(results) {
        let score = match result {
            Ok(one) => {
                delay_ms = f64::max(delay_ms, one.delay_ms);
                decisions = decisions.and(one.decisions);
                one.score
            }
            Err(error) => {
                failed.insert(name.clone(), format!("{error:#}"));
                missed_all(args, name)
            }
        };
        records.insert(name.clone(), figures(std::slice::from_ref(&score)));
        scores.push(score);
    }
    let total = figures(&scores);
    let mains = mains_name(args.mains);
    let report = Report {
        mains,
        signal: args.selection.signal,
        n_records: names.len(),
        delay_ms,
        decisions,
        total,
        records,
        failed,
    };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(all_went_well(&report.failed, names.len())?)
}

/// What one record gave.
struct Evaluated {
    score: RecordScore,
    delay_ms: f64,
    decisions: Decisions,
}

fn evaluate(args: &Args, name: &str) -> anyhow::Result<Evaluated> {
    let path = args.selection.path(name);
    let truth = truth(&path, &args.selection.annotator)?;
    let recording = Recording::open(&path, args.selection.signal)?;
    let stream = &recording.stream;
    let passage = stream.pass(0..stream.samples.len(), args.mains)?;
    Ok(Evaluated {
        score: score(&truth, &passage.beat_times_s(stream.fs.0)),
        delay_ms: passage.delay.r_to_segment_ms,
        decisions: Decisions::of(&passage, stream.fs.0),
    })
}

/// A record that failed has no detection: all its beats count as missed.
fn missed_all(args: &Args, name: &str) -> RecordScore {
    truth(&args.selection.path(name), &args.selection.annotator)
        .map_or_else(|_| RecordScore::default(), |truth| score(&truth, &[]))
}

fn print(report: &Report) {
    say!("{} records, signal {}, mains {}; per cent, ms", report.n_records, report.signal, report.mains);
    let heads = |heads: &[&str]| heads.iter().map(|h| format!("{h:>6}")).collect::<Vec<_>>().join(" ");
    let (counts, rest) =
        (heads(&["TP", "FP", "FN", "Se", "+P", "F1"]), heads(&["F1@75", "F1@50", "MAE", "offset", "MAEc"]));
    say!("{:91} |   EC57, from 5:00 on", "");
    say!("{:14} {counts} {rest} | {counts}", "record");
    for (name, scopes) in &report.records {
        let mark = if report.failed.contains_key(name) { "  FAILED" } else { "" };
        say!("{}{mark}", line(name, scopes));
    }
    say!("{}", line("total", &report.total));
    say!("delay from R to the finished segment: {:.0} ms as stated", report.delay_ms);
    say!("{}", report.decisions);
}

fn line(name: &str, scopes: &Scopes) -> String {
    let Figures { within_150_ms, f1_75ms, f1_50ms, mae_ms, offset_ms, mae_centred_ms, .. } = &scopes.full;
    let rest = [f1_75ms, f1_50ms, mae_ms, offset_ms, mae_centred_ms].map(|value| format!("{:>6}", show(*value)));
    format!("{name:14} {} {} | {}", rates(within_150_ms), rest.join(" "), rates(&scopes.ec57.within_150_ms))
}

fn rates(at: &Rates) -> String {
    let counts = [at.tp, at.fp, at.missed].map(|n| format!("{n:>6}"));
    let shares = [at.sensitivity, at.positive_predictivity, at.f1()].map(|value| format!("{:>6}", show(value)));
    format!("{} {}", counts.join(" "), shares.join(" "))
}

fn show(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"))
}
