//! The log: levels by target, to stderr, for people, for journald or as JSON. What is logged is never an ECG value, a
//! template, a subject's name or a secret; this file only says where it goes.

use std::io;

use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// Log target of the embedded broker.
const BROKER: &str = "rumqttd";

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.level` is not a level.
    #[error("log.level = {0:?}: a level, or levels by target, as in info,ecgid=debug")]
    Level(String),
    /// A log is set up already.
    #[error("the log is set up already")]
    Twice,
}

/// Sets the log up for this process. Under journald every line begins with its priority.
///
/// # Errors
/// [`TelemetryError`].
pub fn init(config: &LogConfig) -> Result<(), TelemetryError> {
    let targets: Targets = config.level.parse().map_err(|_| TelemetryError::Level(config.level.clone()))?;
    // The embedded broker talks much about its own business.
    let of_broker = targets.default_level().unwrap_or(LevelFilter::OFF).min(LevelFilter::ERROR);
    let asked_for = config.level.contains(BROKER);
    let targets = if asked_for { targets } else { targets.with_target(BROKER, of_broker) };
    let registry = tracing_subscriber::registry().with(targets);
    // systemd sets it where stderr is connected to the journal.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let layer = tracing_subscriber::fmt::layer().with_writer(Stderr { journal });
    match config.format {
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).try_init(),
        // The journal has its own time and shows no colours.
        LogFormat::Text if journal => registry.with(layer.without_time().with_level(false).with_ansi(false)).try_init(),
        LogFormat::Text => registry.with(layer.with_ansi(io::IsTerminal::is_terminal(&io::stderr()))).try_init(),
    }
    .map_err(|_| TelemetryError::Twice)
}

/// Writes to stderr, each event with its journald priority where asked for.
#[derive(Debug, Clone, Copy)]
struct Stderr {
    journal: bool,
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = PrefixedLine;

    fn make_writer(&'a self) -> PrefixedLine {
        PrefixedLine { prefix: None }
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> PrefixedLine {
        PrefixedLine { prefix: self.journal.then(|| priority(*metadata.level())) }
    }
}

/// `<N>` of `sd-daemon(3)`.
fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        Level::DEBUG | Level::TRACE => "<7>",
    }
}

/// One event; the formatter writes it in one piece.
struct PrefixedLine {
    prefix: Option<&'static str>,
}

impl io::Write for PrefixedLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut stderr = io::stderr().lock();
        if let Some(prefix) = self.prefix.take() {
            stderr.write_all(prefix.as_bytes())?;
        }
        stderr.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_becomes_the_priority_of_the_journal() {
        let priorities = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE].map(priority);
        assert_eq!(priorities, ["<3>", "<4>", "<6>", "<7>", "<7>"]);
    }
}
