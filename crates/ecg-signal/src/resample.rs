//! Any source rate to the rate of the path: a streaming polyphase resampler.
//!
//! Output k stands for the input position k·p/q, an exact fraction kept in integers, so it never drifts. The taps are one
//! of two kinds. *Sharp* ones stop all above half of the lower rate: nothing aliases, and no image appears, above −60 dB.
//! *Prompt* ones, for sources slower than the output, wait for fewer samples: what lies below 40 Hz has no image above
//! −60 dB, what lies above may have one. Must not know what the signal is, except that what matters lies below 40 Hz: the
//! pass band ends there, because a wider one costs delay.
//!
//! The kernel is not a [`crate::Kernel`]: one input may yield up to three outputs (100 Hz to 250 Hz), so it takes a
//! sink.

mod prompt;
mod sharp;

use std::f64::consts::PI;
use std::fmt;

use crate::line::{BLOCK, Line};
use crate::units::Hertz;

/// Highest frequency that is passed unchanged: the upper end of the ECG band of the path.
const PASS_HZ: f64 = 40.0;
/// Attenuation of aliases and images that sharp taps are designed for, in dB (3 dB better than promised).
const ATTENUATION_DB: f64 = 63.0;
/// Slowest source that prompt taps are made for: nearer to 80 Hz, few samples are too few.
const LEAST_PROMPT: Hertz = Hertz(100.0);
/// Largest number of tabulated phases; a ratio that needs more is interpolated between neighbours.
const MOST_PHASES: u64 = 1024;
/// A sampling frequency is taken as the fraction nearest to it with a denominator up to this. The error stays below
/// 10⁻¹² of the rate for every rate that is a ratio of small numbers.
const LARGEST_DENOMINATOR: u64 = 1_000_000;

/// Why a resampler cannot be built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ResampleError {
    /// Both rates must be finite and positive, their ratio between 1/64 and 64, and both high enough (over 80 Hz) to
    /// carry the ECG band of 40 Hz.
    Rate {
        /// Rate of the source.
        from: Hertz,
        /// Rate asked for.
        to: Hertz,
    },
}

impl fmt::Display for ResampleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Rate { from, to } = self;
        write!(f, "cannot resample an ECG from {from} to {to}: both rates must be finite and above 80 Hz")
    }
}

impl std::error::Error for ResampleError {}

/// Streaming resampler. At equal rates it passes samples through without delay.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// Input samples per output sample, p/q in lowest terms.
    p: u64,
    q: u64,
    taps: Taps,
    /// The inputs that an output may still need.
    history: Line,
    /// Inputs so far, and the last of them.
    inputs: u64,
    last: f64,
    /// Next output position: whole input samples and q-ths.
    whole: u64,
    part: u64,
}

impl Resampler {
    /// A resampler from `from` to `to` with sharp taps, starting at rest.
    ///
    /// # Errors
    /// [`ResampleError::Rate`] when a rate is not finite, not above 80 Hz, or the two are more than 64-fold apart.
    pub fn new(from: Hertz, to: Hertz) -> Result<Self, ResampleError> {
        Self::with(from, to, sharp_taps)
    }

    /// The same with prompt taps, if `from` is lower than `to` and at least 100 Hz: 2 input samples late at 125 Hz where
    /// sharp taps are 12. Outputs stand for what lies `lead` input samples later (a small part of one), to make up for what
    /// the input is late by.
    ///
    /// From 150 Hz on the band below 40 Hz has no image above −60 dB; at 125 Hz that of 40 Hz itself has −54 dB, at 100 Hz
    /// also, and −86 and −68 behind the low-pass of the conditioner. What lies above 40 Hz may leave an image above half of
    /// `from`, as strong as itself, and come out up to 2 dB stronger (at 125 Hz and below 7).
    ///
    /// # Errors
    /// As [`Resampler::new`].
    pub fn prompt(from: Hertz, to: Hertz, lead: f64) -> Result<Self, ResampleError> {
        if from < LEAST_PROMPT || from >= to {
            return Self::new(from, to);
        }
        Self::with(from, to, |from, _, phases| prompt::design(from.0, phases, lead))
    }

    fn with(from: Hertz, to: Hertz, taps: impl Fn(Hertz, Hertz, u64) -> Taps) -> Result<Self, ResampleError> {
        let ratio = from.0 / to.0;
        let possible = from.0.min(to.0) > 2.0 * PASS_HZ && ratio.is_finite() && (1.0 / 64.0..=64.0).contains(&ratio);
        if !possible {
            return Err(ResampleError::Rate { from, to });
        }
        let (p, q) = fraction(ratio);
        let taps = if p == q { Taps::default() } else { taps(from, to, q.min(MOST_PHASES)) };
        let history = Line::new(taps.row_length());
        Ok(Self { p, q, taps, history, inputs: 0, last: 0.0, whole: 0, part: 0 })
    }

    /// Takes one input and hands every output that it completes to `sink`.
    #[inline]
    pub fn push(&mut self, x: f64, sink: &mut impl FnMut(f64)) {
        self.push_block(&[x], sink);
    }

    /// Takes a block of inputs, the same as each of them by itself.
    pub fn push_block(&mut self, x: &[f64], sink: &mut impl FnMut(f64)) {
        if self.taps.ahead == 0 {
            self.inputs += x.len() as u64;
            x.iter().for_each(|&x| sink(x));
            return;
        }
        for piece in x.chunks(BLOCK) {
            self.piece(piece, sink);
        }
    }

    /// Ends the record: hands over the outputs that lie inside it, extending its last value.
    pub fn flush(&mut self, sink: &mut impl FnMut(f64)) {
        if self.taps.ahead == 0 || self.inputs == 0 {
            return;
        }
        let mut end = self.inputs;
        while self.whole < self.inputs {
            self.history.extend(1).fill(self.last);
            end += 1;
            while self.whole < self.inputs && self.whole + (self.taps.ahead as u64) < end {
                sink(self.output(end));
                self.advance();
            }
        }
    }

    /// Forgets all history; the next input has position 0.
    pub fn reset(&mut self) {
        self.inputs = 0;
        self.whole = 0;
        self.part = 0;
        self.history.reset();
    }

    /// How many inputs must have come for output `k`: the same number that gives it in [`Resampler::push`].
    pub fn inputs_until(&self, k: u64) -> u64 {
        let whole = u128::from(k) * u128::from(self.p) / u128::from(self.q);
        whole as u64 + self.taps.ahead as u64 + 1
    }

    /// How far an output lags the input that it stands for, in input samples.
    pub fn delay(&self) -> f64 {
        self.taps.ahead as f64
    }

    /// Input samples per output sample, as an exact fraction.
    pub fn ratio(&self) -> (u64, u64) {
        (self.p, self.q)
    }

    /// The input position that the (possibly fractional) output position `k` stands for.
    pub fn source_position(&self, k: f64) -> f64 {
        k * self.p as f64 / self.q as f64
    }

    fn piece(&mut self, x: &[f64], sink: &mut impl FnMut(f64)) {
        if self.inputs == 0 {
            // What lies before the record is its first value, so that a constant stays constant from the start.
            self.history.fill(x[0]);
        }
        self.history.extend(x.len()).copy_from_slice(x);
        self.last = x[x.len() - 1];
        self.inputs += x.len() as u64;
        while self.whole + (self.taps.ahead as u64) < self.inputs {
            sink(self.output(self.inputs));
            self.advance();
        }
    }

    #[inline]
    fn advance(&mut self) {
        self.part += self.p;
        self.whole += self.part / self.q;
        self.part %= self.q;
    }

    /// The output at `whole + part/q`; the newest input in the history has position `end − 1`.
    #[inline]
    fn output(&self, end: u64) -> f64 {
        let Taps { ahead, phases, .. } = self.taps;
        let window = self.history.block(self.taps.row_length(), (end - 1 - self.whole) as usize - ahead);
        if phases == self.q {
            return dot(window, self.taps.row(self.part as usize));
        }
        let phase = self.part as f64 * phases as f64 / self.q as f64;
        let row = phase as usize;
        let low = dot(window, self.taps.row(row));
        low + (dot(window, self.taps.row(row + 1)) - low) * (phase - row as f64)
    }
}

/// What the inputs round an output are multiplied with.
#[derive(Clone, Debug, Default)]
struct Taps {
    /// Inputs before an output position, the one at it counted, and inputs behind it; 0 when the rates are equal.
    behind: usize,
    ahead: usize,
    /// One row for each tabulated phase, and one more for the phase 1.
    table: Box<[f64]>,
    phases: u64,
}

impl Taps {
    /// Taps whose rows `fill` makes, given the fraction of a sample; each is scaled to the sum 1, so that a constant passes
    /// exactly.
    fn of(behind: usize, ahead: usize, phases: u64, fill: impl Fn(f64, &mut [f64])) -> Self {
        let mut table = vec![0.0; (phases as usize + 1) * (behind + ahead)].into_boxed_slice();
        for (phase, row) in table.chunks_exact_mut(behind + ahead).enumerate() {
            fill(phase as f64 / phases as f64, row);
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|tap| *tap /= sum);
        }
        Self { behind, ahead, table, phases }
    }

    fn row_length(&self) -> usize {
        self.behind + self.ahead
    }

    #[inline]
    fn row(&self, phase: usize) -> &[f64] {
        let length = self.row_length();
        &self.table[phase * length..(phase + 1) * length]
    }
}

fn sharp_taps(from: Hertz, to: Hertz, phases: u64) -> Taps {
    sharp::design(from.0, from.0.min(to.0) / 2.0, phases)
}

/// Resamples a whole record: the streaming [`Resampler`] from first to last sample, delay taken off, so that output k
/// lies at k/`to` seconds. The ends are extended by their edge values. Gives ⌈n·to/from⌉ samples.
///
/// # Errors
/// As [`Resampler::new`].
pub fn resample(signal: &[f64], from: Hertz, to: Hertz) -> Result<Vec<f64>, ResampleError> {
    let mut resampler = Resampler::new(from, to)?;
    let mut out = Vec::with_capacity((signal.len() as f64 * to.0 / from.0) as usize + 1);
    resampler.push_block(signal, &mut |y| out.push(y));
    resampler.flush(&mut |y| out.push(y));
    Ok(out)
}

#[inline]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (x, y) in a.iter().zip(b) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The fraction nearest to `ratio`, by continued fractions.
fn fraction(ratio: f64) -> (u64, u64) {
    let (mut p, mut q) = ((1u64, ratio.floor() as u64), (0u64, 1u64));
    let mut rest = ratio - ratio.floor();
    while rest > 1e-9 && (p.1 as f64 / q.1 as f64 / ratio - 1.0).abs() > 1e-13 {
        let inverse = 1.0 / rest;
        let whole = inverse.floor();
        let next_q = whole as u64 * q.1 + q.0;
        if next_q > LARGEST_DENOMINATOR {
            break;
        }
        p = (p.1, whole as u64 * p.1 + p.0);
        q = (q.1, next_q);
        rest = inverse - whole;
    }
    (p.1, q.1)
}
