//! The cohort beside a model: `NAME.cohort`, embeddings of strangers as ecg-train wrote them, one byte a number.
//!
//! What they are used for is told by `[cohort]` of the card. Must not know templates or scores.

use std::borrow::Cow;

use ecg_identity::{Cohort, CohortRule};

use super::card::is_sha256_of;
use super::{Card, ModelError};

/// The cohort of the card, out of the content of its file; `None` where the card has none.
///
/// # Errors
/// [`ModelError::Strangers`]: it is not the file that the card was written with.
pub(super) fn read(card: &Card, bytes: Cow<'static, [u8]>, file: &str) -> Result<Option<Cohort>, ModelError> {
    let Some(part) = &card.cohort else { return Ok(None) };
    let wrong = |problem: String| ModelError::Strangers { file: file.into(), problem };
    if !is_sha256_of(&part.sha256, &bytes) {
        return Err(wrong(format!("its SHA-256 is not the one that the card was written with, {}", part.sha256)));
    }
    let rule = CohortRule { nearest: part.nearest, weight: part.weight, scatter: part.scatter };
    let cohort = Cohort::from_bytes(bytes, card.embedding_length(), rule, part.usual);
    let cohort = cohort.filter(|cohort| cohort.strangers() == part.strangers);
    cohort.map(Some).ok_or_else(|| {
        let (strangers, numbers) = (part.strangers, card.embedding_length());
        wrong(format!("it does not hold {strangers} embeddings of {numbers} numbers"))
    })
}
