//! `ecgid run`: to be written.

use super::Failure;

/// Arguments of `ecgid run`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Always, until it is written.
pub fn main(_args: Args) -> Result<(), Failure> {
    Err(anyhow::anyhow!("run is not written yet").into())
}
