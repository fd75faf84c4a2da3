//! One start of the daemon's publisher, polled by hand: it goes on exactly as far as it can, then waits.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tokio::sync::mpsc;

use super::super::client::{Client, Command, Signal};
use super::super::issue::Issuer;
use super::super::lane::Lane;
use super::super::message::Message;
use super::disk::ModelDisk;
use crate::config::{Config, Environment};
use crate::event::{Event, IdentityEvent, IdentityState, Reason};
use crate::pipeline::pulse::Pulse;

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The publisher of one start, with the far ends of its queues. Dropping it is SIGKILL.
pub(super) struct Daemon {
    lane: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    pulse: Pulse,
    events: mpsc::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    signals: mpsc::Sender<Signal>,
}

impl Daemon {
    pub(super) fn start(boot_id: &str, disk: ModelDisk, config: &Config, wall: fn() -> u64) -> Self {
        let mqtt = config.mqtt.clone().unwrap();
        let (client, commands, signals) = Client::detached();
        let issuer = Issuer::new(boot_id, config, mqtt.identity_expiry, None).with_wall(wall);
        let pulse = Pulse::default();
        let lane = Lane::between(disk, client, issuer, pulse.clone(), &mqtt, config);
        let (events, from_pipeline) = mpsc::channel(256);
        let lane = Box::pin(tokio::task::unconstrained(lane.run(from_pipeline)));
        Self { lane, woken: Arc::new(Woken(AtomicBool::new(false))), pulse, events, commands, signals }
    }

    /// Goes on until it waits for somebody.
    pub(super) fn run(&mut self) {
        let waker = Waker::from(self.woken.clone());
        loop {
            self.woken.0.store(false, Ordering::SeqCst);
            let ended = self.lane.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            assert!(!ended, "the publisher ends only with the pipeline");
            if !self.woken.0.load(Ordering::SeqCst) {
                return;
            }
        }
    }

    /// Puts an event into its queue; one that has no room is dropped, as the pipeline would wait.
    pub(super) fn say(&self, event: Event) {
        self.pulse.decided();
        let _full = self.events.try_send(event);
    }

    pub(super) fn hear(&self, signal: Signal) {
        self.signals.try_send(signal).unwrap();
    }

    /// What it has handed over for connection `number`, oldest first.
    pub(super) fn handed_over(&mut self, number: Option<u64>) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Publish { connection, message } if Some(connection) == number => messages.push(message),
                Command::Publish { .. } | Command::Disconnect => {}
            }
        }
        messages
    }
}

/// A runtime whose time passes only when it is told to.
pub(super) fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

pub(super) async fn pass(time: Duration) {
    tokio::time::advance(time).await;
}

pub(super) fn config(more: &[(&str, &str)]) -> Config {
    let more: Vec<_> = more.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    Config::load_in(None, &Environment::new(), &more).unwrap()
}

pub(super) fn identity(state: IdentityState, n: u64) -> Event {
    let verified = state == IdentityState::Verified;
    Event::Identity(IdentityEvent {
        state,
        subject: verified.then(|| "ada".to_owned()),
        score: Some(0.75),
        threshold: 0.5,
        quality: 0.9,
        reason: if verified { Reason::ScoreAboveThreshold } else { Reason::NoReferenceMatches },
        model: "model".into(),
        template_revision: verified.then_some(2),
        sample_index: n,
    })
}
