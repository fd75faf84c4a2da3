//! `ecgid check`: everything that would stop a start, looked at before one.
//!
//! It goes on after a problem, so that one run shows all of them. systemd runs it before each start.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use rustix::fs::{Access, access};

use super::configured::Configured;
use super::{Failure, told};
use crate::config::{self, Config, KeyPlace, PasswordSource, PayloadFormat, SourceConfig, SourceKind};
use crate::inference::Model;
use crate::keys::{KeyError, Purpose, SecretKey};
use crate::pipeline::classes::ClassReference;
use crate::pipeline::infer::Embedder;
use crate::publish::{self, Signer};
use crate::source::configured::ConfiguredSource;
use crate::store::Store;

/// Arguments of `ecgid check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub configured: Configured,
}

/// Runs the command.
///
/// # Errors
/// Exit code 78 where something must be mended before a start can succeed.
pub fn main(args: Args) -> Result<(), Failure> {
    let path = config::found(args.configured.config.as_deref());
    let mut report = Report::default();
    let named = path.as_ref().map_or_else(|| "built-in defaults".to_owned(), |path| path.display().to_string());
    let loaded = args.configured.load().map_err(anyhow::Error::from);
    if let Some(config) = report.add("configuration", loaded, |_| named) {
        let opened = ConfiguredSource::new(&config.source).map_err(anyhow::Error::from);
        report.add("source", opened, |_| source(&config.source));
        report.add("broker", broker(&config), Clone::clone);
        report.add("home assistant", Ok(()), |()| home_assistant(&config));
        report.add("model", model(&config), Clone::clone);
        report.add("database", database(&config), Clone::clone);
        report.add("signing key", signing_key(&config), Clone::clone);
    }
    match report.problems {
        0 => Ok(()),
        1 => Err(Failure::config(anyhow!("one problem must be mended before ecgid can run"))),
        n => Err(Failure::config(anyhow!("{n} problems must be mended before ecgid can run"))),
    }
}

/// Prints one line for each thing looked at.
#[derive(Debug, Default)]
struct Report {
    problems: usize,
}

impl Report {
    fn add<T, S: Display>(&mut self, what: &str, found: anyhow::Result<T>, say: impl FnOnce(&T) -> S) -> Option<T> {
        match found {
            Ok(found) => {
                say!("ok       {what:<14} {}", say(&found));
                Some(found)
            }
            Err(error) => {
                self.problems += 1;
                say!("PROBLEM  {what:<14} {}", told(&error));
                None
            }
        }
    }
}

fn source(config: &SourceConfig) -> String {
    match &config.kind {
        // A port that is not there now may be plugged in later: no problem.
        SourceKind::Serial { port, .. } if port.exists() => format!("serial port {}", port.display()),
        SourceKind::Serial { port, .. } => format!("serial port {}, which is not plugged in", port.display()),
        SourceKind::Tcp { address } => format!("serial server {address}"),
        SourceKind::Replay { record, .. } => format!("recording {}", record.display()),
        SourceKind::Simulator { seed, .. } => format!("synthetic heart {seed}"),
    }
}

fn broker(config: &Config) -> anyhow::Result<String> {
    let Some(mqtt) = &config.mqtt else { return Ok("none: events are printed".into()) };
    let password = publish::read_password(mqtt.password.as_ref()).context("cannot read the password of the broker")?;
    let payload = match mqtt.payload {
        PayloadFormat::Json => "JSON",
        PayloadFormat::Protobuf => "protobuf",
    };
    let password = match (&mqtt.password, password) {
        (_, Some(_)) => "with a password",
        (Some(PasswordSource::File(path)), None) => return Err(anyhow!("{} is empty", path.display())),
        (_, None) => "without a password",
    };
    let tls = match &mqtt.tls {
        None => "without TLS".to_owned(),
        Some(tls) => {
            let authorities = publish::read_tls_files(tls).context("TLS to the broker cannot be set up")?;
            let proof = if tls.client.is_some() { ", with a client certificate" } else { "" };
            let authorities = counted(authorities, "trusted authority", "trusted authorities");
            format!("TLS, {authorities}{proof}")
        }
    };
    Ok(format!("{}:{} (not contacted), {tls}, {payload}, as {}, {password}", mqtt.host, mqtt.port, mqtt.client_id))
}

fn home_assistant(config: &Config) -> String {
    match (&config.homeassistant, &config.mqtt) {
        (Some(told), _) => format!("is told what there is, below {}/", told.prefix),
        (None, Some(mqtt)) if mqtt.payload == PayloadFormat::Protobuf => {
            "is told nothing: it cannot read protobuf, and mqtt.payload is that".into()
        }
        (None, _) => "is told nothing".into(),
    }
}

fn model(config: &Config) -> anyhow::Result<String> {
    let path = config.model_path();
    let model = Model::load(&path)?.with_class_front_ends(&config.class_front_ends);
    let decision = config.identity.decision_with(&model);
    let asks = match &decision.calibrated {
        Some(calibrated) => format!("false positive rate {}", calibrated.false_positive_rate),
        None => format!("threshold {}", decision.threshold),
    };
    Ok(format!("{}: {}, {asks}{}", path.display(), model.id(), classes(&model.class_references())))
}

/// Where the classes of a closed-set model are compared; nothing for any other model.
fn classes(classes: &[ClassReference]) -> String {
    let front_ends: BTreeSet<&str> = classes.iter().flat_map(|class| &class.front_ends).map(String::as_str).collect();
    match (classes.len(), front_ends.into_iter().collect::<Vec<_>>().join(", ")) {
        (0, _) => String::new(),
        (count, known) if known.is_empty() => format!(
            "; its {count} classes are compared nowhere: NAME.references.toml does not say on which front ends they were \
             recorded; name them in model.class_front_ends"
        ),
        (count, known) => format!(
            "; its {count} classes are compared on {known} and on no other front end: there nobody is verified by them"
        ),
    }
}

fn signing_key(config: &Config) -> anyhow::Result<String> {
    let place = config.keys.signing(&config.store.path);
    match key(Purpose::Claims, &place)? {
        Some(key) => Ok(format!("{}: {}", key.found_in().display(), Signer::new(&key).key_id())),
        None => Ok(made_at_first(&place.file)),
    }
}

/// `None`: it is not there, and the first start can make it.
fn key(purpose: Purpose, place: &KeyPlace) -> anyhow::Result<Option<SecretKey>> {
    match SecretKey::read(purpose, place) {
        Ok(key) => Ok(Some(key)),
        Err(KeyError::Missing { .. }) => can_be_made(&place.file).map(|()| None),
        Err(error) => Err(error.into()),
    }
}

fn database(config: &Config) -> anyhow::Result<String> {
    let path = config.store.path.as_path();
    if !path.exists() {
        can_be_made(path)?;
        key(Purpose::Templates, &config.keys.template(path))?;
        return Ok(made_at_first(path));
    }
    let store = Store::open_with(path, &config.keys)?;
    store.verify()?;
    let subjects = counted(store.subjects()?.len(), "subject", "subjects");
    let waiting = counted(store.pending_count()?, "event", "events");
    Ok(format!("{}: {subjects}, {waiting} waiting for the broker", path.display()))
}

fn made_at_first(path: &Path) -> String {
    format!("{}, which the first start makes", path.display())
}

/// Whether this user can make a file there.
fn can_be_made(path: &Path) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (file, shown) = (path.display(), directory.display());
    if !directory.is_dir() {
        bail!("{file} is to be made, but there is no directory {shown}");
    }
    access(directory, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(std::io::Error::from)
        .with_context(|| format!("{file} is to be made, but this user may not write in the directory {shown}"))
}

fn counted<N: Display + PartialEq + From<u8>>(count: N, one: &str, several: &str) -> String {
    format!("{count} {}", if count == N::from(1) { one } else { several })
}
