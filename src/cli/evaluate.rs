//! `ecgid evaluate`: what the detector, the denoiser, heart-rate variability and the identity are worth on a set of recordings.

pub mod annotated;
pub mod calibration;
pub mod cepstra;
pub mod decision;
pub mod denoiser;
pub mod det;
pub mod hrv;
pub mod identity;
pub mod matching;
pub mod noise;
pub mod outcome;
pub mod protocol;
pub mod qrs;
pub mod replay;
pub mod report;
pub mod score;
pub mod sessions;
pub mod stream;
pub mod work;

use clap::Subcommand;

use super::Failure;

/// Arguments of `ecgid evaluate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Beats against the beat annotations of WFDB records
    Qrs(qrs::Args),
    /// Beats in noise, level by level: added to clean records, and recorded
    Noise(noise::Args),
    /// Heart-rate variability of our own beats against that of annotated ones
    Hrv(hrv::Args),
    /// What the wavelet denoiser gains and what it costs, beside others that might have been
    Denoiser(denoiser::Args),
    /// Enrolled persons against probes of other sessions: EER, FNMR, rank-1 with intervals
    Identity(identity::Args),
    /// What a score is worth by the number of heartbeats: the table of a model card
    Calibration(calibration::Args),
    /// The decision over time, on streams spliced from records: contact, change of wearer, five minutes of strangers
    Stream(stream::Args),
    /// Hearts that beat against earlier beats that are played again: false alarms, detection, time to it
    Replay(replay::Args),
}

/// Runs the command.
///
/// # Errors
/// What was attempted, with what, and what to do.
pub fn main(args: Args) -> Result<(), Failure> {
    match args.what {
        What::Qrs(args) => qrs::main(&args),
        What::Noise(args) => noise::main(&args),
        What::Hrv(args) => hrv::main(&args),
        What::Denoiser(args) => denoiser::main(&args),
        What::Identity(args) => identity::main(&args),
        What::Calibration(args) => calibration::main(&args),
        What::Stream(args) => stream::main(&args),
        What::Replay(args) => replay::main(&args),
    }
}
