//! The whole of `ecg-train fit`: collections in, model, card and curves out.
//!
//! Orders the steps and talks to the user; each step lives in a module of its own.

mod calibration;
mod closed_set;
mod figures;
mod page;
mod pages;
mod references;
mod report;
mod travel;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ecg_identity::{Amplitude, Cohort};
use ecg_signal::{Mains, Preparation};

use crate::card::{Card, Facts};
use crate::loss::LossKind;
use crate::measure::{Embedder, Protocol, compare_records, embed, glance};
use crate::network::Network;
use crate::prepared::{self, Prepared};
use crate::sampler::Sampler;
use crate::split::{Person, Split, check_spelling, folds};
use crate::strangers::cohort;
use crate::training::{self, Observer, Trained, train};
use crate::virtual_person::Cast;
use crate::{linear, onnx, recordings};
use figures::Pool;
use report::Bars;
use travel::Travel;
pub use travel::Travelled;

/// What `fit` is asked to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// Folders of collections.
    pub collections: Vec<PathBuf>,
    /// Folders of collections of which nobody is trained on.
    pub foreign: Vec<PathBuf>,
    /// Signal of each record.
    pub signal: usize,
    /// Mains where the recordings were made.
    pub mains: Mains,
    /// Where the ONNX file goes; card and curves lie beside it.
    pub out: PathBuf,
    /// Persons not trained on.
    pub held_out: BTreeSet<Person>,
    /// Share of the others kept for validation.
    pub validation_share: f64,
    /// Cross-validation before the final training; 0 for none.
    pub folds: usize,
    /// False match rate of a decision window at which the threshold is set.
    pub target_fmr: f64,
    /// Imitated front ends a record.
    pub variants: usize,
    /// Virtual persons made of each person that is trained on; a classifier never has any.
    pub virtual_persons: usize,
    /// Whether a linear branch stands beside the trunk, where the persons are enough for one.
    pub linear_branch: bool,
    /// The size of the beat beside what the network makes of its shape; a classifier never has it.
    pub amplitude: Option<Amplitude>,
    /// Virtual strangers made of each person, by whom scores are normalised; 0 for none.
    pub strangers: usize,
    /// Threads for preparation.
    pub threads: usize,
    /// Where an HTML report goes: a folder or an `.html` file.
    pub report: Option<PathBuf>,
    /// What is kept apart for measuring.
    pub split_by: SplitBy,
    /// The training itself.
    pub training: training::Settings,
}

/// What stands on one side only: trained on or measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum SplitBy {
    /// Whole persons: figures are on people the network has never seen.
    Persons,
    /// Single beats of the same recordings, 70/10/20 at random by person: leaky, for comparison with others' figures.
    RandomBeats,
}

/// Trains as requested and writes the three files, of a classifier its references besides.
///
/// # Errors
/// Data that cannot be read, too few persons, or files that cannot be written.
pub fn run(request: &Request) -> anyhow::Result<()> {
    let settings = &request.training;
    if request.split_by == SplitBy::RandomBeats {
        return closed_set::run(request);
    }
    let begun = report::Stopwatch::start();
    report::network(settings);
    let preparation = Preparation::default();
    let mut records = prepare(request, preparation)?;
    check_spelling(&people(&records), &request.held_out)?;
    let everybody = usable_people(&records)?;
    let foreigners = prepare_foreign(request, preparation)?;
    let foreign = people(&foreigners);
    refuse_known(&everybody, &foreign)?;
    records.extend(foreigners);
    let mut split = Split::new(&everybody, &request.held_out, request.validation_share, settings.seed)?;
    report::split(&split);
    let folds = cross_validation(&split, request);
    let fewest = split.trained.len() - folds.iter().map(BTreeSet::len).max().unwrap_or(0);
    // The same for every fold and the final training: thresholds of one kind of embedding say nothing of another.
    let linear_branch = request.linear_branch && fewest >= linear::LEAST_PERSONS;
    report::linear_branch(request.linear_branch, linear_branch, fewest);

    // The persons of a fold are what it is measured on: none of them may choose its epoch.
    let in_folds = training::Settings { patience: 0, ..settings.clone() };
    let (mut pool, mut travel) = (Pool::default(), Travel::default());
    for (number, fold) in folds.into_iter().enumerate() {
        let trained: BTreeSet<Person> = split.trained.difference(&fold).cloned().collect();
        let label = format!("fold {} of {}", number + 1, request.folds);
        let cast = Cast::draw(&trained, request.virtual_persons, settings.seed);
        let sampler = Sampler::new(&records, &trained, preparation).with_virtual_persons(&cast);
        let watched = Watched { records: &records, persons: &fold, amplitude: request.amplitude };
        let result = train_watching(&label, &sampler, &in_folds, watched);
        let network = complete(result.network, linear_branch, &records, &trained, &cast, &preparation)?;
        let bare = Embedder { network: &network, amplitude: request.amplitude, cohort: None };
        let cohort = cohort(bare, &records, &trained, request.strangers, settings.seed);
        let embedder = Embedder { cohort: cohort.as_ref(), ..bare };
        let mut embedded = embed(embedder, &records, &fold, &preparation);
        pool.add(&embedded);
        embedded.extend(embed(embedder, &records, &foreign, &preparation));
        travel.add(&embedded);
    }

    let cast = Cast::draw(&split.trained, request.virtual_persons, settings.seed);
    let sampler = Sampler::new(&records, &split.trained, preparation).with_virtual_persons(&cast);
    let watched = if split.validation.is_empty() { &split.held_out } else { &split.validation };
    let watching = Watched { records: &records, persons: watched, amplitude: request.amplitude };
    let mut result = train_watching("final training", &sampler, settings, watching);
    result.network = complete(result.network, linear_branch, &records, &split.trained, &cast, &preparation)?;
    let bare = Embedder { network: &result.network, amplitude: request.amplitude, cohort: None };
    let cohort = cohort(bare, &records, &split.trained, request.strangers, settings.seed);
    let embedder = Embedder { cohort: cohort.as_ref(), ..bare };
    let mut held_out = Pool::default();
    held_out.add(&embed(embedder, &records, &split.held_out, &preparation));
    let mut elsewhere = Pool::default();
    elsewhere.add(&embed(embedder, &records, &foreign, &preparation));
    let mut validation = Pool::default();
    validation.add(&embed(embedder, &records, &split.validation, &preparation));

    let groups = [
        (&pool, format!("not trained on, {} folds pooled, each by a network of its fold", request.folds)),
        (&validation, "not trained on, early stopping acted on them".to_owned()),
        (&held_out, "held out of everything".to_owned()),
        (&elsewhere, "of a collection that nobody was trained on".to_owned()),
    ];
    let measured: Vec<_> =
        groups.iter().map(|(pool, persons)| pool.measured(persons)).collect::<Result<Vec<_>, _>>()?.concat();
    let decision = figures::decision(&groups, request.target_fmr)?;
    let travelled = travel.table(|name| everybody.iter().any(|person| person.collection == name))?;
    report::figures(&measured, &decision);
    for (pool, persons) in &groups {
        report::at_threshold(persons, &pool.at_threshold(decision.threshold));
    }
    report::travel(&travelled);

    let name = file_stem(&request.out)?;
    let curves = pages::curves(&name, &result.history, watched.len(), result.epoch);
    if let Some(asked) = &request.report {
        let common = pages::Common {
            request,
            name: &name,
            split: &split,
            records: &records,
            threshold: decision.threshold,
            threshold_source: &decision.threshold_source,
            epoch: result.epoch,
            took: begun.elapsed(),
        };
        pages::save(asked, &name, &pages::comparing(&common, &curves, &measured, &travelled, &groups))?;
    }
    // The card lists them: a figure on them is worth something.
    split.held_out.extend(foreign);
    let facts = Facts {
        name: name.clone(),
        classes: sampler.classes(),
        preparation,
        amplitude: request.amplitude,
        cohort: cohort.as_ref(),
        front_end_variants: request.variants,
        virtual_persons: request.virtual_persons,
        signal: request.signal,
        mains: mains_name(request.mains),
        epoch_kept: result.epoch,
        settings,
        split: &split,
        decision,
        measured,
        travelled,
    };
    let card = Card::new(&result.network, facts);
    write(&request.out, &result, &card, cohort.as_ref(), &curves.svg())?;
    if settings.loss == LossKind::Softmax {
        let classes = sampler.classes();
        let references = references::of_classes(embedder, &records, classes, &preparation)?;
        let path = request.out.with_extension("references.toml");
        save(&path, &references::text(&name, classes, &references, &records)?)?;
        println!("and the references of its classes to {}", path.display());
    }
    Ok(())
}

/// The trained network, with a linear branch beside it or without.
fn complete(
    network: Network,
    linear_branch: bool,
    records: &[Prepared],
    trained: &BTreeSet<Person>,
    cast: &Cast,
    preparation: &Preparation,
) -> anyhow::Result<Network> {
    if !linear_branch {
        return Ok(network);
    }
    Ok(network.with_branch(&linear::fit(records, trained, cast, preparation)?)?)
}

/// Reads the collections and runs every record, and its variants, through the signal path.
fn prepare(request: &Request, preparation: Preparation) -> anyhow::Result<Vec<Prepared>> {
    prepare_all(request, &request.collections, request.variants, preparation)
}

/// The same of the foreign ones, without variants: nobody learns from them.
fn prepare_foreign(request: &Request, preparation: Preparation) -> anyhow::Result<Vec<Prepared>> {
    if request.foreign.is_empty() { Ok(Vec::new()) } else { prepare_all(request, &request.foreign, 0, preparation) }
}

fn prepare_all(
    request: &Request,
    folders: &[PathBuf],
    variants: usize,
    preparation: Preparation,
) -> anyhow::Result<Vec<Prepared>> {
    let recordings = recordings::load(folders, request.signal)?;
    let bars = Bars::new(recordings.len() as u64, "records");
    let settings = prepared::Settings {
        mains: request.mains,
        variants,
        preparation,
        seed: request.training.seed,
        threads: request.threads,
    };
    let records = prepared::prepare(recordings, &settings, &|| bars.step(""))?;
    report::prepared(&records, &bars.finish());
    Ok(records)
}

fn people(records: &[Prepared]) -> BTreeSet<Person> {
    records.iter().map(|record| record.person.clone()).collect()
}

/// Persons with at least one heartbeat to train on; the others are said.
fn usable_people(records: &[Prepared]) -> anyhow::Result<BTreeSet<Person>> {
    let with_beats = records.iter().filter(|record| record.takes.first().is_some_and(|take| !take.is_empty()));
    let usable: BTreeSet<Person> = with_beats.map(|record| record.person.clone()).collect();
    let all = people(records);
    if usable.is_empty() {
        bail!("no heartbeat was accepted in any record: is --signal the ECG, and its unit millivolts?");
    }
    report::without_beats(all.difference(&usable).count());
    Ok(usable)
}

/// A collection is trained on or foreign: its figures as a foreign one would be those of persons it was trained on.
fn refuse_known(everybody: &BTreeSet<Person>, foreign: &BTreeSet<Person>) -> anyhow::Result<()> {
    let names: BTreeSet<&str> = everybody.iter().map(|person| person.collection.as_str()).collect();
    match foreign.iter().find(|person| names.contains(person.collection.as_str())) {
        Some(person) => bail!(
            "collection {} is trained on and cannot be --foreign: name each folder once, folders by different names",
            person.collection
        ),
        None => Ok(()),
    }
}

fn cross_validation(split: &Split, request: &Request) -> Vec<BTreeSet<Person>> {
    match request.folds {
        0 | 1 => Vec::new(),
        count => folds(&split.trained, count, request.training.seed),
    }
}

/// Who is looked at while training goes on.
#[derive(Clone, Copy)]
struct Watched<'a> {
    records: &'a [Prepared],
    persons: &'a BTreeSet<Person>,
    amplitude: Option<Amplitude>,
}

/// Trains, with a progress bar, measuring `watched` after every epoch.
fn train_watching(label: &str, sampler: &Sampler<'_>, settings: &training::Settings, watched: Watched<'_>) -> Trained {
    println!("\n{label}: {} persons trained on, {} watched", sampler.classes().len(), watched.persons.len());
    let bars = Bars::new((settings.epochs * settings.steps_per_epoch) as u64, "steps");
    let mut watcher = Watcher { bars: &bars, watched, loss: 0.0, steps: 0, epoch: 0 };
    let result = train(sampler, settings, &mut watcher);
    println!("  {label} took {}; epoch {} kept", bars.finish(), result.epoch);
    result
}

/// Moves the bar and measures the watched persons.
struct Watcher<'a> {
    bars: &'a Bars,
    watched: Watched<'a>,
    loss: f64,
    steps: usize,
    epoch: usize,
}

impl Observer for Watcher<'_> {
    fn step(&mut self, loss: f64) {
        self.loss += loss;
        self.steps += 1;
        self.bars.step(&format!("loss {loss:.3}"));
    }

    fn epoch(&mut self, network: &Network) -> Option<f64> {
        self.epoch += 1;
        let Watched { records, persons, amplitude } = self.watched;
        let embedded = glance(Embedder { network, amplitude, cohort: None }, records, persons);
        let eer = figures::eer(&compare_records(&embedded, Protocol::Records));
        let rate = eer.map_or_else(|| "not measured".to_owned(), |eer| format!("{:.2} %", 100.0 * eer));
        let loss = self.loss / self.steps.max(1) as f64;
        self.bars.line(&format!("  epoch {:>3}  loss {loss:8.4}  EER of the watched {rate}", self.epoch));
        (self.loss, self.steps) = (0.0, 0);
        eer
    }
}

/// Writes the network, making its folder; the size in bytes.
fn written(out: &Path, network: &Network) -> anyhow::Result<usize> {
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    Ok(onnx::write(network, out)?)
}

fn write(out: &Path, result: &Trained, card: &Card, cohort: Option<&Cohort>, curves: &str) -> anyhow::Result<()> {
    let bytes = written(out, &result.network)?;
    let card_path = out.with_extension("toml");
    save(&card_path, &card.to_toml()?)?;
    let curves_path = out.with_extension("svg");
    save(&curves_path, curves)?;
    println!("\nwrote {} ({bytes} bytes), {}, {}", out.display(), card_path.display(), curves_path.display());
    if let Some(cohort) = cohort {
        let (path, bytes) = (out.with_extension("cohort"), cohort.bytes());
        std::fs::write(&path, bytes).with_context(|| format!("writing {}", path.display()))?;
        println!("and {} strangers to {} ({} bytes)", cohort.strangers(), path.display(), bytes.len());
    }
    Ok(())
}

fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

fn file_stem(out: &Path) -> anyhow::Result<String> {
    if out.extension().is_none_or(|extension| extension != "onnx") {
        bail!("--out {}: the model file must end in .onnx; card and curves get its name", out.display());
    }
    let stem = out.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.with_context(|| format!("--out {} has no file name", out.display()))
}

/// The mains as on the command line and in the card.
pub fn mains_name(mains: Mains) -> &'static str {
    match mains {
        Mains::Hz50 => "50",
        Mains::Hz60 => "60",
        Mains::None => "none",
    }
}
