//! The configuration file as it is written: plain values, every key with its default, no key beside these.
//!
//! In the file 0 and "" stand for "as usual", so that `config/ecgid.toml` can show every key; [`super::Config`] has
//! `Option` there. This file knows no range; the checks are beside the validated types.

use std::path::PathBuf;
use std::time::Duration;

use ecg_identity::{DecisionConfig, LivenessConfig, VARIED_S};
use serde::{Deserialize, Deserializer, Serialize};
use tracing_subscriber::filter::{LevelFilter, Targets};

use super::control::ControlFile;
use super::error::ConfigError;
use super::homeassistant::HomeAssistantFile;
use super::keys::KeysFile;
use super::layers::{Environment, word};
use super::mqtt::MqttFile;
use super::source::{quoted, within, zero_or_within};
use super::store::StoreFile;
use super::{Config, HrvConfig, IdentityConfig, LogConfig, Mains, SignalConfig, Slug};

/// Share of strangers who may be accepted within five minutes: what is asked of the product; half of it loses a third of the members (ADR 15).
pub const FALSE_POSITIVE_RATE: f64 = 0.02;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "every key is documented in config/ecgid.toml; a test compares the two")]
pub struct ConfigFile {
    pub gateway: String,
    pub device: String,
    pub source: SourceFile,
    pub signal: SignalFile,
    pub model: ModelFile,
    pub identity: IdentityFile,
    pub liveness: LivenessFile,
    pub hrv: HrvFile,
    pub mqtt: MqttFile,
    pub homeassistant: HomeAssistantFile,
    pub control: ControlFile,
    pub store: StoreFile,
    pub keys: KeysFile,
    pub log: LogFile,
}

impl Default for ConfigFile {
    fn default() -> Self {
        Self {
            gateway: "home".into(),
            device: "ecg0".into(),
            source: SourceFile::default(),
            signal: SignalFile::default(),
            model: ModelFile::default(),
            identity: IdentityFile::default(),
            liveness: LivenessFile::default(),
            hrv: HrvFile::default(),
            mqtt: MqttFile::default(),
            homeassistant: HomeAssistantFile::default(),
            control: ControlFile::default(),
            store: StoreFile::default(),
            keys: KeysFile::default(),
            log: LogFile::default(),
        }
    }
}

/// `[source] kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub enum SourceKindFile {
    Serial,
    Tcp,
    Replay,
    Simulator,
}

/// `[source]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct SourceFile {
    #[serde(deserialize_with = "word")]
    pub kind: SourceKindFile,
    pub port: String,
    pub baud: u32,
    pub open_delay_ms: u64,
    pub address: String,
    pub record: String,
    pub signal: usize,
    pub speed: f64,
    pub seed: u64,
    pub format: String,
    pub fs_hz: f64,
    pub gain: f64,
    pub vref_volts: f64,
    pub ecg_channel: u8,
}

impl Default for SourceFile {
    fn default() -> Self {
        Self {
            kind: SourceKindFile::Serial,
            port: "/dev/ttyUSB0".into(),
            baud: 0,
            open_delay_ms: 0,
            address: String::new(),
            record: String::new(),
            signal: 0,
            speed: 1.0,
            seed: 1,
            format: "auto".into(),
            fs_hz: 0.0,
            gain: 0.0,
            vref_volts: 0.0,
            ecg_channel: 0,
        }
    }
}

/// `[signal]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct SignalFile {
    pub mains_hz: u32,
}

impl Default for SignalFile {
    fn default() -> Self {
        Self { mains_hz: 50 }
    }
}

/// `[model]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct ModelFile {
    pub path: String,
    #[serde(deserialize_with = "names")]
    pub class_front_ends: Vec<String>,
}

impl Default for ModelFile {
    fn default() -> Self {
        Self { path: "models/ecgid-1.onnx".into(), class_front_ends: Vec::new() }
    }
}

/// A list, or as an environment variable has it: with commas between.
fn names<'de, D: Deserializer<'de>>(written: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Names {
        List(Vec<String>),
        Text(String),
    }
    Ok(match Names::deserialize(written)? {
        Names::List(names) => names,
        Names::Text(text) => {
            text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
        }
    })
}

/// `[identity]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct IdentityFile {
    pub false_positive_rate: f64,
    pub threshold: f64,
    pub margin: f64,
    pub lead: f64,
    pub window_s: f64,
    pub recent_s: f64,
    pub max_pause_s: f64,
    pub min_embeddings: usize,
    pub enter_updates: usize,
    pub exit_updates: usize,
}

impl Default for IdentityFile {
    /// The decision's own defaults, so that they stand in one place.
    fn default() -> Self {
        let DecisionConfig {
            threshold: _,
            calibrated: _,
            varied_s: _,
            margin,
            lead,
            window_s,
            recent_s,
            max_pause_s,
            min_embeddings,
            enter_updates,
            exit_updates,
        } = DecisionConfig::default();
        Self {
            false_positive_rate: FALSE_POSITIVE_RATE,
            threshold: 0.0,
            margin,
            lead,
            window_s,
            recent_s,
            max_pause_s,
            min_embeddings,
            enter_updates,
            exit_updates,
        }
    }
}

/// `[liveness]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct LivenessFile {
    pub enabled: bool,
    pub history_beats: usize,
    pub allow_even_rhythm: bool,
}

impl Default for LivenessFile {
    fn default() -> Self {
        let LivenessConfig { history_beats, allow_even_rhythm } = LivenessConfig::default();
        Self { enabled: true, history_beats, allow_even_rhythm }
    }
}

/// `[hrv]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct HrvFile {
    pub window_s: f64,
    pub every_s: f64,
}

impl Default for HrvFile {
    fn default() -> Self {
        Self { window_s: 300.0, every_s: 60.0 }
    }
}

/// `[log] format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in config/ecgid.toml")]
pub struct LogFile {
    pub level: String,
    #[serde(deserialize_with = "word")]
    pub format: LogFormat,
}

impl Default for LogFile {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

impl ConfigFile {
    /// Checks every value and gives it its unit.
    pub(super) fn validate(&self, environment: &Environment) -> Result<Config, ConfigError> {
        let gateway = Slug::new(&*self.gateway)
            .map_err(|e| ConfigError::invalid("gateway", quoted(&self.gateway), e.to_string()))?;
        let device = Slug::device(&*self.device)
            .map_err(|e| ConfigError::invalid("device", quoted(&self.device), e.to_string()))?;
        if self.model.path.is_empty() {
            return Err(ConfigError::invalid("model.path", "\"\"", "name the model's .onnx file"));
        }
        self.log.check_level()?;
        let mqtt = self.mqtt.validate(&gateway, &device, environment)?;
        Ok(Config {
            homeassistant: self.homeassistant.validate(mqtt.as_ref())?,
            mqtt,
            gateway,
            device,
            source: self.source.validate()?,
            signal: self.signal.validate()?,
            model: PathBuf::from(&self.model.path),
            class_front_ends: self.model.class_front_ends()?,
            identity: self.identity.validate(&self.liveness)?,
            liveness: self.liveness.validate()?,
            hrv: self.hrv.validate()?,
            store: self.store.validate(environment)?,
            control: self.control.validate()?,
            keys: self.keys.validate(environment),
            log: LogConfig { level: self.log.level.clone(), format: self.log.format },
        })
    }
}

impl LogFile {
    /// `Targets` would take a word that is no level for the name of a target, and silence everything else.
    fn check_level(&self) -> Result<(), ConfigError> {
        let is_level = |part: &str| part.rsplit('=').next().is_some_and(|level| level.parse::<LevelFilter>().is_ok());
        if self.level.split(',').all(is_level) && self.level.parse::<Targets>().is_ok() {
            return Ok(());
        }
        let message = "a level (error, warn, info, debug, trace, off), or levels by target: info,ecgid=debug";
        Err(ConfigError::invalid("log.level", quoted(&self.level), message))
    }
}

impl SignalFile {
    fn validate(&self) -> Result<SignalConfig, ConfigError> {
        let mains = match self.mains_hz {
            50 => Mains::Hz50,
            60 => Mains::Hz60,
            0 => Mains::None,
            other => return Err(ConfigError::invalid("signal.mains_hz", other, "50, 60, or 0 for no notch")),
        };
        Ok(SignalConfig { mains })
    }
}

impl IdentityFile {
    fn validate(&self, liveness: &LivenessFile) -> Result<IdentityConfig, ConfigError> {
        let window_s = within("identity.window_s", self.window_s, 1.0, 600.0)?;
        let decision = DecisionConfig {
            threshold: self.threshold,
            calibrated: None,
            margin: within("identity.margin", self.margin, 0.0, 0.5)?,
            lead: within("identity.lead", self.lead, 0.0, 1.0)?,
            window_s,
            recent_s: within("identity.recent_s", self.recent_s, 0.5, window_s)?,
            max_pause_s: within("identity.max_pause_s", self.max_pause_s, 1.0, 60.0)?,
            varied_s: if liveness.enabled && !liveness.allow_even_rhythm { VARIED_S } else { 0.0 },
            min_embeddings: count("identity.min_embeddings", self.min_embeddings)?,
            enter_updates: count("identity.enter_updates", self.enter_updates)?,
            exit_updates: count("identity.exit_updates", self.exit_updates)?,
        };
        Ok(IdentityConfig {
            threshold: zero_or_within("identity.threshold", self.threshold, -1.0, 1.0)?,
            false_positive_rate: within("identity.false_positive_rate", self.false_positive_rate, 0.0001, 0.5)?,
            decision,
        })
    }
}

impl LivenessFile {
    fn validate(&self) -> Result<Option<LivenessConfig>, ConfigError> {
        let Self { enabled, history_beats, allow_even_rhythm } = *self;
        if !(64..=1_000_000).contains(&history_beats) {
            return Err(ConfigError::invalid("liveness.history_beats", history_beats, "between 64 and 1000000"));
        }
        Ok(enabled.then_some(LivenessConfig { history_beats, allow_even_rhythm }))
    }
}

fn count(key: &'static str, value: usize) -> Result<usize, ConfigError> {
    if (1..=1000).contains(&value) { Ok(value) } else { Err(ConfigError::invalid(key, value, "between 1 and 1000")) }
}

impl HrvFile {
    fn validate(&self) -> Result<HrvConfig, ConfigError> {
        Ok(HrvConfig {
            window: Duration::from_secs_f64(within("hrv.window_s", self.window_s, 10.0, 86_400.0)?),
            every: Duration::from_secs_f64(within("hrv.every_s", self.every_s, 1.0, 86_400.0)?),
        })
    }
}
