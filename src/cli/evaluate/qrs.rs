//! `ecgid evaluate qrs`: beats of the streaming path against the annotated beats of WFDB records.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ecg_data::{AnnotationKind, annotations};
use ecg_signal::Mains;
use serde::Serialize;

use super::score::{Figures, Rates, RecordScore, Scopes, Truth, figures, score};
use super::work::for_each;
use crate::cli::Failure;
use crate::recording::{Recording, mains_name, parse_mains};

/// Arguments of `ecgid evaluate qrs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with WFDB records, searched with its subfolders: NAME.hea with NAME.atr
    dir: PathBuf,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    signal: usize,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    /// Annotator: the extension of the annotation files
    #[arg(long, default_value = "atr")]
    annotator: String,
    /// Only these records, by their name below DIR
    #[arg(long, value_delimiter = ',')]
    records: Vec<String>,
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
    delay_ms: f64,
    total: Scopes,
    records: BTreeMap<String, Scopes>,
    failed: BTreeMap<String, String>,
}

/// Runs the command.
///
/// # Errors
/// No annotated record below the folder, or a record that could not be analysed (after all have been tried).
pub fn main(args: &Args) -> Result<(), Failure> {
    let names = annotated_records(&args.dir, &args.annotator, &args.records)?;
    let results = for_each("records", &names, || (), |(), name| evaluate(args, name));
    let (mut scores, mut records, mut failed, mut delay_ms) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), 0.0);
    for (name, result) in names.iter().zip(results) {
        let (score, delay) = result.unwrap_or_else(|error| {
            failed.insert(name.clone(), format!("{error:#}"));
            (missed_all(args, name), 0.0)
        });
        delay_ms = f64::max(delay_ms, delay);
        records.insert(name.clone(), figures(std::slice::from_ref(&score)));
        scores.push(score);
    }
    let total = figures(&scores);
    let mains = mains_name(args.mains);
    let report = Report { mains, signal: args.signal, n_records: names.len(), delay_ms, total, records, failed };
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    if report.failed.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = report.failed.iter().map(|(name, problem)| format!("{name}: {problem}")).collect();
    Err(anyhow::anyhow!("{} of {} records failed: {}", list.len(), names.len(), list.join("; ")).into())
}

/// One record: its score and the delay of the path.
fn evaluate(args: &Args, name: &str) -> anyhow::Result<(RecordScore, f64)> {
    let path = args.dir.join(name);
    let truth = truth(&path, &args.annotator)?;
    let recording = Recording::open(&path, args.signal)?;
    let stream = &recording.stream;
    let passage = stream.pass(0..stream.samples.len(), args.mains)?;
    let mut detected: Vec<f64> = passage.beats.iter().map(|b| b.r_peak / stream.fs.0).collect();
    detected.sort_by(f64::total_cmp);
    Ok((score(&truth, &detected), passage.delay.r_to_segment_ms))
}

/// A record that failed has no detection: all its beats count as missed.
fn missed_all(args: &Args, name: &str) -> RecordScore {
    truth(&args.dir.join(name), &args.annotator).map_or_else(|_| RecordScore::default(), |truth| score(&truth, &[]))
}

fn truth(path: &Path, annotator: &str) -> anyhow::Result<Truth> {
    let annotations = annotations(path, annotator)?;
    let mut truth = Truth::default();
    let mut fibrillates_from = None;
    for item in &annotations.items {
        let at = item.sample as f64 / annotations.fs;
        match item.kind {
            AnnotationKind::Beat(_) => truth.beats.push(at),
            AnnotationKind::VfStart => fibrillates_from = Some(at),
            AnnotationKind::VfEnd => truth.fibrillation.extend(fibrillates_from.take().map(|from| (from, at))),
            AnnotationKind::Other(_) => {}
        }
    }
    truth.fibrillation.extend(fibrillates_from.map(|from| (from, f64::INFINITY)));
    truth.beats.sort_by(f64::total_cmp);
    Ok(truth)
}

/// Names of the records below `dir` that have annotations, sorted.
fn annotated_records(dir: &Path, annotator: &str, only: &[String]) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    search(dir, dir, annotator, &mut names)?;
    names.sort();
    if names.is_empty() {
        bail!("no record under {}: looked for NAME.hea with NAME.{annotator} beside it", dir.display());
    }
    if let Some(unknown) = only.iter().find(|name| !names.contains(name)) {
        bail!("no record {unknown} under {}; there are {}", dir.display(), names.join(", "));
    }
    names.retain(|name| only.is_empty() || only.contains(name));
    Ok(names)
}

fn search(root: &Path, dir: &Path, annotator: &str, names: &mut Vec<String>) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(dir).with_context(|| format!("cannot read the folder {}", dir.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read the folder {}", dir.display()))?.path();
        if path.is_dir() {
            search(root, &path, annotator, names)?;
        } else if path.extension().is_some_and(|e| e == "hea") && path.with_extension(annotator).is_file() {
            let below = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            names.push(below.to_string_lossy().into_owned());
        }
    }
    Ok(())
}

fn print(report: &Report) {
    say!("{} records, signal {}, mains {}; per cent, ms", report.n_records, report.signal, report.mains);
    say!(
        "{:14} {:>6} {:>5} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} | {:>6}",
        "record",
        "TP",
        "FP",
        "FN",
        "Se",
        "+P",
        "F1",
        "F1@75",
        "F1@50",
        "MAE",
        "offset",
        "EC57"
    );
    for (name, scopes) in &report.records {
        let mark = if report.failed.contains_key(name) { "  FAILED" } else { "" };
        say!("{}{mark}", line(name, &scopes.full, &scopes.ec57.within_150_ms));
    }
    say!("{}", line("total", &report.total.full, &report.total.ec57.within_150_ms));
    say!("delay from R to the finished segment: {:.0} ms", report.delay_ms);
}

fn line(name: &str, full: &Figures, ec57: &Rates) -> String {
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"));
    let at = &full.within_150_ms;
    format!(
        "{name:14} {:>6} {:>5} {:>5} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} {:>6} | {:>6}",
        at.tp,
        at.fp,
        at.missed,
        show(at.sensitivity),
        show(at.positive_predictivity),
        show(full.f1_150ms),
        show(full.f1_75ms),
        show(full.f1_50ms),
        show(full.mae_ms),
        show(full.offset_ms),
        show(ec57.f1())
    )
}
