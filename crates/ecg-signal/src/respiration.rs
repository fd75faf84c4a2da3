//! Respiration: the rate of breathing from the board's impedance channel and from the beats, and how far the two agree.
//!
//! Breathing moves the impedance between the electrodes directly. It also moves the heart against them, so that the
//! QRS grows and shrinks with every breath (Moody, Mark, Zoccola, Mantero, *Derivation of respiratory signals from
//! multi-lead ECGs*, Computers in Cardiology 12:113, 1985). Both waveforms are brought to [`TICKS_PER_S`]; every
//! [`REFRESH_S`] the newest [`WINDOW_S`] of each are searched for the period at which they repeat. A rate that the
//! waveform does not carry is not given, and the reason is.
//!
//! A QRS is one sample of the breath: breathing faster than half of the heart rate cannot be told from slower
//! breathing by the ECG, and is refused or, worse, folded. Only the impedance sees it; then the two disagree.
//!
//! Beside the signal path and not within it: nothing here changes a beat. Must not know how a beat was found, nor the
//! unit of the impedance: codes will do.

mod beats;
mod impedance;
mod periodicity;
mod stretch;
mod wave;

use crate::beat::Beat;
use crate::filter::design::DesignError;
use crate::units::{Hertz, SampleIndex};
use beats::QrsWave;
use impedance::ImpedanceWave;
use periodicity::{Limits, Periodicity, Spectrum};
use wave::{Span, Wave};

/// Both waveforms have so many values a second: six for the fastest breath.
pub const TICKS_PER_S: f64 = 4.0;
/// Rates that are looked for, breaths a minute. Adults at rest have 12 to 20; 4 is guided slow breathing, 40 a child or
/// distress.
pub const RATE_RANGE_PER_MIN: (f64, f64) = (4.0, 40.0);
/// Longest stretch that a rate rests on, in seconds: four breaths of the slowest kind.
pub const WINDOW_S: f64 = 60.0;
/// Shortest stretch that a rate rests on, in seconds (Charlton et al., *An assessment of algorithms to estimate
/// respiratory rate from the electrocardiogram and photoplethysmogram*, Physiological Measurement 37:610, 2016, take
/// 32 s). A period is looked for up to a third of the stretch.
pub const NEEDED_S: f64 = 30.0;
/// Time between two estimates, in seconds.
pub const REFRESH_S: f64 = 5.0;

const WINDOW_TICKS: usize = (WINDOW_S * TICKS_PER_S) as usize;
const NEEDED_TICKS: usize = (NEEDED_S * TICKS_PER_S) as usize;
/// Beats that end longer ago than this say nothing about now, in seconds.
const STALE_S: f64 = 6.0;
/// The lowest wave of the heart in the impedance lies at the heart rate; what is as fast as this share of it is no
/// breath.
const HEART_SHARE: f64 = 0.8;

/// A QRS whose size moves by less than this share of it (root mean square) does not show the breath: so much is left of
/// where its top falls between two samples.
const LEAST_SHARE: f64 = 0.002;

/// A rate of breathing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RespirationRate {
    /// Breaths a minute, within [`RATE_RANGE_PER_MIN`].
    pub per_min: f64,
    /// How well the waveform repeats after one breath: the height of the autocorrelation there, 0 … 1. A rate is given
    /// from [`PERIODICITY_FLOOR`] on.
    pub periodicity: f64,
    /// Length of the stretch that it rests on, in seconds.
    pub window_s: f64,
}

pub use periodicity::PERIODICITY_FLOOR;

/// Why there is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NoRate {
    /// There is no such waveform: the board has no respiration channel.
    Absent,
    /// Too little has come since the start, a gap or a lost contact.
    Collecting,
    /// The waveform does not move: the channel is not wired, an electrode is off, or the size of the QRS is always the
    /// same.
    Still,
    /// Movement hides the breath.
    Motion,
    /// No period is clear: noise, irregular breathing, a held breath, or breathing out of range.
    Irregular,
}

impl NoRate {
    /// A word for reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Collecting => "collecting",
            Self::Still => "still",
            Self::Motion => "motion",
            Self::Irregular => "irregular",
        }
    }
}

/// How far impedance and ECG agree; only where both have a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Rate by impedance minus rate by ECG, breaths a minute.
    pub difference_per_min: f64,
    /// Highest absolute correlation of the two waveforms within half a breath of each other, in the band of both,
    /// 0 … 1: the two have no common sign and no common delay, but the same breaths. Two that have nothing to do with
    /// each other reach about a third.
    pub similarity: f64,
}

/// What a rate was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RespirationSource {
    /// The impedance channel.
    Impedance,
    /// The size of the QRS.
    Ecg,
}

impl RespirationSource {
    /// A word for reports and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Impedance => "impedance",
            Self::Ecg => "ecg",
        }
    }
}

/// What is known of the breathing at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breathing {
    /// By the impedance channel.
    pub impedance: Result<RespirationRate, NoRate>,
    /// By the size of the QRS.
    pub ecg: Result<RespirationRate, NoRate>,
    /// How far the two agree; `None` where one of them has no rate.
    pub agreement: Option<Agreement>,
    /// Source samples since the start, lost ones counted, when this was found.
    pub index: SampleIndex,
}

impl Breathing {
    /// The rate to show, and where it is from: the impedance where it has one, since it sees the breath itself.
    pub fn rate(&self) -> Option<(RespirationRate, RespirationSource)> {
        let impedance = self.impedance.ok().map(|rate| (rate, RespirationSource::Impedance));
        impedance.or(self.ecg.ok().map(|rate| (rate, RespirationSource::Ecg)))
    }
}

/// Follows the breathing of one source: takes each of its samples, and the beats that the signal path found in it.
#[derive(Clone, Debug)]
pub struct RespirationMonitor {
    fs: Hertz,
    index: SampleIndex,
    next_refresh: SampleIndex,
    impedance: ImpedanceWave,
    qrs: QrsWave,
    periodicity: Periodicity,
    by_impedance: Spectrum,
    by_qrs: Spectrum,
}

impl RespirationMonitor {
    /// A monitor for a source at `fs` that has seen nothing.
    ///
    /// # Errors
    /// [`DesignError`] where `fs` is below 25 Hz: no signal path runs there.
    pub fn new(fs: Hertz) -> Result<Self, DesignError> {
        let periodicity = Periodicity::new();
        Ok(Self {
            fs,
            index: 0,
            next_refresh: refresh_samples(fs),
            impedance: ImpedanceWave::new(fs)?,
            qrs: QrsWave::new(fs),
            by_impedance: periodicity.spectrum(),
            by_qrs: periodicity.spectrum(),
            periodicity,
        })
    }

    /// Takes the impedance at one source sample, in any unit; `None`, or what is not finite, where there is none or
    /// where it must not be believed (an electrode is off). Gives what is known every [`REFRESH_S`].
    #[inline]
    pub fn push(&mut self, impedance: Option<f64>) -> Option<Breathing> {
        self.impedance.push(impedance, self.index);
        self.index += 1;
        (self.index >= self.next_refresh).then(|| self.refresh())
    }

    /// Takes a beat of this source, in the order of the beats.
    pub fn push_beat(&mut self, beat: &Beat) {
        self.qrs.push(beat);
    }

    /// `missing` source samples were lost here, or, with none missing, contact was: no waveform reaches across.
    pub fn gap(&mut self, missing: u64) {
        self.index = self.index.saturating_add(missing);
        self.next_refresh = self.next_refresh.max(self.index);
        self.impedance.interrupt();
        self.qrs.interrupt();
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.impedance.reset();
        self.qrs.interrupt();
        self.index = 0;
        self.next_refresh = refresh_samples(self.fs);
    }

    /// How late a breath is seen in the impedance, in source samples. The QRS tells of it a beat later.
    pub fn delay(&self) -> f64 {
        self.impedance.delay()
    }

    fn refresh(&mut self) -> Breathing {
        self.next_refresh = self.index + refresh_samples(self.fs);
        let now = self.index as f64 * TICKS_PER_S / self.fs.0;
        if self.qrs.wave().end() as f64 + STALE_S * TICKS_PER_S < now {
            self.qrs.interrupt();
        }
        let heart_hz = self.qrs.heart_hz();
        let (by_impedance, by_qrs) = spans(self.impedance.wave(), self.qrs.wave());
        let fastest = |share: f64| heart_hz.map_or(f64::INFINITY, |hz| share * hz);
        let impedance = if self.impedance.is_absent() {
            Err(NoRate::Absent)
        } else {
            let limits = Limits { fastest_hz: fastest(HEART_SHARE), joined_s: 0.0, least_share: 0.0 };
            self.periodicity.rate(self.impedance.wave(), by_impedance, limits, &mut self.by_impedance)
        };
        let joined_s = heart_hz.map_or(0.0, f64::recip);
        let limits = Limits { fastest_hz: fastest(0.5), joined_s, least_share: LEAST_SHARE };
        let ecg = self.periodicity.rate(self.qrs.wave(), by_qrs, limits, &mut self.by_qrs);
        let agreement = match (impedance, ecg) {
            (Ok(impedance), Ok(ecg)) if by_impedance == by_qrs => Some(Agreement {
                difference_per_min: impedance.per_min - ecg.per_min,
                similarity: self.periodicity.similarity(&self.by_impedance, &self.by_qrs, impedance.per_min),
            }),
            _ => None,
        };
        Breathing { impedance, ecg, agreement, index: self.index }
    }
}

fn refresh_samples(fs: Hertz) -> u64 {
    (fs.samples(REFRESH_S) as u64).max(1)
}

/// The stretches to look at: the same one of both waveforms where both are long enough, so that they can be compared.
fn spans(impedance: &Wave, qrs: &Wave) -> (Span, Span) {
    let (a, b) = (impedance.newest(WINDOW_TICKS), qrs.newest(WINDOW_TICKS));
    let common = Span { begin: a.begin.max(b.begin), end: a.end.min(b.end) };
    let common = Span { begin: common.begin.max(common.end.saturating_sub(WINDOW_TICKS as u64)), ..common };
    if common.len() >= NEEDED_TICKS { (common, common) } else { (a, b) }
}
