//! The command line: one file per subcommand; this file only parses, dispatches and turns an error into an exit code.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prints one line on standard output, where `println!` would panic if that cannot be written to.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::output::say(format_args!($($text)*))
    };
}

/// Prints one line on standard error, where `eprintln!` would panic if that has gone.
macro_rules! note {
    ($($text:tt)*) => {
        $crate::cli::output::note(format_args!($($text)*))
    };
}

pub mod adc;
pub mod analyze;
pub mod check;
pub mod configured;
mod daemon;
mod date;
pub mod demo;
pub mod enrol;
pub mod evaluate;
mod file;
pub mod hrv;
pub mod key;
pub mod lines;
pub(crate) mod output;
pub mod probe;
pub mod replay;
pub mod run;
pub mod simulate;
pub mod subjects;

/// The configuration, the model or the database is unusable; systemd does not restart on it (`sysexits.h`, EX_CONFIG).
pub const EX_CONFIG: u8 = 78;

/// Reads a single-lead ECG, says continuously whose heart it is, and publishes that on MQTT.
#[derive(Debug, Parser)]
#[command(name = "ecgid", version, about, max_term_width = 110)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon with a configuration file
    Run(run::Args),
    /// Show the whole system at work: no board, no broker, no configuration needed
    Demo(demo::Args),
    /// Check configuration, model and database; exit 78 says that something must be mended first
    Check(check::Args),
    /// Listen on a serial port and say what format, rate and signal arrive there
    Probe(probe::Args),
    /// Enrol a person, live with guidance or from recordings; add a second day; update a template
    Enrol(enrol::Args),
    /// List, rename and delete enrolled subjects; take an enrolment back
    Subjects(subjects::Args),
    /// Show the public key of this gateway's signed claims, which doors need; replace the key
    Key(key::Args),
    /// Play a recording through the daemon
    Replay(replay::Args),
    /// Simulate a board on a pseudo-terminal, or write synthetic recordings
    Simulate(simulate::Args),
    /// Analyse one recording: beats, heart-rate variability, quality
    Analyze(analyze::Args),
    /// Heart-rate variability of a WFDB annotation file or of a list of intervals
    Hrv(hrv::Args),
    /// Measure the detector, the denoiser, heart-rate variability or the identity on a set of recordings
    Evaluate(evaluate::Args),
}

/// An error that says with which code the process ends.
#[derive(Debug)]
pub struct Failure {
    /// The exit code: 1, or [`EX_CONFIG`].
    pub code: u8,
    /// What was attempted, with what, and what to do.
    pub error: anyhow::Error,
}

impl Failure {
    /// A configuration, model or database that must be mended before a start can succeed.
    pub fn config(error: impl Into<anyhow::Error>) -> Self {
        Self { code: EX_CONFIG, error: error.into() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { code: 1, error: error.into() }
    }
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let result = match Args::parse().command {
        Command::Run(args) => run::main(args),
        Command::Demo(args) => demo::main(args),
        Command::Check(args) => check::main(args),
        Command::Probe(args) => probe::main(args),
        Command::Enrol(args) => enrol::main(args),
        Command::Subjects(args) => subjects::main(args),
        Command::Key(args) => key::main(args),
        Command::Replay(args) => replay::main(args),
        Command::Simulate(args) => simulate::main(args),
        Command::Analyze(args) => analyze::main(args),
        Command::Hrv(args) => hrv::main(args),
        Command::Evaluate(args) => evaluate::main(args),
    };
    let mut code = 0;
    if let Err(failure) = result {
        note!("ecgid: {}", told(&failure.error));
        code = failure.code;
    }
    if let Some(error) = output::broken() {
        note!("ecgid: cannot write to standard output: {error}");
        code = code.max(1);
    }
    ExitCode::from(code)
}

/// An error with its causes, a colon between; a cause that the text before it has said already is left out.
fn told(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = || std::io::Error::other("no disk");
        let whole = crate::config::ConfigError::Read { path: "a.toml".into(), source: cause() };
        assert_eq!(told(&whole.into()), "cannot read the configuration a.toml: no disk");
        assert_eq!(told(&anyhow::Error::from(cause()).context("cannot read it")), "cannot read it: no disk");
        assert_eq!(told(&anyhow!("alone")), "alone");
    }
}
