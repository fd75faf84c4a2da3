//! A board behind a serial server (ser2net, an ESP32, a terminal server): raw bytes on a TCP connection.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::link::Connector;

/// A server that does not answer is tried again rather than waited for.
const CONNECT: Duration = Duration::from_secs(5);
/// A server that has lost its power closes nothing; a board is never silent this long.
const SILENCE: Duration = Duration::from_secs(10);

/// Connects to `host:port`.
#[derive(Debug, Clone)]
pub struct TcpConnector {
    /// `host:port`.
    pub address: String,
}

impl Connector for TcpConnector {
    type Stream = TcpStream;

    fn name(&self) -> String {
        format!("tcp {}", self.address)
    }

    async fn connect(&mut self) -> io::Result<TcpStream> {
        match timeout(CONNECT, TcpStream::connect(&self.address)).await {
            Ok(connected) => connected,
            Err(_elapsed) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within five seconds")),
        }
    }

    fn longest_silence(&self) -> Option<Duration> {
        Some(SILENCE)
    }
}
