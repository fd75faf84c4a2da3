//! The shape of an answer, and the codes of refusals: both are part of the published contract.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::config::SlugError;
use crate::store::StoreError;

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// What was asked for, or why not.
    pub outcome: Result<Value, Refusal>,
    /// What the request came with, so that the asker knows its answer again.
    pub transaction: Option<String>,
}

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// For programs.
    pub code: ErrorCode,
    /// For people: what was attempted, and what to do.
    pub message: String,
}

/// Kinds of refusal; `snake_case` on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No JSON object, an unknown field, a value out of its range.
    BadRequest,
    /// The body is longer than any request.
    TooLarge,
    /// No request has this name.
    UnknownRequest,
    /// Not on this way.
    NotPermitted,
    /// The token is missing or wrong; HTTP only.
    Unauthorized,
    /// Too many requests at work.
    Busy,
    /// Somebody is being enrolled.
    AlreadyEnrolling,
    /// Nobody is being enrolled, or nothing was asked that could be answered now.
    NotEnrolling,
    /// Nobody is enrolled under this name.
    NoSuchSubject,
    /// Somebody else is enrolled under this name.
    NameTaken,
    /// No enrolment of this subject is left that could be taken back.
    NothingToUndo,
    /// The database cannot do it now.
    Storage,
    /// A defect.
    Internal,
}

impl ErrorCode {
    /// All of them, for the checks of the documents.
    pub const ALL: [Self; 13] = [
        Self::BadRequest,
        Self::TooLarge,
        Self::UnknownRequest,
        Self::NotPermitted,
        Self::Unauthorized,
        Self::Busy,
        Self::AlreadyEnrolling,
        Self::NotEnrolling,
        Self::NoSuchSubject,
        Self::NameTaken,
        Self::NothingToUndo,
        Self::Storage,
        Self::Internal,
    ];
}

impl Answer {
    /// A refusal outside of any request.
    #[must_use]
    pub fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { outcome: Err(Refusal::new(code, message)), transaction: None }
    }

    /// The JSON object.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let nothing = Value::Object(serde_json::Map::new());
        let (data, error) = match &self.outcome {
            Ok(data) => (data, None),
            Err(refusal) => (&nothing, Some(refusal)),
        };
        let status = if error.is_none() { "ok" } else { "error" };
        let envelope = Envelope { data, status, error, transaction: self.transaction.as_deref() };
        // Cannot fail: string keys, and a `Value` holds finite numbers only.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    data: &'a Value,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<&'a str>,
}

impl Refusal {
    /// A refusal in words.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// A request that cannot be meant.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// A defect: the log has the details.
    pub(super) fn failed(what: &str, why: &dyn fmt::Display) -> Self {
        tracing::error!("{what} failed: {why}");
        Self::new(ErrorCode::Internal, format!("{what} failed; the daemon's log says why"))
    }
}

impl From<SlugError> for Refusal {
    fn from(error: SlugError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NoSuchSubject(_) => ErrorCode::NoSuchSubject,
            StoreError::SubjectExists(_) => ErrorCode::NameTaken,
            StoreError::NothingToUndo(_) => ErrorCode::NothingToUndo,
            _ => {
                tracing::error!(%error, "the database refuses a request");
                ErrorCode::Storage
            }
        };
        Self::new(code, error.to_string())
    }
}
