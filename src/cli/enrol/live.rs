//! Enrolment from a live source: the person wears the electrodes while a bar shows how much has been collected.
//!
//! It uses the daemon's own sources, so that what is enrolled is what the daemon will hear.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use ecg_signal::{Contact, Hertz, Mains, PathConfig, SignalPath};
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::Enrolled;
use super::template::{Collector, MIN_BEATS};
use crate::cli::run::runtime;
use crate::config::{SourceConfig, SourceKind};
use crate::inference::Model;
use crate::pipeline::flow::{Flow, SourceItem};
use crate::pipeline::front_end::FrontEnd;
use crate::pipeline::pulse::Pulse;
use crate::source::configured::ConfiguredSource;
use crate::source::{Source, SourceSender};

/// The configured source, or the one that `--source` names in its place.
pub(super) fn source(configured: &SourceConfig, given: Option<&str>) -> anyhow::Result<ConfiguredSource> {
    let mut config = configured.clone();
    if let Some(text) = given {
        config.kind = parse(text)?;
    }
    Ok(ConfiguredSource::new(&config)?)
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

/// Collects `seconds` of good heartbeats, for at most `give_up_after` seconds.
pub(super) fn enrol(
    source: ConfiguredSource,
    model: &mut Model,
    mains: Mains,
    seconds: f64,
    give_up_after: f64,
) -> anyhow::Result<Enrolled> {
    let runtime = runtime().map_err(|failure| failure.error)?;
    runtime.block_on(async {
        let cancel = CancellationToken::new();
        let (out, mut items) = SourceSender::channel(Pulse::default());
        let task = tokio::spawn(source.run(out, cancel.clone()));
        let deadline = Instant::now() + Duration::from_secs_f64(give_up_after);
        let mut session =
            Session { collector: Collector::new(model), mains, path: None, problem: None, bar: bar(seconds) };
        while session.collector.seconds() < seconds || session.collector.beats() < MIN_BEATS {
            let item = timeout_at(deadline, items.recv()).await;
            let Ok(item) = item else {
                return Err(session.gave_up(give_up_after));
            };
            let Some(item) = item else { break };
            session.take(item)?;
        }
        cancel.cancel();
        drop(items);
        let _ended = task.await;
        session.finish()
    })
}

/// A person on the electrodes.
struct Session<'m> {
    collector: Collector<'m>,
    mains: Mains,
    path: Option<(FrontEnd, SignalPath)>,
    /// Why the source is not there.
    problem: Option<String>,
    bar: ProgressBar,
}

impl Session<'_> {
    fn take(&mut self, item: SourceItem) -> anyhow::Result<()> {
        match item {
            SourceItem::Online(front_end) => self.online(front_end),
            SourceItem::Samples(Flow::Block(block)) => {
                let Some((_, path)) = &mut self.path else { return Ok(()) };
                let mut beats = Vec::new();
                for sample in block {
                    path.push(sample.ecg, &mut |beat| beats.push(beat));
                }
                for beat in &beats {
                    self.collector.push(beat)?;
                }
                self.show();
                Ok(())
            }
            SourceItem::Samples(Flow::Gap { missing }) => {
                if let Some((_, path)) = &mut self.path {
                    path.gap(missing, &mut |_| {});
                }
                self.collector.next_take();
                Ok(())
            }
            SourceItem::Problem(problem) => {
                self.say(&problem.text);
                Ok(())
            }
            SourceItem::Offline { problem } => {
                self.say(&problem);
                self.problem = Some(problem);
                self.collector.next_take();
                Ok(())
            }
            SourceItem::Refused { .. } => Ok(()),
        }
    }

    /// A new connection; the same front end, or none before, may go on.
    fn online(&mut self, front_end: FrontEnd) -> anyhow::Result<()> {
        if self.path.as_ref().is_some_and(|(known, _)| *known != front_end) && self.collector.beats() > 0 {
            bail!("the source has become another front end ({}): enrol again", front_end.format);
        }
        self.say(&format!("{} at {} Hz", front_end.format, front_end.fs_hz));
        self.problem = None;
        let path = SignalPath::new(&PathConfig { fs: Hertz(front_end.fs_hz), mains: self.mains })?;
        self.path = Some((front_end, path));
        self.collector.next_take();
        Ok(())
    }

    /// A line above the bar.
    fn say(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    fn gave_up(&self, after_s: f64) -> anyhow::Error {
        self.bar.abandon();
        if let Some(problem) = &self.problem {
            return anyhow!("gave up after {after_s:.0} s: {problem}");
        }
        let (seconds, beats) = (self.collector.seconds(), self.collector.beats());
        anyhow!(
            "gave up after {after_s:.0} s with {seconds:.0} s of good heartbeats ({beats} beats, at least {MIN_BEATS} \
             are needed): check that both electrodes touch well and sit still"
        )
    }

    fn show(&self) {
        let Some((_, path)) = &self.path else { return };
        let state = path.signal_state();
        let contact = match state.contact {
            Contact::Unknown => "waiting for heartbeats",
            Contact::Good => "good signal",
            Contact::LeadOff => "an electrode is off: press both",
            Contact::FlatLine => "flat line: check the electrodes",
            Contact::Clipping => "clipping: moisten the skin, sit still",
            Contact::Noise => "noise: sit still, relax the arms",
        };
        let rate = state.heart_rate_bpm.map_or_else(String::new, |bpm| format!(", {bpm:.0} bpm"));
        self.bar.set_position(self.collector.seconds() as u64);
        self.bar.set_message(format!("{} beats, {contact}{rate}", self.collector.beats()));
    }

    fn finish(self) -> anyhow::Result<Enrolled> {
        self.bar.finish_and_clear();
        let (front_end, path) = self.path.context("the source ended before it delivered a sample")?;
        Ok(Enrolled { template: self.collector.finish()?, front_end, chain_id: path.chain_id() })
    }
}

fn bar(seconds: f64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:30} {pos}/{len} s  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(seconds.ceil() as u64).with_style(style)
}
