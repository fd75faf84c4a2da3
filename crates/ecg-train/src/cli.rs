//! The command line: arguments in, calls of the library out.

use std::path::PathBuf;

use anyhow::Context;
use burn::tensor::Device;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ecg_identity::Amplitude;
use ecg_signal::Mains;

use crate::loss::LossKind;
use crate::network::NetworkKind;
use crate::{card, fit, onnx, parity, split, training};

/// Train an ecgid network from recordings and write it as ONNX, with its card and curves.
///
/// Recordings go through the very signal path of the daemon. Persons that are not trained on (--hold-out, --validate,
/// --folds) are what the figures are measured on: beats of the same person on both sides measure nothing.
#[derive(Debug, Parser)]
#[command(name = "ecg-train", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
The shipped model, from two public collections:
  cargo run --release -p ecg-train -- fit --collection ../shared/data/heartprint ../shared/data/ecg-id \\
      --hold-out models/held-out.toml --folds 3 --out models/ecgid-1.onnx

A closed-set classifier of your own recordings (a folder of CSV files a person):
  cargo run --release -p ecg-train -- fit --collection ECG_data --net lightweight --loss softmax --out models/mine.onnx

The same on the terms of many publications (single beats dealt at random, leaky), with strangers to refuse:
  cargo run --release -p ecg-train -- fit --collection ../shared/data/ecg-id --net lightweight --loss softmax \\
      --split random-beats --epochs 60 --steps-per-epoch 120 --batch-size 64 --lr 0.004 --variants 0 \\
      --out /tmp/closed.onnx --report /tmp/closed.html

Does another runtime agree with the trainer?
  cargo run --release -p ecg-train -- parity --model models/ecgid-1.onnx --dump /tmp/parity.json
  python3 crates/ecg-train/scripts/parity.py /tmp/parity.json

The graph is written in another form than when the model was trained; the weights stay:
  cargo run --release -p ecg-train -- rewrite --model models/ecgid-1.onnx --out models/ecgid-1.onnx";

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network: NAME.onnx, NAME.toml (card) and NAME.svg (curves); of a classifier NAME.references.toml too
    Fit(Box<FitArgs>),
    /// Write seeded beats and the trainer's own answers to them, for comparing another runtime
    Parity(ParityArgs),
    /// Write a model's file anew from its own weights, in today's form of the graph; nothing is trained
    Rewrite(RewriteArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MainsArg {
    #[value(name = "50")]
    Hz50,
    #[value(name = "60")]
    Hz60,
    None,
}

#[derive(Debug, Args)]
struct FitArgs {
    /// Folders of recordings: WFDB or CSV, with manifest.csv (record,subject,session,date) or a folder a person
    #[arg(long, required = true, num_args = 1.., value_name = "DIR")]
    collection: Vec<PathBuf>,
    /// Folders of recordings of another board, of which nobody is trained on: what the network is worth there, and (with
    /// --folds) whether a threshold set at home holds there
    #[arg(long, num_args = 1.., value_name = "DIR")]
    foreign: Vec<PathBuf>,
    /// Which signal of each record, counted from 0
    #[arg(long, default_value_t = 0)]
    signal: usize,
    /// Mains where the recordings were made: the notch of the signal path
    #[arg(long, value_enum, default_value = "50", value_name = "HZ")]
    mains: MainsArg,
    /// Model file to write; NAME.toml, NAME.svg, NAME.cohort and a classifier's NAME.references.toml lie beside it
    #[arg(long, value_name = "NAME.onnx")]
    out: PathBuf,
    /// Write an HTML report too: into this folder under the model's name, or into this .html file. It shows mean beats
    /// and names of persons: keep it with the recordings
    #[arg(long, value_name = "DIR|FILE.html")]
    report: Option<PathBuf>,
    /// Trunk of the network
    #[arg(long, value_enum, default_value = "binned")]
    net: NetworkKind,
    /// What training minimises
    #[arg(long, value_enum, default_value = "arcface")]
    loss: LossKind,
    /// What is kept apart for measuring: persons, or single beats as many publications do (leaky; needs --loss softmax)
    #[arg(long, value_enum, default_value = "persons")]
    split: fit::SplitBy,
    /// Epochs; the learning rate falls to nearly nothing at the end of the last
    #[arg(long, default_value_t = 16)]
    epochs: usize,
    /// Batches an epoch (beats are drawn at random, so an epoch is a count)
    #[arg(long, default_value_t = 50)]
    steps_per_epoch: usize,
    /// Beats a batch
    #[arg(long, default_value_t = 256)]
    batch_size: usize,
    /// Highest learning rate of the one-cycle schedule
    #[arg(long, default_value_t = 3e-3)]
    lr: f64,
    /// Seed of everything random: the same seed, data and number of processors give the same model
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Persons not to train on: a .toml file (see models/held-out.toml) or COLLECTION:SUBJECT,...
    #[arg(long, value_name = "FILE|LIST")]
    hold_out: Option<String>,
    /// Share of the other persons kept for validation, 0 to 0.5: measured every epoch, --patience acts on them
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    validate: f64,
    /// Stop after so many epochs without a better validation EER and keep the best epoch; 0 never stops
    #[arg(long, default_value_t = 5)]
    patience: usize,
    /// Cross-validate first: train so many more networks, each without its share of the persons, to measure on them
    #[arg(long, default_value_t = 0, value_name = "K")]
    folds: usize,
    /// False match rate of one decision window at which the card's threshold is set
    #[arg(long, default_value_t = 0.001, value_name = "RATE")]
    target_fmr: f64,
    /// Imitated front ends (other boards, other electrodes) for each record
    #[arg(long, default_value_t = 8)]
    variants: usize,
    /// Virtual persons made of each person: the same beats with waves of other proportions, as classes of their own. A
    /// classifier never has any
    #[arg(long, default_value_t = 2)]
    virtual_persons: usize,
    /// No linear branch (principal components and discriminant axes) beside the trunk; a classifier never has one
    #[arg(long)]
    no_linear_branch: bool,
    /// Share of the score that is the size of the beat, which z-scoring takes from what the network sees, 0 to 0.5; 0 leaves
    /// it out. A classifier never has it
    #[arg(long, default_value_t = Amplitude::default().share, value_name = "SHARE")]
    amplitude: f64,
    /// Virtual strangers made of each person, by whom scores are normalised (NAME.cohort); 0 leaves it out. A classifier never
    /// has them
    #[arg(long, default_value_t = 30, value_name = "EACH")]
    strangers: usize,
    /// ArcFace margin, radians
    #[arg(long, default_value_t = 0.3)]
    margin: f64,
    /// ArcFace scale
    #[arg(long, default_value_t = 24.0)]
    scale: f64,
    /// Weight decay of AdamW
    #[arg(long, default_value_t = 0.01)]
    weight_decay: f64,
}

#[derive(Debug, Args)]
struct ParityArgs {
    /// Model that `fit` wrote
    #[arg(long, value_name = "NAME.onnx")]
    model: PathBuf,
    /// JSON file to write: beats, embeddings, logits
    #[arg(long, value_name = "FILE")]
    dump: PathBuf,
    /// Beats
    #[arg(long, default_value_t = 64)]
    count: usize,
    /// Seed of the beats
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, Args)]
struct RewriteArgs {
    /// Model that `fit` wrote
    #[arg(long, value_name = "NAME.onnx")]
    model: PathBuf,
    /// Model file to write; may be the same. The card goes with it, with the new file's SHA-256; templates of the old
    /// file do not: the daemon tells models apart by their bytes
    #[arg(long, value_name = "NAME.onnx")]
    out: PathBuf,
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// With what was attempted and what to do about it.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Fit(args) => fit::run(&args.request()?),
            Command::Parity(args) => dump_parity(&args),
            Command::Rewrite(args) => rewrite(&args),
        }
    }
}

impl FitArgs {
    fn request(self) -> anyhow::Result<fit::Request> {
        anyhow::ensure!((0.0..=0.5).contains(&self.validate), "--validate {}: a share from 0 to 0.5", self.validate);
        anyhow::ensure!(self.target_fmr > 0.0 && self.target_fmr < 1.0, "--target-fmr: a rate between 0 and 1");
        let positive = self.epochs > 0 && self.steps_per_epoch > 0 && self.batch_size > 1 && self.lr > 0.0;
        anyhow::ensure!(positive, "--epochs, --steps-per-epoch and --lr must be positive, --batch-size at least 2");
        anyhow::ensure!((0.0..=0.5).contains(&self.amplitude), "--amplitude {}: a share from 0 to 0.5", self.amplitude);
        let amplitude = Amplitude { share: self.amplitude, ..Amplitude::default() };
        let comparing = self.split == fit::SplitBy::Persons;
        anyhow::ensure!(comparing || self.foreign.is_empty(), "--foreign goes with --split persons only");
        let watched = self.validate > 0.0;
        Ok(fit::Request {
            collections: self.collection,
            foreign: self.foreign,
            signal: self.signal,
            mains: match self.mains {
                MainsArg::Hz50 => Mains::Hz50,
                MainsArg::Hz60 => Mains::Hz60,
                MainsArg::None => Mains::None,
            },
            out: self.out,
            held_out: self.hold_out.as_deref().map(split::hold_out).transpose()?.unwrap_or_default(),
            validation_share: self.validate,
            folds: self.folds,
            target_fmr: self.target_fmr,
            variants: self.variants,
            virtual_persons: if self.loss == LossKind::Arcface { self.virtual_persons } else { 0 },
            linear_branch: !self.no_linear_branch && self.loss == LossKind::Arcface,
            amplitude: (self.amplitude > 0.0 && self.loss == LossKind::Arcface).then_some(amplitude),
            strangers: if self.loss == LossKind::Arcface { self.strangers } else { 0 },
            report: self.report,
            split_by: self.split,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            training: training::Settings {
                network: self.net,
                loss: self.loss,
                epochs: self.epochs,
                steps_per_epoch: self.steps_per_epoch,
                batch_size: self.batch_size,
                learning_rate: self.lr,
                weight_decay: self.weight_decay,
                margin: self.margin,
                scale: self.scale,
                // Held-out persons are watched for the curve; which epoch is kept must not depend on them.
                patience: if watched { self.patience } else { 0 },
                seed: self.seed,
            },
        })
    }
}

fn dump_parity(args: &ParityArgs) -> anyhow::Result<()> {
    let network = onnx::read(&args.model, &Device::flex())?;
    let dump = parity::dump(&network, &args.model, args.count, args.seed);
    let text = serde_json::to_string(&dump)?;
    std::fs::write(&args.dump, text).with_context(|| format!("writing {}", args.dump.display()))?;
    println!("wrote {} beats and the trainer's answers to {}", args.count, args.dump.display());
    Ok(())
}

fn rewrite(args: &RewriteArgs) -> anyhow::Result<()> {
    let network = onnx::read(&args.model, &Device::flex())?;
    // Read before anything is written: the two may be one.
    let card = match std::fs::read_to_string(args.model.with_extension("toml")) {
        Ok(card) => Some(card::of_file(&card, &onnx::encode(&network)).context("reading the card of --model")?),
        Err(_) => None,
    };
    let bytes = onnx::write(&network, &args.out)?;
    println!("wrote the weights of {} to {}, {bytes} bytes", args.model.display(), args.out.display());
    match card {
        Some(card) => {
            let path = args.out.with_extension("toml");
            std::fs::write(&path, card).with_context(|| format!("writing {}", path.display()))?;
            println!("and its card to {}", path.display());
        }
        None => println!("it had no card beside it: without one a model cannot be used"),
    }
    // Embeddings stay as they are, and so do the strangers.
    let [from, to] = [&args.model, &args.out].map(|model| model.with_extension("cohort"));
    if from != to && from.exists() {
        std::fs::copy(&from, &to).with_context(|| format!("writing {}", to.display()))?;
        println!("and its strangers to {}", to.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn held_out_persons_never_choose_the_epoch() {
        let parse = |extra: &[&str]| {
            let all = ["ecg-train", "fit", "--collection", "a", "--out", "m.onnx"].iter().chain(extra);
            let Command::Fit(args) = Cli::parse_from(all).command else { unreachable!() };
            args.request()
        };
        assert_eq!(parse(&["--hold-out", "a:x"]).unwrap().training.patience, 0);
        assert_eq!(parse(&["--validate", "0.3"]).unwrap().training.patience, 5);
        assert!(parse(&["--validate", "0.9"]).is_err());
    }
}
