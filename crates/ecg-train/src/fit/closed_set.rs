//! The original's own terms: a softmax classifier of single beats, dealt at random. Kept so that its figures can be
//! compared; they are **leaky**, and every output says so.
//!
//! Persons who are held out are never trained on: they are the strangers whom the embedding must refuse.

mod draw;
mod measure;
mod section;
mod split;

use std::collections::BTreeSet;

use anyhow::{Context, ensure};
use ecg_identity::rates::{ClosedSetFigures, ConfusionMatrix, Interval};
use ecg_signal::{Alignment, Preparation};

use super::figures::{REPLICATES, SEED};
use super::report::Bars;
use super::{Request, file_stem, mains_name, pages, references, report, save};
use crate::card::{Card, DecisionPart, Facts};
use crate::loss::LossKind;
use crate::network::Network;
use crate::prepared::Prepared;
use crate::split::{Person, Split, check_spelling};
use crate::training::{Observer, Trained, train};
use draw::BeatDraw;
pub(super) use measure::Rejection;
use split::{Labelled, RandomBeats};

/// What every output says about figures on randomly dealt beats.
pub(super) const LEAKY: &str = "LEAKY: beats were dealt at random, so neighbours of the tested beats were trained on; \
                         not a biometric figure, and no promise for another day or for strangers";

/// Training beats on which the accuracy of the training part is drawn; all of them would double the time.
const TRAIN_SAMPLE: usize = 500;

/// How beats become input: single ones, as the original's, brought to a common heart rate as all of ours.
const PREPARATION: Preparation =
    Preparation { beats: 1, alignment: Alignment::R, qt_exponent: 0.5, qt_reference_rr_s: 0.8 };

/// Beats of each part.
#[derive(Clone, Copy, Debug)]
struct Parts {
    train: usize,
    validation: usize,
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    /// Mean training loss.
    pub(super) loss: f64,
    /// Share of (a sample of) the training beats answered right, as they are.
    pub(super) training: f64,
    /// Share of the validation beats answered right.
    pub(super) validation: f64,
}

/// Everything that was measured of a closed-set model.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Names of the classes.
    pub(super) names: Vec<String>,
    /// Test beats.
    pub(super) matrix: ConfusionMatrix,
    /// Its figures.
    pub(super) figures: ClosedSetFigures,
    /// The threshold, what it refuses, and every comparison.
    pub(super) rejection: Rejection,
    /// Epoch by epoch.
    pub(super) history: Vec<Progress>,
}

/// Trains and writes model, card, references and curves.
///
/// # Errors
/// Data that cannot be read, too few persons or beats, or files that cannot be written.
pub(super) fn run(request: &Request) -> anyhow::Result<()> {
    let begun = report::Stopwatch::start();
    // Single beats as they are: the terms know no imitated boards.
    let request = &Request { variants: 0, ..request.clone() };
    let settings = &request.training;
    ensure!(settings.loss == LossKind::Softmax, "--split random-beats trains a classifier: add --loss softmax");
    ensure!(request.folds < 2, "--split random-beats has no folds: beats are dealt, not persons");
    let name = file_stem(&request.out)?;
    report::network(settings);
    println!("\n{LEAKY}\n");
    let records = super::prepare(request, PREPARATION)?;
    let everybody: BTreeSet<Person> = records.iter().map(|record| record.person.clone()).collect();
    check_spelling(&everybody, &request.held_out)?;
    let split = Split::new(&everybody, &request.held_out, 0.0, settings.seed)?;
    let of = |persons: &BTreeSet<Person>| -> Vec<&Prepared> {
        records.iter().filter(|record| persons.contains(&record.person)).collect()
    };
    let beats = RandomBeats::deal(&of(&split.trained), settings.seed);
    tell_split(&beats);
    ensure!(beats.classes.len() > 1, "a classifier needs two persons with at least {} beats each", split::FEWEST);

    let (trained, history) = fit(&beats, settings)?;
    let matrix = measure::confusion(&trained.network, &beats.test, beats.classes.len())?;
    let figures = matrix.figures(REPLICATES, SEED).context("no test beat")?;
    let references = measure::references(&trained.network, &beats.train, &beats.classes);
    let strangers = of(&split.held_out);
    let rejection = measure::rejection(&trained.network, &references, &beats.test, &strangers, request.target_fmr)?;
    let names: Vec<String> = beats.classes.iter().map(Person::to_string).collect();
    tell(&names, &figures, &rejection);

    let facts = Facts {
        name: name.clone(),
        classes: &beats.classes,
        preparation: PREPARATION,
        amplitude: None,
        cohort: None,
        front_end_variants: 0,
        virtual_persons: 0,
        signal: request.signal,
        mains: mains_name(request.mains),
        epoch_kept: trained.epoch,
        settings,
        split: &split,
        decision: DecisionPart {
            threshold: rejection.threshold,
            threshold_source: rejection.source.clone(),
            calibration: Vec::new(),
            left_out: Vec::new(),
        },
        measured: Vec::new(),
        travelled: Vec::new(),
    };
    let parts = Parts { train: beats.train.len(), validation: beats.validation.len() };
    let validation = history.last().map_or(0.0, |epoch| epoch.validation);
    let card = format!(
        "# {LEAKY}.\n{}\n{}",
        Card::new(&trained.network, facts).to_toml()?,
        section::toml(parts, &figures, validation, &rejection, &names)?
    );
    let bytes = super::written(&request.out, &trained.network)?;
    let beside = |extension: &str| request.out.with_extension(extension);
    save(&beside("toml"), &card)?;
    save(&beside("references.toml"), &references::text(&name, &beats.classes, &references, &records)?)?;
    let outcome = Outcome { names, matrix, figures, rejection, history };
    let curves = pages::closed_set_curves(&name, &outcome);
    save(&beside("svg"), &curves.svg())?;
    println!("\nwrote {} ({bytes} bytes), its card, references and curves; {LEAKY}", request.out.display());
    if let Some(asked) = &request.report {
        let common = pages::Common {
            request,
            name: &name,
            split: &split,
            records: &records,
            threshold: outcome.rejection.threshold,
            threshold_source: &outcome.rejection.source,
            epoch: trained.epoch,
            took: begun.elapsed(),
        };
        pages::save(asked, &name, &pages::closed_set(&common, &curves, &outcome))?;
    }
    Ok(())
}

/// Trains with a progress bar, measuring accuracy after each epoch. The last epoch is kept: nothing chooses it.
fn fit(beats: &RandomBeats<'_>, settings: &crate::training::Settings) -> anyhow::Result<(Trained, Vec<Progress>)> {
    let settings = crate::training::Settings { patience: 0, ..settings.clone() };
    let bars = Bars::new((settings.epochs * settings.steps_per_epoch) as u64, "steps");
    let every = beats.train.len().div_ceil(TRAIN_SAMPLE).max(1);
    let sample: Vec<Labelled<'_>> = beats.train.iter().step_by(every).copied().collect();
    let mut watcher = Watcher { bars: &bars, beats, sample, losses: Vec::new(), history: Vec::new() };
    let draw = BeatDraw::new(&beats.train, beats.classes.len());
    let trained = train(&draw, &settings, &mut watcher);
    let history = watcher.history;
    println!("  training took {}", bars.finish());
    Ok((trained, history))
}

struct Watcher<'a> {
    bars: &'a Bars,
    beats: &'a RandomBeats<'a>,
    sample: Vec<Labelled<'a>>,
    losses: Vec<f64>,
    history: Vec<Progress>,
}

impl Observer for Watcher<'_> {
    fn step(&mut self, loss: f64) {
        self.losses.push(loss);
        self.bars.step(&format!("loss {loss:.3}"));
    }

    fn epoch(&mut self, network: &Network) -> Option<f64> {
        let accuracy = |beats: &[Labelled<'_>]| {
            let matrix = measure::confusion(network, beats, self.beats.classes.len()).ok()?;
            matrix.figures(0, SEED).map(|figures| figures.accuracy.value)
        };
        let (training, validation) = (accuracy(&self.sample)?, accuracy(&self.beats.validation)?);
        let loss = self.losses.iter().sum::<f64>() / self.losses.len().max(1) as f64;
        self.losses.clear();
        self.history.push(Progress { loss, training, validation });
        let line = format!(
            "  epoch {:>3}  loss {loss:7.4}  training beats {:6.2} %  validation beats {:6.2} % (leaky)",
            self.history.len(),
            100.0 * training,
            100.0 * validation
        );
        self.bars.line(&line);
        Some(1.0 - validation)
    }
}

fn tell_split(beats: &RandomBeats<'_>) {
    for person in &beats.left_out {
        println!("  {person} has fewer than {} accepted beats and is left out", split::FEWEST);
    }
    let (train, validation, test) = (beats.train.len(), beats.validation.len(), beats.test.len());
    println!(
        "{} persons, {} single beats: {train} to train on, {validation} to watch, {test} to test on",
        beats.classes.len(),
        train + validation + test
    );
}

fn tell(names: &[String], figures: &ClosedSetFigures, rejection: &Rejection) {
    let percent = |value: f64| 100.0 * value;
    let interval = &figures.accuracy;
    println!(
        "\ntest beats (LEAKY split): {} of {} right, accuracy {:.2} % (95 % {:.2} to {:.2}, by persons)",
        figures.right,
        figures.beats,
        percent(interval.value),
        percent(interval.low),
        percent(interval.high)
    );
    println!("  mean over    precision  recall      F1  specificity");
    for (label, mean) in [("persons", figures.macro_mean), ("beats", figures.weighted_mean)] {
        let [p, r, f, s] = [mean.precision, mean.recall, mean.f1, mean.specificity].map(percent);
        println!("  {label:<12} {p:>9.2} {r:>7.2} {f:>7.2} {s:>12.2}");
    }
    let cell = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", percent(value)));
    println!("  class                       beats  precision  recall      F1  specificity");
    for (name, class) in names.iter().zip(&figures.classes) {
        let [p, r, f, s] = [class.precision, class.recall, class.f1, class.specificity].map(cell);
        println!("  {name:<26} {:>6} {p:>10} {r:>7} {f:>7} {s:>12}", class.support);
    }
    println!("threshold {:.4}: {}", rejection.threshold, rejection.source);
    let share = |interval: &Interval| {
        let [value, low, high] = [interval.value, interval.low, interval.high].map(percent);
        format!("{value:.2} % [{low:.2}–{high:.2}]")
    };
    let (windows, refused) = &rejection.own;
    println!("  refuses {} of {windows} windows of the classes' test beats", share(refused));
    if let Some(strangers) = &rejection.strangers {
        println!(
            "  strangers ({} persons, {} windows) taken for somebody: {} by the embedding, {} where class and \
             reference must agree; {} have a softmax above one half",
            strangers.persons,
            strangers.windows,
            share(&strangers.accepted),
            share(&strangers.accepted_agreeing),
            share(&strangers.confident)
        );
    }
    println!("  intervals: 95 %, bootstrap over persons");
}
