//! Where samples come from: one trait, four kinds, indistinguishable downstream.
//!
//! A source retries for ever and never ends the daemon; only a recording ends, at its end. A live source never waits
//! for a slow consumer longer than [`PATIENCE`]: what it must drop becomes a gap. This file knows nothing of what is
//! done with the samples.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::pipeline::flow::{Flow, Problem, SourceItem, SourceSample};
use crate::pipeline::front_end::FrontEnd;
use crate::pipeline::pulse::Pulse;

pub mod backoff;
mod barren;
pub mod configured;
pub mod decode;
pub mod link;
mod pace;
pub mod rate;
pub mod replay;
pub mod serial;
pub mod simulator;
pub mod tcp;

/// Room between a source and the signal stage, in blocks of about 20 ms: five seconds of a live source.
pub const QUEUE_BLOCKS: usize = 256;

/// How long a live source waits for room before it drops a block. A serial port's driver and a pseudo-terminal hold
/// back 4 KiB meanwhile, so a writer that is faster than real time is slowed instead of robbed.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Anything that yields samples.
pub trait Source: Send + 'static {
    /// Delivers until `cancel` or, for a recording, until the end. Dropping `out` tells the pipeline that it is over.
    fn run(self, out: SourceSender, cancel: CancellationToken) -> impl Future<Output = ()> + Send;
}

/// The consumer has gone: there is nobody left to read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline has ended")]
pub struct Closed;

/// What to do when the pipeline has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// Wait: a file does not run away.
    Wait,
    /// Wait this long, then drop the block and owe a gap: a heart does not wait.
    DropAfter(Duration),
}

/// The source's end of the queue into the pipeline. Keeps the promise that nothing is lost without a gap saying so.
#[derive(Debug)]
pub struct SourceSender {
    queue: mpsc::Sender<SourceItem>,
    when_full: WhenFull,
    owed: u64,
    pulse: Pulse,
}

impl SourceSender {
    /// A queue of [`QUEUE_BLOCKS`] with the policy of a live source.
    #[must_use]
    pub fn channel(pulse: Pulse) -> (Self, mpsc::Receiver<SourceItem>) {
        Self::with_capacity(QUEUE_BLOCKS, pulse)
    }

    /// The same with another capacity, in blocks.
    #[must_use]
    pub fn with_capacity(blocks: usize, pulse: Pulse) -> (Self, mpsc::Receiver<SourceItem>) {
        let (queue, receiver) = mpsc::channel(blocks);
        (Self { queue, when_full: WhenFull::DropAfter(PATIENCE), owed: 0, pulse }, receiver)
    }

    /// Chooses what happens when the pipeline has no room.
    #[must_use]
    pub fn when_full(mut self, policy: WhenFull) -> Self {
        self.when_full = policy;
        self
    }

    /// Says that the source's loop turns, whether or not samples come: this feeds the watchdog.
    pub fn alive(&self) {
        self.pulse.source_turned();
    }

    /// Hands over consecutive samples.
    ///
    /// # Errors
    /// [`Closed`] when nobody reads any more; so for every method here.
    pub async fn samples(&mut self, block: Vec<SourceSample>) -> Result<(), Closed> {
        if block.is_empty() {
            return Ok(());
        }
        let count = block.len() as u64;
        // An owed gap and the block go together or not at all, so that the gap stands where the samples are missing.
        let places = if self.owed > 0 { 2 } else { 1 };
        let room = match self.when_full {
            WhenFull::Wait => self.queue.reserve_many(places).await.map(Some),
            WhenFull::DropAfter(patience) => match timeout(patience, self.queue.reserve_many(places)).await {
                Ok(room) => room.map(Some),
                Err(_elapsed) => Ok(None),
            },
        };
        let Some(mut room) = room.map_err(|_| Closed)? else {
            if self.owed == 0 {
                tracing::warn!("the pipeline cannot keep up: samples are dropped until it can");
            }
            self.owed += count;
            return Ok(());
        };
        self.alive();
        if places == 2 {
            let missing = std::mem::take(&mut self.owed);
            if let Some(place) = room.next() {
                place.send(SourceItem::Samples(Flow::Gap { missing }));
            }
        }
        if let Some(place) = room.next() {
            place.send(SourceItem::Samples(Flow::Block(block)));
        }
        Ok(())
    }

    /// Says that samples are missing here.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn gap(&mut self, missing: u64) -> Result<(), Closed> {
        let missing = missing + std::mem::take(&mut self.owed);
        self.tell(SourceItem::Samples(Flow::Gap { missing })).await
    }

    /// Says that samples of this front end follow.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn online(&mut self, front_end: FrontEnd) -> Result<(), Closed> {
        self.tell(SourceItem::Online(front_end)).await
    }

    /// Says that the source is not there.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn offline(&mut self, problem: String) -> Result<(), Closed> {
        self.tell(SourceItem::Offline { problem }).await
    }

    /// Says what is wrong.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn problem(&mut self, problem: Problem) -> Result<(), Closed> {
        self.tell(SourceItem::Problem(problem)).await
    }

    /// Hands over one item of a decoder, each by its own rule.
    ///
    /// # Errors
    /// [`Closed`].
    pub async fn item(&mut self, item: SourceItem) -> Result<(), Closed> {
        match item {
            SourceItem::Samples(Flow::Block(block)) => self.samples(block).await,
            SourceItem::Samples(Flow::Gap { missing }) => self.gap(missing).await,
            other => self.tell(other).await,
        }
    }

    /// Statements are few and never dropped: they wait for room.
    async fn tell(&mut self, item: SourceItem) -> Result<(), Closed> {
        self.alive();
        self.queue.send(item).await.map_err(|_| Closed)
    }
}
