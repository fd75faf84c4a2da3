//! A name that is safe everywhere it travels: MQTT topics, Home Assistant ids, SQL, file names, logs.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Longest slug, characters.
const MAX_LENGTH: usize = 32;

/// 1 to 32 characters `a–z`, `0–9`, `_`, `-`, beginning with a letter or a digit.
///
/// Subjects are named by slugs, not by their names: what travels on MQTT is a pseudonym.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

/// Why a text is no slug.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlugError {
    /// Empty, too long, or with a character that topics, ids or files could misread.
    #[error("`{0}` is not a valid name: 1 to 32 characters a-z, 0-9, _ and -, beginning with a letter or a digit")]
    Form(String),
    /// A word that the published contract uses for something else.
    #[error("`{0}` is reserved; choose another name")]
    Reserved(String),
}

impl Slug {
    /// Checks the form.
    ///
    /// # Errors
    /// [`SlugError::Form`].
    pub fn new(text: impl Into<String>) -> Result<Self, SlugError> {
        let text = text.into();
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins_well && text.len() <= MAX_LENGTH && text.chars().all(allowed) {
            Ok(Self(text))
        } else {
            Err(SlugError::Form(text))
        }
    }

    /// A slug that names a subject: `none`, `unknown` and `deleted` are what subscribers read where nobody is named, and
    /// `unavailable` is Home Assistant's word for an entity of which nothing is known.
    ///
    /// # Errors
    /// [`SlugError`].
    pub fn subject(text: impl Into<String>) -> Result<Self, SlugError> {
        Self::new(text)?.unless_reserved(&["none", "unknown", "deleted", "unavailable"])
    }

    /// A slug that names a device: the other words stand on the same topic level.
    pub(crate) fn device(text: impl Into<String>) -> Result<Self, SlugError> {
        Self::new(text)?.unless_reserved(&["availability", "bridge"])
    }

    fn unless_reserved(self, words: &[&str]) -> Result<Self, SlugError> {
        if words.contains(&self.0.as_str()) { Err(SlugError::Reserved(self.0)) } else { Ok(self) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Slug {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = SlugError;

    fn from_str(text: &str) -> Result<Self, SlugError> {
        Self::new(text)
    }
}

impl From<Slug> for String {
    fn from(slug: Slug) -> Self {
        slug.0
    }
}
