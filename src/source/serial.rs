//! A board on a serial port: opened exclusively, raw, without resetting the board when it is closed.
//!
//! Knows ports and baud rates; not what the bytes mean.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::termios::{ControlModes, OptionalActions, tcgetattr, tcsetattr};
use tokio::time::sleep;
use tokio_serial::{SerialPort, SerialPortBuilderExt, SerialStream};

use super::link::Connector;

/// Rates to try when neither the format nor the configuration says which, the most usual first.
pub const BAUD_RATES: [u32; 6] = [115_200, 57_600, 921_600, 230_400, 460_800, 9_600];

/// Opens a serial port.
#[derive(Debug, Clone)]
pub struct SerialConnector {
    port: PathBuf,
    baud: u32,
    /// Other rates to try while no format is recognised.
    search: bool,
    open_delay: Duration,
}

impl SerialConnector {
    /// A port at a known rate, or, with `None`, at the first rate at which a format is recognised.
    #[must_use]
    pub fn new(port: impl Into<PathBuf>, baud: Option<u32>) -> Self {
        Self {
            port: port.into(),
            baud: baud.unwrap_or(BAUD_RATES[0]),
            search: baud.is_none(),
            open_delay: Duration::ZERO,
        }
    }

    /// Waits after opening, for a board that must not be spoken to while it starts.
    #[must_use]
    pub fn with_open_delay(mut self, open_delay: Duration) -> Self {
        self.open_delay = open_delay;
        self
    }

    /// The rate that is set now, baud.
    #[must_use]
    pub fn baud(&self) -> u32 {
        self.baud
    }
}

impl Connector for SerialConnector {
    type Stream = SerialStream;

    fn name(&self) -> String {
        self.port.display().to_string()
    }

    async fn connect(&mut self) -> io::Result<SerialStream> {
        let stream = open(&self.port, self.baud)?;
        sleep(self.open_delay).await;
        Ok(stream)
    }

    fn came_back(&self) -> bool {
        self.port.exists()
    }

    fn setting(&self) -> Option<String> {
        Some(format!("{} baud", self.baud))
    }

    fn retune(&mut self, stream: &mut SerialStream) -> Option<String> {
        if !self.search {
            return None;
        }
        let current = BAUD_RATES.iter().position(|&baud| baud == self.baud).unwrap_or(0);
        self.baud = BAUD_RATES[(current + 1) % BAUD_RATES.len()];
        match stream.set_baud_rate(self.baud) {
            Ok(()) => self.setting(),
            Err(error) => {
                tracing::debug!("{}: cannot set {} baud: {error}", self.name(), self.baud);
                None
            }
        }
    }
}

/// Opens `port` for this process alone.
fn open(port: &Path, baud: u32) -> io::Result<SerialStream> {
    // Without HUPCL the last close leaves DTR as it is, and an Arduino is not reset by our going and coming. The flag
    // is set through a handle of our own, opened first (an exclusive port refuses a second opener) and closed last
    // (the driver may forget its settings when nobody holds the port).
    let handle =
        rustix::fs::open(port, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| explain(error.into()))?;
    let mut settings = tcgetattr(&handle)?;
    if settings.control_modes.contains(ControlModes::HUPCL) {
        settings.control_modes.remove(ControlModes::HUPCL);
        tcsetattr(&handle, OptionalActions::Now, &settings)?;
    }
    let stream = tokio_serial::new(port.to_string_lossy(), baud).exclusive(true).open_native_async();
    stream.map_err(|error| explain(error.into()))
}

/// Adds what to do to the errors that users meet.
fn explain(error: io::Error) -> io::Error {
    let advice = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::ACCESS) => "; is the user a member of the group dialout?",
        Some(rustix::io::Errno::BUSY) => "; is another program using it?",
        _ if error.to_string().contains("lock") => "; is another program using it?",
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{error}{advice}"))
}
