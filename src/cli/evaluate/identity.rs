//! `ecgid evaluate identity`: enrols the persons of a collection and compares probes of other sessions with them.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use ecg_data::{Collection, Entry, SessionSelection};
use ecg_identity::DecisionConfig;
use ecg_identity::rates::{Comparison, det_curve, error_rates, rates_at};
use ecg_signal::Mains;
use ecg_wire::Format;

use super::det::det_svg;
use super::household::household;
use super::protocol::{Protocol, Trial};
use super::report::{Report, Seen};
use crate::cli::Failure;
use crate::inference::Model;
use crate::recording::{mains_name, parse_mains};

/// Arguments of `ecgid evaluate identity`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with records and manifest.csv (record,subject,session,date)
    #[arg(long)]
    collection: PathBuf,
    /// Sessions to enrol from: first, rest, or names of the manifest with commas between
    #[arg(long)]
    enrol: SessionSelection,
    /// Sessions to probe with: first, rest, or names of the manifest with commas between
    #[arg(long)]
    probe: SessionSelection,
    /// Length of a probe window, seconds; a shorter record is one probe
    #[arg(long, default_value_t = 15.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Write every comparison to this file: probe_record,probe_subject,reference_subject,score
    #[arg(long, value_name = "FILE.csv")]
    scores: Option<PathBuf>,
    /// Write the detection-error trade-off to this file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Model: .onnx with its card .toml beside it
    #[arg(long, default_value = "models/ecgid-1.onnx")]
    model: PathBuf,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    signal: usize,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    /// Only these persons: names with commas between, or a file with one name a line
    #[arg(long, value_name = "NAMES|FILE")]
    subjects: Option<String>,
    /// Only the persons whom the model's card lists as held out from training
    #[arg(long, conflicts_with = "subjects")]
    held_out_only: bool,
    /// Enrol through a simulated board of this wire format
    #[arg(long, value_name = "FORMAT")]
    enrol_front_end: Option<Format>,
    /// Probe through a simulated board of this wire format
    #[arg(long, value_name = "FORMAT")]
    probe_front_end: Option<Format>,
    /// Also run the decision over time, with households of so many persons
    #[arg(long, value_name = "PERSONS", default_value_t = 5)]
    household: usize,
    /// Threshold of that decision [default: the one of the model's card]
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Bootstrap draws over persons for the 95 % intervals
    #[arg(long, default_value_t = 1000)]
    replicates: usize,
    /// Seed of the bootstrap
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (2.0..=3600.0).contains(s)).ok_or_else(|| "2 to 3600 seconds".into())
}

/// Runs the command.
///
/// # Errors
/// An unusable model (exit 78), an unusable collection, or sessions without comparisons.
pub fn main(args: &Args) -> Result<(), Failure> {
    let model = Model::load(&args.model).map_err(Failure::config)?;
    let collection = Collection::open(&args.collection)?;
    let name = collection_name(&collection.dir);
    let chosen = chosen_subjects((args.held_out_only, args.subjects.as_deref()), &model, &name)?;
    let select = |sessions: &SessionSelection| -> anyhow::Result<Vec<Entry>> {
        let mut entries: Vec<Entry> = collection.select(sessions)?.into_iter().cloned().collect();
        entries.retain(|e| chosen.as_ref().is_none_or(|names| names.contains(&e.subject)));
        Ok(entries)
    };
    let (enrol, probe) = (select(&args.enrol)?, select(&args.probe)?);
    if let Some(both) = enrol.iter().find(|e| probe.iter().any(|p| p.record == e.record)) {
        return Err(anyhow!(
            "record {} would be enrolled and probed: choose sessions that do not overlap",
            both.record
        )
        .into());
    }
    let seen = Seen::new(&model, &name, enrol.iter().chain(&probe));
    if let Some(warning) = seen.warning(&model.card().name) {
        eprintln!("warning: {warning}");
    }
    let protocol = Protocol {
        seconds: args.seconds,
        signal: args.signal,
        mains: args.mains,
        enrol_front_end: args.enrol_front_end,
        probe_front_end: args.probe_front_end,
    };
    let trial = protocol.run(&model, &enrol, &probe)?;
    let report = measure(args, &model, seen, &trial)?;
    if let Some(path) = &args.scores {
        std::fs::write(path, scores_csv(&trial.comparisons))
            .with_context(|| format!("cannot write the scores to {}", path.display()))?;
    }
    if let Some(path) = &args.plot {
        let title = format!("{}: enrol {}, probe {}", name, args.enrol, args.probe);
        let svg = det_svg(&det_curve(&trial.comparisons)?, &title, &report.summary());
        std::fs::write(path, svg).with_context(|| format!("cannot write the plot to {}", path.display()))?;
    }
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{}", report.to_string().trim_end());
    }
    Ok(())
}

fn measure(args: &Args, model: &Model, seen: Seen, trial: &Trial) -> anyhow::Result<Report> {
    let rates = error_rates(&trial.comparisons, args.replicates, args.seed)
        .context("no error rates from these sessions: are there persons with records in both?")?;
    let threshold = args.threshold.unwrap_or(model.card().decision.threshold);
    let at_threshold = rates_at(&trial.comparisons, threshold)?;
    let decision = DecisionConfig { threshold, ..DecisionConfig::default() };
    Ok(Report::new(
        [args.collection.display().to_string(), args.enrol.to_string(), args.probe.to_string()],
        model.id().to_owned(),
        (args.seconds, mains_name(args.mains)),
        trial,
        seen,
        rates,
        (at_threshold, household(trial, &decision, args.household)),
    ))
}

/// The collection's name on model cards: that of its folder.
pub(super) fn collection_name(dir: &Path) -> String {
    let absolute = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    absolute.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// Names that the evaluation is restricted to, by `--held-out-only` and `--subjects`; `None`: everybody.
pub(super) fn chosen_subjects(
    (held_out_only, subjects): (bool, Option<&str>),
    model: &Model,
    collection: &str,
) -> anyhow::Result<Option<Vec<String>>> {
    if held_out_only {
        let held_out = model.card().persons_held_out(collection).unwrap_or_default();
        if held_out.is_empty() {
            bail!(
                "the card of {} lists no held-out persons of {collection}: it knows {}",
                model.card().name,
                model.card().collection_names().join(", ")
            );
        }
        return Ok(Some(held_out.to_vec()));
    }
    let Some(list) = subjects else { return Ok(None) };
    let text = if Path::new(list).is_file() {
        std::fs::read_to_string(list).with_context(|| format!("cannot read the list of persons {list}"))?
    } else {
        list.to_owned()
    };
    let names = text.split([',', '\n', '\r']).map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
    Ok(Some(names.collect()))
}

/// The file of `--scores`; a refused probe is `-inf`.
fn scores_csv(comparisons: &[Comparison]) -> String {
    let mut text = String::from("probe_record,probe_subject,reference_subject,score\n");
    for c in comparisons {
        text.push_str(&format!(
            "{},{},{},{}\n",
            quoted(&c.probe_record),
            quoted(&c.probe_subject),
            quoted(&c.reference_subject),
            c.score
        ));
    }
    text
}

/// A field of a CSV file, in quotes where it must be.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}
