//! `[store]`: where the database lies, and how much may wait in it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::layers::Environment;

/// `[store]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct StoreFile {
    pub path: String,
    pub outbox_limit_mib: u32,
}

impl Default for StoreFile {
    fn default() -> Self {
        Self { path: String::new(), outbox_limit_mib: 16 }
    }
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The database file.
    pub path: PathBuf,
    /// What the outbox may hold, bytes.
    pub outbox_limit_bytes: u64,
}

impl StoreFile {
    pub(super) fn validate(&self, environment: &Environment) -> Result<StoreConfig, ConfigError> {
        if !(1..=1024).contains(&self.outbox_limit_mib) {
            let message = "must lie between 1 and 1024 MiB";
            return Err(ConfigError::invalid("store.outbox_limit_mib", self.outbox_limit_mib, message));
        }
        Ok(StoreConfig {
            path: self.path(environment),
            outbox_limit_bytes: u64::from(self.outbox_limit_mib) * 1024 * 1024,
        })
    }

    /// The path that is written; else in systemd's state directory; else in the working directory.
    fn path(&self, environment: &Environment) -> PathBuf {
        if !self.path.is_empty() {
            return PathBuf::from(&self.path);
        }
        // systemd separates several state directories by colons; the first is ours.
        let directory = environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next()).unwrap_or("");
        PathBuf::from(directory).join("ecgid.sqlite")
    }
}
