//! `ecgid enrol`: makes templates of a person, from a live source or from recordings, and puts them into the gallery.
//!
//! A template belongs to a front end. A recording is a front end of its own; `--front-end FORMAT` sends it through a
//! simulated board of that format first, so that the person is known on such a board. What is asked for and what is
//! refused is `ecg_identity::enrolment`; why so: `docs/adr/0016-enrolment.md`.

mod collect;
mod keyboard;
mod live;
mod remote;
mod screen;

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use ecg_identity::enrolment::{Judged, Placement, Requirements, judge};
use ecg_signal::{Hertz, Mains};
use ecg_wire::Format;
use tokio::runtime::Runtime;

use self::collect::Collector;
use self::keyboard::Keyboard;
use super::Failure;
use super::daemon::Daemon;
use super::run::{runtime, settings};
use super::subjects::subject;
use crate::config::{Config, Slug, SourceConfig};
use crate::enrolment::{Asked, KeepError, Offer, Question, Report, keep, nothing_to_update, refusal, replaces};
use crate::inference::Model;
use crate::pipeline::front_end::FrontEnd;
use crate::pipeline::outlet::Telemetry;
use crate::recording::{Recording, RecordingError, parse_mains, through_board};
use crate::source::configured::{ConfiguredSource, decode_options};
use crate::source::decode;
use crate::store::Store;

/// Arguments of `ecgid enrol`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
How to enrol well:
  Sit, rest both arms, put both electrodes on, keep still. You will be asked
  to take them off and put them back twice: they never sit twice in the same
  way, and a template knows only what it has seen.
  Come again on another day with --add. It is worth more than a longer first
  day: pulse and skin differ.
  Enrol on the board that will be used: a template belongs to its format,
  rate, gain and reference voltage, filters and model.

  ecgid enrol anna            first day, from the configured source; of somebody
                              who is enrolled it replaces the earlier days
  ecgid enrol anna --add      another day
  ecgid enrol anna --update   lets a template follow: beats that match clearly
                              only, and never far from what was enrolled
  ecgid subjects list         who is enrolled, and who lacks a second day
  ecgid subjects undo anna    takes the newest of these back

While the daemon runs it is asked to enrol: it holds the port, and it goes on
deciding meanwhile. --direct, --source and --record do without it.

Nothing is learnt silently: templates change by these commands and by the
requests of docs/requests.md only.
Without a terminal nothing is asked, and progress comes in plain lines.
Exit code 1: no enrolment, and why; 2: wrong arguments; 78: mend configuration,
model or database.")]
pub struct Args {
    /// Pseudonym of the person: 1 to 32 characters a-z, 0-9, _ and -
    #[arg(value_parser = subject)]
    name: Slug,
    /// Recording to enrol from (WFDB record or .csv, whose codes are read at the configured gain); may be given several
    /// times: placements of one day
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
    /// Live: placements of the electrodes [default: 3; 1 for an update, a recording or the simulator]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=10), conflicts_with = "record")]
    placements: Option<u8>,
    /// Live: seconds of good heartbeats to collect, in all placements together [default: 48; for an update 16]
    #[arg(long, value_parser = parse_seconds)]
    seconds: Option<f64>,
    /// Live: give up after so many seconds
    #[arg(long, default_value_t = 300.0, value_parser = parse_seconds)]
    give_up_after: f64,
    /// Keep the person's earlier templates and add these (another day), instead of replacing them
    #[arg(long)]
    add: bool,
    /// Blend what is collected into the person's nearest template, where it matches clearly; the original stays its anchor
    #[arg(long, conflicts_with = "add")]
    update: bool,
    /// Store although somebody else who is enrolled is very much alike: they are two persons
    #[arg(long)]
    accept_resemblance: bool,
    /// Ask nothing, as if there were no terminal
    #[arg(long)]
    yes: bool,
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
    /// Open the source here, though the daemon runs
    #[arg(long)]
    direct: bool,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (5.0..=3600.0).contains(s)).ok_or_else(|| "5 to 3600 seconds".into())
}

impl Args {
    /// The running daemon can do it: nothing is asked for that it does not hear, and nothing that it hears otherwise.
    fn is_for_the_daemon(&self) -> bool {
        let of_its_own = self.source.is_some() || self.model.is_some() || self.mains.is_some();
        self.record.is_empty() && !self.direct && !of_its_own
    }
}

/// What was collected, on which front end.
struct Collected {
    judged: Judged,
    front_end: FrontEnd,
    chain_id: String,
}

/// Runs the command.
///
/// # Errors
/// Exit 78 where configuration, model or database must be mended; 1 where the signal gives no good template, or where
/// somebody else is so much alike that nobody has confirmed it.
pub fn main(args: Args) -> Result<(), Failure> {
    let config = Config::load(args.config.as_deref(), &[]).map_err(Failure::config)?;
    let mut keyboard = Keyboard::new(!args.yes);
    if args.is_for_the_daemon() {
        let runtime = runtime()?;
        if let Some(daemon) = runtime.block_on(Daemon::of(args.store.as_ref().unwrap_or(&config.store.path)))? {
            return tell(&remote::enrol(&runtime, &daemon, &args, &mut keyboard)?, args.json);
        }
    }
    let mut model = Model::load(&args.model.clone().unwrap_or_else(|| config.model_path())).map_err(Failure::config)?;
    let database = args.store.as_ref().unwrap_or(&config.store.path);
    let store = Store::open_with(database, &config.keys).map_err(Failure::config)?;
    begin(&args, store.subject_exists(&args.name)?, &mut keyboard, &runtime()?)?;
    let settings = settings(&config, &model, Telemetry::Drop);
    let mains = args.mains.unwrap_or(settings.mains);
    let collector = Collector::new(&mut model, settings.liveness.clone());
    let collected = if args.record.is_empty() {
        let source = live::source(&config.source, args.source.as_deref()).map_err(Failure::config)?;
        live::is_free(&source, &config.source, database)?;
        let plan = asked(&args).plan(&source);
        let source = ConfiguredSource::new(&source).map_err(Failure::config)?;
        live::enrol(source, collector, mains, plan, &mut keyboard)?
    } else {
        from_recordings(&args, collector, mains, &config.source)?
    };
    let offer = Offer {
        subject: &args.name,
        front_end: &collected.front_end.key(&collected.chain_id, model.id()),
        model: model.id(),
        cohort: model.cohort().map(std::sync::Arc::as_ref),
        judged: &collected.judged,
        threshold: settings.decision.threshold,
        floor: settings.decision.threshold - settings.decision.margin,
        add: args.add,
        update: args.update,
        accept_resemblance: args.accept_resemblance,
    };
    let report = match keep(&store, &offer) {
        Err(KeepError::Resembles(question)) if runtime()?.block_on(confirmed(&mut keyboard, &question))? => {
            keep(&store, &Offer { accept_resemblance: true, ..offer })?
        }
        kept => kept?,
    };
    tell(&report, args.json)
}

/// Says at once what the name stands against; asks whether it is to be replaced, where there is somebody to ask.
fn begin(args: &Args, known: bool, keyboard: &mut Keyboard, runtime: &Runtime) -> anyhow::Result<()> {
    let Args { name, add, update, .. } = args;
    if let Some(why) = nothing_to_update(name, known, *update) {
        bail!(why);
    }
    let Some(note) = replaces(name, known, *add, *update) else { return Ok(()) };
    match runtime.block_on(keyboard.confirmed(&format!("{note}.\nIs it to be replaced?"))) {
        Some(true) => {}
        Some(false) => bail!("nothing is changed; ecgid enrol {name} --add keeps what is enrolled"),
        None => note!("note: {note}"),
    }
    Ok(())
}

/// Asks whether it is another person; false where there is nobody to ask.
async fn confirmed(keyboard: &mut Keyboard, question: &Question) -> anyhow::Result<bool> {
    let Question { told, advice } = question;
    match keyboard.confirmed(&format!("{told}; {advice}.\nIs it another person, to be enrolled all the same?")).await {
        Some(true) => Ok(true),
        Some(false) => bail!("nothing is stored; {advice}"),
        None => Ok(false),
    }
}

/// Says what was stored.
fn tell(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        say!("{}", serde_json::to_string_pretty(report)?);
    } else {
        say!("{}", report.to_string().trim_end());
    }
    report.tell_notes();
    Ok(())
}

fn asked(args: &Args) -> Asked {
    Asked {
        placements: args.placements.map(usize::from),
        seconds: args.seconds,
        give_up_after_s: Some(args.give_up_after),
        update: args.update,
    }
}

fn from_recordings(
    args: &Args,
    mut collector: Collector<'_>,
    mains: Mains,
    configured: &SourceConfig,
) -> anyhow::Result<Collected> {
    // Millivolts are millivolts, but templates of another gain are not compared: theirs must be the board's.
    let scale = match args.front_end {
        Some(format) => decode::scale(format, &decode_options(configured)?),
        None => 1.0,
    };
    let mut placements = Vec::new();
    let mut known: Option<(FrontEnd, String)> = None;
    for path in &args.record {
        let recording = Recording::open_with(path, args.signal, configured.adc())?;
        for warning in &recording.warnings {
            note!("note: {}: {warning}", path.display());
        }
        let stream = match args.front_end {
            Some(format) => through_board(&recording.stream, format, configured.fs_hz.map(Hertz))
                .map_err(|source| RecordingError::Board { path: path.clone(), source })?,
            None => recording.stream,
        };
        let passage = stream
            .pass(0..stream.samples.len(), mains)
            .map_err(|source| RecordingError::Path { path: path.clone(), source })?;
        let front_end = FrontEnd { format: stream.format.clone(), fs_hz: stream.fs.0, scale };
        if known.as_ref().is_some_and(|(first, _)| *first != front_end) {
            bail!("{} has another rate than the first record: enrol records of one device together", path.display());
        }
        known = Some((front_end, passage.chain_id));
        collector.interrupt();
        let mut placement = Placement::default();
        for beat in &passage.beats {
            collector.push(beat, stream.fs.0, &mut placement)?;
        }
        placements.push(placement);
    }
    let (front_end, chain_id) = known.context("no record to enrol from")?;
    let judged = judge(&placements, &Requirements::default()).map_err(|why| anyhow!(refusal(&why, "recording")))?;
    Ok(Collected { judged, front_end, chain_id })
}
