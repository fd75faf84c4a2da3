//! `ecgid evaluate stream`: the decision over time on streams spliced from recordings, through the daemon's own stages.
//!
//! Every stream is heard once; every setting decides over the same evidence. A person's household holds it and the
//! persons behind it in the list; a stranger is heard by households that it does not belong to.

pub mod figures;
pub mod hearing;
pub mod report;
pub mod session;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ecg_identity::{DecisionConfig, Reference};

use self::figures::{ended_in_time, held, seconds_to_verified};
use self::hearing::{Heard, Verified};
use self::report::{Report, Row};
use self::session::Session;
use super::outcome::Outcomes;
use super::protocol::Protocol;
use super::sessions::{Chosen, SessionArgs};
use super::work::for_each;
use crate::cli::{Failure, file};
use crate::config::Config;
use crate::config::file::FALSE_POSITIVE_RATE;
use crate::inference::Model;
use crate::recording::{Recording, Stream, mains_name};

/// False positive rates of the trade-off curve.
const RATES: [f64; 8] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
/// Distances from the threshold on the curve of a model without calibration.
const STEPS: [f64; 6] = [-0.15, -0.1, -0.05, 0.05, 0.1, 0.15];
/// Probe records of a person that begin swap sessions.
const SWAPS: usize = 3;
/// Households that a stranger is heard by.
const HOUSEHOLDS: usize = 8;

/// Arguments of `ecgid evaluate stream`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    sessions: SessionArgs,
    /// Persons enrolled in a household
    #[arg(long, value_name = "PERSONS", default_value_t = 5)]
    household: usize,
    /// How long a stranger is heard, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = parse_seconds)]
    stranger: f64,
    /// Share of strangers accepted that the decision is set to; needs a card with calibration
    #[arg(long, value_name = "RATE", default_value_t = FALSE_POSITIVE_RATE)]
    false_positive_rate: f64,
    /// Decide by this one score instead
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Write the trade-off curve to this file
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
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
    text.parse().ok().filter(|s| (10.0..=3600.0).contains(s)).ok_or_else(|| "10 to 3600 seconds".into())
}

/// What a session is for; persons are numbers in the list of those who have a template and probe records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Contact,
    BareSwap,
    LeadOffSwap,
    Stranger,
}

/// One session to be heard.
#[derive(Debug, Clone, Copy)]
struct Task {
    kind: Kind,
    person: usize,
    first: usize,
    other: usize,
}

/// A person of the evaluation.
struct Person {
    /// One for each enrol record.
    references: Vec<Reference>,
    probes: Vec<Stream>,
    /// All other records of the collection.
    others: Vec<Stream>,
}

/// Runs the command.
///
/// # Errors
/// An unusable model (exit 78), an unusable collection, or too few persons with records in both sessions.
pub fn main(args: &Args) -> Result<(), Failure> {
    let chosen = args.sessions.choose()?;
    let persons = persons(args, &chosen)?;
    let Chosen { model, seen, .. } = chosen;
    let settings = settings(args, &model);
    let household = args.household.clamp(1, persons.len().saturating_sub(2).max(1));
    if persons.len() < 3 {
        return Err(anyhow::anyhow!(
            "three persons with records in both sessions are needed, there are {}",
            persons.len()
        )
        .into());
    }
    let change_floor = settings[0].1.change_floor();
    let tasks = tasks(&persons, household);
    let listen = |model: &mut Model, task: &Task| -> anyhow::Result<Option<Heard>> {
        let session = splice(&persons, *task, args.stranger);
        session.map(|session| Heard::new(&session, model, args.sessions.mains, change_floor)).transpose()
    };
    let heard = for_each("listening", &tasks, || model.clone(), listen);
    let mut sessions = Vec::new();
    for (task, heard) in tasks.into_iter().zip(heard) {
        sessions.extend(heard?.map(|heard| (task, heard)));
    }
    let references: Vec<Vec<Reference>> = persons.iter().map(|p| p.references.clone()).collect();
    let decide = |_: &mut (), (name, config): &(f64, DecisionConfig)| {
        row(args, (*name, config), &references, &sessions, household)
    };
    let rows = for_each("deciding", &settings, || (), decide);
    let own_s: Vec<f64> = sessions.iter().filter(|(t, _)| t.kind == Kind::Stranger).map(|(_, h)| h.own_s).collect();
    let report = Report::new(
        [
            args.sessions.collection.display().to_string(),
            args.sessions.enrol.to_string(),
            args.sessions.probe.to_string(),
        ],
        (&model, mains_name(args.sessions.mains)),
        (household, args.stranger, own_s),
        seen.warning(&model.card().name),
        rows,
    );
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{}", report.to_string().trim_end());
    }
    if let Some(path) = &args.plot {
        file::write("the plot", path, &report.svg())?;
    }
    Ok(())
}

/// Everybody with a template and with probe records.
fn persons(args: &Args, chosen: &Chosen) -> anyhow::Result<Vec<Person>> {
    let SessionArgs { signal, mains, adc, .. } = args.sessions;
    let adc = adc.adc();
    let protocol =
        Protocol { seconds: 15.0, signal, adc, mains, enrol_front_end: None, probe_front_end: None, mfcc: 0.0 };
    let templates: BTreeMap<_, _> = protocol.enrol(&chosen.model, &chosen.enrol)?;
    let mut persons = Vec::new();
    for (subject, templates) in templates.into_iter().filter(|(_, templates)| !templates.is_empty()) {
        let (mut probes, mut others) = (Vec::new(), Vec::new());
        for entry in chosen.collection.entries.iter().filter(|e| e.subject == subject) {
            let stream = Recording::open_with(&entry.path, signal, adc)?.stream;
            if chosen.probe.iter().any(|p| p.record == entry.record) { &mut probes } else { &mut others }.push(stream);
        }
        if !probes.is_empty() {
            let reference = |(revision, template)| Reference { subject: subject.clone(), revision, template };
            let references = (1..).zip(templates).map(reference).collect();
            persons.push(Person { references, probes, others });
        }
    }
    Ok(persons)
}

/// The settings that are tried, the one that was asked for first: its figure (rate or threshold) and the decision.
fn settings(args: &Args, model: &Model) -> Vec<(f64, DecisionConfig)> {
    let card = model.card().decision.threshold;
    let by_rate = |rate| {
        let calibrated = model.calibrated(rate).filter(|_| args.threshold.is_none())?;
        Some((rate, DecisionConfig { threshold: card, calibrated: Some(calibrated), ..usual() }))
    };
    if let Some(asked) = by_rate(args.false_positive_rate) {
        let others = RATES.iter().filter(|rate| **rate != args.false_positive_rate);
        return std::iter::once(asked).chain(others.filter_map(|rate| by_rate(*rate))).collect();
    }
    let threshold = args.threshold.unwrap_or(card);
    let steps = std::iter::once(0.0).chain(STEPS).map(|step| threshold + step);
    steps.map(|threshold| (threshold, DecisionConfig { threshold, ..usual() })).collect()
}

/// What the daemon decides with by default, liveness included.
fn usual() -> DecisionConfig {
    Config::default().identity.decision(0.0)
}

fn tasks(persons: &[Person], household: usize) -> Vec<Task> {
    let n = persons.len();
    let of_person = |(person, known): (usize, &Person)| {
        let task = |kind, first, other| Task { kind, person, first, other };
        let contact = (0..known.probes.len()).map(move |first| task(Kind::Contact, first, person));
        let swaps = (0..known.probes.len().min(SWAPS)).flat_map(move |first| {
            // Once to somebody of the household, once to a stranger.
            let others = [(person + 1) % n, (person + household) % n].into_iter().filter(move |other| *other != person);
            let both = [Kind::BareSwap, Kind::LeadOffSwap];
            others.flat_map(move |other| both.map(|kind| task(kind, first, other)))
        });
        contact.chain(swaps).chain([task(Kind::Stranger, 0, person)]).collect::<Vec<_>>()
    };
    persons.iter().enumerate().flat_map(of_person).collect()
}

fn splice(persons: &[Person], task: Task, stranger_s: f64) -> Option<Session> {
    let probes = |number: usize| persons[number].probes.iter().collect::<Vec<_>>();
    match task.kind {
        Kind::Contact => Session::contact(&probes(task.person), task.first),
        Kind::BareSwap => Session::swap(&probes(task.person), task.first, &probes(task.other), true),
        Kind::LeadOffSwap => Session::swap(&probes(task.person), task.first, &probes(task.other), false),
        Kind::Stranger => {
            let Person { probes, others, .. } = &persons[task.person];
            Session::stranger(&probes.iter().chain(others).collect::<Vec<_>>(), stranger_s)
        }
    }
}

/// All figures at one setting.
fn row(
    args: &Args,
    (setting, config): (f64, &DecisionConfig),
    references: &[Vec<Reference>],
    sessions: &[(Task, Heard)],
    household: usize,
) -> Row {
    let gallery = |first: usize| -> Vec<Reference> {
        references.iter().cycle().skip(first).take(household).flatten().cloned().collect()
    };
    let mut of_kind: [Outcomes; 7] = Default::default();
    for person in 0..references.len() {
        let name = references[person][0].subject.as_str();
        let mut found: [Vec<f64>; 7] = Default::default();
        for (task, heard) in sessions.iter().filter(|(task, _)| task.person == person) {
            let bit = |yes: bool| f64::from(u8::from(yes));
            if task.kind == Kind::Stranger {
                for turn in 0..HOUSEHOLDS.min((references.len() - 1) / household) {
                    let verified: Vec<Verified> = heard.decide(config, &gallery(person + 1 + turn * household));
                    found[5].push(bit(!verified.is_empty()));
                }
                continue;
            }
            let verified = heard.decide(config, &gallery(person));
            match task.kind {
                Kind::Contact => {
                    let seconds = seconds_to_verified(name, heard.contact_s, &verified);
                    found[0].extend(seconds);
                    found[1].push(bit(seconds.is_some()));
                    found[2].extend(held(name, heard.until_s, &verified));
                    found[6].push(bit(verified.iter().any(|v| v.subject != name)));
                }
                Kind::BareSwap => found[3].extend(ended_in_time(name, heard.until_s, &verified).map(bit)),
                _ => found[4].extend(ended_in_time(name, heard.until_s, &verified).map(bit)),
            }
        }
        of_kind.iter_mut().zip(found).for_each(|(outcomes, found)| outcomes.add(found));
    }
    let share = |kind: usize| of_kind[kind].share(args.replicates, args.seed);
    Row {
        setting,
        by_rate: config.calibrated.is_some(),
        threshold_at_5_beats: (0..references.len())
            .map(|first| config.asked(5, &gallery(first))[0].threshold)
            .fold(f64::NEG_INFINITY, f64::max),
        seconds_to_verified_median: of_kind[0].quantile(0.5, args.replicates, args.seed),
        seconds_to_verified_95pct: of_kind[0].quantile(0.95, args.replicates, args.seed),
        verified: share(1),
        verified_held: share(2),
        bare_swap_ended: share(3),
        lead_off_swap_ended: share(4),
        stranger_accepted: share(5),
        wrong_person: share(6),
    }
}
