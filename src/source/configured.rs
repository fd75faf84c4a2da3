//! From the configuration to the source that it asks for.

use ecg_data::heart::HeartError;
use ecg_wire::{EcgChannel, Format, UnknownFormat};
use tokio_util::sync::CancellationToken;

use super::decode::{ByteDecoder, DecodeOptions};
use super::link::Link;
use super::replay::Replay;
use super::serial::SerialConnector;
use super::simulator::Simulator;
use super::tcp::TcpConnector;
use super::{Source, SourceSender};
use crate::config::{FormatChoice, SourceConfig, SourceKind};
use crate::recording::RecordingError;

/// One of the four sources.
#[derive(Debug)]
pub enum ConfiguredSource {
    /// A serial port.
    Serial(Link<SerialConnector>),
    /// A serial server.
    Tcp(Link<TcpConnector>),
    /// A recording.
    Replay(Replay),
    /// A synthetic heart.
    Simulator(Box<Simulator>),
}

/// Why a configuration gives no source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// `source.format` names no format.
    #[error("source.format: {0}")]
    Format(UnknownFormat),
    /// The recording cannot be played.
    #[error(transparent)]
    Replay(#[from] RecordingError),
    /// The simulator cannot run as asked.
    #[error("the simulator: {0}")]
    Simulator(#[from] HeartError),
}

impl ConfiguredSource {
    /// Builds the source. Ports and sockets are opened later, and for ever; a recording is read now.
    ///
    /// # Errors
    /// [`SourceError`]: the configuration must be mended.
    pub fn new(config: &SourceConfig) -> Result<Self, SourceError> {
        let options = decode_options(config)?;
        let usual_baud = options.format.map(|format| format.spec().baud);
        let decoder = ByteDecoder::new(options);
        Ok(match &config.kind {
            SourceKind::Serial { port, baud, open_delay } => {
                let connector = SerialConnector::new(port, baud.or(usual_baud)).with_open_delay(*open_delay);
                Self::Serial(Link::new(connector, decoder))
            }
            SourceKind::Tcp { address } => Self::Tcp(Link::new(TcpConnector { address: address.clone() }, decoder)),
            SourceKind::Replay { record, signal, speed } => {
                Self::Replay(Replay::open(record, *signal, config.adc(), *speed)?)
            }
            SourceKind::Simulator { seed, speed } => {
                Self::Simulator(Box::new(Simulator::new(*seed, config.fs_hz, *speed)?))
            }
        })
    }
}

/// What the configuration says about the bytes of a board.
///
/// # Errors
/// [`SourceError::Format`].
pub fn decode_options(config: &SourceConfig) -> Result<DecodeOptions, SourceError> {
    let format = match &config.format {
        FormatChoice::Auto => None,
        FormatChoice::Named(name) => Some(name.parse::<Format>().map_err(SourceError::Format)?),
    };
    let ecg_channel = match config.ecg_channel {
        Some(1) => EcgChannel::One,
        Some(_) => EcgChannel::Two,
        None => EcgChannel::OfFormat,
    };
    Ok(DecodeOptions { format, fs_hz: config.fs_hz, gain: config.gain, vref_volts: config.vref_volts, ecg_channel })
}

impl Source for ConfiguredSource {
    async fn run(self, out: SourceSender, cancel: CancellationToken) {
        match self {
            Self::Serial(link) => link.run(out, cancel).await,
            Self::Tcp(link) => link.run(out, cancel).await,
            Self::Replay(replay) => replay.run(out, cancel).await,
            Self::Simulator(simulator) => (*simulator).run(out, cancel).await,
        }
    }
}
