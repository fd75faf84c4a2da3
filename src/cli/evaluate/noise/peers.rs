//! Figures of other detectors on the same samples, from a file that `scripts/peers_noise.py` writes.
//!
//! Must not know how they were measured; that the samples were the same it checks by their fingerprint.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What one detector reached at one level. F1 in per cent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PeerFigures {
    /// At ±150 ms.
    pub f1_150ms: Option<f64>,
    /// At ±50 ms.
    pub f1_50ms: Option<f64>,
    /// False beats at ±150 ms.
    pub fp: u64,
    /// Missed beats at ±150 ms.
    #[serde(rename = "fn")]
    pub missed: u64,
    /// Mean absolute error of R over the pairs within 150 ms, ms.
    pub mae_ms: Option<f64>,
}

/// Detectors by name.
pub type Detectors = BTreeMap<String, PeerFigures>;

/// The file.
#[derive(Debug, Clone, Deserialize)]
pub struct Peers {
    about: BTreeMap<String, serde_json::Value>,
    added: Vec<PeerLevel>,
    #[serde(default)]
    recorded: BTreeMap<String, Detectors>,
}

#[derive(Debug, Clone, Deserialize)]
struct PeerLevel {
    noise: String,
    snr_db: f64,
    fingerprint: String,
    detectors: Detectors,
}

impl Peers {
    /// Reads the file.
    ///
    /// # Errors
    /// It cannot be read, or is not such a file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the peers' figures {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| {
            format!(
                "{} does not hold figures of other detectors; scripts/peers_noise.py makes such a file",
                path.display()
            )
        })
    }

    /// How they were measured, as the file says it.
    #[must_use]
    pub fn about(self) -> BTreeMap<String, serde_json::Value> {
        self.about
    }

    /// The detectors at a level; none where they were measured on other samples.
    #[must_use]
    pub fn at(&self, noise: &str, snr_db: f64, fingerprint: &str) -> Detectors {
        let same = |level: &&PeerLevel| {
            level.noise == noise && (level.snr_db - snr_db).abs() < 1e-9 && level.fingerprint == fingerprint
        };
        self.added.iter().find(same).map(|level| level.detectors.clone()).unwrap_or_default()
    }

    /// The detectors on a record of the noise stress test database.
    #[must_use]
    pub fn on(&self, record: &str) -> Detectors {
        self.recorded.get(record).cloned().unwrap_or_default()
    }
}

/// Where we stand among the others by one figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// The best of the others.
    pub best_peer: String,
    /// Its figure.
    pub best: f64,
    /// 1 where none of them is better.
    pub rank: usize,
}

/// Stands `ours` beside the others; `None` where nothing is known of them or of us.
#[must_use]
pub fn standing(
    ours: Option<f64>,
    detectors: &Detectors,
    figure: impl Fn(&PeerFigures) -> Option<f64>,
) -> Option<Standing> {
    let ours = ours?;
    let known: Vec<_> = detectors.iter().filter_map(|(name, figures)| Some((name, figure(figures)?))).collect();
    let (best_peer, best) = known.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
    // Equal on paper is equal, though the two were divided by different programs.
    let rank = 1 + known.iter().filter(|(_, theirs)| *theirs > ours + 1e-6).count();
    Some(Standing { best_peer: best_peer.clone(), best, rank })
}
