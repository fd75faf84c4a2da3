//! `ecgid evaluate noise`: beats of the streaming path in noise, level by level.
//!
//! Responsible for the arguments and for running the conditions; which samples a condition has is `stressed.rs`, what
//! is counted is `gate.rs` and `score.rs`, what is said `report.rs` and `curve.rs`.

pub mod curve;
pub mod gate;
pub mod peers;
pub mod report;
pub mod stressed;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::ValueEnum;
use ecg_data::stress::Power;
use ecg_data::wfdb::writer;
use ecg_signal::{Hertz, Mains, PathInput};

use self::gate::Gate;
use self::peers::Peers;
use self::report::{Level, Report};
use self::stressed::{Clean, Condition, Library, Noise, fnv1a};
use super::annotated::{records, truth, truth_of};
use super::score::{RecordScore, Truth, score};
use super::work::for_each;
use crate::cli::{Failure, file};
use crate::recording::{Recording, Stream, mains_name, parse_mains};

/// What the columns mean; shown by `--help`.
const COLUMNS: &str = "\
Two parts, through the same streaming path as the daemon's. Added noise: the first minutes of clean
records of DATA/mitdb with a disturbance at each level. Recorded noise: the records of DATA/nstdb that
have annotations (118e24, 118e12, ...), whole. Beats that the quality gate refuses count, too: what is
scored is the detector; the last two columns say what the gate made of them.

Noises     bw, em, ma        baseline wander, electrode motion, muscles as recorded in DATA/nstdb
           emg               white noise of 20-110 Hz that swells and ebbs each second
           motion            steps that return in 0.05-0.6 s, every 1.4 s, and noise of 0.5-8 Hz
           white, mains50, mains60
SNR        10 log10(S/N) as nst(1) has it: S = (median peak-to-peak of the QRS)^2 / 8, a sine as tall as
           the QRS. N = the variance of what is added, over all of it; with --noise-power windowed the
           mean square of windows of 1 s without their own mean, as nst takes it (to that, slow wander
           is next to silent, and the same level of bw is 11-13 dB more of it)
Samples    codes of 1 uV at the record's own sampling frequency; a level of the same record, noise and
           seed is the same disturbance, louder. --save writes them for other detectors
FP FN F1   as in `ecgid evaluate qrs`: one-to-one, nearest first, within 150 ms (F1@50: 50 ms)
MAE        mean absolute error of R over the pairs within 150 ms, ms
gate       per cent of the true and of the false beats that the quality gate accepts
peer       with --peers: the best other detector at that level on the same samples, by F1

Examples
  ecgid evaluate noise DATA                              all levels, seed 1
  ecgid evaluate noise DATA --noise emg --levels 6,0     two levels of one noise
  ecgid evaluate noise DATA --seeds 1,2,3 --save noisy   three draws; the records as WFDB in noisy/
  ecgid evaluate noise DATA --seeds 1,2,3 --peers docs/peers-noise.json --plot noise.svg
  python3 scripts/peers_noise.py                         runs the other detectors and makes that file";

/// Arguments of `ecgid evaluate noise`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = COLUMNS)]
pub struct Args {
    /// Folder that holds mitdb and nstdb
    data: PathBuf,
    /// Clean records of DATA/mitdb that noise is added to
    #[arg(long, value_delimiter = ',', default_value = "101,115,122,230")]
    records: Vec<String>,
    /// What is added
    #[arg(long, value_delimiter = ',', default_value = "bw,emg,motion", value_parser = Noise::parse)]
    noise: Vec<Noise>,
    /// Signal-to-noise ratios, dB
    #[arg(long, value_delimiter = ',', default_value = "24,18,12,6,0,-6", allow_hyphen_values = true)]
    levels: Vec<f64>,
    /// Draws of each disturbance; their counts are added
    #[arg(long, alias = "seed", value_delimiter = ',', default_value = "1")]
    seeds: Vec<u64>,
    /// How much of each clean record, from its start, minutes
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// How the power of what is added is taken
    #[arg(long, value_enum, default_value_t = NoisePower::Variance)]
    noise_power: NoisePower,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    /// Write each noisy record (NAME.hea, .dat, .atr) into this folder
    #[arg(long, value_name = "DIR")]
    save: Option<PathBuf>,
    /// Figures of other detectors on the same samples, as scripts/peers_noise.py writes them
    #[arg(long, value_name = "FILE")]
    peers: Option<PathBuf>,
    /// Draw F1 against the level
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NoisePower {
    /// Variance over all samples
    Variance,
    /// Windows of one second, as nst(1)
    Windowed,
}

/// What one record under one condition gave.
#[derive(Debug, Clone)]
struct Outcome {
    score: RecordScore,
    gate: Gate,
    /// Equal samples, equal number.
    fingerprint: u64,
}

/// Runs the command.
///
/// # Errors
/// A folder, record or noise is missing (and which), an argument makes no sense, or a file cannot be written.
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
    check(args)?;
    let (mitdb, nstdb) = (args.data.join("mitdb"), args.data.join("nstdb"));
    let names = records(&mitdb, "atr", &args.records).context(
        "clean records are taken from DATA/mitdb (MIT-BIH Arrhythmia Database, physionet.org/content/mitdb); --records names others",
    )?;
    let library = Library::open(&nstdb, &args.noise)?;
    let open = |name: &String| Clean::open(&mitdb.join(name), "atr", args.minutes);
    let clean = names.iter().map(open).collect::<anyhow::Result<Vec<_>>>()?;
    if let Some(folder) = &args.save {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let conditions = conditions(args, &clean);
    let added = for_each(
        "noisy records",
        &conditions,
        || (),
        |(), (clean, condition)| stress(args, clean, condition, &library).with_context(|| condition.file_name()),
    );
    let added = added.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let in_noise = if nstdb.is_dir() { records(&nstdb, "atr", &[]).unwrap_or_default() } else { Vec::new() };
    let recorded = for_each(
        "recorded noise",
        &in_noise,
        || (),
        |(), name| whole(args, &nstdb.join(name)).with_context(|| name.clone()),
    );
    let recorded = recorded.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    let peers = args.peers.as_deref().map(Peers::open).transpose()?;
    let each = args.records.len() * args.seeds.len();
    let keys = args.noise.iter().flat_map(|noise| args.levels.iter().map(move |snr_db| (noise.name(), *snr_db)));
    let levels =
        keys.zip(added.chunks(each)).map(|((noise, snr_db), part)| Level::new(noise, snr_db, part, peers.as_ref()));
    let recorded = in_noise.iter().zip(&recorded).map(|(name, one)| report::recorded(name, one, peers.as_ref()));
    Ok(Report {
        mains: mains_name(args.mains),
        records: args.records.clone(),
        minutes: args.minutes,
        seeds: args.seeds.clone(),
        noise_power: if args.noise_power == NoisePower::Variance { "variance" } else { "windowed" },
        added: levels.collect(),
        recorded: recorded.collect(),
        peers: peers.map(|peers| peers.about()),
    })
}

fn check(args: &Args) -> anyhow::Result<()> {
    if !(args.minutes > 0.0 && args.minutes.is_finite()) {
        bail!("--minutes {}: give more than 0", args.minutes);
    }
    if let Some(level) = args.levels.iter().find(|level| !(-60.0..=120.0).contains(*level)) {
        bail!("--levels {level}: a signal-to-noise ratio lies between -60 and 120 dB");
    }
    Ok(())
}

/// Noise by noise, level by level; within a level record by record, seed by seed.
fn conditions<'a>(args: &Args, clean: &'a [Clean]) -> Vec<(&'a Clean, Condition)> {
    let mut all = Vec::new();
    for &noise in &args.noise {
        for &snr_db in &args.levels {
            for clean in clean {
                let condition = |&seed| (clean, Condition { record: clean.name.clone(), noise, snr_db, seed });
                all.extend(args.seeds.iter().map(condition));
            }
        }
    }
    all
}

fn stress(args: &Args, clean: &Clean, condition: &Condition, library: &Library) -> anyhow::Result<Outcome> {
    let power = if args.noise_power == NoisePower::Variance { Power::Variance } else { Power::Windowed };
    let coded = clean.stressed(condition, library, power);
    if let Some(folder) = &args.save {
        let marks: Vec<_> = clean.annotations.items.iter().map(|item| (item.sample, item.kind)).collect();
        let about = [format!("{}, noise seed {}", coded.description, condition.seed)];
        writer::write(folder, &condition.file_name(), &coded, &marks, &about)?;
    }
    let samples = coded.millivolts().map(PathInput::of).collect();
    let stream = Stream { format: "record".into(), fs: Hertz(coded.fs), samples, respiration: None };
    pass(args, &stream, &truth_of(&clean.annotations))
}

fn whole(args: &Args, path: &Path) -> anyhow::Result<Outcome> {
    pass(args, &Recording::open(path, 0)?.stream, &truth(path, "atr")?)
}

fn pass(args: &Args, stream: &Stream, truth: &Truth) -> anyhow::Result<Outcome> {
    let passage = stream.pass(0..stream.samples.len(), args.mains)?;
    let score = score(truth, &passage.beat_times_s(stream.fs.0));
    let gate = Gate::of(&passage, stream.fs.0, &truth.beats);
    let bytes = stream.samples.iter().flat_map(|sample| sample.millivolts.to_le_bytes());
    Ok(Outcome { score, gate, fingerprint: fnv1a(bytes) })
}
