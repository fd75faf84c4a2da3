//! `ecgid evaluate hrv`: heart-rate variability from our own beats against that from annotated beats.

mod errors;

use std::collections::BTreeMap;

use ecg_data::{AnnotationKind, Annotations, annotations};
use ecg_signal::hrv::{Analyser, Correction, two_sided};
use ecg_signal::{Mains, RrInterval};
use serde::Serialize;

use self::errors::{Errors, METRICS};
use super::annotated::Selection;
use super::work::{all_went_well, for_each};
use crate::cli::Failure;
use crate::cli::hrv::annotated_intervals;
use crate::event::{HrvFigures, hrv_reason};
use crate::recording::{Recording, mains_name, parse_mains};

/// What the columns mean; shown by `--help`.
const COLUMNS: &str = "\
Each record runs through the streaming path of the daemon; the intervals between accepted beats are corrected with the
beats before and after each, as for a report. The same is done with the annotated beats, of which every one counts. Both
give the figures of the whole record; the error is ours less that of the annotations.

normal   at least 95 % of the beats are annotated N, and no rhythm is annotated as atrial fibrillation or flutter
median   of the absolute errors over the normal records for which both have the figure
worst    the largest of them, and its record
withheld figures of a record that our own beats do not give, and why

Annotated beats lie on samples (2.8 ms at 360 Hz) and were placed by hand; ours are interpolated.";

/// Share of N below which a record is not normal.
const NORMAL_SHARE: f64 = 0.95;

/// Arguments of `ecgid evaluate hrv`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COLUMNS)]
pub struct Args {
    #[command(flatten)]
    selection: Selection,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "60", value_parser = parse_mains)]
    mains: Mains,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    mains: &'static str,
    signal: usize,
    n_records: usize,
    normal: usize,
    /// By figure, over the normal records.
    errors: BTreeMap<&'static str, Errors>,
    records: BTreeMap<String, RecordReport>,
    failed: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
struct RecordReport {
    normal: bool,
    /// Atrial fibrillation or flutter is annotated.
    fibrillates: bool,
    ours: HrvFigures,
    annotated: HrvFigures,
    /// Why ours are withheld, where they are.
    withheld: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// No annotated record below the folder, or a record that could not be analysed (after all have been tried).
pub fn main(args: &Args) -> Result<(), Failure> {
    let names = args.selection.names()?;
    let results = for_each("records", &names, || (), |(), name| evaluate(args, name));
    let (mut records, mut failed) = (BTreeMap::new(), BTreeMap::new());
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok(record) => drop(records.insert(name.clone(), record)),
            Err(error) => drop(failed.insert(name.clone(), format!("{error:#}"))),
        }
    }
    let normal: Vec<_> = records.iter().filter(|(_, record)| record.normal).collect();
    let pairs = normal.iter().map(|(name, record)| (name.as_str(), &record.ours, &record.annotated));
    let errors = METRICS.iter().filter_map(|metric| Some((metric.key, Errors::of(metric, pairs.clone())?))).collect();
    let mains = mains_name(args.mains);
    let normal = normal.len();
    let report =
        Report { mains, signal: args.selection.signal, n_records: names.len(), normal, errors, records, failed };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(all_went_well(&report.failed, names.len())?)
}

fn evaluate(args: &Args, name: &str) -> anyhow::Result<RecordReport> {
    let path = args.selection.path(name);
    let annotations = annotations(&path, &args.selection.annotator)?;
    let recording = Recording::open(&path, args.selection.signal)?;
    let stream = &recording.stream;
    let passage = stream.pass(0..stream.samples.len(), args.mains)?;
    let hrv = |intervals: &[RrInterval]| Analyser::new().corrected(&two_sided(intervals), Correction::TwoSided);
    let ours = hrv(&passage.rr_intervals(stream.fs.0));
    let fibrillates = fibrillates(&annotations);
    Ok(RecordReport {
        normal: !fibrillates && normal_share(&annotations) >= NORMAL_SHARE,
        fibrillates,
        withheld: hrv_reason(&ours),
        ours: HrvFigures::from(&ours),
        annotated: HrvFigures::from(&hrv(&annotated_intervals(&annotations))),
    })
}

fn fibrillates(annotations: &Annotations) -> bool {
    annotations.items.iter().any(|item| item.text.starts_with("(AFIB") || item.text.starts_with("(AFL"))
}

fn normal_share(annotations: &Annotations) -> f64 {
    let count = |is: fn(char) -> bool| {
        let is = |kind| matches!(kind, AnnotationKind::Beat(symbol) if is(symbol));
        annotations.items.iter().filter(|item| is(item.kind)).count() as f64
    };
    count(|symbol| symbol == 'N') / count(|_| true).max(1.0)
}

fn print(report: &Report) {
    say!("{} records, {} normal, signal {}, mains {}", report.n_records, report.normal, report.signal, report.mains);
    say!(
        "{:14} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6}  withheld",
        "record",
        "RMSSD",
        "atr",
        "SDNN",
        "atr",
        "LF/HF",
        "atr",
        "corr %"
    );
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    for (name, record) in &report.records {
        let kind = match (record.normal, record.fibrillates) {
            (true, _) => "",
            (_, true) => " AF",
            _ => " *",
        };
        let (ours, theirs) = (&record.ours, &record.annotated);
        let cells = [ours.rmssd_ms, theirs.rmssd_ms, ours.sdnn_ms, theirs.sdnn_ms, ours.lf_hf, theirs.lf_hf];
        let cells: Vec<String> = cells.map(|value| format!("{:>8}", show(value))).into();
        let withheld = record.withheld.as_deref().unwrap_or("");
        say!("{:14} {} {:>6.1}  {withheld}", format!("{name}{kind}"), cells.join(" "), ours.corrected_percent);
    }
    say!("* not normal: ectopic beats, blocks, pacing; AF: fibrillation or flutter is annotated");
    say!(
        "{:14} {:>8} {:>10} {:>10}  worst record, {} normal ones",
        "error",
        "records",
        "median",
        "worst",
        report.normal
    );
    for metric in METRICS {
        if let Some(errors) = report.errors.get(metric.key) {
            say!(
                "{:14} {:>8} {:>10.3} {:>10.3}  {}",
                metric.name,
                errors.records,
                errors.median,
                errors.worst,
                errors.worst_record
            );
        }
    }
}
