//! `[store]`: where the database lies, and how much may wait in it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::layers::Environment;

/// Name of the database.
const DATABASE: &str = "ecgid.sqlite";

/// Where the packaged service keeps its state (`StateDirectory=ecgid`).
const PACKAGED: &str = "/var/lib/ecgid";

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

    /// The path that is written; else in systemd's state directory; else where [`found`] finds it.
    fn path(&self, environment: &Environment) -> PathBuf {
        if !self.path.is_empty() {
            return PathBuf::from(&self.path);
        }
        // systemd separates several state directories by colons; the first is ours.
        match environment.get("STATE_DIRECTORY").and_then(|list| list.split(':').next()) {
            Some(directory) => Path::new(directory).join(DATABASE),
            None => found(Path::new(""), Path::new(PACKAGED)),
        }
    }
}

/// In the working directory, unless only the packaged service has one: the command line of those who may look into its
/// state then needs to be told nothing.
fn found(here: &Path, packaged: &Path) -> PathBuf {
    let (here, packaged) = (here.join(DATABASE), packaged.join(DATABASE));
    if !here.exists() && packaged.exists() { packaged } else { here }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_the_packaged_service_is_found_where_none_lies_here() {
        let (here, packaged) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let chosen = || found(here.path(), packaged.path());
        assert_eq!(chosen(), here.path().join(DATABASE));
        std::fs::write(packaged.path().join(DATABASE), "").unwrap();
        assert_eq!(chosen(), packaged.path().join(DATABASE));
        std::fs::write(here.path().join(DATABASE), "").unwrap();
        assert_eq!(chosen(), here.path().join(DATABASE));
    }
}
