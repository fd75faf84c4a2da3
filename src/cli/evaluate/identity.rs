//! `ecgid evaluate identity`: enrols the persons of a collection and compares probes of other sessions with them.

use std::path::PathBuf;

use anyhow::Context;
use ecg_identity::rates::{Comparison, det_curve, error_rates, rates_at};
use ecg_wire::Format;

use super::det::det_svg;
use super::protocol::{Protocol, Trial};
use super::report::{Report, Seen};
use super::sessions::{Chosen, SessionArgs};
use crate::cli::{Failure, file};
use crate::inference::Model;
use crate::recording::mains_name;

/// Arguments of `ecgid evaluate identity`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
--mfcc SHARE sets 13 mel-frequency cepstral coefficients of five frames of the
averaged beat beside the network's embedding, each standardised over the
records that are enrolled. The daemon does not use them: on persons new to the
network they changed nothing beside it that chance does not, alone they have
more than twice its EER (docs/adr/0019-a-linear-branch-and-no-cohort.md), and a
household has too few persons to standardise over. Scores are plain then:
the model's strangers have no cepstrum. Its thresholds fit no other share
than 0.

What a listener hears, second by second: ecgid evaluate stream.")]
pub struct Args {
    #[command(flatten)]
    sessions: SessionArgs,
    /// Length of a probe window, seconds; a shorter record is one probe
    #[arg(long, default_value_t = 15.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Write every comparison to this file: probe_record,probe_subject,reference_subject,score
    #[arg(long, value_name = "FILE.csv")]
    scores: Option<PathBuf>,
    /// Write the detection-error trade-off to this file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Enrol through a simulated board of this wire format
    #[arg(long, value_name = "FORMAT")]
    enrol_front_end: Option<Format>,
    /// Probe through a simulated board of this wire format
    #[arg(long, value_name = "FORMAT")]
    probe_front_end: Option<Format>,
    /// Share of the score that the cepstrum of the beats gets, 0 to 1; the rest is the network's. 1: the network is left
    /// out. For comparison only, see below
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share)]
    mfcc: f64,
    /// Threshold for the row at a threshold [default: that of the model's card]
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

fn parse_share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "a share from 0 to 1".into())
}

/// Runs the command.
///
/// # Errors
/// An unusable model (exit 78), an unusable collection, or sessions without comparisons.
pub fn main(args: &Args) -> Result<(), Failure> {
    let Chosen { model, name, enrol, probe, seen, .. } = args.sessions.choose()?;
    let protocol = Protocol {
        seconds: args.seconds,
        signal: args.sessions.signal,
        adc: args.sessions.adc.adc(),
        mains: args.sessions.mains,
        enrol_front_end: args.enrol_front_end,
        probe_front_end: args.probe_front_end,
        mfcc: args.mfcc,
    };
    let trial = protocol.run(&model, &enrol, &probe)?;
    let report = measure(args, &model, seen, &trial)?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{}", report.to_string().trim_end());
    }
    let write = |path: &PathBuf| file::write("the scores", path, &scores_csv(&trial.comparisons));
    let scores = args.scores.as_ref().map_or(Ok(()), write);
    let draw = |path: &PathBuf| {
        let title = format!("{}: enrol {}, probe {}", name, args.sessions.enrol, args.sessions.probe);
        file::write("the plot", path, &det_svg(&det_curve(&trial.comparisons)?, &title, &report.summary()))
    };
    // Neither is lost by the other.
    let plot = args.plot.as_ref().map_or(Ok(()), draw);
    Ok(scores.and(plot)?)
}

fn measure(args: &Args, model: &Model, seen: Seen, trial: &Trial) -> anyhow::Result<Report> {
    let rates = error_rates(&trial.comparisons, args.replicates, args.seed)
        .context("no error rates from these sessions: are there persons with records in both?")?;
    let threshold = args.threshold.unwrap_or(model.card().decision.threshold);
    let at_threshold = rates_at(&trial.comparisons, threshold, args.replicates, args.seed)?;
    Ok(Report::new(
        [
            args.sessions.collection.display().to_string(),
            args.sessions.enrol.to_string(),
            args.sessions.probe.to_string(),
        ],
        model.id().to_owned(),
        (args.seconds, mains_name(args.sessions.mains), args.mfcc),
        trial,
        seen,
        rates,
        at_threshold,
    ))
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
