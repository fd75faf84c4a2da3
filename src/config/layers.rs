//! File, environment and flags, one over the other.
//!
//! The file is read twice: by `toml` into the file's own types, which knows the line of every key and refuses a key
//! that does not exist, and by `config`, which lays the environment and the flags over it.

use std::collections::BTreeMap;
use std::path::Path;

use config::{FileFormat, Map};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer};

use super::error::ConfigError;
use super::file::ConfigFile;

/// Variables of an environment.
pub type Environment = BTreeMap<String, String>;

/// Where systemd puts the credentials of the packaged service while it runs.
const SERVICE_CREDENTIALS: &str = "/run/credentials/ecgid.service";

/// The variable that systemd names them by to the service itself.
pub(super) const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The environment of this process; what is not Unicode is left out. Whoever may read the credentials of the running
/// service (the administrator) has them as the service has: commands by hand then use the same keys.
#[must_use]
pub fn process_environment() -> Environment {
    let variables =
        std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    with_credentials(variables.collect(), Path::new(SERVICE_CREDENTIALS))
}

fn with_credentials(mut environment: Environment, directory: &Path) -> Environment {
    if !environment.contains_key(CREDENTIALS) && std::fs::read_dir(directory).is_ok() {
        environment.insert(CREDENTIALS.into(), directory.display().to_string());
    }
    environment
}

/// Lays the layers over each other. The later wins: defaults, file, `ECGID__SECTION__KEY`, overrides.
pub(super) fn merge(
    path: Option<&Path>,
    environment: &Environment,
    overrides: &[(&str, String)],
) -> Result<ConfigFile, ConfigError> {
    let mut builder = config::Config::builder();
    if let Some(path) = path {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        parse(path, &text)?;
        builder = builder.add_source(config::File::from_str(&text, FileFormat::Toml));
    }
    // Without an explicit prefix separator it silently becomes the separator's default.
    let variables = config::Environment::with_prefix("ECGID")
        .prefix_separator("__")
        .separator("__")
        .source(Some(environment.clone().into_iter().collect::<Map<_, _>>()));
    builder = builder.add_source(variables);
    for (key, value) in overrides {
        builder = builder.set_override(*key, value.as_str()).map_err(layer_error)?;
    }
    builder.build().and_then(config::Config::try_deserialize).map_err(layer_error)
}

/// Reads the file by itself, for errors that name the line.
fn parse(path: &Path, text: &str) -> Result<ConfigFile, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start.min(text.len()));
        let before = text.get(..offset).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        ConfigError::Parse {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: error.message().to_owned(),
        }
    })
}

/// Reads one of several words; another one is refused with those that there are, whichever layer it comes from.
pub(super) fn word<'de, D: Deserializer<'de>, T: Deserialize<'de>>(written: D) -> Result<T, D::Error> {
    T::deserialize(String::deserialize(written)?.into_deserializer())
}

fn layer_error(error: config::ConfigError) -> ConfigError {
    ConfigError::Layer { origin: "the environment (ECGID__SECTION__KEY) or a flag", message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_by_hand_have_the_credentials_of_the_running_service_and_no_others() {
        let running = tempfile::tempdir().unwrap();
        let found = with_credentials(Environment::new(), running.path());
        assert_eq!(found.get(CREDENTIALS).map(String::as_str), running.path().to_str());
        let own = Environment::from([(CREDENTIALS.to_owned(), "/own".to_owned())]);
        assert_eq!(with_credentials(own.clone(), running.path()), own);
        assert_eq!(with_credentials(Environment::new(), &running.path().join("stopped")), Environment::new());
    }
}
