//! `ecgid probe`: listens on a serial port and says what arrives there: format, rate, signal, heart rate, and the
//! lines of configuration that fit. What is in no known format is shown as bytes, here and nowhere else.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use ecg_signal::{Contact, Hertz, Mains, PathConfig, PathInput, SignalPath, SignalState};
use ecg_wire::Format;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

use super::Failure;
use super::run::runtime;
use super::simulate::parse_time;
use crate::pipeline::flow::{Flow, SourceItem};
use crate::source::decode::{ByteDecoder, DecodeOptions};
use crate::source::link::Connector;
use crate::source::rate::{RateMeter, SteadyRate, nominal, snap};
use crate::source::serial::{BAUD_RATES, SerialConnector};

/// A board that was reset by the opening of its port is silent for up to four seconds.
const DWELL: Duration = Duration::from_secs(5);

/// A rate that is no usual one counts where it was measured twice over so long.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// The newest samples are judged, as many as a minute of the fastest board.
const MOST_SAMPLES: usize = 120_000;

/// Bytes of the dump.
const DUMP: usize = 256;

/// Arguments of `ecgid probe`.
#[derive(Debug, clap::Args)]
#[command(after_help = formats())]
pub struct Args {
    /// The serial port, for instance /dev/ttyUSB0 or a name below /dev/serial/by-id/
    port: PathBuf,
    /// Listen at this rate only [default: the usual ones in turn, until a format is recognised]
    #[arg(long)]
    baud: Option<u32>,
    /// How long to measure once the format is known
    #[arg(long = "for", value_name = "TIME", default_value = "11s", value_parser = parse_time)]
    r#for: Duration,
}

fn formats() -> String {
    let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    format!("Known formats: {}", names.join(", "))
}

/// Runs the command.
///
/// # Errors
/// The port cannot be opened, or nothing that is known arrives there.
pub fn main(args: Args) -> Result<(), Failure> {
    let rates = args.baud.map_or(BAUD_RATES.to_vec(), |baud| vec![baud]);
    runtime()?.block_on(async {
        let mut heard = Vec::new();
        for baud in rates {
            note!("listening on {} at {baud} baud", args.port.display());
            match listen(&args, baud).await? {
                Heard::Board(report) => {
                    report.print(&args, baud);
                    return Ok(());
                }
                Heard::Nothing => {}
                Heard::Bytes(bytes) => heard = bytes,
            }
        }
        if heard.is_empty() {
            return Err(anyhow!("nothing arrives on {}: is the board powered?", args.port.display()).into());
        }
        dump(&heard);
        Err(anyhow!("what arrives on {} is in no known format", args.port.display()).into())
    })
}

/// What one baud rate brought.
enum Heard {
    Board(Box<Report>),
    Bytes(Vec<u8>),
    Nothing,
}

/// What is known of a board.
struct Report {
    format: Format,
    measured_hz: Option<f64>,
    /// The rate that the measured one stands for, where it is sure, Hz.
    fs_hz: Option<f64>,
    samples: u64,
    missing: u64,
    refused: u64,
    /// What is seen in the signal at its rate; `None` where no signal path takes that rate.
    state: Option<SignalState>,
}

async fn listen(args: &Args, baud: u32) -> Result<Heard, Failure> {
    let mut connector = SerialConnector::new(&args.port, Some(baud));
    let failed = |error| anyhow!("cannot open {}: {error}", args.port.display());
    let mut port = connector.connect().await.map_err(failed)?;
    let mut decoder = ByteDecoder::new(DecodeOptions::default());
    let (mut newest, mut items, mut buffer) = (Vec::new(), Vec::new(), vec![0; 4096]);
    let started = Instant::now();
    let mut measured: Option<(Instant, Measurement)> = None;
    loop {
        let end = measured.as_ref().map_or(started + DWELL, |(since, _)| *since + args.r#for);
        let left = end.saturating_duration_since(Instant::now());
        let Ok(read) = timeout(left, port.read(&mut buffer)).await else { break };
        let read = read.map_err(|error| anyhow!("reading {} failed: {error}", args.port.display()))?;
        if read == 0 {
            return Err(anyhow!("{} was unplugged or closed", args.port.display()).into());
        }
        newest.extend_from_slice(&buffer[..read]);
        newest.drain(..newest.len().saturating_sub(DUMP));
        decoder.push(&buffer[..read], started.elapsed(), &mut items);
        if let Some(format) = decoder.format() {
            let (_, measurement) = measured.get_or_insert_with(|| (Instant::now(), Measurement::new(format)));
            measurement.take(items.drain(..), started.elapsed());
        }
        items.clear();
    }
    Ok(match measured {
        Some((_, measurement)) => Heard::Board(Box::new(measurement.report())),
        None if newest.is_empty() => Heard::Nothing,
        None => Heard::Bytes(newest),
    })
}

/// The samples and the counts of a board whose format is known.
struct Measurement {
    format: Format,
    newest: VecDeque<PathInput>,
    meter: RateMeter,
    steady: SteadyRate,
    /// What was found last in two windows, Hz.
    steady_hz: Option<f64>,
    samples: u64,
    missing: u64,
    refused: u64,
}

impl Measurement {
    fn new(format: Format) -> Self {
        Self {
            format,
            newest: VecDeque::new(),
            meter: RateMeter::default(),
            steady: SteadyRate::over(RATE_WINDOW),
            steady_hz: None,
            samples: 0,
            missing: 0,
            refused: 0,
        }
    }

    fn take(&mut self, items: impl Iterator<Item = SourceItem>, now: Duration) {
        for item in items {
            match item {
                SourceItem::Samples(Flow::Block(block)) => {
                    self.samples += block.len() as u64;
                    self.meter.arrived(now, block.len() as u64);
                    self.steady_hz = self.steady.arrived(now, block.len() as u64).or(self.steady_hz);
                    self.newest.extend(block.into_iter().map(|sample| sample.ecg));
                    self.newest.drain(..self.newest.len().saturating_sub(MOST_SAMPLES));
                }
                SourceItem::Samples(Flow::Gap { missing }) => self.missing += missing,
                SourceItem::Refused { frames } => self.refused += frames,
                _ => {}
            }
        }
    }

    fn report(self) -> Report {
        let measured_hz = self.meter.hz_after(Duration::from_secs(2));
        let fs_hz = measured_hz.and_then(snap).or(self.steady_hz.map(nominal));
        let usual = self.format.spec().fs_hz;
        let judged_at = fs_hz.filter(|hz| (hz / usual - 1.0).abs() > 0.05).unwrap_or(usual);
        let path = SignalPath::new(&PathConfig { fs: Hertz(judged_at), mains: Mains::Hz50 }).ok();
        let state = path.map(|mut path| {
            self.newest.into_iter().for_each(|input| path.push(input, &mut |_beat| {}));
            path.signal_state()
        });
        Report {
            format: self.format,
            measured_hz,
            fs_hz,
            samples: self.samples,
            missing: self.missing,
            refused: self.refused,
            state,
        }
    }
}

impl Report {
    fn print(&self, args: &Args, baud: u32) {
        let usual = self.format.spec().fs_hz;
        say!("format       {}", self.format);
        match self.measured_hz {
            Some(measured) => say!("rate         {measured:.1} samples a second (usual for the format: {usual})"),
            None => say!("rate         not measured: listen longer with --for"),
        }
        say!("samples      {}, {} missing, {} frames refused", self.samples, self.missing, self.refused);
        if let Some(state) = &self.state {
            say!("electrodes   {}", contact(state.contact));
            say!("quality      {:.0} % of the beats accepted", 100.0 * state.accepted_share);
            if state.lead_inverted == Some(true) {
                say!("lead         probably inverted: P, QRS and T point down; are the electrodes swapped?");
            }
            match state.heart_rate_bpm {
                Some(rate) => say!("heart rate   {rate:.0} beats a minute"),
                None => say!("heart rate   -"),
            }
        }
        say!("\n[source]\nkind = \"serial\"\nport = \"{}\"\nbaud = {baud}", args.port.display());
        say!("format = \"{}\"", self.format);
        match self.unusual_hz() {
            Some(rate) if (100.0..=2000.0).contains(&rate) => say!("fs_hz = {rate:.1}"),
            Some(rate) => say!("# {rate} samples a second: ecgid takes 100 to 2000; is the baud rate too low?"),
            None => {}
        }
    }

    /// The rate of the board where it is not the usual one of its format, Hz.
    fn unusual_hz(&self) -> Option<f64> {
        let usual = self.format.spec().fs_hz;
        self.fs_hz.filter(|rate| (rate / usual - 1.0).abs() > 0.02)
    }
}

fn contact(contact: Contact) -> &'static str {
    match contact {
        Contact::Unknown => "too little has come to tell",
        Contact::Good => "a heart is seen",
        Contact::LeadOff => "an electrode is off",
        Contact::FlatLine => "the line is flat",
        Contact::Clipping => "the converter is at its limit",
        Contact::Noise => "something moves, and it is no heart",
    }
}

/// Sixteen bytes a line, as numbers and as text.
fn dump(bytes: &[u8]) {
    say!("the newest {} bytes:", bytes.len());
    for (row, line) in bytes.chunks(16).enumerate() {
        let hex: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            line.iter().map(|&byte| if (0x20..0x7F).contains(&byte) { byte as char } else { '.' }).collect();
        say!("{:04x}  {:<47}  {text}", row * 16, hex.join(" "));
    }
}

#[cfg(test)]
mod tests {
    use ecg_data::SimulatedBoard;
    use ecg_data::heart::{HeartParams, SyntheticHeart};

    use super::*;

    /// What is found in eleven seconds of a heart on a board that sends `hz` samples a second.
    fn probed(format: Format, hz: f64) -> Report {
        let mut heart = SyntheticHeart::new(&HeartParams::from_seed(1), hz, 1).unwrap();
        let mut board = SimulatedBoard::new(format, hz, 1);
        let mut decoder = ByteDecoder::new(DecodeOptions { format: Some(format), ..DecodeOptions::default() });
        let mut measurement = Measurement::new(format);
        let mut sent = 0;
        for block in 1..=275_u32 {
            let (mut bytes, mut items) = (Vec::new(), Vec::new());
            while f64::from(sent) < f64::from(block) * hz / 25.0 {
                board.push_heart(&heart.step(), &mut bytes);
                sent += 1;
            }
            let now = Duration::from_millis(40) * block;
            decoder.push(&bytes, now, &mut items);
            measurement.take(items.into_iter(), now);
        }
        measurement.report()
    }

    #[test]
    fn a_heart_is_judged_at_the_rate_at_which_the_board_sends_it() {
        let heart_rate = |report: &Report| report.state.as_ref().and_then(|state| state.heart_rate_bpm).unwrap();
        let usual = probed(Format::CwxsBin, 250.0);
        assert_eq!(usual.unusual_hz(), None);
        for hz in [180.0, 200.0, 500.0] {
            let report = probed(Format::CwxsBin, hz);
            assert_eq!(report.unusual_hz(), Some(hz));
            assert!((heart_rate(&report) / heart_rate(&usual) - 1.0).abs() < 0.15, "at {hz} Hz");
        }
        assert_eq!(probed(Format::CwxsBin, 60.0).unusual_hz(), Some(60.0));
        assert!(probed(Format::CwxsBin, 60.0).state.is_none(), "no signal path takes that rate");
    }
}
