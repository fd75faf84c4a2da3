//! `ecgid evaluate calibration`: makes the table of a model card that says what a score is worth, from recordings.
//!
//! The evidence is what the daemon's decision rests on after contact: the first heartbeats' growing average, then the
//! mean of full averages. Persons whom the network was trained on would make it promise too much.

use std::collections::BTreeSet;

use anyhow::{Context, anyhow};
use ecg_data::{Adc, Entry};
use ecg_identity::calibration::{Calibration, Observation, evidence_beats, per_comparison};
use ecg_identity::{cosine, mean_unit};
use ecg_signal::{BeatAverager, Mains};

use super::protocol::Protocol;
use super::sessions::{Chosen, SessionArgs};
use super::work::for_each;
use crate::cli::Failure;
use crate::config::file::FALSE_POSITIVE_RATE;
use crate::inference::Model;
use crate::recording::Recording;

/// Numbers of heartbeats that get a row: close where each one changes much, up to what the default window holds.
const BEATS: [usize; 8] = [1, 2, 3, 4, 5, 8, 12, 16];
/// Windows of full averages begin so many beats apart: each begins with heartbeats of its own.
const STRIDE: usize = 5;

/// Fewest persons that a table is made of.
const FEWEST: usize = 5;
/// Persons enrolled in a household, for what is said of the table.
const HOUSEHOLD: usize = 5;

/// Arguments of `ecgid evaluate calibration`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The printed rows replace all [[decision.calibration]] tables of the model's card,
the .toml beside the .onnx. Five persons with sessions on both sides are needed;
smaller false match rates than so few can state are extrapolated, and said to be.

  ecgid evaluate calibration --collection mine --enrol first --probe rest")]
pub struct Args {
    #[command(flatten)]
    sessions: SessionArgs,
}

/// Runs the command.
///
/// # Errors
/// An unusable model (exit 78), an unusable collection, or too few persons.
pub fn main(args: &Args) -> Result<(), Failure> {
    let Chosen { model, enrol, probe, .. } = args.sessions.choose()?;
    let SessionArgs { signal, mains, adc, .. } = args.sessions;
    let adc = adc.adc();
    let protocol =
        Protocol { seconds: 15.0, signal, adc, mains, enrol_front_end: None, probe_front_end: None, mfcc: 0.0 };
    let templates = protocol.enrol(&model, &enrol)?;
    let embed = |model: &mut Model, entry: &Entry| growing(model, entry, (signal, adc), mains);
    let probes = for_each("probing", &probe, || model.clone(), embed);
    let mut observations = Vec::new();
    for (entry, evidence) in probe.iter().zip(probes) {
        for (beats, embedding) in evidence? {
            for (subject, templates) in templates.iter().filter(|(_, templates)| !templates.is_empty()) {
                let scores = templates.iter().map(|template| cosine(template, &embedding));
                let score = scores.fold(f64::NEG_INFINITY, f64::max);
                observations.push(Observation {
                    beats,
                    score,
                    mated: *subject == entry.subject,
                    person: &entry.subject,
                });
            }
        }
    }
    let persons: BTreeSet<&str> = observations.iter().filter(|o| o.mated).map(|o| o.person).collect();
    if persons.len() < FEWEST {
        let found = persons.len();
        return Err(anyhow!(
            "{found} persons with sessions on both sides: at least {FEWEST} are needed, 20 are better"
        )
        .into());
    }
    let calibration = Calibration::fit(&observations).context("these sessions give no calibration")?;
    say!("{}", rows(&calibration).trim_end());
    let stated = calibration.rows().iter().filter_map(|row| row.thresholds.last()).map(|(rate, _)| *rate);
    let (stated, asked) = (stated.fold(0.0, f64::max), per_comparison(FALSE_POSITIVE_RATE, HOUSEHOLD));
    if stated > asked {
        eprintln!(
            "note: of {} persons, false match rates down to {} % are stated in every row; the default setting with \
             {HOUSEHOLD} enrolled asks for {:.2} %, which is extrapolated: record more persons, or compare with the \
             thresholds of the shipped card and keep the higher ones",
            persons.len(),
            100.0 * stated,
            100.0 * asked
        );
    }
    Ok(())
}

/// The evidence after contact, by number of heartbeats.
fn growing(
    model: &mut Model,
    entry: &Entry,
    (signal, adc): (usize, Adc),
    mains: Mains,
) -> anyhow::Result<Vec<(usize, Vec<f32>)>> {
    let stream = Recording::open_with(&entry.path, signal, adc)?.stream;
    let passage = stream.pass(0..stream.samples.len(), mains)?;
    let mut averager = BeatAverager::from_first_beat(&model.preparation());
    let full = model.preparation().beats.max(1);
    let (mut evidence, mut embeddings) = (Vec::new(), Vec::new());
    for input in passage.beats.iter().filter_map(|beat| averager.push(beat)) {
        let embedding = model.embed(&input)?.values;
        if input.beats == full {
            embeddings.push(embedding);
        } else if BEATS.contains(&input.beats) {
            evidence.push((input.beats, embedding));
        }
    }
    for count in 1..=embeddings.len() {
        let beats = evidence_beats(full, count);
        let windows = embeddings.windows(count).step_by(STRIDE).filter(|_| BEATS.contains(&beats));
        evidence.extend(windows.map(|window| (beats, mean_unit(window.iter().map(Vec::as_slice)))));
    }
    Ok(evidence)
}

/// The rows as a card has them.
fn rows(calibration: &Calibration) -> String {
    let row = |row: &ecg_identity::calibration::Row| {
        let pairs: Vec<String> = row.thresholds.iter().map(|(fmr, score)| format!("[{fmr}, {score:.4}]")).collect();
        format!(
            "[[decision.calibration]]\nbeats = {}\nslope = {:.4}\nintercept = {:.4}\nthresholds = [{}]\n\n",
            row.beats,
            row.slope,
            row.intercept,
            pairs.join(", ")
        )
    };
    calibration.rows().iter().map(row).collect()
}
