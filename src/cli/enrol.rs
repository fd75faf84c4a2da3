//! `ecgid enrol`: makes a template of a person, from recordings or from a live source, and puts it into the gallery.
//!
//! A template belongs to a front end. A recording is a front end of its own; `--front-end FORMAT` sends it through a
//! simulated board of that format first, so that the person is known on such a board.

mod live;
mod template;

use std::path::PathBuf;

use anyhow::{Context, bail};
use ecg_identity::{Match, rank};
use ecg_signal::{Hertz, Mains};
use ecg_wire::Format;
use serde::Serialize;

use self::template::{Collector, Template};
use super::Failure;
use super::run::settings;
use crate::config::{Config, Slug};
use crate::inference::Model;
use crate::pipeline::front_end::FrontEnd;
use crate::pipeline::outlet::Telemetry;
use crate::recording::{Recording, RecordingError, parse_mains, through_board};
use crate::store::{NewTemplate, Store};

/// Arguments of `ecgid enrol`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pseudonym of the person: 1 to 32 characters a-z, 0-9, _ and -
    name: String,
    /// Recording to enrol from (WFDB record or .csv); may be given several times: other days, other placements
    #[arg(long, value_name = "RECORD", conflicts_with = "source")]
    record: Vec<PathBuf>,
    /// Which signal of the recordings, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    signal: usize,
    /// Send the recordings through a simulated board of this wire format: the template then belongs to such boards
    #[arg(long, value_name = "FORMAT", requires = "record")]
    front_end: Option<Format>,
    /// Live source instead of the configured one: serial:/dev/ttyUSB0, tcp:host:port, simulator or simulator:SEED
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// Live: seconds of good heartbeats to collect
    #[arg(long, default_value_t = 30.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Live: give up after so many seconds
    #[arg(long, default_value_t = 180.0, value_parser = parse_seconds)]
    give_up_after: f64,
    /// Keep the person's earlier templates and add this one (another day), instead of replacing them
    #[arg(long)]
    add: bool,
    /// Mains frequency that the notch removes: 50, 60 or none [default: as configured]
    #[arg(long, value_parser = parse_mains)]
    mains: Option<Mains>,
    /// Model: .onnx with its card .toml beside it [default: as configured]
    #[arg(long, value_name = "FILE.onnx")]
    model: Option<PathBuf>,
    /// Gallery database [default: as configured]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Configuration file: source, model, gallery, mains
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (5.0..=3600.0).contains(s)).ok_or_else(|| "5 to 3600 seconds".into())
}

/// What was enrolled, on which front end.
struct Enrolled {
    template: Template,
    front_end: FrontEnd,
    chain_id: String,
}

/// What the command says of it.
#[derive(Debug, Serialize)]
struct Report {
    subject: String,
    revision: u32,
    front_end: String,
    model: String,
    /// Heartbeats that the template rests on.
    beats: usize,
    /// Heartbeats that the quality gate refused.
    refused_beats: usize,
    /// Placements or recordings.
    takes: usize,
    /// How much the parts of the enrolment resemble each other, cosine of the least alike.
    consistency: f64,
    /// Other subjects on this front end whom the new template resembles, most alike first.
    resembles: Vec<Resemblance>,
}

#[derive(Debug, Serialize)]
struct Resemblance {
    subject: String,
    score: f64,
}

/// Runs the command.
///
/// # Errors
/// Exit 78 where configuration, model or database must be mended; 1 where the signal gives no good template.
pub fn main(args: Args) -> Result<(), Failure> {
    let subject = Slug::subject(args.name.as_str())?;
    let config = Config::load(args.config.as_deref(), &[]).map_err(Failure::config)?;
    let mut model = Model::load(&args.model.clone().unwrap_or_else(|| config.model_path())).map_err(Failure::config)?;
    let store = Store::open(args.store.as_ref().unwrap_or(&config.store.path)).map_err(Failure::config)?;
    let settings = settings(&config, &model, Telemetry::Drop);
    let mains = args.mains.unwrap_or(settings.mains);
    let enrolled = if args.record.is_empty() {
        let source = live::source(&config.source, args.source.as_deref()).map_err(Failure::config)?;
        live::enrol(source, &mut model, mains, args.seconds, args.give_up_after)?
    } else {
        from_recordings(&args, &mut model, mains, config.source.fs_hz)?
    };
    let threshold = settings.decision.threshold;
    let report = keep(&store, &subject, &model, &enrolled, threshold - settings.decision.margin, !args.add)?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{}", report.to_string().trim_end());
    }
    if let Some(like) = report.resembles.first() {
        eprintln!(
            "warning: {} resembles {} ({:.2}, the threshold is {threshold:.2}): is it the same person? If not, enrol \
             both longer and in more placements, or they may be taken for each other",
            report.subject, like.subject, like.score
        );
    }
    Ok(())
}

fn from_recordings(args: &Args, model: &mut Model, mains: Mains, fs_hz: Option<f64>) -> anyhow::Result<Enrolled> {
    let mut collector = Collector::new(model);
    let mut known: Option<(FrontEnd, String)> = None;
    for path in &args.record {
        let recording = Recording::open(path, args.signal)?;
        for warning in &recording.warnings {
            eprintln!("note: {}: {warning}", path.display());
        }
        let stream = match args.front_end {
            Some(format) => through_board(&recording.stream, format, fs_hz.map(Hertz))
                .map_err(|source| RecordingError::Board { path: path.clone(), source })?,
            None => recording.stream,
        };
        let passage = stream
            .pass(0..stream.samples.len(), mains)
            .map_err(|source| RecordingError::Path { path: path.clone(), source })?;
        let front_end = FrontEnd { format: stream.format.clone(), fs_hz: stream.fs.0 };
        if known.as_ref().is_some_and(|(first, _)| *first != front_end) {
            bail!("{} has another rate than the first record: enrol records of one device together", path.display());
        }
        known = Some((front_end, passage.chain_id));
        collector.next_take();
        for beat in &passage.beats {
            collector.push(beat)?;
        }
    }
    let (front_end, chain_id) = known.context("no record to enrol from")?;
    Ok(Enrolled { template: collector.finish()?, front_end, chain_id })
}

/// Compares the template with those of the others, and stores it.
fn keep(
    store: &Store,
    subject: &Slug,
    model: &Model,
    enrolled: &Enrolled,
    floor: f64,
    replaces: bool,
) -> anyhow::Result<Report> {
    let key = enrolled.front_end.key(&enrolled.chain_id, model.id());
    let template = &enrolled.template;
    let others: Vec<ecg_identity::Reference> = store
        .references(&key, model.id())?
        .into_iter()
        .filter(|r| r.subject != subject.as_str())
        .map(|r| ecg_identity::Reference { subject: r.subject, revision: r.revision, embedding: r.embedding })
        .collect();
    let alike = rank(&others, &template.embedding).into_iter().take_while(|m| m.score >= floor);
    let resembles =
        alike.map(|Match { reference, score }| Resemblance { subject: reference.subject.clone(), score }).collect();
    let revision = store.add_template(&NewTemplate {
        subject,
        front_end: &key,
        model: model.id(),
        beats: u32::try_from(template.beats).unwrap_or(u32::MAX),
        embedding: &template.embedding,
        replaces,
    })?;
    Ok(Report {
        subject: subject.to_string(),
        revision,
        front_end: key,
        model: model.id().to_owned(),
        beats: template.beats,
        refused_beats: template.refused_beats,
        takes: template.takes,
        consistency: template.consistency,
        resembles,
    })
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "enrolled {} (revision {})", self.subject, self.revision)?;
        writeln!(f, "  beats        {} good, {} refused, {} takes", self.beats, self.refused_beats, self.takes)?;
        writeln!(f, "  consistency  {:.2} (1: every part of the enrolment is alike)", self.consistency)?;
        writeln!(f, "  front end    {}", self.front_end)?;
        writeln!(f, "  model        {}", self.model)
    }
}
