//! What `fit` prints, and its progress bars.

use ecg_identity::rates::RatesAt;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use super::Travelled;
use crate::card::{DecisionPart, Measured};
use crate::loss::LossKind;
use crate::network::NetworkKind;
use crate::network::plan::Plan;
use crate::prepared::Prepared;
use crate::split::Split;
use crate::training::Settings;

/// A progress bar that vanishes where no terminal is.
#[derive(Debug)]
pub(super) struct Bars(ProgressBar);

impl Bars {
    pub(super) fn new(length: u64, unit: &str) -> Self {
        let bar = ProgressBar::new(length);
        let template = format!("  {{bar:40}} {{pos}}/{{len}} {unit} {{msg}} (about {{eta}} left)");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(super) fn step(&self, message: &str) {
        self.0.set_message(message.to_owned());
        self.0.inc(1);
    }

    /// A line above the bar.
    pub(super) fn line(&self, text: &str) {
        self.0.suspend(|| println!("{text}"));
    }

    /// Ends the bar; how long it took, in words.
    pub(super) fn finish(&self) -> String {
        let elapsed = self.0.elapsed();
        self.0.finish_and_clear();
        HumanDuration(elapsed).to_string()
    }
}

/// How long a whole run takes: a bar that nobody sees, so that clocks stay the bars' affair.
#[derive(Debug)]
pub(super) struct Stopwatch(ProgressBar);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(ProgressBar::hidden())
    }

    pub(super) fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

/// The network, layer by layer.
pub(super) fn network(settings: &Settings) {
    println!("network {}, loss {}", settings.network.name(), settings.loss.name());
    let trunk = settings.network.plan();
    layers(&trunk, "");
    println!(
        "  {:<20} {:>9} parameters, {} multiply-accumulates a beat",
        "trunk",
        trunk.parameters(),
        trunk.multiply_accumulates()
    );
    if settings.loss == LossKind::Softmax {
        let six = trunk.parameters() + NetworkKind::classifier_plan(6).parameters();
        println!("  {:<20} {six:>9} parameters; 65 more for each further class", "with six classes");
    }
}

/// Whether there is a linear branch, and why not where one was asked for.
pub(super) fn linear_branch(asked: bool, there: bool, persons: usize) {
    if there {
        println!("  {:<20} {:>9} parameters", "linear branch", NetworkKind::branch_plan().parameters());
    } else if asked {
        println!(
            "no linear branch: it takes {} persons to train on in every fold, there are {persons}",
            crate::linear::LEAST_PERSONS
        );
    }
}

fn layers(plan: &Plan, prefix: &str) {
    for layer in plan.layers().iter().filter(|layer| layer.parameters() > 0) {
        let (channels, length) = layer.output;
        println!("    {prefix}{:<18} {:>9}   → {channels} × {length}", layer.name, layer.parameters());
    }
}

pub(super) fn prepared(records: &[Prepared], elapsed: &str) {
    let found: usize = records.iter().map(|record| record.beats_found).sum();
    let accepted: usize = records.iter().filter_map(|record| record.takes.first()).map(Vec::len).sum();
    let cuts: usize = records.iter().flat_map(|record| record.takes.iter().skip(1)).map(Vec::len).sum();
    let variants: usize = records.iter().map(|record| record.takes.len().saturating_sub(1)).sum();
    println!("prepared {} records in {elapsed}: {found} beats found, {accepted} accepted", records.len());
    println!("  and {cuts} accepted in {variants} variants of other front ends");
    let empty = records.iter().filter(|record| record.inputs.is_empty());
    for record in empty {
        println!("  {}:{} gives no model input", record.person.collection, record.record);
    }
}

pub(super) fn split(split: &Split) {
    let Split { trained, validation, held_out } = split;
    println!("{} persons to train on, {} for validation, {} held out", trained.len(), validation.len(), held_out.len());
}

/// The table of figures.
pub(super) fn figures(measured: &[Measured], decision: &DecisionPart) {
    println!("\nper cent                                                EER  FNMR@1%  FNMR@0.1%  rank-1");
    let mut group = "";
    for row in measured {
        if row.persons != group {
            println!("  persons {}", row.persons);
            group = &row.persons;
        }
        println!(
            "    {:<12} {:<34} {:>6.2} {:>8.2} {:>10.2} {:>7.2}",
            row.collection,
            row.protocol,
            100.0 * row.eer,
            100.0 * row.fnmr_at_fmr_1pct,
            100.0 * row.fnmr_at_fmr_01pct,
            100.0 * row.rank1
        );
        if row.n_not_enrolled > 0 {
            println!("      {} persons are not in it: no record to enrol was good enough", row.n_not_enrolled);
        }
    }
    println!("threshold {:.4}: {}", decision.threshold, decision.threshold_source);
    for why in &decision.left_out {
        println!("  not calibrated: {why}");
    }
}

/// What the threshold does to decision windows.
pub(super) fn at_threshold(persons: &str, rates: &[(&str, &str, RatesAt)]) {
    if !rates.is_empty() {
        println!("  at the threshold, windows of persons {persons}");
    }
    for (protocol, collection, rates) in rates {
        let [fmr, fnmr] = [&rates.fmr, &rates.fnmr].map(|rate| {
            let [value, low, high] = [rate.value, rate.low, rate.high].map(|x| 100.0 * x);
            format!("{value:.2} [{low:.2}–{high:.2}]")
        });
        println!("    {collection:<12} {protocol:<34} FMR {fmr}, FNMR {fnmr} per cent");
    }
}

/// Persons who take part in nothing.
pub(super) fn without_beats(persons: usize) {
    if persons > 0 {
        println!("{persons} persons are left out: no heartbeat of theirs was accepted");
    }
}

/// How far a threshold travels.
pub(super) fn travel(rows: &[Travelled]) {
    for group in rows.chunk_by(|a, b| a.asked == b.asked) {
        let (asked, home) = (100.0 * group[0].asked, &group[0].home);
        println!("\na threshold of FMR {asked} % by {home}, persons of the other folds, does to others (per cent)");
        for row in group {
            let [fmr, low, high] = [row.fmr, row.fmr_95[0], row.fmr_95[1]].map(|rate| 100.0 * rate);
            let [fnmr, least, most] = [row.fnmr, row.fnmr_95[0], row.fnmr_95[1]].map(|rate| 100.0 * rate);
            let (collection, protocol, n) = (&row.collection, &row.protocol, row.n_subjects);
            println!(
                "    {collection:<12} {protocol:<34} FMR {fmr:.2} [{low:.2}–{high:.2}], FNMR {fnmr:.1} [{least:.1}–{most:.1}], {n} persons"
            );
        }
    }
}
