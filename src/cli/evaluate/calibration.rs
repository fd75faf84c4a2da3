//! `ecgid evaluate calibration`: makes the table of a model card that says what a score is worth, from recordings.
//!
//! The evidence is what the daemon's decision rests on after contact: the first heartbeats' growing average, then the
//! mean of full averages. Persons whom the network was trained on would make it promise too much.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, anyhow};
use ecg_data::{Adc, Entry};
use ecg_identity::calibration::{Calibration, Fitted, LEAST_PERSONS, Observation, Row, each_template, evidence_beats};
use ecg_identity::{Calibrated, DecisionConfig, Reference, Template, comparisons, mean_direction};
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

/// Persons enrolled in a household, for what is said of the table.
const HOUSEHOLD: usize = 5;

/// Arguments of `ecgid evaluate calibration`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The printed rows replace all [[decision.calibration]] tables of the model's card,
the .toml beside the .onnx. Five persons with sessions on both sides are needed,
for each row of its own: numbers of heartbeats that fewer reach are left out and
named. Smaller false match rates than so few can state are extrapolated, and said
to be. Each enrolled record counts as a template of its own.

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
            for (subject, templates) in &templates {
                let (mated, person) = (*subject == entry.subject, entry.subject.as_str());
                let of = |score| Observation { beats, score, mated, person };
                observations.extend(each_template(templates, &embedding).map(of));
            }
        }
    }
    let persons: BTreeSet<&str> = observations.iter().filter(|o| o.mated).map(|o| o.person).collect();
    if persons.len() < LEAST_PERSONS {
        let found = persons.len();
        return Err(anyhow!(
            "{found} persons with sessions on both sides: at least {LEAST_PERSONS} are needed, 20 are better"
        )
        .into());
    }
    let Fitted { calibration, left_out } =
        Calibration::fit(&observations).context("these sessions give no calibration")?;
    for why in left_out {
        note!("note: no row for {why}");
    }
    let calibration = calibration
        .ok_or_else(|| anyhow!("no number of heartbeats has persons enough for a row: record more, or for longer"))?;
    say!("{}", rows(&calibration).trim_end());
    if let Some(note) = extrapolated(&calibration, model.preparation().beats, &household(&templates)) {
        note!("note: of {} persons, {note}", persons.len());
    }
    Ok(())
}

/// The templates of the first persons, as they would be enrolled.
fn household(templates: &BTreeMap<String, Vec<Template>>) -> Vec<Reference> {
    let enrolled = templates.iter().filter(|(_, templates)| !templates.is_empty()).take(HOUSEHOLD);
    enrolled
        .flat_map(|(subject, templates)| {
            let reference = |(revision, template): (u32, &Template)| Reference {
                subject: subject.clone(),
                revision,
                template: template.clone(),
            };
            (1..).zip(templates).map(reference)
        })
        .collect()
}

/// What the default setting asks for in a household that not every row states.
fn extrapolated(calibration: &Calibration, beats_averaged: usize, household: &[Reference]) -> Option<String> {
    let stated = calibration.rows().iter().filter_map(|row| row.thresholds.last()).map(|(rate, _)| *rate);
    let stated = stated.fold(0.0, f64::max);
    let calibrated =
        Calibrated { calibration: calibration.clone(), false_positive_rate: FALSE_POSITIVE_RATE, beats_averaged };
    let decision = DecisionConfig { calibrated: Some(calibrated), ..DecisionConfig::default() };
    let [first, later] = decision.asked(beats_averaged, household).map(|asked| asked.false_match_rate);
    let (first, later) = (first?, later?);
    let persons = household.iter().map(|reference| &reference.subject).collect::<BTreeSet<_>>().len();
    (stated > later).then(|| {
        format!(
            "false match rates down to {} % are stated in every row; the default setting with {persons} enrolled in \
             {} templates, worth {} comparisons, asks for {:.3} % in the first window of a contact and for {:.4} % \
             after it. What is not stated is extrapolated: record more persons, or compare with the thresholds of the \
             shipped card and keep the higher ones",
            100.0 * stated,
            household.len(),
            comparisons(household),
            100.0 * first,
            100.0 * later
        )
    })
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
        evidence.extend(windows.map(|window| (beats, mean_direction(window.iter().map(Vec::as_slice)))));
    }
    Ok(evidence)
}

/// The rows as a card has them.
fn rows(calibration: &Calibration) -> String {
    let row = |row: &Row| {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration(finest: f64) -> Calibration {
        let thresholds = vec![(0.1, 0.3), (finest, 0.6)];
        Calibration::new(vec![Row { beats: 5, slope: 9.0, intercept: -4.0, thresholds }]).unwrap()
    }

    fn templates(each: usize) -> BTreeMap<String, Vec<Template>> {
        (0..9).map(|person| (format!("p{person}"), vec![vec![1.0, 0.0].into(); each])).collect()
    }

    #[test]
    fn what_is_asked_for_counts_looks_templates_and_the_late_rule() {
        let note = |each| extrapolated(&calibration(0.001), 5, &household(&templates(each))).unwrap();
        let single = note(1);
        assert!(single.contains("down to 0.1 %") && single.contains("5 enrolled in 5 templates"), "{single}");
        assert!(single.contains("0.161 % in the first") && single.contains("0.0161 % after"), "{single}");
        let triple = note(3);
        assert!(triple.contains("5 enrolled in 15 templates, worth 10 comparisons, asks for 0.080 %"), "{triple}");
        assert_eq!(extrapolated(&calibration(0.0001), 5, &household(&templates(1))), None);
    }
}
