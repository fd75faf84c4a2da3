//! What an evaluation in noise says, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Outcome;
use super::gate::Gate;
use super::peers::{Detectors, Peers, Standing, standing};
use crate::cli::evaluate::score::{Figures, RecordScore, figures};

/// The whole result. Rates in per cent, errors in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// What the notch removes.
    pub mains: &'static str,
    /// Clean records that noise was added to.
    pub records: Vec<String>,
    /// How much of each, minutes.
    pub minutes: f64,
    /// Draws of each disturbance.
    pub seeds: Vec<u64>,
    /// How the power of what was added was taken: `variance` or `windowed`.
    pub noise_power: &'static str,
    /// Added noise, noise by noise and level by level; records and seeds together.
    pub added: Vec<Level>,
    /// Records of the noise stress test database, whole.
    pub recorded: Vec<Level>,
    /// How the peers were measured, where their figures were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peers: Option<BTreeMap<String, serde_json::Value>>,
}

/// One noise at one level, or one record.
#[derive(Debug, Clone, Serialize)]
pub struct Level {
    /// The noise, or the record.
    pub noise: String,
    /// Signal-to-noise ratio in decibels; `None` for a record that came with its noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snr_db: Option<f64>,
    /// Equal samples, equal text.
    pub fingerprint: String,
    /// Counts and rates.
    #[serde(flatten)]
    pub figures: Figures,
    /// What the quality gate made of the beats.
    pub gate: Gate,
    /// Per cent of the true beats that the gate accepts.
    pub gate_true_share: Option<f64>,
    /// Per cent of the false beats that the gate accepts.
    pub gate_false_share: Option<f64>,
    /// The other detectors on the same samples.
    #[serde(skip_serializing_if = "Detectors::is_empty")]
    pub peers: Detectors,
    /// Where we stand among them at ±150 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing_150ms: Option<Standing>,
    /// The same at ±50 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standing_50ms: Option<Standing>,
}

impl Level {
    pub(super) fn new(noise: &str, snr_db: f64, outcomes: &[Outcome], peers: Option<&Peers>) -> Self {
        let level = pool(noise, outcomes);
        let detectors = peers.map(|peers| peers.at(noise, snr_db, &level.fingerprint)).unwrap_or_default();
        Self { snr_db: Some(snr_db), ..level.beside(detectors) }
    }

    fn beside(self, peers: Detectors) -> Self {
        let standing_150ms = standing(self.figures.f1_150ms, &peers, |figures| figures.f1_150ms);
        let standing_50ms = standing(self.figures.f1_50ms, &peers, |figures| figures.f1_50ms);
        Self { peers, standing_150ms, standing_50ms, ..self }
    }
}

/// A record of the noise stress test database.
pub(super) fn recorded(name: &str, outcome: &Outcome, peers: Option<&Peers>) -> Level {
    let detectors = peers.map(|peers| peers.on(name)).unwrap_or_default();
    pool(name, std::slice::from_ref(outcome)).beside(detectors)
}

fn pool(noise: &str, outcomes: &[Outcome]) -> Level {
    let scores: Vec<RecordScore> = outcomes.iter().map(|outcome| outcome.score.clone()).collect();
    let gate = outcomes.iter().fold(Gate::default(), |gate, outcome| gate.and(outcome.gate));
    let bytes = outcomes.iter().flat_map(|outcome| outcome.fingerprint.to_le_bytes());
    Level {
        noise: noise.to_owned(),
        snr_db: None,
        fingerprint: format!("{:016x}", super::stressed::fnv1a(bytes)),
        figures: figures(&scores).full,
        gate,
        gate_true_share: gate.true_share(),
        gate_false_share: gate.false_share(),
        peers: Detectors::new(),
        standing_150ms: None,
        standing_50ms: None,
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeds = self.seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        writeln!(
            f,
            "noise added to the first {} min of {} (seeds {seeds}; noise power: {}; mains {}); per cent, ms",
            self.minutes,
            self.records.join(", "),
            self.noise_power,
            self.mains
        )?;
        let peers = self.peers.is_some();
        head(f, "noise      dB", peers)?;
        let mut before = "";
        for level in &self.added {
            if !before.is_empty() && before != level.noise {
                writeln!(f)?;
            }
            before = &level.noise;
            writeln!(f, "{:<7} {:>5}{}", level.noise, level.snr_db.unwrap_or_default(), row(level, peers))?;
        }
        if !self.recorded.is_empty() {
            writeln!(f, "\nrecords of the noise stress test database, whole")?;
            head(f, "record", peers)?;
        }
        for level in &self.recorded {
            writeln!(f, "{:<13}{}", level.noise, row(level, peers))?;
        }
        if peers && self.added.iter().any(|level| level.peers.is_empty()) {
            writeln!(f, "levels without a peer: the file of the peers was made from other samples, records or seeds")?;
        }
        Ok(())
    }
}

fn head(f: &mut fmt::Formatter<'_>, first: &str, peers: bool) -> fmt::Result {
    let columns = ["TP", "FP", "FN", "F1", "F1@50", "MAE"].map(|head| format!("{head:>6}")).join(" ");
    let peer = format!(" | {:34} | {}", "best peer, F1, our rank", "best peer, F1@50, our rank");
    writeln!(f, "{first:13} {columns} | gate: true  false{}", if peers { &peer } else { "" })
}

fn row(level: &Level, peers: bool) -> String {
    let Figures { within_150_ms: at, f1_150ms, f1_50ms, mae_ms, .. } = &level.figures;
    let counts = [at.tp, at.fp, at.missed].map(|n| format!("{n:>6}")).join(" ");
    let rates = [*f1_150ms, *f1_50ms, *mae_ms].map(|value| format!("{:>6}", show(value))).join(" ");
    let gate = format!("{:>10} {:>6}", show(level.gate_true_share), show(level.gate_false_share));
    let both = format!(" | {:34} | {:34}", stand(level.standing_150ms.as_ref()), stand(level.standing_50ms.as_ref()));
    format!(" {counts} {rates} | {gate}{}", if peers { both.trim_end() } else { "" })
}

fn stand(standing: Option<&Standing>) -> String {
    standing.map_or_else(|| "-".to_owned(), |s| format!("{:25} {:6.2} {:>2}", s.best_peer, s.best, s.rank))
}

fn show(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| format!("{v:.2}"))
}
