//! What can be wrong with a configuration, said so that the reader can mend it.

use std::path::PathBuf;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, has a key that does not exist, or a value of another type.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong there; names the key.
        message: String,
    },
    /// A variable of the environment or a flag names a key that does not exist, or has a value of another type.
    #[error("{origin}: {message}")]
    Layer {
        /// `the environment (ECGID__…) or a flag`.
        origin: &'static str,
        /// What is wrong; names the key.
        message: String,
    },
    /// A value cannot be meant.
    #[error("{key} = {value}: {message}")]
    Invalid {
        /// Dotted key.
        key: &'static str,
        /// The value as it was given.
        value: String,
        /// What would be right.
        message: String,
    },
}

impl ConfigError {
    /// A value that cannot be meant.
    pub(crate) fn invalid(key: &'static str, value: impl ToString, message: impl Into<String>) -> Self {
        Self::Invalid { key, value: value.to_string(), message: message.into() }
    }
}
