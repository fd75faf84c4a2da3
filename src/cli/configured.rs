//! The configuration as the command line gives it: a file, and single keys on top of it.

use std::path::PathBuf;

use crate::config::{Config, ConfigError};

/// Arguments of every command that starts from the whole configuration.
#[derive(Debug, clap::Args)]
pub struct Configured {
    /// Configuration file [default: /etc/ecgid/ecgid.toml where it exists, else the built-in defaults]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one key on top of file and environment, for instance --set source.port=/dev/ttyACM0; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_key)]
    pub keys: Vec<(String, String)>,
}

impl Configured {
    /// Reads file, environment and the keys of the command line; the later wins.
    ///
    /// # Errors
    /// An unreadable file, an unknown key, a value out of its range.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let keys: Vec<(&str, String)> = self.keys.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        Config::load(self.config.as_deref(), &keys)
    }
}

fn parse_key(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, for instance source.port=/dev/ttyACM0")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}
