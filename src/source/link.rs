//! The loop that all byte sources share: connect, listen, and begin again for ever when the connection is lost.
//!
//! What a connection is, a [`Connector`] knows; what the bytes mean, the decoder knows. This file knows only when to
//! read, when to give up on a connection, and when to try again.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::barren::Barren;
use super::decode::ByteDecoder;
use super::{Closed, Source, SourceSender};

/// Bytes of one read: what a terminal's driver holds.
const READ: usize = 4096;
/// After a read that took less than this the loop rests for [`REST`], so that a board's frames of some 15 bytes are
/// taken up in blocks and not one by one.
const FULL: usize = 1024;
const REST: Duration = Duration::from_millis(20);
/// How often a silent connection shows that it is being listened to.
const LISTEN: Duration = Duration::from_secs(1);
/// While waiting for the next attempt, how often to look whether the thing has come back.
const GLANCE: Duration = Duration::from_millis(250);

/// Opens a stream of bytes.
pub trait Connector: Send + 'static {
    /// The open connection. Dropped before the next attempt.
    type Stream: AsyncRead + Unpin + Send;

    /// What is opened, for messages: a path, an address.
    fn name(&self) -> String;

    /// Opens it.
    ///
    /// # Errors
    /// Any: they are told to the user and tried again.
    fn connect(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Whether it is worth another attempt at once: the port is there again.
    fn came_back(&self) -> bool {
        false
    }

    /// How it is set, where that may be what is wrong: the baud rate.
    fn setting(&self) -> Option<String> {
        None
    }

    /// Bytes come and no format is recognised: changes what can be changed (the baud rate) and says to what.
    fn retune(&mut self, _stream: &mut Self::Stream) -> Option<String> {
        None
    }

    /// Silence after which the connection is taken for dead; `None`: it will say so itself.
    fn longest_silence(&self) -> Option<Duration> {
        None
    }
}

/// Time and bytes without a recognised format after which the connection is retuned. A board that was reset by the
/// opening of its port says nothing useful for up to four seconds.
const FIRST_TUNE: Duration = Duration::from_secs(5);
const NEXT_TUNE: Duration = Duration::from_secs(3);
const TUNE_BYTES: usize = 1024;

/// A source of bytes that are decoded here.
#[derive(Debug)]
pub struct Link<C> {
    connector: C,
    decoder: ByteDecoder,
    backoff: Backoff,
}

impl<C: Connector> Link<C> {
    /// A link through `connector`.
    #[must_use]
    pub fn new(connector: C, decoder: ByteDecoder) -> Self {
        Self { connector, decoder, backoff: Backoff::default() }
    }

    /// The same with a known sequence of waits, for tests.
    #[must_use]
    pub fn with_backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Connects and listens until nobody reads any more.
    async fn serve(&mut self, out: &mut SourceSender) -> Result<(), Closed> {
        let origin = Instant::now();
        let mut said = None;
        loop {
            out.alive();
            let problem = match self.connector.connect().await {
                Ok(stream) => {
                    tracing::info!(source = %self.connector.name(), "connected");
                    said = None;
                    let problem = self.listen(stream, origin, out).await?;
                    self.decoder.interrupted();
                    problem
                }
                Err(error) => format!("cannot open {}: {error}", self.connector.name()),
            };
            // The same again every five seconds is no news.
            if said.as_ref() == Some(&problem) {
                tracing::debug!("{problem}; trying again");
            } else {
                tracing::warn!("{problem}; trying again");
                said = Some(problem.clone());
            }
            out.offline(problem).await?;
            self.wait(out).await;
        }
    }

    /// Reads until the connection ends; returns why, in words. The stream is closed on return.
    async fn listen(&mut self, stream: C::Stream, origin: Instant, out: &mut SourceSender) -> Result<String, Closed> {
        let mut stream = stream;
        let mut buffer = vec![0; READ];
        let mut items = Vec::new();
        let mut heard = Instant::now();
        let mut tuning = Tuning::default();
        let mut barren = Barren::new(Instant::now());
        loop {
            if let Some(problem) = barren.complaint(self.decoder.format(), || self.connector.setting()) {
                out.problem(problem).await?;
            }
            let read = match timeout(LISTEN, stream.read(&mut buffer)).await {
                Err(_silence) => {
                    out.alive();
                    if self.connector.longest_silence().is_some_and(|longest| heard.elapsed() >= longest) {
                        return Ok(format!("{} has gone silent", self.connector.name()));
                    }
                    continue;
                }
                // A terminal whose other end has gone reads zero bytes, at once and for ever.
                Ok(Ok(0)) => return Ok(format!("{} was unplugged or closed", self.connector.name())),
                Ok(Ok(read)) => read,
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(Err(error)) => return Ok(format!("reading {} failed: {error}", self.connector.name())),
            };
            heard = Instant::now();
            self.backoff.succeeded();
            self.decoder.push(&buffer[..read], origin.elapsed(), &mut items);
            barren.heard(read, &items);
            for item in items.drain(..) {
                out.item(item).await?;
            }
            if self.decoder.format().is_none()
                && tuning.is_due(read)
                && let Some(setting) = self.connector.retune(&mut stream)
            {
                tracing::info!(source = %self.connector.name(), "no known format yet; trying {setting}");
                self.decoder.retuned();
            }
            if read < FULL {
                sleep(REST).await;
            }
        }
    }

    /// Waits for the next attempt, shorter when the thing is seen to have come back.
    async fn wait(&mut self, out: &SourceSender) {
        let until = Instant::now() + self.backoff.next_wait();
        let absent = !self.connector.came_back();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || (absent && self.connector.came_back()) {
                return;
            }
            sleep(left.min(GLANCE)).await;
            out.alive();
        }
    }
}

impl<C: Connector> Source for Link<C> {
    async fn run(mut self, mut out: SourceSender, cancel: CancellationToken) {
        // Nothing needs winding up: an open port closes when it is dropped.
        let _ended = cancel.run_until_cancelled(self.serve(&mut out)).await;
    }
}

/// When to try another setting.
#[derive(Default)]
struct Tuning {
    since: Option<Instant>,
    bytes: usize,
    changed: bool,
}

impl Tuning {
    fn is_due(&mut self, read: usize) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.bytes += read;
        let dwell = if self.changed { NEXT_TUNE } else { FIRST_TUNE };
        let due = since.elapsed() >= dwell && self.bytes >= TUNE_BYTES;
        if due {
            *self = Self { changed: true, ..Self::default() };
        }
        due
    }
}
