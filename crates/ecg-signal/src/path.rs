//! The signal path as one value: millivolts of any source go in, beats come out.
//!
//! ```text
//! slew limit → resampler → first sample off → notch ─┬─▶ QRS detector ──────────┐
//!                                                    └─▶ conditioner → segmenter ┴▶ quality gate → Beat
//! ```
//!
//! Of a source below 250 Hz first sample and mains are taken off before the resampler.
//!
//! The daemon, the trainer, the evaluator and the tests all use this one, so that what a model learned on is what it
//! meets. Every position it gives is in source samples with all delays taken off. It must not know what the beats are
//! used for, nor wall time.

mod cut;
mod input;
mod interior;
mod rate;
mod runs;
mod state;

use std::fmt;

use crate::beat::Beat;
use crate::filter::design::DesignError;
use crate::filter::notch::Mains;
use crate::kernel::Kernel;
use crate::lead::LeadWatch;
use crate::line::BLOCK;
use crate::quality::{MarkBits, WindowQuality};
use crate::resample::ResampleError;
use crate::slew::SlewLimiter;
use crate::units::{Hertz, SampleIndex};
use crate::{FS, SEGMENT_R_INDEX, SEGMENT_SAMPLES};
use cut::CutTops;
use interior::{Interior, RawBeat, Step};

pub use input::PathInput;
use rate::ToPathRate;
use state::StateTracker;
pub use state::{Contact, SignalState};

/// The filter chain and its version: a model card names it, and a model trained on another chain is refused.
pub const CHAIN: &str = "ecgid-chain-2";
/// Sampling frequencies that a source may have.
pub const SOURCE_FS: (Hertz, Hertz) = (Hertz(100.0), Hertz(2000.0));
/// Beats further apart than this have no interval between them.
const LONGEST_RR_MS: f64 = 3000.0;

/// Source samples that are taken at once at the most.
const LONGEST_RUN: usize = 4 * BLOCK;

/// How a path is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathConfig {
    /// Sampling frequency of the source, within [`SOURCE_FS`].
    pub fs: Hertz,
    /// The mains to remove.
    pub mains: Mains,
}

/// Why a path cannot be built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PathError {
    /// The source's sampling frequency lies outside [`SOURCE_FS`].
    SourceRate(Hertz),
    /// The resampler cannot be built.
    Resampler(ResampleError),
    /// A filter cannot be built.
    Filter(DesignError),
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceRate(fs) => {
                write!(f, "a source at {fs} cannot be used: the signal path takes {} to {}", SOURCE_FS.0, SOURCE_FS.1)
            }
            Self::Resampler(error) => error.fmt(f),
            Self::Filter(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for PathError {}

/// How long each part of the path takes, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathDelay {
    /// The limiter of jumps: one sample at 250 Hz.
    pub slew_ms: f64,
    /// The resampler; 0 for a source at 250 Hz.
    pub resampler_ms: f64,
    /// The conditioning chain: it runs while the detector waits.
    pub conditioner_ms: f64,
    /// From R to the detector's decision.
    pub detector_ms: f64,
    /// From R to the last sample of its segment.
    pub segment_ms: f64,
    /// From R at the source to the finished segment: limiter, resampler, and the later of decision and segment.
    pub r_to_segment_ms: f64,
}

/// The whole path from millivolts to beats.
#[derive(Clone, Debug)]
pub struct SignalPath {
    config: PathConfig,
    cut_tops: CutTops,
    slew: SlewLimiter,
    rate: ToPathRate,
    interior: Interior,
    state: StateTracker,
    lead: LeadWatch,
    /// Source samples since the start, lost ones counted; and where the present stretch without a gap began.
    index: SampleIndex,
    base: SampleIndex,
    /// Marks of source samples that have not led to a sample at 250 Hz yet.
    marks: MarkBits,
    held_mv: f64,
    unusable: u64,
    previous_end: Option<f64>,
    /// Source samples that make at most a block at 250 Hz.
    longest: usize,
    buffers: Buffers,
}

/// Memory for one block; in between it is kept.
#[derive(Clone, Debug, Default)]
struct Buffers {
    limited: Vec<f64>,
    resampled: Vec<f64>,
}

impl SignalPath {
    /// A path for one source, at rest.
    ///
    /// # Errors
    /// [`PathError`] when the source's rate is outside 100 … 2000 Hz.
    pub fn new(config: &PathConfig) -> Result<Self, PathError> {
        let possible = config.fs >= SOURCE_FS.0 && config.fs <= SOURCE_FS.1;
        if !possible {
            return Err(PathError::SourceRate(config.fs));
        }
        // One output more than the ratio says, where the block begins just before it.
        let longest = (((BLOCK - 1) as f64 * config.fs.0 / FS.0) as usize).clamp(1, LONGEST_RUN);
        let buffers = Buffers { limited: Vec::with_capacity(longest), resampled: Vec::with_capacity(BLOCK) };
        let (rate, mains) = ToPathRate::new(config.fs, config.mains, longest)?;
        Ok(Self {
            config: *config,
            cut_tops: CutTops::new(config.fs),
            slew: SlewLimiter::new(config.fs),
            rate,
            interior: Interior::new(mains).map_err(PathError::Filter)?,
            state: StateTracker::new(),
            lead: LeadWatch::new(),
            index: 0,
            base: 0,
            marks: MarkBits::default(),
            held_mv: 0.0,
            unusable: 0,
            previous_end: None,
            longest,
            buffers,
        })
    }

    /// Takes one source sample; beats that it decides go to `sink`, in order of time.
    #[inline]
    pub fn push(&mut self, input: PathInput, sink: &mut impl FnMut(Beat)) {
        self.push_block(&[input], sink);
    }

    /// Takes a block of source samples: the same beats as [`SignalPath::push`] of each of them gives, in less time.
    pub fn push_block(&mut self, inputs: &[PathInput], sink: &mut impl FnMut(Beat)) {
        for piece in inputs.chunks(self.longest) {
            // Samples with different marks do not share a block.
            if PathInput::are_alike(piece) {
                self.run(piece, piece[0].bits(), sink);
            } else {
                piece.chunk_by(|a, b| a.bits() == b.bits()).for_each(|run| self.run(run, run[0].bits(), sink));
            }
        }
    }

    /// `missing` source samples were lost here: what is owed comes out, history is forgotten, the index moves on.
    ///
    /// All that stays is the detector's guess at the lead; see [`crate::QrsDetector::gap`].
    pub fn gap(&mut self, missing: u64, sink: &mut impl FnMut(Beat)) {
        self.finish(sink);
        self.index = self.index.saturating_add(missing);
        self.base = self.index;
    }

    /// Ends the record: decides everything that is still held, and forgets the signal. A sample that is pushed afterwards
    /// begins anew at the next index. What is known of the board stays: whether its lead-off bits can be believed.
    pub fn flush(&mut self, sink: &mut impl FnMut(Beat)) {
        self.finish(sink);
        self.interior.reset();
        self.held_mv = 0.0;
    }

    /// Gives what is owed and forgets the samples, but not what is known of the lead.
    fn finish(&mut self, sink: &mut impl FnMut(Beat)) {
        let mut limited = std::mem::take(&mut self.buffers.limited);
        let mut owed = std::mem::take(&mut self.buffers.resampled);
        limited.clear();
        owed.clear();
        limited.extend(std::iter::from_fn(|| self.slew.flush()));
        self.rate.run(&limited, &mut owed);
        self.rate.flush(&mut owed);
        for block in owed.chunks(BLOCK) {
            let first = std::mem::take(&mut self.marks);
            self.through(block, first, MarkBits::default(), sink);
        }
        self.buffers = Buffers { limited, resampled: owed };
        self.interior.finish();
        while let Some(raw) = self.interior.next_beat() {
            self.emit(raw, self.index, sink);
        }
        self.cut_tops.reset();
        self.slew.reset();
        self.rate.reset();
        self.interior.interrupt();
        self.state.interrupt();
        self.lead.reset();
        self.marks = MarkBits::default();
        self.previous_end = None;
        self.base = self.index;
    }

    /// Source samples since the start, lost ones counted: the index that the next sample will have.
    pub fn index(&self) -> SampleIndex {
        self.index
    }

    /// Samples so far that were not usable numbers.
    pub fn unusable_samples(&self) -> u64 {
        self.unusable
    }

    /// How long each part takes.
    pub fn delay(&self) -> PathDelay {
        let slew_ms = self.config.fs.milliseconds(self.slew.delay());
        let resampler_ms = self.config.fs.milliseconds(self.rate.resampler().delay());
        let conditioner_ms = FS.milliseconds(self.interior.conditioner_delay() as f64);
        let detector_ms = FS.milliseconds(self.interior.decision_delay() as f64);
        let segment_ms = FS.milliseconds((SEGMENT_SAMPLES - 1 - SEGMENT_R_INDEX) as f64);
        let r_to_segment_ms = slew_ms + resampler_ms + detector_ms.max(segment_ms + conditioner_ms);
        PathDelay { slew_ms, resampler_ms, conditioner_ms, detector_ms, segment_ms, r_to_segment_ms }
    }

    /// What the chain does to a signal, in words: `ecgid-chain-2 250Hz notch50 bp0.5-40 db6`. A model card keeps
    /// [`CHAIN`] only: the mains of a place are no part of a model.
    pub fn chain_id(&self) -> String {
        let notch = match self.config.mains {
            Mains::Hz50 => "notch50 ",
            Mains::Hz60 => "notch60 ",
            Mains::None => "",
        };
        format!("{CHAIN} {}Hz {notch}bp0.5-40 db6", FS.0)
    }

    /// The signal that segments are cut from, as far as it is still held (the newest 16 s since the start, a gap or a
    /// flush): where each sample at 250 Hz lies in source samples, every delay taken off, and its millivolts. Oldest
    /// first, from behind the source position `after`: who reads every few seconds misses none and gets none twice.
    pub fn conditioned(&self, after: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let segmenter = self.interior.segmenter();
        let at = |k: u64| self.base as f64 + self.rate.resampler().source_position(k as f64);
        segmenter.held().map(move |k| (k, at(k))).filter(move |(_, at)| *at > after).filter_map(|(k, at)| {
            let millivolts = segmenter.sample(k)?;
            Some((at, millivolts))
        })
    }

    /// How the signal is now.
    pub fn signal_state(&self) -> SignalState {
        SignalState {
            lead_inverted: self.lead.is_inverted(),
            lead_off_contradicted: self.interior.gate().lead_off_contradicted(),
            ..self.state.state()
        }
    }

    /// How the last ten seconds were, judged anew each second; `None` in the first four.
    pub fn window_quality(&self) -> Option<&WindowQuality> {
        self.interior.gate().window()
    }

    /// Takes what `inputs` source samples with the same marks have completed of the limited signal.
    fn take(&mut self, limited: &[f64], inputs: usize, bits: MarkBits, sink: &mut impl FnMut(Beat)) {
        self.index += inputs as u64;
        let mut resampled = std::mem::take(&mut self.buffers.resampled);
        let x = if self.config.fs == FS {
            limited
        } else {
            resampled.clear();
            self.rate.run(limited, &mut resampled);
            &*resampled
        };
        self.marks = self.marks.or(bits);
        if !x.is_empty() {
            let first = std::mem::take(&mut self.marks);
            self.through(x, first, bits, sink);
            // Samples behind the last output mark the next one.
            if self.index - self.base > self.inputs_until(self.interior.samples() - 1) {
                self.marks = bits;
            }
        }
        self.buffers.resampled = resampled;
    }

    /// Takes a block at 250 Hz through the interior.
    fn through(&mut self, x: &[f64], first: MarkBits, rest: MarkBits, sink: &mut impl FnMut(Beat)) {
        self.interior.begin(x, first, rest);
        loop {
            match self.interior.step() {
                Step::Samples(marks) => self.state.samples(marks),
                Step::Beat(raw) => {
                    let newest = self.interior.samples().saturating_sub(1);
                    let decided_at = (self.base + self.inputs_until(newest)).min(self.index);
                    self.emit(raw, decided_at, sink);
                }
                Step::Done => return,
            }
        }
    }

    /// How many source samples since the last gap must have come for sample `k` at 250 Hz.
    fn inputs_until(&self, k: u64) -> u64 {
        self.rate.resampler().inputs_until(k) + self.slew.delay() as u64
    }

    fn emit(&mut self, raw: RawBeat, decided_at: SampleIndex, sink: &mut impl FnMut(Beat)) {
        let segment = *self.interior.segment();
        let mut beat = Beat {
            r_peak: self.base as f64 + self.rate.resampler().source_position(raw.r_peak),
            decided_at,
            rr_ms: None,
            polarity: raw.polarity,
            amplitude_mv: segment[SEGMENT_R_INDEX],
            quality: raw.quality,
            segment,
            realigned_by_ms: FS.milliseconds(raw.realigned_by as f64),
        };
        let end = beat.interval_end(self.config.fs.0);
        beat.rr_ms = self
            .previous_end
            .replace(end)
            .filter(|_| !raw.interrupted)
            .map(|previous| self.config.fs.milliseconds(end - previous))
            .filter(|rr| *rr <= LONGEST_RR_MS);
        self.state.beat(beat.rr_ms, beat.quality.verdict);
        if raw.turned {
            self.lead.turn();
        }
        if beat.quality.verdict.is_accepted() {
            self.lead.beat(&beat.segment);
        }
        sink(beat);
    }
}
