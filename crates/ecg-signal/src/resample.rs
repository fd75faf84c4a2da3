//! Any source rate to the rate of the path: a streaming polyphase resampler with a Kaiser-windowed sinc.
//!
//! Output k stands for the input position k·p/q, an exact fraction kept in integers, so it never drifts. The stop band
//! begins at half of the lower of the two rates: nothing aliases (and no image appears) above −60 dB. Must not know
//! what the signal is, except that what matters lies below 40 Hz: the pass band ends there, because a wider one
//! costs delay.
//!
//! The kernel is not a [`crate::Kernel`]: one input may yield up to three outputs (100 Hz to 250 Hz), so it takes a
//! sink.

use std::f64::consts::PI;
use std::fmt;

use crate::line::{BLOCK, Line};
use crate::units::Hertz;

/// Highest frequency that is passed unchanged: the upper end of the ECG band of the path.
const PASS_HZ: f64 = 40.0;
/// Attenuation of aliases and images that the window is designed for, in dB (3 dB better than promised).
const ATTENUATION_DB: f64 = 63.0;
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
    /// Taps on either side of an output position; 0 when the rates are equal.
    reach: usize,
    /// One row of 2·reach taps for each tabulated phase, and one more row for the phase 1.
    table: Box<[f64]>,
    phases: u64,
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
    /// A resampler from `from` to `to`, starting at rest.
    ///
    /// # Errors
    /// [`ResampleError::Rate`] when a rate is not finite, not above 80 Hz, or the two are more than 64-fold apart.
    pub fn new(from: Hertz, to: Hertz) -> Result<Self, ResampleError> {
        let ratio = from.0 / to.0;
        let lower = from.0.min(to.0);
        let possible = lower > 2.0 * PASS_HZ && ratio.is_finite() && (1.0 / 64.0..=64.0).contains(&ratio);
        if !possible {
            return Err(ResampleError::Rate { from, to });
        }
        let (p, q) = fraction(ratio);
        let (reach, table, phases) =
            if p == q { (0, Vec::new(), 1) } else { design(from.0, lower / 2.0, q.min(MOST_PHASES)) };
        Ok(Self {
            p,
            q,
            reach,
            table: table.into_boxed_slice(),
            phases,
            history: Line::new(2 * reach),
            inputs: 0,
            last: 0.0,
            whole: 0,
            part: 0,
        })
    }

    /// Takes one input and hands every output that it completes to `sink`.
    #[inline]
    pub fn push(&mut self, x: f64, sink: &mut impl FnMut(f64)) {
        self.push_block(&[x], sink);
    }

    /// Takes a block of inputs, the same as each of them by itself.
    pub fn push_block(&mut self, x: &[f64], sink: &mut impl FnMut(f64)) {
        if self.reach == 0 {
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
        if self.reach == 0 || self.inputs == 0 {
            return;
        }
        let mut end = self.inputs;
        while self.whole < self.inputs {
            self.history.extend(1).fill(self.last);
            end += 1;
            while self.whole < self.inputs && self.whole + (self.reach as u64) < end {
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
        whole as u64 + self.reach as u64 + 1
    }

    /// How far an output lags the input that it stands for, in input samples.
    pub fn delay(&self) -> f64 {
        self.reach as f64
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
        while self.whole + (self.reach as u64) < self.inputs {
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
        let window = self.history.block(2 * self.reach, (end - 1 - self.whole) as usize - self.reach);
        if self.phases == self.q {
            return dot(window, self.row(self.part as usize));
        }
        let phase = self.part as f64 * self.phases as f64 / self.q as f64;
        let row = phase as usize;
        let low = dot(window, self.row(row));
        low + (dot(window, self.row(row + 1)) - low) * (phase - row as f64)
    }

    #[inline]
    fn row(&self, phase: usize) -> &[f64] {
        let taps = 2 * self.reach;
        &self.table[phase * taps..(phase + 1) * taps]
    }
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
    // The number of taps is even.
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

/// Taps for `phases` fractions of a sample (and for the fraction 1), each row summing to 1 so that a constant passes
/// exactly. Kaiser's formulas: β from the attenuation, length from the transition `PASS_HZ` … `stop`.
fn design(from: f64, stop: f64, phases: u64) -> (usize, Vec<f64>, u64) {
    let transition = 2.0 * PI * (stop - PASS_HZ) / from;
    let reach = (((ATTENUATION_DB - 7.95) / (2.285 * transition) + 1.0) / 2.0).ceil() as usize;
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let corner = (stop + PASS_HZ) / 2.0 / from;
    let mut table = Vec::with_capacity((phases as usize + 1) * 2 * reach);
    for phase in 0..=phases {
        let fraction = phase as f64 / phases as f64;
        let start = table.len();
        for m in 0..2 * reach {
            let t = m as f64 - (reach as f64 - 1.0) - fraction;
            let window = bessel_i0(beta * (1.0 - (t / reach as f64).powi(2)).max(0.0).sqrt()) / bessel_i0(beta);
            table.push(sinc(2.0 * corner * t) * window);
        }
        let sum: f64 = table[start..].iter().sum();
        table[start..].iter_mut().for_each(|tap| *tap /= sum);
    }
    (reach, table, phases)
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// Modified Bessel function of order 0 by its power series, which converges quickly for the arguments used here.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..60 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
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
