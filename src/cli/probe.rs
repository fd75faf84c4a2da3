//! `ecgid probe`: to be written.

use super::Failure;

/// Arguments of `ecgid probe`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Always, until it is written.
pub fn main(_args: Args) -> Result<(), Failure> {
    Err(anyhow::anyhow!("probe is not written yet").into())
}
