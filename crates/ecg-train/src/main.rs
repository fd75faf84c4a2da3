//! `ecg-train`: the command line of the trainer.

use clap::Parser;
use ecg_train::cli::Cli;

fn main() -> anyhow::Result<()> {
    Cli::parse().run()
}
