//! `ecgid demo`: the whole system at work, with nothing installed.

use std::path::PathBuf;
use std::time::Duration;

use super::Failure;
use super::simulate::parse_time;

/// Arguments of `ecgid demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stop after this time, for instance 90s or 5m [default: on Ctrl-C]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub r#for: Option<Duration>,
    /// JSON lines: every message with its topic and `elapsed_s`, and what happens on stage
    #[arg(long)]
    pub json: bool,
    /// Other synthetic subjects
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Another model than the shipped one
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// The model is not there, or the system gives no pseudo-terminal or port.
#[cfg(feature = "demo")]
pub fn main(args: Args) -> Result<(), Failure> {
    crate::demo::main(&args)
}

/// Says that it is not there.
///
/// # Errors
/// Always.
#[cfg(not(feature = "demo"))]
pub fn main(_args: Args) -> Result<(), Failure> {
    Err(anyhow::anyhow!("this ecgid was built without its demo (feature `demo`)").into())
}
