//! What an evaluation of denoisers says, for people and for machines.

use std::fmt;

use ecg_signal::FS;
use serde::Serialize;

use super::{Denoiser, Outcome};

/// What a denoiser is held against: the gain that it must have…
pub const TARGET_GAIN_DB: f64 = 2.0;
/// …and the height of the QRS that it must leave.
pub const TARGET_QRS_PER_CENT: f64 = 97.0;
const TARGET_CHANGE_DB: f64 = -30.0;
/// …at these levels, dB.
const TARGET_LEVELS_DB: (f64, f64) = (6.0, 12.0);

/// The whole result.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Records measured.
    pub records: usize,
    /// Synthetic hearts measured.
    pub hearts: u64,
    /// How much of each, seconds.
    pub seconds: f64,
    /// Mains hum that was removed from the records before.
    pub mains: &'static str,
    /// The shipped one first.
    pub denoisers: Vec<Row>,
}

/// One denoiser.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What it is, or what it differs in from the shipped one.
    pub name: String,
    /// Thresholds in units of the shipped ones, where nothing else differs.
    pub factor: Option<f64>,
    /// What it adds to the delay of the band-pass, ms.
    pub delay_ms: f64,
    /// On the records; `None` without one.
    pub records: Option<Figures>,
    /// On the synthetic hearts; `None` without one.
    pub synthetic: Option<Figures>,
}

/// Over several signals.
#[derive(Debug, Clone, Serialize)]
pub struct Figures {
    /// Change of the clean signals, dB: median.
    pub change_db: f64,
    /// …and the largest.
    pub worst_change_db: f64,
    /// Noise by noise, level by level.
    pub levels: Vec<Level>,
}

/// One noise at one level over several signals.
#[derive(Debug, Clone, Serialize)]
pub struct Level {
    /// The noise.
    pub noise: &'static str,
    /// Signal-to-noise ratio, dB.
    pub snr_db: f64,
    /// Signal-to-noise ratio gained beyond the band-pass alone, dB: median.
    pub gain_db: f64,
    /// …and the smallest.
    pub worst_gain_db: f64,
    /// Height of the QRS left, per cent: median.
    pub qrs_per_cent: f64,
    /// …and the lowest.
    pub worst_qrs_per_cent: f64,
}

impl Row {
    pub(super) fn new(denoiser: &Denoiser, conditions: &[(&'static str, f64)], outcomes: &[Outcome]) -> Self {
        let part = |synthetic: bool| -> Vec<&Outcome> {
            outcomes.iter().filter(|outcome| outcome.synthetic == synthetic).collect()
        };
        Self {
            name: denoiser.name().to_owned(),
            factor: match denoiser {
                Denoiser::Shipped => Some(1.0),
                Denoiser::Other(candidate) => candidate.factor,
            },
            delay_ms: FS.milliseconds(denoiser.delay() as f64),
            records: Figures::of(&part(false), conditions),
            synthetic: Figures::of(&part(true), conditions),
        }
    }
}

impl Figures {
    fn of(outcomes: &[&Outcome], conditions: &[(&'static str, f64)]) -> Option<Self> {
        let over = |figure: &dyn Fn(&Outcome) -> f64| Spread::of(outcomes.iter().map(|outcome| figure(outcome)));
        let change = over(&|outcome| outcome.change_db)?;
        let level = |(index, &(noise, snr_db)): (usize, &(&'static str, f64))| {
            let gain = over(&|outcome| outcome.worths[index].gain_db)?;
            let qrs = over(&|outcome| 100.0 * outcome.worths[index].qrs_kept)?;
            Some(Level {
                noise,
                snr_db,
                gain_db: gain.median,
                worst_gain_db: gain.lowest,
                qrs_per_cent: qrs.median,
                worst_qrs_per_cent: qrs.lowest,
            })
        };
        let levels = conditions.iter().enumerate().map(level).collect::<Option<Vec<_>>>()?;
        Some(Self { change_db: change.median, worst_change_db: change.highest, levels })
    }

    /// Of these levels, where they were measured.
    fn at(&self, noise: &str, snr_db: f64) -> Option<&Level> {
        self.levels.iter().find(|level| level.noise == noise && (level.snr_db - snr_db).abs() < 1e-9)
    }

    /// Whether it meets what is asked for at 12 and 6 dB and without noise.
    fn on_target(&self) -> bool {
        let counts = |level: &&Level| (TARGET_LEVELS_DB.0..=TARGET_LEVELS_DB.1).contains(&level.snr_db);
        let good = |level: &Level| level.gain_db >= TARGET_GAIN_DB && level.qrs_per_cent >= TARGET_QRS_PER_CENT;
        self.change_db <= TARGET_CHANGE_DB && self.levels.iter().filter(counts).all(good)
    }
}

struct Spread {
    lowest: f64,
    median: f64,
    highest: f64,
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let median = *sorted.get(sorted.len() / 2)?;
        Some(Self { lowest: *sorted.first()?, median, highest: *sorted.last()? })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, hearts, seconds, mains, denoisers } = self;
        writeln!(
            f,
            "{seconds} s of {records} records (mains removed before: {mains}) and of {hearts} synthetic hearts without noise of their own"
        )?;
        let Some(shipped) = denoisers.first() else { return Ok(()) };
        for (name, figures) in [("records", &shipped.records), ("synthetic hearts", &shipped.synthetic)] {
            let Some(figures) = figures else { continue };
            writeln!(f, "\nshipped denoiser on the {name}: delay {:.0} ms", shipped.delay_ms)?;
            writeln!(f, "noise      dB | gain dB  worst | QRS %   worst")?;
            for level in &figures.levels {
                let Level { noise, snr_db, gain_db, worst_gain_db, qrs_per_cent, worst_qrs_per_cent } = level;
                writeln!(
                    f,
                    "{noise:<7} {snr_db:>5} | {gain_db:>7.2} {worst_gain_db:>6.2} | {qrs_per_cent:>5.1} {worst_qrs_per_cent:>7.1}"
                )?;
            }
            writeln!(
                f,
                "change of the clean signal {:.1} dB, worst {:.1} dB; targets (gain {TARGET_GAIN_DB} dB and QRS \
                 {TARGET_QRS_PER_CENT} % at 12 and 6 dB, change {TARGET_CHANGE_DB} dB, medians): {}",
                figures.change_db,
                figures.worst_change_db,
                if figures.on_target() { "met" } else { "MISSED" }
            )?;
        }
        if denoisers.len() > 1 { self.candidates(f) } else { Ok(()) }
    }
}

impl Report {
    fn candidates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [("white", 12.0), ("white", 6.0), ("emg", 12.0), ("emg", 6.0)];
        for synthetic in [false, true] {
            let source = if synthetic { "synthetic hearts" } else { "records" };
            writeln!(f, "\ncandidates on the {source}: gain dB / QRS % (medians)")?;
            let heads = columns.map(|(noise, snr_db)| format!("{:>14}", format!("{noise} {snr_db} dB"))).join("");
            writeln!(f, "{:26}{heads} {:>9} {:>9}", "", "clean dB", "delay ms")?;
            for row in &self.denoisers {
                let Some(figures) = (if synthetic { &row.synthetic } else { &row.records }) else { continue };
                let cell = |(noise, snr_db): (&str, f64)| {
                    let text = figures.at(noise, snr_db).map_or_else(
                        || "-".to_owned(),
                        |level| format!("{:.2} / {:.1}", level.gain_db, level.qrs_per_cent),
                    );
                    format!("{text:>14}")
                };
                let mark = if figures.on_target() { "  on target" } else { "" };
                writeln!(
                    f,
                    "{:26}{} {:>9.1} {:>9.0}{mark}",
                    row.name,
                    columns.map(cell).join(""),
                    figures.change_db,
                    row.delay_ms
                )?;
            }
        }
        Ok(())
    }
}
