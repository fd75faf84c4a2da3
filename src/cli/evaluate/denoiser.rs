//! `ecgid evaluate denoiser`: what the wavelet denoiser gains and what it costs, on records and on synthetic hearts.
//!
//! Responsible for the arguments, the clean signals and running them; the measure is [`ecg_signal::wavelet::worth`].

pub mod candidate;
pub mod curve;
pub mod report;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use ecg_data::stress::Disturbance;
use ecg_data::{HeartParams, Record, SyntheticHeart};
use ecg_signal::filter::design::DesignError;
use ecg_signal::wavelet::worth::{self, Clean, SETTLE_S};
use ecg_signal::{FS, Hertz, Kernel, Mains, PathInput, filter, resample};

use self::candidate::Candidate;
use self::report::{Report, Row};
use super::annotated::records;
use super::noise::stressed::{Noise, fnv1a};
use super::work::for_each;
use crate::cli::{Failure, file};
use crate::recording::{Stream, mains_name, parse_mains};

/// What the columns mean; shown by `--help`.
const COLUMNS: &str = "\
Noise is added to the first minute of each record at 250 Hz, and to synthetic hearts that have none of
their own. The reference is the signal as it was, through the band-pass of the chain alone.

SNR        10 log10 of the mean square of the reference over that of what is added
gain       how much more of the noise the chain takes than the band-pass alone, dB: error of the
           band-pass over error of the chain, against the reference; median over the signals
QRS        height left, per cent: the denoised signal over the reference where that is tallest, summed
           over the beats of a signal; median over the signals, and the lowest of them
clean      change of the signal without added noise, dB below the reference: median, and the worst
delay      what the denoiser adds, ms

The first 10 s of a signal do not count. The noise that a record came with is signal here: taking it
away counts as a change, so a noisy collection shows a smaller gain and a larger change than a clean
one (ECG-ID -20 dB); the rows of the synthetic hearts have no such noise.

Examples
  ecgid evaluate denoiser mitdb --mains 60                   gain by level, QRS, clean change
  ecgid evaluate denoiser mitdb --mains 60 --candidates      beside other levels, thresholds, rules, places
  ecgid evaluate denoiser mitdb --mains 60 --candidates --plot denoiser.svg";

/// Arguments of `ecgid evaluate denoiser`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COLUMNS)]
pub struct Args {
    /// Folder with WFDB records that have annotations, searched with its subfolders
    dir: PathBuf,
    /// Only these records, by their name below DIR
    #[arg(long, value_delimiter = ',')]
    records: Vec<String>,
    /// How much of each record, from its start, seconds; 15 or more
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Mains hum of the records, removed before anything is measured: 50, 60 or none
    #[arg(long, default_value = "none", value_parser = parse_mains)]
    mains: Mains,
    /// What is added; noises that are made, not recorded
    #[arg(long, value_delimiter = ',', default_value = "white,emg", value_parser = made)]
    noise: Vec<Noise>,
    /// Signal-to-noise ratios, dB
    #[arg(long, value_delimiter = ',', default_value = "24,18,12,6,0", allow_hyphen_values = true)]
    levels: Vec<f64>,
    /// Synthetic hearts without noise of their own, beside the records
    #[arg(long, default_value_t = 12)]
    hearts: u64,
    /// Draw of the noise
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also other numbers of levels, thresholds, rules and places in the chain
    #[arg(long)]
    candidates: bool,
    /// Draw the curves
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

fn made(text: &str) -> Result<Noise, String> {
    let noise = Noise::parse(text)?;
    if matches!(noise, Noise::Made(..)) { Ok(noise) } else { Err("white, emg, motion, mains50 or mains60".into()) }
}

/// A signal at 250 Hz that counts as clean.
#[derive(Debug)]
struct Signal {
    name: String,
    synthetic: bool,
    millivolts: Vec<f64>,
    /// In samples.
    r_peaks: Vec<f64>,
}

/// What is measured.
#[derive(Debug, Clone)]
pub enum Denoiser {
    /// The chain of the signal path itself.
    Shipped,
    /// One that might have been.
    Other(Candidate),
}

impl Denoiser {
    /// What reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Shipped => "shipped",
            Self::Other(candidate) => &candidate.name,
        }
    }

    /// How much later than the band-pass alone it is, samples.
    #[must_use]
    pub fn delay(&self) -> usize {
        match self {
            Self::Shipped => worth::shipped_delay(),
            Self::Other(candidate) => candidate.delay(),
        }
    }

    fn chain(&self, x: &[f64]) -> Result<Vec<f64>, DesignError> {
        match self {
            Self::Shipped => worth::shipped_chain(x),
            Self::Other(candidate) => candidate.chain(x),
        }
    }
}

/// What one denoiser made of one signal.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Of a synthetic heart, or of a record.
    pub synthetic: bool,
    /// Change of the clean signal, dB.
    pub change_db: f64,
    /// Noise by noise, level by level.
    pub worths: Vec<worth::Worth>,
}

/// Runs the command.
///
/// # Errors
/// No record, or one that cannot be read or holds no beat; an argument that makes no sense; a file that cannot be
/// written.
pub fn main(args: &Args) -> Result<(), Failure> {
    let report = evaluate(args)?;
    if args.json {
        say!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        say!("{report}");
    }
    if let Some(path) = &args.plot {
        file::write("the plot", path, &curve::svg(&report))?;
    }
    Ok(())
}

fn evaluate(args: &Args) -> anyhow::Result<Report> {
    if !(15.0..=3600.0).contains(&args.seconds) {
        bail!("--seconds {}: give 15 to 3600; the first {SETTLE_S} do not count", args.seconds);
    }
    let names = records(&args.dir, "atr", &args.records)?;
    let load = for_each(
        "records",
        &names,
        || (),
        |(), name| load(args, &args.dir.join(name)).with_context(|| format!("record {name}")),
    );
    let mut signals = load.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    for seed in 1..=args.hearts {
        signals.push(heart(args, seed)?);
    }
    let mut denoisers = vec![Denoiser::Shipped];
    if args.candidates {
        denoisers.extend(Candidate::all().into_iter().map(Denoiser::Other));
    }
    let jobs: Vec<(&Denoiser, &Signal)> =
        denoisers.iter().flat_map(|denoiser| signals.iter().map(move |signal| (denoiser, signal))).collect();
    let outcomes = for_each(
        "signals",
        &jobs,
        || (),
        |(), (denoiser, signal)| measure(args, denoiser, signal).with_context(|| signal.name.clone()),
    );
    let outcomes = outcomes.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let rows = denoisers.iter().zip(outcomes.chunks(signals.len()));
    let conditions: Vec<(&'static str, f64)> =
        args.noise.iter().flat_map(|noise| args.levels.iter().map(|&snr_db| (noise.name(), snr_db))).collect();
    Ok(Report {
        records: names.len(),
        hearts: args.hearts,
        seconds: args.seconds,
        mains: mains_name(args.mains),
        denoisers: rows.map(|(denoiser, outcomes)| Row::new(denoiser, &conditions, outcomes)).collect(),
    })
}

fn load(args: &Args, path: &Path) -> anyhow::Result<Signal> {
    let mut record = Record::open(path)?;
    let Some(signal) = record.signals.first_mut() else { bail!("it has no signal") };
    signal.samples.truncate((args.seconds * record.fs) as usize);
    if (signal.samples.len() as f64) < (SETTLE_S + 2.0) * record.fs {
        bail!("it is shorter than {} s: the first {SETTLE_S} s do not count", SETTLE_S + 2.0);
    }
    let mut held = 0.0;
    signal.samples.iter_mut().for_each(|x| {
        held = if x.is_finite() { *x } else { held };
        *x = held;
    });
    let mut millivolts = resample(&signal.samples, Hertz(record.fs), FS).map_err(|error| anyhow::anyhow!("{error}"))?;
    if let Some(mut notch) = filter::notch::notch(args.mains, FS)? {
        let first = millivolts.first().copied().unwrap_or(0.0);
        millivolts.iter_mut().for_each(|x| *x = notch.run(*x - first));
        notch.reset();
    }
    let samples = millivolts.iter().copied().map(PathInput::of).collect();
    let stream = Stream { format: "record".into(), fs: FS, samples, respiration: None };
    let passage = stream.pass(0..millivolts.len(), Mains::None)?;
    let r_peaks = passage.beats.iter().map(|beat| beat.r_peak).collect();
    Ok(Signal { name: record.name, synthetic: false, millivolts, r_peaks })
}

fn heart(args: &Args, seed: u64) -> anyhow::Result<Signal> {
    let mut heart = SyntheticHeart::new(&HeartParams::from_seed(seed), FS.0, seed)?;
    let (mut millivolts, mut r_peaks) = (Vec::new(), Vec::new());
    for _ in 0..FS.samples(args.seconds) {
        let sample = heart.step();
        millivolts.push(sample.millivolts);
        r_peaks.extend(sample.r_peak);
    }
    Ok(Signal { name: format!("synthetic heart {seed}"), synthetic: true, millivolts, r_peaks })
}

fn measure(args: &Args, denoiser: &Denoiser, signal: &Signal) -> anyhow::Result<Outcome> {
    let clean = Clean::new(&signal.millivolts, signal.r_peaks.iter().copied())?;
    if clean.beats() == 0 {
        bail!("no beat is found after the first {SETTLE_S} s: choose records with --records");
    }
    let (delay, chain) = (denoiser.delay(), |x: &[f64]| denoiser.chain(x).unwrap_or_default());
    let mut worths = Vec::new();
    for noise in &args.noise {
        let Noise::Made(name, disturbance) = *noise else { continue };
        let added = draw(disturbance, signal, name, args.seed);
        for &snr_db in &args.levels {
            worths.push(clean.worth(&added, snr_db, delay, chain)?);
        }
    }
    Ok(Outcome { synthetic: signal.synthetic, change_db: clean.change_db(delay, chain), worths })
}

/// Each signal has a disturbance of its own.
fn draw(disturbance: Disturbance, signal: &Signal, name: &str, seed: u64) -> Vec<f64> {
    let seed = fnv1a(format!("{}/{name}/{seed}", signal.name).bytes());
    disturbance.samples(FS.0, signal.millivolts.len(), seed)
}
