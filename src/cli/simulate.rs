//! `ecgid simulate`: a board on a pseudo-terminal, or synthetic recordings in a folder.

mod files;
mod lead_off;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use clap::value_parser;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_data::{Fault, Record, SimulatedBoard};
use ecg_signal::{Hertz, resample};
use ecg_wire::Format;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::lead_off::{Absence, parse_absences};
use super::Failure;
use super::replay::{Speed, parse_speed};
use super::run::{runtime, stop_on_signal};
use crate::board::player::{Feed, Player};
use crate::board::terminal::Terminal;

/// The last bytes are read before the cable goes.
const DRAIN: Duration = Duration::from_millis(500);

/// Arguments of `ecgid simulate`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["pty", "csv"]))]
pub struct Args {
    /// A board on a pseudo-terminal; prints the path to give to `source.port`
    #[arg(long)]
    pty: bool,
    /// Recordings and a manifest in this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["record", "link", "garbage_at", "lead_off", "for"])]
    csv: Option<PathBuf>,
    /// Wire format of the board
    #[arg(long, value_name = "FORMAT", default_value = "cwxs-bin")]
    format: Format,
    /// Samples a second [default: the format's usual rate]
    #[arg(long, value_name = "HZ")]
    fs: Option<f64>,
    /// Times real time, or `max`: as fast as the reader takes it
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = parse_speed)]
    speed: Speed,
    /// The synthetic subject on the electrodes; the first one of a folder
    #[arg(long, value_name = "N", default_value_t = 1)]
    subject_seed: u64,
    /// The same subject on another day: electrodes elsewhere by a little, another heart rate
    #[arg(long, value_name = "N", conflicts_with = "record")]
    session: Option<u64>,
    /// Play this recording (WFDB record, `.hea` or `.csv`) instead, once, brought to the board's rate
    #[arg(long, value_name = "RECORD", conflicts_with = "subject_seed")]
    record: Option<PathBuf>,
    /// Which signal of the recording, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0, requires = "record")]
    signal: usize,
    /// A symbolic link to the terminal, so that the board comes back under the same name; one that leads to a terminal
    /// that exists is left alone
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Stop after this time, for instance 90s or 5m [default: at the end of the recording, or never]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    r#for: Option<Duration>,
    /// Take an electrode off, AT+FOR seconds of sample time, commas between: 20+3,45+3. Each time it comes back, it sits a
    /// little elsewhere
    #[arg(long, value_name = "AT+FOR,...", value_parser = parse_absences, conflicts_with_all = ["record", "garbage_at"])]
    lead_off: Option<Schedule>,
    /// Send garbage after so many seconds of sample time
    #[arg(long, value_name = "SECONDS")]
    garbage_at: Option<f64>,
    /// How much garbage
    #[arg(long, value_name = "BYTES", default_value_t = 600)]
    garbage_bytes: u32,
    /// Subjects in the folder, two sessions each
    #[arg(long, value_name = "N", default_value_t = 4, requires = "csv", value_parser = value_parser!(u64).range(1..))]
    subjects: u64,
    /// Length of each recording in the folder
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, requires = "csv", value_parser = parse_seconds)]
    seconds: f64,
    /// Replace a manifest and recordings that stand in the folder
    #[arg(long, requires = "csv")]
    force: bool,
}

/// When an electrode is off; a type of its own, because an argument that is a list is read item by item.
#[derive(Debug, Clone)]
struct Schedule(Vec<Absence>);

/// A day at most: the second session is a week after the first.
fn parse_seconds(given: &str) -> Result<f64, String> {
    given.parse().ok().filter(|s| (1.0..=86_400.0).contains(s)).ok_or_else(|| "1 to 86400 seconds".to_owned())
}

/// Reads `90`, `90s`, `5m` or `1h`.
///
/// # Errors
/// In words.
pub fn parse_time(given: &str) -> Result<Duration, String> {
    let (number, unit) = match given.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &given[number.len()..]),
        None => (given, "s"),
    };
    let factor = match unit {
        "h" => 3600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    match number.parse::<f64>() {
        Ok(value) if value > 0.0 && value * factor < 1e9 => Ok(Duration::from_secs_f64(value * factor)),
        _ => Err("a time such as 90s, 5m or 1h".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// No pseudo-terminal, or a file that cannot be read or written.
pub fn main(args: Args) -> Result<(), Failure> {
    if let Some(folder) = &args.csv {
        files::write(folder, args.subjects, args.subject_seed, args.seconds, args.force)?;
        say!("{} subjects in two sessions each, synthetic, in {}", args.subjects, folder.display());
        return Ok(());
    }
    let mut player = player(&args)?;
    runtime()?.block_on(async {
        let cancel = CancellationToken::new();
        stop_on_signal(cancel.clone())?;
        let terminal = Terminal::open(args.link.as_deref())?;
        say!("{}", terminal.path().display());
        let played = async {
            terminal.wait_reader().await;
            if let Some(at) = args.garbage_at
                && player.play(&terminal, Some(at)).await?
            {
                player.board.inject(Fault::Garbage { bytes: args.garbage_bytes });
            }
            let schedule = args.lead_off.iter().flat_map(|schedule| &schedule.0);
            lead_off::play(&mut player, &terminal, schedule, &args).await?;
            player.play(&terminal, None).await?;
            sleep(DRAIN).await;
            Ok::<(), std::io::Error>(())
        };
        let limit = async {
            match args.r#for {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = played => Ok(ended.context("the pseudo-terminal broke")?),
            () = limit => Ok(()),
            () = cancel.cancelled() => Ok(()),
        }
    })
}

fn player(args: &Args) -> Result<Player, Failure> {
    let fs = args.fs.unwrap_or(args.format.spec().fs_hz);
    let feed = match &args.record {
        Some(record) => Feed::Record(millivolts(record, args.signal, fs)?.into_iter()),
        None => Feed::Heart(Box::new(heart(args, fs, 0)?)),
    };
    let board = SimulatedBoard::new(args.format, fs, args.subject_seed);
    Ok(Player { feed, board, speed: args.speed.0 })
}

/// The subject of the arguments, after the electrodes were put back `times` times.
fn heart(args: &Args, fs: f64, times: u64) -> Result<SyntheticHeart, ecg_data::heart::HeartError> {
    let subject = HeartParams::from_seed(args.subject_seed);
    let today = args.session.map_or_else(|| subject.clone(), |session| subject.in_session(session));
    let placed = if times == 0 { today.clone() } else { today.placed(times) };
    let seed = args.subject_seed ^ (args.session.unwrap_or(0) << 32) ^ (times << 48);
    Ok(SyntheticHeart::new(&placed, fs, seed)?.with_noise(Noise::at_rest()))
}

/// One signal of a recording at the board's rate.
fn millivolts(record: &Path, signal: usize, fs: f64) -> Result<Vec<f64>, Failure> {
    let opened = Record::open(record)?;
    let Some(chosen) = opened.signals.get(signal) else {
        let count = opened.signals.len();
        return Err(anyhow!("{} has {count} signals, counted from 0: no signal {signal}", record.display()).into());
    };
    if (opened.fs - fs).abs() < 1e-9 {
        return Ok(chosen.samples.clone());
    }
    // Samples that are missing in the recording cannot be resampled: the last value is held in their place.
    let mut held = 0.0;
    let bridge = |&millivolts: &f64| {
        held = if millivolts.is_finite() { millivolts } else { held };
        held
    };
    let bridged: Vec<f64> = chosen.samples.iter().map(bridge).collect();
    resample(&bridged, Hertz(opened.fs), Hertz(fs)).map_err(|error| {
        anyhow!("{} at {} Hz cannot be brought to {fs} Hz: {error}", record.display(), opened.fs).into()
    })
}
