//! `ecgid run`: the daemon, from its configuration to its last event.
//!
//! It puts the parts together and knows nothing of what they do.

mod ending;

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;

pub(super) use self::ending::Ending;
use super::Failure;
use super::configured::Configured;
use crate::config::Config;
use crate::control::Control;
use crate::event::{Event, IdentityState};
use crate::http::Interface;
use crate::http::access::Access;
use crate::inference::Model;
use crate::keys::{Purpose, SecretKey};
use crate::pipeline::gallery::StoredGallery;
use crate::pipeline::outlet::Telemetry;
use crate::pipeline::pulse::Pulse;
use crate::pipeline::tap::Tap;
use crate::pipeline::{self, PipelineError, Settings, watchdog};
use crate::publish::{Signer, Tools};
use crate::source::configured::ConfiguredSource;
use crate::store::{DaemonLock, Store, StoreError};
use crate::{publish, telemetry};

/// Room for events on their way out. A full minute of telemetry; identity events wait on disk behind it.
const EVENTS: usize = 256;

/// How long the sinks may take to hand over what is left after the last event.
const FLUSH: Duration = Duration::from_secs(5);

/// How often old pages of the database are looked for that could not be wiped when they were left.
const WIPE_EVERY: Duration = Duration::from_secs(10);

/// What to do about a disk that takes nothing.
const DISK: &str = "the disk of the database is full or fails; free space there, the next start goes on";

/// Arguments of `ecgid run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub configured: Configured,
}

/// Runs the daemon until SIGINT, SIGTERM or SIGHUP.
///
/// # Errors
/// Exit code 78 where the configuration, the model or the database must be mended first, 1 where it failed later.
pub fn main(args: Args) -> Result<(), Failure> {
    let config = args.configured.load().map_err(Failure::config)?;
    let tls = config.mqtt.as_ref().and_then(|mqtt| mqtt.tls.as_ref());
    if let Some(client) = tls.and_then(|tls| tls.client.as_ref()) {
        publish::named_key(client).map_err(Failure::config)?;
    }
    telemetry::init(&config.log).map_err(Failure::config)?;
    runtime()?.block_on(async {
        let cancel = CancellationToken::new();
        stop_on_signal(cancel.clone())?;
        serve(&config, cancel).await
    })
}

/// The daemon itself, until `cancel` or, with a recording as its source, the end of that.
///
/// # Errors
/// As [`main`].
pub async fn serve(config: &Config, cancel: CancellationToken) -> Result<(), Failure> {
    let source = ConfiguredSource::new(&config.source).map_err(Failure::config)?;
    let model = load_model(config)?;
    let _lock = DaemonLock::take(&config.store.path).map_err(unusable)?;
    let store = open_store(config)?;
    let signer = signer(config)?;
    let settings = settings(config, &model, Telemetry::Drop);
    let gallery = StoredGallery::new(store.clone(), model.cohort().cloned());
    let pulse = Pulse::default();
    let control = Control::new(config, &model, &settings, store.clone(), cancel.clone());
    let interface = open_interface(config, &control).await;
    let wiping = tokio::spawn(keep_wiped(store.clone()));

    let (to_tap, from_pipeline) = mpsc::channel(EVENTS);
    let (to_sink, from_tap) = mpsc::channel(EVENTS);
    let name = model.id().to_owned();
    let tools = Tools { store, signer, pulse: pulse.clone(), control: Some(control.clone()), model: name };
    let (tap, sink) = (tap(from_pipeline, to_sink, control), sink(config.clone(), tools, from_tap));
    let mut publishing = tokio::spawn(async { tokio::join!(tap, sink) });
    let dog = tokio::spawn(watchdog::feed(pulse.clone()));
    let stopping = cancel.clone();
    let herald = tokio::spawn(async move {
        stopping.cancelled().await;
        watchdog::stopping();
    });
    watchdog::ready();

    let mut running = std::pin::pin!(pipeline::run(source, settings, model, gallery, to_tap, pulse, cancel.clone()));
    let mut published = false;
    let (ended, unheard) = tokio::select! {
        ended = &mut running => (ended, false),
        told = &mut publishing => {
            published = true;
            // A pipeline that ends closes its events a little before it is at its end itself.
            let unheard = !matches!(told, Ok((Told::All, ())));
            if unheard {
                cancel.cancel();
            }
            (running.await, unheard)
        }
    };
    dog.abort();
    wiping.abort();
    herald.abort();
    if let Some(interface) = interface {
        interface.close().await;
    }
    if unheard {
        // Whoever starts it again mends it; without that nothing would ever be said again.
        return Err(anyhow!("events cannot be published any more; the log says why").into());
    }
    if !published && timeout(FLUSH, publishing).await.is_err() {
        tracing::warn!("the last events could not be handed over in time; identity events wait on disk");
    }
    ended.map_err(|error| match error {
        PipelineError::Path(_) => Failure::config(error),
        other => other.into(),
    })
}

/// What the stages need to know, from the configuration and the model's card.
#[must_use]
pub fn settings(config: &Config, model: &Model, telemetry: Telemetry) -> Settings {
    Settings {
        mains: config.signal.mains,
        decision: config.identity.decision_with(model),
        liveness: config.liveness.clone(),
        hrv: config.hrv,
        telemetry,
        tap: Tap::default(),
    }
}

/// Calls that can wait for the disk or compute at a time: four requests, an enrolment, the network, the gallery, the
/// outbox, announcements, the broker's address; wiping waits for its turn. On a busy machine more threads would be made
/// than there are calls, since one that has just finished is not yet known to be idle, and each keeps a heap of its own.
const BLOCKING_THREADS: usize = 10;

/// A runtime with as many threads as a gateway needs: the work is little.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).max_blocking_threads(BLOCKING_THREADS).enable_all().build();
    Ok(runtime.context("cannot start the tasks of the daemon")?)
}

/// Cancels on SIGINT, SIGTERM and SIGHUP.
///
/// # Errors
/// The signals cannot be listened to.
pub fn stop_on_signal(cancel: CancellationToken) -> Result<(), Failure> {
    let mut ending = Ending::listen().context("cannot listen to signals")?;
    tokio::spawn(async move {
        ending.asked().await;
        cancel.cancel();
    });
    Ok(())
}

/// Loads the model that the configuration names.
///
/// # Errors
/// Exit code 78: it is not there, broken, or made for another signal path.
pub fn load_model(config: &Config) -> Result<Model, Failure> {
    let before = publish::resident_bytes();
    let model = Model::load(&config.model_path()).map_err(Failure::config)?;
    let model = model.with_class_front_ends(&config.class_front_ends);
    // What the network costs in memory, for tests/acceptance/bounds.py.
    let after = publish::resident_bytes();
    tracing::debug!(model = model.id(), rss_bytes_before = before, rss_bytes_after = after, "the model is loaded");
    Ok(model)
}

/// Not EX_CONFIG where it may pass, after which systemd would leave it: the start after somebody has made room succeeds.
fn unusable(error: StoreError) -> Failure {
    match error {
        StoreError::Taken { .. } => error.into(),
        error if error.may_pass() => Failure::from(anyhow::Error::from(error).context(DISK)),
        error => Failure::config(error),
    }
}

fn open_store(config: &Config) -> Result<Store, Failure> {
    let store = Store::open_with(&config.store.path, &config.keys).map_err(unusable)?;
    // A template that does not open would end the pipeline later, and a restart mends nothing.
    store.check_templates().map_err(unusable)?;
    Ok(store)
}

/// Identity does not depend on requests: where the interface cannot be opened, that is said, and the rest goes on.
async fn open_interface(config: &Config, control: &Control) -> Option<Interface> {
    // A daemon that was killed has left it: this one holds the lock. Its address may be another gateway's by now.
    let _usually_none = std::fs::remove_file(Access::path(&config.store.path));
    let address = config.control.http?;
    match Interface::open(address, &config.store.path, control.clone()).await {
        Ok(interface) => Some(interface),
        Err(error) => {
            tracing::warn!(
                "requests cannot be taken on {address}: {error}; choose another address in [control] http, or \"off\""
            );
            None
        }
    }
}

/// Signs with the key of this gateway, which the first start makes.
fn signer(config: &Config) -> Result<Signer, Failure> {
    let place = config.keys.signing(&config.store.path);
    let key = SecretKey::read_or_make(Purpose::Claims, &place).map_err(|error| {
        if error.may_pass() { anyhow::Error::from(error).context(DISK).into() } else { Failure::config(error) }
    })?;
    Ok(Signer::new(&key))
}

/// Wipes what a change of the gallery could not wipe, once whoever held old pages has let go or the disk has room again.
async fn keep_wiped(store: Store) {
    let mut every = interval(WIPE_EVERY);
    loop {
        every.tick().await;
        let store = store.clone();
        match tokio::task::spawn_blocking(move || store.wipe_old_pages()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "old pages of the database cannot be wiped yet"),
            Err(stopped) => tracing::error!(%stopped, "the wiping of old pages has failed"),
        }
    }
}

/// Where the events go: to the broker, or, without one, to standard output.
async fn sink(config: Config, tools: Tools, events: mpsc::Receiver<Event>) {
    if let Some(mqtt) = &config.mqtt {
        publish::run(events, tools, mqtt, &config).await;
        return;
    }
    // Whoever reads slowly stops the writing, and nothing else: a thread of its own does not keep the program from ending.
    let (done, ended) = oneshot::channel();
    let writing = std::thread::Builder::new().name("lines".into()).spawn(move || {
        let written = publish::lines::run(&publish::new_boot_id(), events, &config, &mut std::io::stdout());
        // Whoever waited for it may have gone.
        let _ = done.send(written);
    });
    match (writing, ended.await) {
        (Err(error), _) | (_, Ok(Err(error))) => {
            tracing::warn!("events cannot be written to standard output any more: {error}");
        }
        (Ok(_), Ok(Ok(()))) => {}
        (Ok(_), Err(_)) => tracing::error!("the writing of events has failed"),
    }
}

/// How the telling of events ended.
#[derive(Debug)]
enum Told {
    /// The pipeline has no more of them.
    All,
    /// Nobody takes them.
    NoMore,
}

/// Passes events on, notes them for requests, and keeps the line of `systemctl status` up to date. No names in there: it is readable by all.
async fn tap(mut events: mpsc::Receiver<Event>, out: mpsc::Sender<Event>, control: Control) -> Told {
    let (mut source, mut state) = (String::from("no source yet"), "no signal");
    while let Some(event) = events.recv().await {
        control.note(&event);
        match &event {
            Event::Source(event) => {
                let format = event.format.as_deref().unwrap_or("unknown format");
                source = if event.online { format!("{format} online") } else { "source offline".to_owned() };
            }
            Event::Identity(event) => {
                state = match event.state {
                    IdentityState::NoSignal => "no signal",
                    IdentityState::Acquiring => "acquiring",
                    IdentityState::Verified => "verified",
                    IdentityState::Unknown => "unknown",
                    IdentityState::Uncertain => "uncertain",
                }
            }
            Event::Hrv(_) | Event::Signal(_) => {}
        }
        if matches!(event, Event::Source(_) | Event::Identity(_)) {
            watchdog::status(&format!("{source}, {state}"));
        }
        if out.send(event).await.is_err() {
            return Told::NoMore;
        }
    }
    Told::All
}
