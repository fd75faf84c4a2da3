//! Enrolment from a live source: the person wears the electrodes and is told what to do.
//!
//! It uses the daemon's own sources, so that what is enrolled is what the daemon will hear. What comes next is decided by
//! [`Enrolment`]; time is the samples', and the clock's only while none come.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use ecg_identity::enrolment::{Contact, Enrolment, EnrolmentConfig, Step};
use ecg_signal::{Hertz, Mains, PathConfig, SignalPath};
use tokio_util::sync::CancellationToken;

use super::Collected;
use super::collect::Collector;
use super::keyboard::Keyboard;
use super::screen::Screen;
use crate::cli::run::runtime;
use crate::config::{SourceConfig, SourceKind};
use crate::enrolment::{Progress, contact, gave_up, refusal};
use crate::pipeline::flow::{Flow, SourceItem};
use crate::pipeline::front_end::FrontEnd;
use crate::pipeline::pulse::Pulse;
use crate::source::configured::ConfiguredSource;
use crate::source::{Source, SourceSender};
use crate::store::DaemonLock;

/// How often time passes while no samples come.
const TICK: Duration = Duration::from_millis(250);

/// The configured source, or the one that `--source` names in its place.
pub(super) fn source(configured: &SourceConfig, given: Option<&str>) -> anyhow::Result<SourceConfig> {
    let mut config = configured.clone();
    if let Some(text) = given {
        config.kind = parse(text)?;
    }
    Ok(config)
}

/// A serial port has one reader: while the daemon holds it nobody can be enrolled from it but by the daemon.
///
/// # Errors
/// What to do, where a daemon works with this database and is configured to read this port.
pub(super) fn is_free(source: &SourceConfig, configured: &SourceConfig, database: &Path) -> anyhow::Result<()> {
    let port = |config: &SourceConfig| match &config.kind {
        SourceKind::Serial { port, .. } => Some(port.clone()),
        _ => None,
    };
    match port(source) {
        Some(wanted) if port(configured).as_ref() == Some(&wanted) && DaemonLock::is_taken(database) == Some(true) => {
            bail!(
                "the daemon runs and holds {}: let it enrol (without --direct and --source; where it takes no requests, \
             [control] http is \"off\" or its port was taken, as its log says), or stop it meanwhile",
                wanted.display()
            )
        }
        _ => Ok(()),
    }
}

fn parse(text: &str) -> anyhow::Result<SourceKind> {
    let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
    match (kind, rest) {
        ("serial", port) if !port.is_empty() => {
            Ok(SourceKind::Serial { port: PathBuf::from(port), baud: None, open_delay: Duration::ZERO })
        }
        ("tcp", address) if address.contains(':') => Ok(SourceKind::Tcp { address: address.to_owned() }),
        ("simulator", seed) => {
            let seed = if seed.is_empty() { 1 } else { seed.parse().context("simulator:SEED takes a whole number")? };
            Ok(SourceKind::Simulator { seed, speed: Some(1.0) })
        }
        _ => bail!("--source {text}: give serial:/dev/ttyUSB0, tcp:host:port, simulator or simulator:SEED"),
    }
}

/// Collects what `plan` asks for.
pub(super) fn enrol(
    source: ConfiguredSource,
    collector: Collector<'_>,
    mains: Mains,
    plan: EnrolmentConfig,
    keyboard: &mut Keyboard,
) -> anyhow::Result<Collected> {
    let runtime = runtime().map_err(|failure| failure.error)?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let (out, mut items) = SourceSender::channel(Pulse::default());
        let task = tokio::spawn(source.run(out, cancel.clone()));
        let mut session = Session::new(collector, mains, plan);
        let mut tick = tokio::time::interval(TICK);
        while !session.enrolment.ended() {
            tokio::select! {
                item = items.recv() => match item {
                    Some(item) => session.take(item)?,
                    None => break,
                },
                _ = tick.tick() => session.tick(),
                _ = keyboard.line() => session.enrolment.moved(),
            }
            session.screen.show(&Progress::from(&session.enrolment.status()));
        }
        cancel.cancel();
        drop(items);
        let _ended = task.await;
        session.finish()
    })
}

/// A person on the electrodes.
struct Session<'m> {
    enrolment: Enrolment,
    plan: EnrolmentConfig,
    collector: Collector<'m>,
    mains: Mains,
    path: Option<(FrontEnd, SignalPath)>,
    /// Why the source is not there.
    problem: Option<String>,
    /// No sample has come since the last tick.
    silent: bool,
    screen: Screen,
}

impl<'m> Session<'m> {
    fn new(collector: Collector<'m>, mains: Mains, plan: EnrolmentConfig) -> Self {
        let enrolment = Enrolment::new(plan.clone());
        Self { enrolment, plan, collector, mains, path: None, problem: None, silent: false, screen: Screen::new() }
    }

    fn tick(&mut self) {
        if std::mem::replace(&mut self.silent, true) {
            self.enrolment.elapsed(TICK.as_secs_f64());
        }
    }

    fn take(&mut self, item: SourceItem) -> anyhow::Result<()> {
        match item {
            SourceItem::Online(front_end) => self.online(front_end),
            SourceItem::Samples(Flow::Block(block)) => {
                let Some((front_end, path)) = &mut self.path else { return Ok(()) };
                self.silent = false;
                self.enrolment.elapsed(block.len() as f64 / front_end.fs_hz);
                let mut beats = Vec::new();
                for sample in block {
                    path.push(sample.ecg, &mut |beat| beats.push(beat));
                }
                for beat in &beats {
                    self.collector.push(beat, front_end.fs_hz, &mut self.enrolment)?;
                }
                self.enrolment.contact(contact(path.signal_state().contact));
                Ok(())
            }
            SourceItem::Samples(Flow::Gap { missing }) => {
                if let Some((_, path)) = &mut self.path {
                    path.gap(missing, &mut |_| {});
                }
                self.collector.interrupt();
                Ok(())
            }
            SourceItem::Problem(problem) => {
                self.screen.say(&problem.text);
                Ok(())
            }
            SourceItem::Offline { problem } => {
                self.screen.say(&problem);
                self.problem = Some(problem);
                self.enrolment.contact(Contact::Unknown);
                self.collector.interrupt();
                Ok(())
            }
            SourceItem::Refused { .. } => Ok(()),
        }
    }

    /// A new connection; the same front end, or none before, may go on.
    fn online(&mut self, front_end: FrontEnd) -> anyhow::Result<()> {
        let begun = self.enrolment.status().good_beats > 0;
        if self.path.as_ref().is_some_and(|(known, _)| *known != front_end) && begun {
            bail!("the source has become another front end ({}): enrol again", front_end.format);
        }
        self.screen.say(&format!("{} at {} Hz", front_end.format, front_end.fs_hz));
        self.problem = None;
        let path = SignalPath::new(&PathConfig { fs: Hertz(front_end.fs_hz), mains: self.mains })?;
        self.path = Some((front_end, path));
        self.collector.interrupt();
        Ok(())
    }

    fn finish(self) -> anyhow::Result<Collected> {
        self.screen.close();
        let status = self.enrolment.status();
        if status.step == Step::GaveUp {
            let after_s = self.plan.give_up_after_s;
            bail!("{}", gave_up(&self.enrolment, after_s, self.problem.as_deref()));
        }
        let (front_end, path) = self.path.context("the source ended before it delivered a sample")?;
        let judged = self.enrolment.finish().map_err(|why| anyhow!("{}", refusal(&why, "placement")))?;
        if status.step != Step::Done {
            let (good, needed) = (status.good_s, status.needed_s);
            note!("note: the source ended after {good:.0} of {needed:.0} s of good heartbeats");
        }
        Ok(Collected { judged, front_end, chain_id: path.chain_id() })
    }
}
