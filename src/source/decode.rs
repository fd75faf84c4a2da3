//! From a board's bytes to samples in millivolts, with every loss accounted for.
//!
//! Pure: bytes and the time of their arrival come in, [`SourceItem`]s go out; no port, no socket, no clock. The format
//! is given or recognised, and then pinned for the life of the process: another format later is a fault, since
//! identity must not silently move to another front end.

use std::time::Duration;

use ecg_signal::PathInput;
use ecg_wire::{
    DETECTION_WINDOW, Decoded, Decoder, EcgChannel, Format, Options, Refusal, Sample, detect, millivolts_per_code,
};

use super::rate::{RateMonitor, SteadyRate, nominal};
use crate::pipeline::flow::{Flow, Problem, ProblemKind, SourceItem, SourceSample};
use crate::pipeline::front_end::FrontEnd;

/// New bytes between two attempts to recognise the format.
const STRIDE: usize = 256;
/// Bytes without one good frame after which a pinned decoder asks whether another format has taken its place.
const BARREN: usize = 2048;
/// Bytes in no known format after which the user is told.
const UNKNOWN_AFTER: usize = 2 * DETECTION_WINDOW;
/// The rate of arrival is measured over so long, twice.
const RATE_WINDOW: Duration = Duration::from_secs(10);
/// A silence before a restart of the board that is shorter than this is no gap of its own, seconds.
const SHORTEST_ABSENCE_S: f64 = 0.2;

/// What is known about the board beforehand.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecodeOptions {
    /// The wire format; `None` recognises it.
    pub format: Option<Format>,
    /// Sampling frequency in Hz; `None` takes the format's usual one.
    pub fs_hz: Option<f64>,
    /// Gain of the amplifier; `None` takes the format's usual one.
    pub gain: Option<f64>,
    /// Reference voltage of the converter, V; `None` takes the format's usual one.
    pub vref_volts: Option<f64>,
    /// Which converter channel carries the ECG.
    pub ecg_channel: EcgChannel,
}

/// Turns bytes into samples; one for the life of a source, across reconnections.
#[derive(Debug)]
pub struct ByteDecoder {
    options: DecodeOptions,
    state: State,
}

#[derive(Debug)]
enum State {
    Searching { window: Vec<u8>, fresh: usize, seen: usize, told: bool },
    Pinned(Box<Pinned>),
}

impl ByteDecoder {
    /// A decoder that knows what the options say.
    #[must_use]
    pub fn new(options: DecodeOptions) -> Self {
        let state = match options.format {
            Some(format) => State::Pinned(Box::new(Pinned::new(format, &options))),
            None => State::searching(),
        };
        Self { options, state }
    }

    /// The format, once it is known.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        match &self.state {
            State::Searching { .. } => None,
            State::Pinned(pinned) => Some(pinned.format),
        }
    }

    /// Takes bytes that arrived at `now` (any origin, never backwards); adds what they say to `items`.
    pub fn push(&mut self, bytes: &[u8], now: Duration, items: &mut Vec<SourceItem>) {
        match &mut self.state {
            State::Pinned(pinned) => pinned.push(bytes, now, items),
            State::Searching { window, fresh, seen, told } => {
                window.extend_from_slice(bytes);
                *fresh += bytes.len();
                *seen += bytes.len();
                if *fresh < STRIDE {
                    return;
                }
                *fresh = 0;
                if let Some(format) = recognise(window) {
                    tracing::info!(format = format.name(), "recognised the wire format");
                    let mut pinned = Box::new(Pinned::new(format, &self.options));
                    pinned.push(window, now, items);
                    self.state = State::Pinned(pinned);
                    return;
                }
                if *seen >= UNKNOWN_AFTER && !*told {
                    *told = true;
                    items.push(SourceItem::Problem(unknown_format()));
                }
                let old = window.len().saturating_sub(DETECTION_WINDOW);
                window.drain(..old);
            }
        }
    }

    /// The line speed was changed while the format is searched: bytes before and after do not belong together. What
    /// has come in no known format still counts.
    pub fn retuned(&mut self) {
        if let State::Searching { window, fresh, .. } = &mut self.state {
            window.clear();
            *fresh = 0;
        }
    }

    /// The connection was lost: a partial frame is void, and the time until samples come again is a gap.
    pub fn interrupted(&mut self) {
        match &mut self.state {
            State::Searching { .. } => self.state = State::searching(),
            State::Pinned(pinned) => pinned.interrupted(),
        }
    }
}

impl State {
    fn searching() -> Self {
        Self::Searching { window: Vec::new(), fresh: 0, seen: 0, told: false }
    }
}

/// The format of the newest bytes.
fn recognise(bytes: &[u8]) -> Option<Format> {
    detect(&bytes[bytes.len().saturating_sub(DETECTION_WINDOW)..]).map(|found| found.format)
}

/// What is said of bytes in no known format.
pub(super) fn unknown_format() -> Problem {
    let text = "bytes arrive in no known format: check the baud rate, set source.format, or look with `ecgid probe`";
    Problem { kind: ProblemKind::UnknownFormat, text: text.to_owned() }
}

/// A decoder whose format is settled, with the accounts of what is missing.
#[derive(Debug)]
struct Pinned {
    format: Format,
    front_end: FrontEnd,
    millivolts_per_code: f64,
    has_counter: bool,
    decoder: Decoder,
    monitor: RateMonitor,
    steady: SteadyRate,
    /// `online` has been said for this connection.
    announced: bool,
    /// When the last sample came, once one has.
    last_sample: Option<Duration>,
    /// The connection was lost since the last sample.
    away: bool,
    /// The last bytes, while no good frame is found in them.
    barren: Vec<u8>,
    /// Another format was seen in them.
    foreign: bool,
    rate_told: bool,
    /// The last push ended in something refused, and a gap has been said for it.
    broken: bool,
}

/// What one push found, in order, before it is handed over.
#[derive(Default)]
struct Batch {
    flows: Vec<Flow<SourceSample>>,
    block: Vec<SourceSample>,
    refused: u64,
    samples: u64,
    /// Frames known to be missing before the next sample, and whether anything was refused there.
    missing: u64,
    tainted: bool,
    /// The board's counter began again: the board was restarted.
    restarted: bool,
}

impl Batch {
    /// Ends the current block and puts a gap behind it.
    fn gap(&mut self, missing: u64) {
        if !self.block.is_empty() {
            self.flows.push(Flow::Block(std::mem::take(&mut self.block)));
        }
        match self.flows.last_mut() {
            Some(Flow::Gap { missing: before }) => *before += missing,
            _ => self.flows.push(Flow::Gap { missing }),
        }
    }

    /// Adds to the first gap: the samples that are missing there are known from another witness.
    fn widen_first_gap(&mut self, by: u64) {
        let first =
            self.flows.iter_mut().find_map(|flow| if let Flow::Gap { missing } = flow { Some(missing) } else { None });
        if let Some(missing) = first {
            *missing += by;
        }
    }
}

/// What a code is worth as a multiple of what is usual for the format, with the gain and reference voltage of the options.
#[must_use]
pub fn scale(format: Format, options: &DecodeOptions) -> f64 {
    let spec = format.spec_for(options.ecg_channel);
    let (gain, vref_volts) = (options.gain.unwrap_or(spec.gain), options.vref_volts.unwrap_or(spec.vref_volts));
    (vref_volts / gain) / (spec.vref_volts / spec.gain)
}

impl Pinned {
    fn new(format: Format, options: &DecodeOptions) -> Self {
        let spec = format.spec_for(options.ecg_channel);
        let fs_hz = options.fs_hz.unwrap_or(spec.fs_hz);
        let gain = options.gain.unwrap_or(spec.gain);
        let vref = options.vref_volts.unwrap_or(spec.vref_volts);
        let step = millivolts_per_code(gain, vref, spec.code_shift);
        Self {
            format,
            front_end: FrontEnd { format: format.name().to_owned(), fs_hz, scale: scale(format, options) },
            millivolts_per_code: step,
            has_counter: spec.has_counter,
            decoder: Decoder::new(
                format,
                Options { ecg_channel: options.ecg_channel, millivolts_per_code: Some(step), ..Options::default() },
            ),
            monitor: RateMonitor::new(fs_hz),
            steady: SteadyRate::over(RATE_WINDOW),
            announced: false,
            last_sample: None,
            away: false,
            barren: Vec::new(),
            foreign: false,
            rate_told: false,
            broken: false,
        }
    }

    fn push(&mut self, bytes: &[u8], now: Duration, items: &mut Vec<SourceItem>) {
        let batch = self.decode(bytes);
        if batch.refused > 0 {
            items.push(SourceItem::Refused { frames: batch.refused });
        }
        if self.is_foreign(bytes, batch.samples, items) || (batch.flows.is_empty() && batch.samples == 0) {
            return;
        }
        if !self.announced && batch.samples > 0 {
            self.announced = true;
            items.push(SourceItem::Online(self.front_end.clone()));
        }
        self.account(batch, now, items);
    }

    /// Decodes, with a gap wherever frames are missing or something was refused.
    fn decode(&mut self, bytes: &[u8]) -> Batch {
        let mut batch = Batch::default();
        let (scale, started) = (self.millivolts_per_code, self.last_sample.is_some());
        self.decoder.push(bytes, &mut |decoded| match decoded {
            Decoded::Sample(sample) => {
                let missing = std::mem::take(&mut batch.missing);
                if std::mem::take(&mut batch.tainted) && (started || batch.samples > 0) {
                    batch.gap(missing);
                }
                batch.samples += 1;
                batch.block.push(source_sample(sample, scale));
            }
            Decoded::Missing { frames } => {
                batch.missing += frames;
                batch.tainted = true;
            }
            Decoded::Refused(why) => {
                batch.restarted |= why == Refusal::CounterReset;
                // Before the first sample it is boot text, or the rest of a frame that we came in on.
                batch.refused += u64::from(started || batch.samples > 0);
                batch.tainted = true;
            }
        });
        if batch.tainted && (started || batch.samples > 0) && (batch.missing > 0 || batch.samples > 0 || !self.broken) {
            // Refused at the very end: what follows in the next push must not be joined to this. Said once, however
            // long the garbage is.
            batch.gap(batch.missing);
        }
        self.broken = batch.tainted;
        batch
    }

    /// Whether another format has taken the place of the pinned one; says so once.
    fn is_foreign(&mut self, bytes: &[u8], samples: u64, items: &mut Vec<SourceItem>) -> bool {
        // A frame found by chance in a foreign stream does not end the suspicion; a healthy stretch does.
        let healthy = samples as usize * 64 >= bytes.len();
        if healthy {
            self.barren.clear();
            self.foreign = false;
            return false;
        }
        let before = self.barren.len();
        self.barren.extend_from_slice(bytes);
        if before / STRIDE != self.barren.len() / STRIDE && self.barren.len() >= BARREN {
            if let Some(other) = recognise(&self.barren)
                && other != self.format
                && !self.foreign
            {
                self.foreign = true;
                let text = format!(
                    "{} arrives where {} was pinned: its samples are refused; restart if the board was changed on purpose",
                    other.name(),
                    self.format.name()
                );
                items.push(SourceItem::Problem(Problem { kind: ProblemKind::FrontEndChanged, text }));
            }
            let old = self.barren.len().saturating_sub(DETECTION_WINDOW);
            self.barren.drain(..old);
        }
        self.foreign
    }

    /// Puts the gaps that time tells of around what was decoded.
    fn account(&mut self, mut batch: Batch, now: Duration, items: &mut Vec<SourceItem>) {
        if batch.samples > 0 && std::mem::take(&mut self.away) {
            let absence = self.last_sample.map_or(Duration::ZERO, |last| now.saturating_sub(last));
            let missing = (absence.as_secs_f64() * self.front_end.fs_hz) as u64;
            items.push(SourceItem::Samples(Flow::Gap { missing: missing.max(1) }));
        }
        if batch.restarted {
            // The counter cannot tell what was lost while the board was away; time can.
            let absence = self.last_sample.map_or(0.0, |last| now.saturating_sub(last).as_secs_f64());
            if absence > SHORTEST_ABSENCE_S {
                batch.widen_first_gap(((absence * self.front_end.fs_hz) as u64).saturating_sub(batch.samples));
            }
        }
        if batch.samples > 0 {
            self.last_sample = Some(now);
        }
        if !batch.block.is_empty() {
            batch.flows.push(Flow::Block(std::mem::take(&mut batch.block)));
        }
        let missing = |flow: &Flow<_>| if let Flow::Gap { missing } = flow { *missing } else { 0 };
        let missing: u64 = batch.flows.iter().map(missing).sum();
        self.monitor.credit(missing);
        let by_rate = self.monitor.arrived(now, batch.samples).filter(|_| !self.has_counter);
        items.extend(by_rate.map(|missing| SourceItem::Samples(Flow::Gap { missing })));
        items.extend(batch.flows.into_iter().map(SourceItem::Samples));
        self.compare_rate(now, batch.samples + missing, items);
    }

    /// Says once when what the board has sent by `now` keeps coming at another rate than the configured one.
    fn compare_rate(&mut self, now: Duration, sent: u64, items: &mut Vec<SourceItem>) {
        let fs_hz = self.front_end.fs_hz;
        let Some(hz) = self.steady.arrived(now, sent).map(nominal) else { return };
        if self.rate_told || (hz / fs_hz - 1.0).abs() <= 0.05 {
            return;
        }
        self.rate_told = true;
        let text = if (100.0..=2000.0).contains(&hz) {
            format!("samples arrive at {hz} Hz, not at {fs_hz} Hz: set source.fs_hz = {hz} if the board really runs so")
        } else {
            format!(
                "samples arrive at {hz} Hz, not at {fs_hz} Hz: ecgid takes 100 to 2000 Hz; is the baud rate too low?"
            )
        };
        items.push(SourceItem::Problem(Problem { kind: ProblemKind::Rate, text }));
    }

    fn interrupted(&mut self) {
        self.decoder.reset();
        self.monitor.reset();
        self.steady = SteadyRate::over(RATE_WINDOW);
        self.rate_told = false;
        self.barren.clear();
        self.foreign = false;
        self.announced = false;
        self.away = self.last_sample.is_some();
    }
}

/// One sample, the ECG in the unit of the signal path; respiration stays in codes.
fn source_sample(sample: Sample, millivolts_per_code: f64) -> SourceSample {
    let ecg = PathInput {
        millivolts: f64::from(sample.ecg) * millivolts_per_code,
        clipped: sample.clipped,
        lead_off: sample.lead_off,
    };
    SourceSample { ecg, respiration: sample.respiration.map(f64::from) }
}
