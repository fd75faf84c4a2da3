//! Synthetic recordings in the form of a board's recorder, with a manifest: a collection of persons who do not exist.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, bail};
use ecg_data::Adc;
use ecg_data::csv::CodeWriter;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_wire::Format;

/// Rate of the recordings: the form has no other.
const FS: f64 = 250.0;
/// 2026-01-05 08:00 UTC; the second session is a week later. Nothing reads a clock for data that nobody recorded.
const FIRST_DAY_UNIX_S: u64 = 1_767_600_000;
const SESSIONS: [(&str, &str, u64); 2] = [("1", "2026-01-05", 0), ("2", "2026-01-12", 7 * 86_400)];
/// Respiration on the second channel, in millivolts a unit.
const RESPIRATION_MV: f64 = 0.25;

/// Writes `subjects` subjects from `first_seed` on, two recordings of `seconds` each. What stands there already is
/// replaced with `force` only.
///
/// # Errors
/// What cannot be written, or what would be replaced.
pub(super) fn write(folder: &Path, subjects: u64, first_seed: u64, seconds: f64, force: bool) -> anyhow::Result<()> {
    let Some(last_seed) = first_seed.checked_add(subjects.saturating_sub(1)) else {
        bail!("--subject-seed {first_seed}: no {subjects} subjects from there on, the last seed is {}", u64::MAX);
    };
    let seeds = first_seed..=last_seed;
    let records = seeds.clone().flat_map(|seed| SESSIONS.map(|(session, ..)| name(seed, session)));
    let there = std::iter::once("manifest".to_owned())
        .chain(records)
        .map(|record| folder.join(format!("{record}.csv")))
        .find(|path| fs::symlink_metadata(path).is_ok());
    if let Some(path) = there.filter(|_| !force) {
        bail!("{} exists: give an empty folder, or --force to replace such files", path.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut manifest = "record,subject,session,date\n".to_owned();
    for seed in seeds {
        for (session, date, after_s) in SESSIONS {
            let record = name(seed, session);
            let path = folder.join(format!("{record}.csv"));
            recording(&path, seed, after_s, seconds).with_context(|| format!("cannot write {}", path.display()))?;
            let _infallible = writeln!(manifest, "{record},synthetic-{seed},{session},{date}");
        }
    }
    let path = folder.join("manifest.csv");
    fs::write(&path, manifest).with_context(|| format!("cannot write {}", path.display()))
}

/// Of a recording, without its extension.
fn name(seed: u64, session: &str) -> String {
    format!("synthetic-{seed}-{session}")
}

fn recording(path: &Path, seed: u64, after_s: u64, seconds: f64) -> anyhow::Result<()> {
    let spec = Format::Csv.spec();
    let adc = Adc { gain: spec.gain, vref_volts: spec.vref_volts };
    let person = HeartParams::from_seed(seed).in_session(after_s);
    let mut heart = SyntheticHeart::new(&person, FS, seed ^ after_s)?.with_noise(Noise::at_rest());
    let mut writer = CodeWriter::new(BufWriter::new(File::create(path)?), FIRST_DAY_UNIX_S + after_s, FS)?;
    for _ in 0..(seconds * FS) as u64 {
        let sample = heart.step();
        writer.push(adc.code(sample.millivolts), adc.code(RESPIRATION_MV * sample.respiration), 0)?;
    }
    writer.finish()?;
    Ok(())
}
