//! The stationary (undecimated, translation-invariant) db6 transform, streaming: one level of analysis and synthesis.
//!
//! Without decimation a shift of the signal shifts the coefficients and changes nothing else, so what is done to a beat
//! does not depend on where it falls; and thresholding averages over all shifts ("cycle spinning"), which a decimated
//! transform would have to do explicitly. At level j the filters are stretched by 2^(j−1). Analysis followed by
//! synthesis is an exact delay of 11 · 2^(j−1) samples. Must not know about thresholds.
//!
//! Both filters of a level come out of one lattice (P. P. Vaidyanathan and P.-Q. Hoang, IEEE Trans. ASSP 36 (1988)
//! 81–94): the pair (x, x late) is turned by an angle, its second half waits two samples, and so on six times.
//! ```text
//! a ──┬──▶ + k b ──▶ a      a = low-pass,
//!     ╳                     b = high-pass at the end,
//! b ─z⁻²┴▶ − k a ──▶ b      z⁻² stretched by 2^(j−1)
//! ```
//! That is half of the multiplications of two filters of 12 taps, with the same values to the last digits, and the
//! synthesis is the same ladder climbed down. Two turns are taken in one pass over a block: four delayed reads, eight
//! operations on neighbouring samples, no sum that has to wait for another.

use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

use super::{TAPS, decomposition_high, decomposition_low};
use crate::line::{BLOCK, Line};

/// The lattice of db6: `first` makes the pair out of x and x one sample late, `turns` are the five k behind it.
struct Lattice {
    first: [f64; 2],
    turns: [f64; TURNS],
}

const TURNS: usize = TAPS / 2 - 1;

const LATTICE: Lattice = factored();
/// With the 1/√2 that makes up for the missing decimation.
const ANALYSIS: [f64; 2] = [LATTICE.first[0] * FRAC_1_SQRT_2, LATTICE.first[1] * FRAC_1_SQRT_2];
const SYNTHESIS: [f64; 2] = inverse_first();

/// Takes the filters apart, from the last turn to the first: a turn is what makes the oldest tap of the low-pass vanish.
const fn factored() -> Lattice {
    let (mut low, mut high) = (decomposition_low(), decomposition_high());
    let mut turns = [0.0; TURNS];
    let mut left = TURNS;
    while left > 0 {
        let oldest = 2 * left + 1;
        let k = low[oldest] / high[oldest];
        let square = 1.0 + k * k;
        let (mut a, mut b) = ([0.0; TAPS], [0.0; TAPS]);
        let mut tap = 0;
        while tap < oldest - 1 {
            a[tap] = (low[tap] - k * high[tap]) / square;
            b[tap] = (k * low[tap + 2] + high[tap + 2]) / square;
            tap += 1;
        }
        (low, high) = (a, b);
        left -= 1;
        turns[left] = k;
    }
    Lattice { first: [low[0], low[1]], turns }
}

/// Turning by k and back multiplies by 1 + k². This makes up for all turns, and for the 1/√2 of the analysis; ½ because
/// both halves of the last pair are the signal.
const fn inverse_first() -> [f64; 2] {
    let [f, g] = LATTICE.first;
    let mut product = f * f + g * g;
    let mut turn = 0;
    while turn < TURNS {
        product *= 1.0 + LATTICE.turns[turn] * LATTICE.turns[turn];
        turn += 1;
    }
    [f * SQRT_2 / 2.0 / product, g * SQRT_2 / 2.0 / product]
}

/// A pair of signals between two passes.
#[derive(Clone, Debug)]
struct Pair {
    a: Line,
    b: Line,
}

impl Pair {
    fn new(reach: usize) -> Self {
        Self { a: Line::new(reach), b: Line::new(reach) }
    }

    /// The newest `n` pairs, to be filled in.
    #[inline(always)]
    fn extend(&mut self, n: usize) -> [&mut [f64]; 2] {
        [self.a.extend(n), self.b.extend(n)]
    }

    fn reset(&mut self) {
        self.a.reset();
        self.b.reset();
    }
}

/// One level of analysis. Its outputs relate to the decimated transform by
/// `cD_j[i] = 2^(j/2) · d_j[2^j i + 2^j − 1]` away from the edges of a signal.
#[derive(Clone, Debug)]
pub struct Analysis {
    stride: usize,
    input: Line,
    second: Pair,
    third: Pair,
}

impl Analysis {
    /// The analysis of `level` (1 is the finest), starting at rest.
    pub fn new(level: usize) -> Self {
        let stride = stride(level);
        Self { stride, input: Line::new(3 * stride), second: Pair::new(4 * stride), third: Pair::new(4 * stride) }
    }

    /// Takes one sample of the finer approximation; gives (approximation, detail).
    #[inline]
    pub fn push(&mut self, x: f64) -> (f64, f64) {
        let (mut approximation, mut detail) = ([x], [0.0]);
        self.piece(&mut approximation, &mut detail);
        (approximation[0], detail[0])
    }

    /// Takes a block of the finer approximation and puts the approximation in its place; `detail` is as long.
    pub fn run_block(&mut self, approximation: &mut [f64], detail: &mut [f64]) {
        for (approximation, detail) in approximation.chunks_mut(BLOCK).zip(detail.chunks_mut(BLOCK)) {
            self.piece(approximation, detail);
        }
    }

    fn piece(&mut self, approximation: &mut [f64], detail: &mut [f64]) {
        self.input(approximation.len()).copy_from_slice(approximation);
        self.run(approximation, detail);
    }

    /// Where the next block of the finer approximation, of at most [`BLOCK`] samples, is to be written.
    #[inline(always)]
    pub(super) fn input(&mut self, n: usize) -> &mut [f64] {
        self.input.extend(n)
    }

    /// Turns the block that has been written.
    #[inline(always)]
    pub(super) fn run(&mut self, approximation: &mut [f64], detail: &mut [f64]) {
        let (n, s) = (approximation.len(), self.stride);
        let [k1, k2, k3, k4, k5] = LATTICE.turns;
        enter(ANALYSIS, k1, four(&self.input, n, 0, s), self.second.extend(n));
        turn_twice([k2, k3], delayed(&self.second, n, s), self.third.extend(n));
        turn_twice([k4, k5], delayed(&self.third, n, s), [approximation, detail]);
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.input.reset();
        self.second.reset();
        self.third.reset();
    }
}

/// A line at four delays, `first` and up.
#[inline(always)]
fn four(line: &Line, n: usize, first: usize, s: usize) -> [&[f64]; 4] {
    [
        line.block(n, first * s),
        line.block(n, (first + 1) * s),
        line.block(n, (first + 2) * s),
        line.block(n, (first + 3) * s),
    ]
}

/// What two turns read: a now and two late, b two and four late.
#[inline(always)]
fn delayed(pair: &Pair, n: usize, s: usize) -> [&[f64]; 4] {
    [pair.a.block(n, 0), pair.a.block(n, 2 * s), pair.b.block(n, 2 * s), pair.b.block(n, 4 * s)]
}

/// Tells the compiler that all four are `n` long.
#[inline(always)]
fn cut([a, b, c, d]: [&[f64]; 4], n: usize) -> [&[f64]; 4] {
    [&a[..n], &b[..n], &c[..n], &d[..n]]
}

/// The first pair, out of the input and its three delays, and the turn by k behind it.
#[inline(always)]
fn enter([f, g]: [f64; 2], k: f64, x: [&[f64]; 4], [a, b]: [&mut [f64]; 2]) {
    let n = a.len();
    let [x0, x1, x2, x3] = cut(x, n);
    let b = &mut b[..n];
    for i in 0..n {
        let now = f * x0[i] + g * x1[i];
        let late = f * x3[i] - g * x2[i];
        a[i] = now + k * late;
        b[i] = late - k * now;
    }
}

/// Two turns, by k and then by l.
#[inline(always)]
fn turn_twice([k, l]: [f64; 2], from: [&[f64]; 4], [a, b]: [&mut [f64]; 2]) {
    let n = a.len();
    let [a0, a2, b2, b4] = cut(from, n);
    let b = &mut b[..n];
    for i in 0..n {
        let now = a0[i] + k * b2[i];
        let late = b4[i] - k * a2[i];
        a[i] = now + l * late;
        b[i] = late - l * now;
    }
}

/// One level of synthesis: the inverse of [`Analysis`] of the same level.
#[derive(Clone, Debug)]
pub struct Synthesis {
    stride: usize,
    input: Pair,
    second: Pair,
    third: Pair,
}

impl Synthesis {
    /// The synthesis of `level` (1 is the finest), starting at rest.
    pub fn new(level: usize) -> Self {
        let s = stride(level);
        Self { stride: s, input: Pair::new(2 * s), second: Pair::new(4 * s), third: Pair::new(5 * s) }
    }

    /// Takes approximation and detail of the same moment; gives one sample of the finer approximation.
    #[inline]
    pub fn push(&mut self, approximation: f64, detail: f64) -> f64 {
        let mut signal = [approximation];
        self.piece(&mut signal, &[detail]);
        signal[0]
    }

    /// Takes a block of approximation and puts the finer approximation in its place; `detail` is as long.
    pub fn run_block(&mut self, approximation: &mut [f64], detail: &[f64]) {
        for (approximation, detail) in approximation.chunks_mut(BLOCK).zip(detail.chunks(BLOCK)) {
            self.piece(approximation, detail);
        }
    }

    fn piece(&mut self, signal: &mut [f64], detail: &[f64]) {
        let [a, b] = self.inputs(signal.len());
        a.copy_from_slice(signal);
        b.copy_from_slice(detail);
        self.run(signal);
    }

    /// Where the next block of approximation and detail, of at most [`BLOCK`] samples, is to be written.
    #[inline(always)]
    pub(super) fn inputs(&mut self, n: usize) -> [&mut [f64]; 2] {
        self.input.extend(n)
    }

    /// Turns back the block that has been written.
    #[inline(always)]
    pub(super) fn run(&mut self, signal: &mut [f64]) {
        let (n, s) = (signal.len(), self.stride);
        let [k1, k2, k3, k4, k5] = LATTICE.turns;
        turn_back_twice([k5, k4], late_first(&self.input, n, 0, s), self.second.extend(n));
        turn_back_twice([k3, k2], late_first(&self.second, n, 2 * s, s), self.third.extend(n));
        let Pair { a, b } = &self.third;
        leave(SYNTHESIS, k1, four(a, n, 2, s), four(b, n, 0, s), signal);
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.input.reset();
        self.second.reset();
        self.third.reset();
    }
}

/// What two turns back read: a and b now and two late, where a is late already.
#[inline(always)]
fn late_first(pair: &Pair, n: usize, late: usize, s: usize) -> [&[f64]; 4] {
    [pair.a.block(n, late), pair.a.block(n, late + 2 * s), pair.b.block(n, 0), pair.b.block(n, 2 * s)]
}

/// Two turns back, by k and then by l; between them the first half waits.
#[inline(always)]
fn turn_back_twice([k, l]: [f64; 2], from: [&[f64]; 4], [a, b]: [&mut [f64]; 2]) {
    let n = a.len();
    let [a0, a2, b0, b2] = cut(from, n);
    let b = &mut b[..n];
    for i in 0..n {
        let late = a2[i] - k * b2[i];
        let now = b0[i] + k * a0[i];
        a[i] = late - l * now;
        b[i] = now + l * late;
    }
}

/// The last turn back and the sum of both halves of the last pair, the first of which waits one sample more.
#[inline(always)]
fn leave([f, g]: [f64; 2], k: f64, a: [&[f64]; 4], b: [&[f64]; 4], out: &mut [f64]) {
    let n = out.len();
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (cut(a, n), cut(b, n));
    for i in 0..n {
        let first = g * (a2[i] - k * b2[i]) + f * (a3[i] - k * b3[i]);
        let second = f * (b0[i] + k * a0[i]) - g * (b1[i] + k * a1[i]);
        out[i] = first + second;
    }
}

/// Delay of analysis and synthesis of `level` together, in samples.
pub const fn level_delay(level: usize) -> usize {
    (TAPS - 1) * stride(level)
}

const fn stride(level: usize) -> usize {
    1 << (level - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wavelet::{RECONSTRUCTION_LOW, reconstruction_high};

    /// The filter `taps` at `level`, as its definition says.
    fn convolved(taps: [f64; TAPS], level: usize, x: &[f64]) -> Vec<f64> {
        let tap = |n: usize, k: usize| n.checked_sub(k * stride(level)).map_or(0.0, |m| taps[k] * x[m]);
        (0..x.len()).map(|n| (0..TAPS).map(|k| tap(n, k)).sum::<f64>() * FRAC_1_SQRT_2).collect()
    }

    fn noise(seed: u64) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / 16_777_216.0 - 0.5
        };
        (0..1000).map(|_| next()).collect()
    }

    fn largest(a: &[f64], b: impl IntoIterator<Item = f64>) -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn the_lattice_gives_what_the_four_filters_give() {
        for level in 1..=5 {
            let (x, y) = (noise(1), noise(2));
            let (mut approximation, mut detail) = (x.clone(), vec![0.0; x.len()]);
            Analysis::new(level).run_block(&mut approximation, &mut detail);
            assert!(largest(&approximation, convolved(decomposition_low(), level, &x)) < 1e-14, "level {level}");
            assert!(largest(&detail, convolved(decomposition_high(), level, &x)) < 1e-14, "level {level}");

            let low = convolved(RECONSTRUCTION_LOW, level, &x);
            let high = convolved(reconstruction_high(), level, &y);
            let mut signal = x;
            Synthesis::new(level).run_block(&mut signal, &y);
            assert!(largest(&signal, low.iter().zip(&high).map(|(l, h)| l + h)) < 1e-14, "level {level}");
        }
    }

    #[test]
    fn blocks_of_any_length_give_the_same_as_single_samples() {
        for (level, length) in [(1, 1), (1, 13), (2, 64), (3, 37), (4, 1000), (6, 65)] {
            let (mut analysis, mut synthesis) = (Analysis::new(level), Synthesis::new(level));
            let pairs: Vec<(f64, f64)> = noise(3).iter().map(|&x| analysis.push(x)).collect();
            let single: Vec<f64> = pairs.iter().map(|&(a, d)| synthesis.push(a, d)).collect();

            let (mut analysis, mut synthesis) = (Analysis::new(level), Synthesis::new(level));
            let mut signal = noise(3);
            for block in signal.chunks_mut(length) {
                let mut detail = vec![0.0; block.len()];
                analysis.run_block(block, &mut detail);
                synthesis.run_block(block, &detail);
            }
            assert_eq!(signal, single, "level {level}, blocks of {length}");
        }
    }
}
