//! `ecgid replay`: a recording through the daemon's own pipeline, its events as lines.

use std::io::Write as _;
use std::path::PathBuf;

use ecg_wire::Format;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::lines::Narrator;
use super::output;
use super::run::{runtime, settings, stop_on_signal};
use crate::config::Config;
use crate::event::Event;
use crate::inference::Model;
use crate::pipeline::gallery::StoredGallery;
use crate::pipeline::outlet::Telemetry;
use crate::pipeline::{self, pulse::Pulse};
use crate::publish;
use crate::source::configured::decode_options;
use crate::source::decode::scale;
use crate::source::replay::Replay;
use crate::store::Store;

/// Arguments of `ecgid replay`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// WFDB record without its extension, `.hea` or `.csv`
    record: PathBuf,
    /// Which signal of the record, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    signal: usize,
    /// Times real time, or `max`: as fast as the pipeline takes it
    #[arg(long, value_name = "FACTOR", default_value = "max", value_parser = parse_speed)]
    speed: Speed,
    /// Compare with the templates of boards of this wire format, at the configured gain and reference voltage, instead
    /// of those made from recordings
    #[arg(long, value_name = "FORMAT")]
    front_end: Option<Format>,
    /// JSON lines instead of readable ones
    #[arg(long)]
    json: bool,
    /// Configuration file: model, gallery, mains, decision
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// A multiple of real time; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(pub Option<f64>);

/// Reads `max` or a factor.
///
/// # Errors
/// In words.
pub fn parse_speed(given: &str) -> Result<Speed, String> {
    if given == "max" {
        return Ok(Speed(None));
    }
    match given.trim_end_matches('x').parse() {
        Ok(factor) if (0.01..=1e6).contains(&factor) => Ok(Speed(Some(factor))),
        _ => Err("a factor between 0.01 and 1000000, or max".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// The configuration, the model, the database or the record is unusable.
pub fn main(args: Args) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), &[]).map_err(Failure::config)?;
    let model = Model::load(&config.model_path()).map_err(Failure::config)?;
    let model = model.with_class_front_ends(&config.class_front_ends);
    let gallery = gallery(&config, &model)?;
    let mut replay = Replay::open(&args.record, args.signal, config.source.adc(), args.speed.0)?;
    for warning in replay.take_warnings() {
        note!("note: {warning}");
    }
    if let Some(format) = args.front_end {
        let options = decode_options(&config.source).map_err(Failure::config)?;
        replay = replay.with_front_end(format.name(), scale(format, &options));
    }
    runtime()?.block_on(async {
        let cancel = CancellationToken::new();
        stop_on_signal(cancel.clone())?;
        let (events, from_pipeline) = mpsc::channel(64);
        let (told, json) = (config.clone(), args.json);
        let printing = tokio::task::spawn_blocking(move || print(from_pipeline, &told, json));
        let settings = settings(&config, &model, Telemetry::Wait);
        let ended = pipeline::run(replay, settings, model, gallery, events, Pulse::default(), cancel).await;
        let _printed = printing.await;
        Ok(ended?)
    })
}

/// The gallery of the configured database. Listening to a recording makes none, and no key for it.
fn gallery(config: &Config, model: &Model) -> Result<Option<StoredGallery>, Failure> {
    let path = &config.store.path;
    if !path.exists() {
        note!("note: nobody is enrolled: there is no database {}", path.display());
        return Ok(None);
    }
    let store = Store::open_with(path, &config.keys).map_err(Failure::config)?;
    Ok(Some(StoredGallery::new(store, model.cohort().cloned())))
}

/// Writes events as they come; returns when the pipeline has ended or nothing more can be written.
fn print(mut events: mpsc::Receiver<Event>, config: &Config, json: bool) {
    if json {
        return output::keep(publish::lines::run("replay", events, config, &mut std::io::stdout()));
    }
    let (mut narrator, mut fs_hz) = (Narrator::default(), None);
    let mut out = std::io::stdout();
    while let Some(event) = events.blocking_recv() {
        if let Event::Source(source) = &event {
            fs_hz = source.fs_hz.or(fs_hz);
        }
        if let Some(line) = narrator.line(&event)
            && let Err(error) = writeln!(out, "{}  {line}", time(&event, fs_hz))
        {
            return output::keep(Err(error));
        }
    }
}

/// When an event happened in the recording.
fn time(event: &Event, fs_hz: Option<f64>) -> String {
    let index = match event {
        Event::Identity(event) => event.sample_index,
        Event::Hrv(event) => event.sample_index,
        Event::Signal(event) => event.sample_index,
        Event::Source(_) => return " ".repeat(9),
    };
    fs_hz.map_or_else(|| format!("{:>9}", "-"), |fs_hz| format!("{:7.1} s", index as f64 / fs_hz))
}
