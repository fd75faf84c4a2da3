//! `[source]`: which source, and what is known of it beforehand.

use std::path::PathBuf;
use std::time::Duration;

use ecg_data::Adc;
use ecg_wire::Format;

use super::error::ConfigError;
use super::file::{SourceFile, SourceKindFile};

/// Where samples come from, and what overrides what the format says.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceConfig {
    /// The source itself.
    pub kind: SourceKind,
    /// The wire format.
    pub format: FormatChoice,
    /// Sampling frequency, Hz; `None`: the usual one of the format.
    pub fs_hz: Option<f64>,
    /// Gain of the amplifier; `None`: the usual one of the format.
    pub gain: Option<f64>,
    /// Reference voltage of the converter; `None`: the usual one of the format.
    pub vref_volts: Option<f64>,
    /// The converter input with the ECG, 1 or 2; `None`: the usual one of the format.
    pub ecg_channel: Option<u8>,
}

/// One of the four sources.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceKind {
    /// A serial port.
    Serial {
        /// The device, best by its stable name below `/dev/serial/by-id/`.
        port: PathBuf,
        /// Bits per second; `None`: the usual one of the format.
        baud: Option<u32>,
        /// Wait after opening: the board may restart and print text.
        open_delay: Duration,
    },
    /// A serial server on the network.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// A recording.
    Replay {
        /// WFDB record without extension, `.hea` or `.csv`.
        record: PathBuf,
        /// Which signal of the record, from 0.
        signal: usize,
        /// Times real time; `None`: as fast as the pipeline takes it.
        speed: Option<f64>,
    },
    /// The synthetic heart on a simulated board.
    Simulator {
        /// Which synthetic subject.
        seed: u64,
        /// Times real time; `None`: as fast as the pipeline takes it.
        speed: Option<f64>,
    },
}

/// The wire format, named or found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatChoice {
    /// By the run-and-coverage rule, pinned after the first success.
    Auto,
    /// This one, by its name in `ecg-wire`.
    Named(String),
}

impl SourceConfig {
    /// The converter of the board, for recordings of its codes; what the file does not name is as usual for those.
    #[must_use]
    pub fn adc(&self) -> Adc {
        let usual = Adc::default();
        Adc { gain: self.gain.unwrap_or(usual.gain), vref_volts: self.vref_volts.unwrap_or(usual.vref_volts) }
    }
}

/// Longer waits after opening would starve the watchdog.
const LONGEST_OPEN_DELAY_MS: u64 = 10_000;

impl SourceFile {
    /// Checks the section.
    pub(super) fn validate(&self) -> Result<SourceConfig, ConfigError> {
        Ok(SourceConfig {
            kind: self.kind()?,
            format: self.format()?,
            fs_hz: zero_or_within("source.fs_hz", self.fs_hz, 100.0, 2000.0)?,
            gain: zero_or_within("source.gain", self.gain, 0.01, 1000.0)?,
            vref_volts: zero_or_within("source.vref_volts", self.vref_volts, 0.1, 10.0)?,
            ecg_channel: match self.ecg_channel {
                0 => None,
                n @ (1 | 2) => Some(n),
                n => return Err(ConfigError::invalid("source.ecg_channel", n, "1, 2, or 0 for the format's own")),
            },
        })
    }

    fn format(&self) -> Result<FormatChoice, ConfigError> {
        match self.format.as_str() {
            "auto" => Ok(FormatChoice::Auto),
            name if name.parse::<Format>().is_ok() => Ok(FormatChoice::Named(name.to_owned())),
            name => {
                let known: Vec<_> = Format::ALL.into_iter().map(Format::name).collect();
                let message = format!("auto, or one of {}", known.join(", "));
                Err(ConfigError::invalid("source.format", quoted(name), message))
            }
        }
    }

    fn kind(&self) -> Result<SourceKind, ConfigError> {
        Ok(match self.kind {
            SourceKindFile::Serial => {
                needed("source.port", &self.port, "a serial source needs its port")?;
                SourceKind::Serial {
                    port: PathBuf::from(&self.port),
                    baud: (self.baud != 0).then_some(self.baud),
                    open_delay: self.open_delay()?,
                }
            }
            SourceKindFile::Tcp => {
                let has_port = self.address.rsplit_once(':').is_some_and(|(host, port)| {
                    !host.is_empty() && port.parse::<u16>().is_ok_and(|number| number != 0)
                });
                if !has_port {
                    return Err(ConfigError::invalid("source.address", quoted(&self.address), "write host:port"));
                }
                SourceKind::Tcp { address: self.address.clone() }
            }
            SourceKindFile::Replay => {
                needed("source.record", &self.record, "a replay needs its record")?;
                SourceKind::Replay {
                    record: PathBuf::from(&self.record),
                    signal: self.signal,
                    speed: self.speed_factor()?,
                }
            }
            SourceKindFile::Simulator => SourceKind::Simulator { seed: self.seed, speed: self.speed_factor()? },
        })
    }

    fn open_delay(&self) -> Result<Duration, ConfigError> {
        if self.open_delay_ms > LONGEST_OPEN_DELAY_MS {
            return Err(ConfigError::invalid("source.open_delay_ms", self.open_delay_ms, "0 to 10000 milliseconds"));
        }
        Ok(Duration::from_millis(self.open_delay_ms))
    }

    fn speed_factor(&self) -> Result<Option<f64>, ConfigError> {
        zero_or_within("source.speed", self.speed, 0.01, 1e6)
    }
}

/// `None` for 0, which stands for "as usual" in the file.
pub(super) fn zero_or_within(key: &'static str, value: f64, low: f64, high: f64) -> Result<Option<f64>, ConfigError> {
    if value == 0.0 {
        return Ok(None);
    }
    within(key, value, low, high).map(Some)
}

/// The value, if it lies in the closed range; NaN does not.
pub(super) fn within(key: &'static str, value: f64, low: f64, high: f64) -> Result<f64, ConfigError> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(ConfigError::invalid(key, value, format!("must lie between {low} and {high}")))
    }
}

fn needed(key: &'static str, value: &str, message: &str) -> Result<(), ConfigError> {
    if value.is_empty() { Err(ConfigError::invalid(key, "\"\"", message)) } else { Ok(()) }
}

pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}
