//! Where the enrolment in the running daemon stands: what is answered, published and shown.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::enrolment::{Progress, Question, Report};

/// States of an enrolment; `snake_case` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Nobody has been enrolled since the start.
    Idle,
    /// Beats are collected, or the electrodes are waited for.
    Collecting,
    /// A question must be answered.
    Question,
    /// Stored.
    Done,
    /// Nothing is stored: `problem` says why.
    Refused,
    /// Somebody has called it off; nothing is stored.
    Cancelled,
}

impl State {
    /// All of them, for the checks of the documents.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] =
        [Self::Idle, Self::Collecting, Self::Question, Self::Done, Self::Refused, Self::Cancelled];

    /// It goes on.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Self::Collecting | Self::Question)
    }
}

/// What an enrolment does with the templates that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// It takes their place.
    Enrol,
    /// It stands beside them: another day.
    Add,
    /// It is blended into one of them.
    Update,
}

/// Where the enrolment stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: State,
    /// Counts the enrolments since the start of the daemon, from 1; 0 while there was none.
    pub(crate) number: u64,
    /// Whom; `None` while there was none.
    pub(crate) subject: Option<String>,
    pub(crate) kind: Option<Kind>,
    /// What somebody should know from the start, in words: that it takes the place of another enrolment.
    #[serde(default)]
    pub(crate) note: Option<String>,
    /// How far it is; what was reached, where it has ended.
    pub(crate) progress: Option<Progress>,
    /// Asked with [`State::Question`]; `enrol/confirm` answers.
    pub(crate) question: Option<Question>,
    /// With [`State::Done`].
    pub(crate) report: Option<Report>,
    /// With [`State::Refused`], in words.
    pub(crate) problem: Option<String>,
}

impl Status {
    /// Nobody has been enrolled.
    pub(super) fn idle() -> Self {
        Self {
            state: State::Idle,
            number: 0,
            subject: None,
            kind: None,
            note: None,
            progress: None,
            question: None,
            report: None,
            problem: None,
        }
    }

    /// As a JSON object.
    pub(crate) fn to_value(&self) -> Value {
        // Cannot fail: string keys.
        serde_json::to_value(self).unwrap_or_default()
    }
}
