//! `[keys]`: where the secret keys lie. The keys themselves are never part of a configuration.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::layers::{CREDENTIALS, Environment};

/// Name of the key that templates are encrypted with: of its file, and as `ecgid-template-key` of its credential.
const TEMPLATE: &str = "template-key";

/// Name of the key that claims are signed with: of its file, and as `ecgid-signing-key` of its credential.
const SIGNING: &str = "signing-key";

/// `[keys]` as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct KeysFile {
    pub template_file: String,
    pub signing_file: String,
}

/// Where the keys are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysConfig {
    template_file: Option<PathBuf>,
    signing_file: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

/// The places of one key, the first that is there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// systemd's credential; used where it is there, never made. `None` where a file is configured.
    pub credential: Option<PathBuf>,
    /// The file, which the first start makes.
    pub file: PathBuf,
}

impl KeysFile {
    /// The section and the credentials of systemd.
    pub(super) fn validate(&self, environment: &Environment) -> KeysConfig {
        let named = |file: &str| (!file.is_empty()).then(|| PathBuf::from(file));
        KeysConfig {
            template_file: named(&self.template_file),
            signing_file: named(&self.signing_file),
            credentials: environment.get(CREDENTIALS).map(PathBuf::from),
        }
    }
}

impl KeysConfig {
    /// The key that the templates in `database` are encrypted with; its file lies beside the database unless another one
    /// is configured.
    #[must_use]
    pub fn template(&self, database: &Path) -> KeyPlace {
        self.place(self.template_file.as_ref(), database, TEMPLATE)
    }

    /// The key that claims are signed with; its file lies beside the database unless another one is configured.
    #[must_use]
    pub fn signing(&self, database: &Path) -> KeyPlace {
        self.place(self.signing_file.as_ref(), database, SIGNING)
    }

    fn place(&self, file: Option<&PathBuf>, database: &Path, name: &str) -> KeyPlace {
        match file {
            Some(file) => KeyPlace { credential: None, file: file.clone() },
            None => KeyPlace {
                credential: self.credentials.as_ref().map(|directory| directory.join(format!("ecgid-{name}"))),
                file: database.with_file_name(name),
            },
        }
    }
}
