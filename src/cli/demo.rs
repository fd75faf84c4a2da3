//! `ecgid demo`: to be written.

use super::Failure;

/// Arguments of `ecgid demo`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Always, until it is written.
pub fn main(_args: Args) -> Result<(), Failure> {
    Err(anyhow::anyhow!("demo is not written yet").into())
}
