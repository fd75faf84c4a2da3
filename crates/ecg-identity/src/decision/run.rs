//! How many updates in a row said the same.
//!
//! It must not know scores: an update has been judged before it is counted.

use super::Update;

/// Lengths of the current runs, in updates.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs {
    /// The subject of `matched`.
    candidate: Option<String>,
    /// Updates in a row that matched the same subject.
    pub(super) matched: usize,
    /// Updates in a row that rejected.
    pub(super) rejected: usize,
    /// Updates in a row that did not reject.
    pub(super) not_rejected: usize,
    /// Updates in a row in which the verified subject scored below the floor.
    pub(super) below: usize,
    /// Updates in a row in which the newest evidence did not match the older.
    pub(super) changed: usize,
    /// Updates since the evidence was enough.
    pub(super) updates: usize,
}

impl Runs {
    pub(super) fn count(&mut self, update: &Update) {
        self.updates += 1;
        let subject = match update {
            Update::Matches { subject, .. } => Some(subject),
            _ => None,
        };
        self.matched = match subject {
            Some(s) if self.candidate.as_ref() == Some(s) => self.matched + 1,
            Some(_) => 1,
            None => 0,
        };
        self.candidate = subject.cloned();
        let rejects = matches!(update, Update::Rejects { .. });
        self.rejected = if rejects { self.rejected + 1 } else { 0 };
        self.not_rejected = if rejects { 0 } else { self.not_rejected + 1 };
    }
}
