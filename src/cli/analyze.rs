//! `ecgid analyze`: one recording through the streaming path; beats, heart-rate variability and quality come out.
//!
//! The JSON is a contract: other programs read it. Positions are samples of the record as it is on disk, whatever the
//! internal rate.

mod picture;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ecg_signal::hrv::{Analyser, Correction, NnInterval, two_sided};
use ecg_signal::{Beat, Mains, Verdict};
use serde::Serialize;

mod respiration;
mod windows;

use self::respiration::RespirationReport;
use self::windows::WindowsReport;
use super::Failure;
use super::adc::AdcArgs;
use super::file;
use super::hrv::HrvLines;
use crate::event::HrvFigures;
use crate::recording::{Passage, Recording, RecordingError, mains_name, parse_mains};

/// Arguments of `ecgid analyze`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// WFDB record (path without extension, or its .hea) or .csv
    record: PathBuf,
    /// Which signal of the record, counted from 0
    #[arg(long, default_value_t = 0)]
    signal: usize,
    /// Mains frequency that the notch removes: 50, 60 or none
    #[arg(long, default_value = "50", value_parser = parse_mains)]
    mains: Mains,
    #[command(flatten)]
    adc: AdcArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Draw a picture (.svg): the signal raw and conditioned, its beats, their quality, the whole record. It shows a
    /// person's ECG, by which a person can be recognised: treat it as you treat the recording itself
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Where the stretch begins that the picture shows closely; chosen by itself when left out
    #[arg(long, value_name = "SECONDS", requires = "plot", allow_negative_numbers = true)]
    from: Option<f64>,
    /// How long that stretch is: 0.5 to 60 s, 10 when left out
    #[arg(long = "for", value_name = "SECONDS", requires = "plot", allow_negative_numbers = true)]
    length: Option<f64>,
}

/// The analysis of one signal of a record.
#[derive(Debug, Serialize)]
pub struct Analysis {
    record: String,
    signal: String,
    units: String,
    mains: &'static str,
    /// Sampling frequency of the record, Hz.
    fs: f64,
    /// Samples of the record.
    samples: usize,
    beats: Vec<BeatReport>,
    /// The whole record, corrected with the beats before and after each.
    hrv: HrvFigures,
    #[serde(skip)]
    nn: Vec<NnInterval>,
    respiration: RespirationReport,
    quality: QualityReport,
    signal_quality: WindowsReport,
    /// From an R peak to its finished segment, ms.
    delay_ms: f64,
    /// What that delay is made of, ms.
    delay: BTreeMap<&'static str, f64>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct BeatReport {
    /// Samples of the record, fractional, from 0.
    r_peak: f64,
    /// From R to the deflection of the QRS that the lead's other beats have R on, where this beat's R is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    realigned_by_ms: Option<f64>,
    /// Time since the beat before, between those deflections; `None` at the start and after a break.
    rr_ms: Option<f64>,
    /// Quality score, 0…1.
    quality: f64,
    /// The quality gate let it through to identity and HRV.
    accepted: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    /// R against the conditioned baseline, mV.
    amplitude_mv: f64,
}

#[derive(Debug, Serialize)]
struct QualityReport {
    beats: usize,
    accepted: usize,
    accepted_share: f64,
    /// Mean quality score of all beats, 0…1.
    mean_score: Option<f64>,
    /// Refused beats by reason.
    refused: BTreeMap<String, usize>,
    /// The electrodes were probably swapped: P, QRS and T point down. `None` where that is not known.
    lead_inverted: Option<bool>,
    /// Samples that are missing or not finite.
    invalid_samples: usize,
    /// Samples on a rail of the converter.
    clipped_samples: usize,
}

/// How many of all there are, in per cent and rounded down: only all of them are 100.0.
fn percent(some: usize, all: usize) -> String {
    let thousandths = (1000 * some).checked_div(all).unwrap_or(0);
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// Runs the command.
///
/// # Errors
/// The record, and what to do.
pub fn main(args: Args) -> Result<(), Failure> {
    if let Some(plot) = args.plot.as_deref().filter(|plot| plot.extension().is_none_or(|e| e != "svg")) {
        return Err(
            anyhow::anyhow!("--plot {}: the picture is an SVG; let its name end in .svg", plot.display()).into()
        );
    }
    let recording = Recording::open_with(&args.record, args.signal, args.adc.adc())?;
    let stream = &recording.stream;
    let passage = stream
        .pass(0..stream.samples.len(), args.mains)
        .map_err(|source| RecordingError::Path { path: args.record.clone(), source })?;
    let analysis = Analysis::of(&recording, &passage, args.mains);
    let draw = |plot: &Path| draw(&args, plot, &recording, &passage, &analysis);
    let picture = args.plot.as_deref().map(draw).transpose()?;
    if args.json {
        say!("{}", serde_json::to_string(&analysis)?);
    } else {
        say!("{}", analysis.to_string().trim_end());
    }
    if let (Some(plot), Some(svg)) = (&args.plot, picture) {
        file::write("the picture", plot, &svg)?;
    }
    Ok(())
}

fn draw(
    args: &Args,
    plot: &Path,
    recording: &Recording,
    passage: &Passage,
    analysis: &Analysis,
) -> anyhow::Result<String> {
    let word = |path: &Path| quoted(&path.to_string_lossy());
    let mut adc = String::new();
    for (name, value) in [("gain", args.adc.gain), ("vref", args.adc.vref)] {
        adc += &value.map(|value| format!(" --{name} {value}")).unwrap_or_default();
    }
    let command = format!(
        "ecgid analyze {} --signal {} --mains {}{adc} --plot {}",
        word(&args.record),
        args.signal,
        mains_name(args.mains),
        word(plot)
    );
    let asked = picture::Asked { from_s: args.from, for_s: args.length };
    picture::Picture { recording, passage, analysis, signal: args.signal, mains: args.mains, asked, command }
        .svg()
        .with_context(|| format!("cannot draw {}", args.record.display()))
}

/// A word of a command line as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

impl Analysis {
    /// The figures of a recording and of what the streaming path made of it.
    #[must_use]
    pub fn of(recording: &Recording, passage: &Passage, mains: Mains) -> Self {
        let stream = &recording.stream;
        let delay = &passage.delay;
        let nn = two_sided(&passage.rr_intervals(stream.fs.0));
        Self {
            record: recording.name.clone(),
            signal: recording.signal.clone(),
            units: recording.units.clone(),
            mains: mains_name(mains),
            fs: stream.fs.0,
            samples: stream.samples.len(),
            beats: passage.beats.iter().map(report).collect(),
            hrv: hrv(&nn),
            nn,
            respiration: RespirationReport::of(&passage.breathing),
            quality: quality(recording, passage),
            signal_quality: WindowsReport::of(&passage.windows),
            delay_ms: delay.r_to_segment_ms,
            delay: BTreeMap::from([
                ("slew_ms", delay.slew_ms),
                ("resampler_ms", delay.resampler_ms),
                ("conditioner_ms", delay.conditioner_ms),
                ("detector_ms", delay.detector_ms),
                ("segment_ms", delay.segment_ms),
            ]),
            warnings: recording.warnings.clone(),
        }
    }
}

fn report(beat: &Beat) -> BeatReport {
    BeatReport {
        r_peak: beat.r_peak,
        realigned_by_ms: (beat.realigned_by_ms != 0.0).then_some(beat.realigned_by_ms),
        rr_ms: beat.rr_ms,
        quality: beat.quality.score,
        accepted: beat.quality.verdict == Verdict::Accepted,
        refused: refusal(beat),
        amplitude_mv: beat.amplitude_mv,
    }
}

fn refusal(beat: &Beat) -> Option<String> {
    match beat.quality.verdict {
        Verdict::Accepted => None,
        Verdict::Refused(why) => Some(why.name().to_owned()),
    }
}

fn hrv(intervals: &[NnInterval]) -> HrvFigures {
    HrvFigures::from(&Analyser::new().corrected(intervals, Correction::TwoSided))
}

fn quality(recording: &Recording, passage: &Passage) -> QualityReport {
    let beats = passage.beats.len();
    let mut refused = BTreeMap::new();
    for why in passage.beats.iter().filter_map(refusal) {
        *refused.entry(why).or_insert(0) += 1;
    }
    let samples = &recording.stream.samples;
    let scores = passage.beats.iter().map(|b| b.quality.score).sum::<f64>();
    QualityReport {
        beats,
        accepted: passage.accepted().count(),
        accepted_share: passage.accepted_share(),
        mean_score: (beats > 0).then(|| scores / beats as f64),
        refused,
        lead_inverted: passage.lead_inverted,
        invalid_samples: samples.iter().filter(|s| !s.millivolts.is_finite()).count(),
        clipped_samples: samples.iter().filter(|s| s.clipped).count(),
    }
}

impl std::fmt::Display for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (q, h) = (&self.quality, &self.hrv);
        writeln!(
            f,
            "{}, signal {}: {:.1} s at {} Hz",
            self.record,
            self.signal,
            self.samples as f64 / self.fs,
            self.fs
        )?;
        for warning in &self.warnings {
            writeln!(f, "  note: {warning}")?;
        }
        writeln!(f, "beats      {} found, {} accepted ({})", q.beats, q.accepted, percent(q.accepted, q.beats))?;
        for (why, n) in &q.refused {
            writeln!(f, "           {n} refused: {why}")?;
        }
        if q.lead_inverted == Some(true) {
            writeln!(f, "lead       probably inverted: P, QRS and T point down; are the electrodes swapped?")?;
        }
        if q.invalid_samples + q.clipped_samples > 0 {
            writeln!(f, "samples    {} missing, {} clipped", q.invalid_samples, q.clipped_samples)?;
        }
        write!(f, "{}", HrvLines(h))?;
        write!(f, "{}", self.respiration)?;
        write!(f, "{}", self.signal_quality)?;
        writeln!(f, "delay      {:.0} ms from R to the finished segment (mains {})", self.delay_ms, self.mains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_a_few_are_not_all() {
        assert_eq!(percent(1861, 1866), "99.7 %");
        assert_eq!(percent(99_999, 100_000), "99.9 %");
        assert_eq!((percent(5, 5), percent(0, 0)), ("100.0 %".to_owned(), "0.0 %".to_owned()));
    }
}
