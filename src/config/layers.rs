//! File, environment and flags, one over the other.
//!
//! The file is read twice: by `toml` into the file's own types, which knows the line of every key and refuses a key
//! that does not exist, and by `config`, which lays the environment and the flags over it.

use std::collections::BTreeMap;
use std::path::Path;

use config::{FileFormat, Map};

use super::error::ConfigError;
use super::file::ConfigFile;

/// Variables of an environment.
pub type Environment = BTreeMap<String, String>;

/// The environment of this process; what is not Unicode is left out.
#[must_use]
pub fn process_environment() -> Environment {
    std::env::vars_os().filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?))).collect()
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

fn layer_error(error: config::ConfigError) -> ConfigError {
    ConfigError::Layer { origin: "the environment (ECGID__SECTION__KEY) or a flag", message: error.to_string() }
}
