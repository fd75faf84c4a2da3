//! The configuration: layers (file, environment, flags) in, one validated [`Config`] with units as types out.
//!
//! The file as it is written is [`file::ConfigFile`]; nobody but this module sees it. This module knows no stage: it
//! says what was asked for, and refuses what cannot be meant. It reads no password (see `publish`), opens no database.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ecg_identity::{DecisionConfig, LivenessConfig};

use crate::inference::Model;

pub mod control;
pub mod error;
pub mod file;
pub mod homeassistant;
pub mod keys;
mod layers;
mod model;
pub mod mqtt;
pub mod slug;
pub mod source;
pub mod store;

pub use control::ControlConfig;
pub use ecg_signal::Mains;
pub use error::ConfigError;
pub use file::LogFormat;
pub use homeassistant::{DiscoveryStyle, HomeAssistantConfig};
pub use keys::{KeyPlace, KeysConfig};
pub use layers::{Environment, process_environment};
pub use mqtt::{ClientCertificate, MqttConfig, PasswordSource, PayloadFormat, TlsConfig};
pub use slug::{Slug, SlugError};
pub use source::{FormatChoice, SourceConfig, SourceKind};
pub use store::StoreConfig;

/// Where the packaged daemon looks for its configuration.
pub const DEFAULT_PATH: &str = "/etc/ecgid/ecgid.toml";

/// Where packaged models lie; a relative model path is looked up here after the working directory.
pub const SHARE_DIRECTORY: &str = "/usr/share/ecgid";

/// What the daemon was asked to do; every value is checked and in its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Name of this gateway in topics.
    pub gateway: Slug,
    /// Name of the board on this gateway, in topics.
    pub device: Slug,
    /// Where samples come from.
    pub source: SourceConfig,
    /// Treatment of the signal.
    pub signal: SignalConfig,
    /// The model as it was written; [`Config::model_path`] says where it lies.
    pub model: PathBuf,
    /// Front ends that are of the kind which the classes of a closed-set model were recorded on, as the operator says.
    pub class_front_ends: Vec<String>,
    /// The decision over time.
    pub identity: IdentityConfig,
    /// Whether the heart beats now; `None` where that is not asked.
    pub liveness: Option<LivenessConfig>,
    /// The heart-rate-variability summary.
    pub hrv: HrvConfig,
    /// The broker; `None` where MQTT is switched off.
    pub mqtt: Option<MqttConfig>,
    /// What Home Assistant is told; `None` where it is told nothing.
    pub homeassistant: Option<HomeAssistantConfig>,
    /// Which way requests may come, and which of them.
    pub control: ControlConfig,
    /// The database.
    pub store: StoreConfig,
    /// Where the secret keys lie.
    pub keys: KeysConfig,
    /// The log.
    pub log: LogConfig,
}

/// `[signal]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalConfig {
    /// The mains frequency that the notch removes.
    pub mains: Mains,
}

/// `[identity]`: the decision over several beats.
#[derive(Debug, Clone, PartialEq)]
pub struct IdentityConfig {
    /// Comparison score from which a reference matches, whatever it rests on; `None`: what the model's card says for
    /// `false_positive_rate`.
    pub threshold: Option<f64>,
    /// Share of strangers who may be accepted as anybody at any time within five minutes.
    pub false_positive_rate: f64,
    decision: DecisionConfig,
}

impl IdentityConfig {
    /// The decision by one threshold: that of a model card, unless the configuration has one.
    #[must_use]
    pub fn decision(&self, card_threshold: f64) -> DecisionConfig {
        DecisionConfig { threshold: self.threshold.unwrap_or(card_threshold), ..self.decision.clone() }
    }

    /// The decision with a model: by its calibration, or by its threshold where it has none, unless the configuration
    /// has a threshold.
    #[must_use]
    pub fn decision_with(&self, model: &Model) -> DecisionConfig {
        let calibrated = model.calibrated(self.false_positive_rate).filter(|_| self.threshold.is_none());
        DecisionConfig { calibrated, ..self.decision(model.card().decision.threshold) }
    }
}

/// `[hrv]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HrvConfig {
    /// Length of the sliding window.
    pub window: Duration,
    /// Time between two summaries.
    pub every: Duration,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// A level, or levels by target: `info`, `info,ecgid=debug`.
    pub level: String,
    /// Text or JSON lines.
    pub format: LogFormat,
}

impl Config {
    /// Reads the file, then `ECGID__SECTION__KEY` of this process's environment, then `overrides` (pairs of a dotted key
    /// and its value, from flags); the later wins. Then checks the whole. Without a path it reads [`DEFAULT_PATH`]
    /// where that exists, else no file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file and the line, the variable or the key, and what would be right.
    pub fn load(path: Option<&Path>, overrides: &[(&str, String)]) -> Result<Self, ConfigError> {
        Self::load_in(found(path).as_deref(), &process_environment(), overrides)
    }

    /// As [`Config::load`], in the environment that is given, and without looking for a file.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_in(
        path: Option<&Path>,
        environment: &Environment,
        overrides: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        layers::merge(path, environment, overrides)?.validate(environment)
    }

    /// Where the model lies: as written if that exists, else below [`SHARE_DIRECTORY`]. Where neither exists, as
    /// written, so that the error names what the user wrote.
    #[must_use]
    pub fn model_path(&self) -> PathBuf {
        if self.model.is_relative() && !self.model.exists() {
            let shared = Path::new(SHARE_DIRECTORY).join(&self.model);
            if shared.exists() {
                return shared;
            }
        }
        self.model.clone()
    }
}

/// The file that is read: the one that was named, else the packaged one if it is there.
#[must_use]
pub fn found(path: Option<&Path>) -> Option<PathBuf> {
    let packaged = || Some(Path::new(DEFAULT_PATH)).filter(|packaged| packaged.exists());
    path.or_else(packaged).map(Path::to_owned)
}

impl Default for Config {
    fn default() -> Self {
        file::ConfigFile::default().validate(&Environment::new()).expect("the defaults are valid: a test says so")
    }
}
