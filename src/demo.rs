//! `ecgid demo`: an embedded broker, a simulated board on a pseudo-terminal, the daemon reading it, and a subscriber
//! that tells what it is told.
//!
//! The daemon is the real one: it gets a configuration and nothing else. This module knows what it puts on stage; what
//! is printed comes back from the broker.

mod audience;
mod cast;
mod stage;

use std::path::Path;

use anyhow::{Context, anyhow};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cli::Failure;
use crate::cli::demo::Args;
use crate::cli::run::{load_model, runtime, serve, stop_on_signal};
use crate::config::{Config, Environment};
use crate::publish::broker;
use crate::store::Store;
use crate::telemetry;
use audience::{Audience, Voice};
use cast::Cast;
use stage::Stage;

/// Runs the demo until Ctrl-C or its time.
///
/// # Errors
/// The model is not there, or the system gives no pseudo-terminal or port.
pub(crate) fn main(args: &Args) -> Result<(), Failure> {
    let folder = Folder::new()?;
    let address = broker::start().context("cannot start the embedded broker")?;
    let config = config(args, &folder.0, address.port())?;
    telemetry::init(&config.log).map_err(Failure::config)?;
    runtime()?.block_on(async {
        let cancel = CancellationToken::new();
        stop_on_signal(cancel.clone())?;
        if let Some(limit) = args.r#for {
            let stop = cancel.clone();
            tokio::spawn(async move {
                sleep(limit).await;
                stop.cancel();
            });
        }
        show(args, config, folder.0.join(PORT), cancel).await
    })
}

/// Name of the board's port in the demo's folder.
const PORT: &str = "ttyECG";

async fn show(args: &Args, config: Config, port: std::path::PathBuf, cancel: CancellationToken) -> Result<(), Failure> {
    let voice = Voice::new(args.json, Instant::now(), cancel.clone());
    let mqtt = config.mqtt.as_ref().ok_or_else(|| anyhow!("the demo's configuration has no broker"))?;
    voice.heading(mqtt.port);

    let model = load_model(&config)?;
    let decision = config.identity.decision_with(&model);
    let threshold = decision.threshold(decision.beats_averaged(), cast::ENROLLED);
    let (seed, mains, store) = (args.seed, config.signal.mains, Store::open_with(&config.store.path, &config.keys)?);
    let cast = tokio::task::spawn_blocking(move || Cast::choose(seed, model, threshold, mains, &store));
    let cast = cast.await.context("enrolling died")??;
    for person in cast.enrolled() {
        voice.scene(&format!("{} is enrolled from {} s of synthetic ECG", person.name, cast::ENROLMENT_S));
    }

    let listening = Audience::join(mqtt.port, &mqtt.topic_prefix, voice.clone());
    let audience = tokio::spawn(listening.await?.listen(cancel.clone()));
    let stage = tokio::spawn(Stage::new(cast, port, voice).perform(cancel.clone()));
    let served = serve(&config, cancel.clone()).await;
    cancel.cancel();
    // The audience hears the last words, which the daemon says on its way out.
    let _silence = audience.await;
    stage.await.context("the simulated board died")?.context("the simulated board failed")?;
    served
}

/// The configuration of the daemon in the demo: everything else is at its default.
fn config(args: &Args, folder: &Path, broker: u16) -> Result<Config, Failure> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut keys = vec![
        ("gateway", "demo".to_owned()),
        ("device", "ecg0".to_owned()),
        ("source.kind", "serial".to_owned()),
        ("source.port", path(PORT)),
        ("store.path", path("ecgid.sqlite")),
        ("mqtt.enabled", "true".to_owned()),
        ("mqtt.url", format!("mqtt://127.0.0.1:{broker}")),
        // A daemon that runs on this machine has the usual port, and nobody speaks to this one.
        ("control.http", "off".to_owned()),
        ("hrv.window_s", "75".to_owned()),
        ("hrv.every_s", "5".to_owned()),
        // The embedded broker tells of every client that comes and goes.
        ("log.level", "error,rumqttd=off".to_owned()),
    ];
    if let Some(model) = &args.model {
        keys.push(("model.path", model.display().to_string()));
    }
    // Of this machine's own configuration nothing may shine through: neither its broker nor its gallery.
    Config::load_in(None, &Environment::new(), &keys).map_err(Failure::config)
}

/// A folder of the demo's own, gone when it ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("ecgid-demo-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the temporary folder and holds synthetic hearts only.
        let _left_behind = std::fs::remove_dir_all(&self.0);
    }
}
