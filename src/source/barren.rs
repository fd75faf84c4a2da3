//! A connection that gives no sample from its start: when that is complained of, and in what words.
//!
//! It opens no connection and decodes nothing; it is told what came.

use std::time::Duration;

use ecg_wire::Format;
use tokio::time::Instant;

use super::decode::unknown_format;
use crate::pipeline::flow::{Flow, Problem, ProblemKind, SourceItem};

/// A board that was reset by the opening of its port says nothing useful for up to four seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same where the format has to be recognised first, which takes a slow format some seconds more.
const PATIENCE_UNKNOWN: Duration = Duration::from_secs(10);

/// What one connection has brought, until its first sample.
#[derive(Debug)]
pub(super) struct Barren {
    since: Instant,
    bytes: bool,
    /// A sample has come, or a complaint was made: there is nothing to add.
    settled: bool,
}

impl Barren {
    /// A connection that was made at `since`.
    pub(super) fn new(since: Instant) -> Self {
        Self { since, bytes: false, settled: false }
    }

    /// So many bytes came, and the decoder made this of them.
    pub(super) fn heard(&mut self, bytes: usize, items: &[SourceItem]) {
        self.bytes |= bytes > 0;
        self.settled |=
            items.iter().any(|item| matches!(item, SourceItem::Problem(_) | SourceItem::Samples(Flow::Block(_))));
    }

    /// What is wrong, once that is due; said once. `format` is the one that is expected, where it is known.
    pub(super) fn complaint(
        &mut self,
        format: Option<Format>,
        setting: impl FnOnce() -> Option<String>,
    ) -> Option<Problem> {
        let patience = if self.bytes && format.is_none() { PATIENCE_UNKNOWN } else { PATIENCE };
        if self.settled || self.since.elapsed() < patience {
            return None;
        }
        self.settled = true;
        let at = setting().map(|setting| format!(" at {setting}")).unwrap_or_default();
        let text = match format {
            _ if !self.bytes => "connected, nothing arrives: is the board powered, its TX wired?".to_owned(),
            Some(format) => {
                format!("bytes arrive{at}, but no frame of {format}: check source.baud and source.format")
            }
            None => return Some(unknown_format()),
        };
        Some(Problem { kind: ProblemKind::NoSamples, text })
    }
}
