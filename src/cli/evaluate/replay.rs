//! `ecgid evaluate replay`: hearts that beat against earlier beats that are played again, on real recordings.

pub mod attack;
pub mod curve;
pub mod listen;
pub mod report;

use std::path::{Path, PathBuf};

use anyhow::Context;
use ecg_data::{Collection, Entry, annotations};
use ecg_identity::{Heartbeat, Liveness, LivenessConfig};
use ecg_signal::Mains;

use self::attack::Attack;
use self::listen::{Heard, Outcome, Windows, attack, genuine, hear, windows};
use self::report::{Group, Report};
use super::work::for_each;
use crate::cli::{Failure, file};
use crate::recording::{Recording, parse_mains};

/// What is measured; shown by `--help`.
const MEASURES: &str = "\
Hearts    all recordings one after the other, with one history: windows in which a replay or too regular a
          rhythm is suspected although the heart beats
Replays   a stretch of each recording, somewhere in it, after all recordings were heard
Loops     a stretch that was not heard before, again and again; seconds count from its second turn
Metronome one beat of each recording at 75 a minute
Intervals in brackets: 95 % by bootstrap over persons; where nothing was seen, the upper end is that of
          as many independent windows
Seconds   of those that are recognised, until the daemon knows: half of them, 95 of 100

Examples
  ecgid evaluate replay --collection mitdb --group paced=102,107,104,217 --group AF=201,203
  ecgid evaluate replay --collection heartprint --plot replay.svg
  ecgid evaluate replay --collection nsr2db_rr --annotator ecg       windows of annotated beats alone";

/// Arguments of `ecgid evaluate replay`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = MEASURES)]
pub struct Args {
    /// Folder with records, with or without manifest.csv
    #[arg(long)]
    collection: PathBuf,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    signal: usize,
    /// Beats of annotation files with this extension instead of signals: intervals alone, and no attacks
    #[arg(long, value_name = "EXTENSION")]
    annotator: Option<String>,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    /// Length of a window, and of a replay, seconds
    #[arg(long, default_value_t = 15.0, value_parser = parse_seconds)]
    seconds: f64,
    /// Attacks of each kind a recording, each from another place
    #[arg(long, default_value_t = 1)]
    draws: u64,
    /// Persons told apart in the table: NAME=SUBJECT,SUBJECT; repeat for more
    #[arg(long, value_name = "NAME=SUBJECTS", value_parser = parse_group)]
    group: Vec<(String, Vec<String>)>,
    /// Beats that are remembered
    #[arg(long, default_value_t = LivenessConfig::default().history_beats)]
    history_beats: usize,
    /// Take a rhythm without variation for a heart
    #[arg(long)]
    allow_even_rhythm: bool,
    /// Seed of places, noise and bootstrap
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw the share of attacks that are recognised against time to this file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

fn parse_seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (5.0..=600.0).contains(s)).ok_or_else(|| "5 to 600 seconds".into())
}

fn parse_group(text: &str) -> Result<(String, Vec<String>), String> {
    let (name, subjects) = text.split_once('=').ok_or("NAME=SUBJECT,SUBJECT")?;
    Ok((name.to_owned(), subjects.split(',').map(str::to_owned).collect()))
}

/// One attack on one recording.
type Attacked = (Attack, String, Outcome);

/// Runs the command.
///
/// # Errors
/// The collection or one of its records cannot be read, or the drawing not be written.
pub fn main(args: &Args) -> Result<(), Failure> {
    let collection = Collection::open(&args.collection)?;
    let config = LivenessConfig { history_beats: args.history_beats, allow_even_rhythm: args.allow_even_rhythm };
    let mut liveness = Liveness::new(config.clone());
    let (hearts, attacked) = match &args.annotator {
        Some(annotator) => (intervals(args, &collection, annotator, &mut liveness)?, Vec::new()),
        None => signals(args, &collection, &mut liveness)?,
    };
    let report =
        Report::new(args.seconds, args.seed, liveness.history(), &groups(args, &collection), &hearts, &attacked);
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{report}");
    }
    if let Some(path) = &args.plot {
        file::write("the plot", path, &curve::svg(&report, &args.collection, args.seconds))?;
    }
    Ok(())
}

/// The groups that were asked for, and all others.
fn groups(args: &Args, collection: &Collection) -> Vec<Group> {
    let named = |subject: &str| args.group.iter().any(|(_, subjects)| subjects.iter().any(|s| s == subject));
    let others = collection.subjects().into_iter().filter(|subject| !named(subject)).map(str::to_owned).collect();
    let name = if args.group.is_empty() { "all" } else { "others" };
    let mut groups = vec![Group { name: name.to_owned(), subjects: others }];
    groups.extend(args.group.iter().map(|(name, subjects)| Group { name: name.clone(), subjects: subjects.clone() }));
    groups
}

/// A person's name, and what was seen of the genuine heart.
type Heart = (String, Windows);

/// Hearts and attacks from signals.
fn signals(
    args: &Args,
    collection: &Collection,
    liveness: &mut Liveness,
) -> anyhow::Result<(Vec<Heart>, Vec<Attacked>)> {
    let open = |entry: &Entry| {
        Recording::open(&entry.path, args.signal).with_context(|| format!("cannot read {}", entry.path.display()))
    };
    let heard = for_each("recordings", &collection.entries, || (), |(), entry| hear(&open(entry)?.stream, args.mains));
    let heard: Vec<Heard> = heard.into_iter().collect::<anyhow::Result<_>>()?;
    let both = || collection.entries.iter().zip(&heard);
    let hearts = both().map(|(entry, heard)| (entry.subject.clone(), genuine(liveness, heard, args.seconds))).collect();
    let (all, empty) = (&*liveness, Liveness::new(liveness.config().clone()));
    let items: Vec<(usize, &Entry, &Heard)> = both().enumerate().map(|(n, (entry, heard))| (n, entry, heard)).collect();
    let attacked = for_each(
        "attacks",
        &items,
        || (),
        |(), (number, entry, heard)| -> anyhow::Result<Vec<Attacked>> {
            let recording = open(entry)?;
            let mut attacked = Vec::new();
            for (kind, draw) in Attack::all().into_iter().flat_map(|kind| (0..args.draws).map(move |draw| (kind, draw)))
            {
                // What a loop and a metronome consist of was never heard.
                let history = if matches!(kind, Attack::Replay(_)) { all } else { &empty };
                let seed = args.seed ^ draw << 32 ^ *number as u64;
                let outcome = attack(history, &recording, heard, kind, args.seconds, args.mains, seed)?;
                attacked.extend(outcome.map(|outcome| (kind, entry.subject.clone(), outcome)));
            }
            Ok(attacked)
        },
    );
    let attacked = attacked.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    Ok((hearts, attacked.into_iter().flatten().collect()))
}

/// Hearts from annotated beats. Annotations stand on samples: where in its sample a beat lies is drawn, as otherwise
/// intervals would be equal that are not.
fn intervals(
    args: &Args,
    collection: &Collection,
    annotator: &str,
    liveness: &mut Liveness,
) -> anyhow::Result<Vec<Heart>> {
    let mut random = fastrand::Rng::with_seed(args.seed);
    let mut hearts = Vec::new();
    for entry in &collection.entries {
        let times = beat_times(&entry.path, annotator, &mut random)?;
        liveness.interrupt();
        let beats = times.iter().enumerate().map(|(n, at_s)| {
            let interval_ms = n.checked_sub(1).map(|before| (at_s - times[before]) * 1000.0);
            // Longer than the signal path gives.
            let interval_ms = interval_ms.filter(|ms| *ms <= 3000.0);
            (*at_s, Heartbeat { interval_ms, segment: &[], r_index: 0.0, middle: None })
        });
        hearts.push((entry.subject.clone(), windows(liveness, beats, args.seconds)));
    }
    Ok(hearts)
}

fn beat_times(path: &Path, annotator: &str, random: &mut fastrand::Rng) -> anyhow::Result<Vec<f64>> {
    let annotations = annotations(path, annotator)?;
    Ok(annotations.beats().map(|at| (at as f64 + random.f64() - 0.5) / annotations.fs).collect())
}
