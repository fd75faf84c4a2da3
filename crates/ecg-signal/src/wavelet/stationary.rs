//! The stationary (undecimated, translation-invariant) db6 transform, streaming: one level of analysis and synthesis.
//!
//! Without decimation a shift of the signal shifts the coefficients and changes nothing else, so what is done to a beat
//! does not depend on where it falls; and thresholding averages over all shifts ("cycle spinning"), which a decimated
//! transform would have to do explicitly. At level j the filters are stretched by 2^(j−1). Analysis followed by
//! synthesis is an exact delay of 11 · 2^(j−1) samples. Must not know about thresholds.

use std::f64::consts::FRAC_1_SQRT_2;

use super::{RECONSTRUCTION_LOW, TAPS, reconstruction_high};

/// The newest 12 values of each phase of a signal, each line written twice so that a window is contiguous.
#[derive(Clone, Debug)]
struct Comb {
    lines: Box<[[f64; 2 * TAPS]]>,
    phase: usize,
    position: usize,
}

impl Comb {
    fn new(stride: usize) -> Self {
        Self { lines: vec![[0.0; 2 * TAPS]; stride].into_boxed_slice(), phase: 0, position: 0 }
    }

    /// Takes x[n]; gives x[n − 11s], …, x[n − s], x[n] for the stride s.
    #[inline]
    fn push(&mut self, x: f64) -> [f64; TAPS] {
        let line = &mut self.lines[self.phase];
        line[self.position] = x;
        line[self.position + TAPS] = x;
        let mut window = [0.0; TAPS];
        window.copy_from_slice(&line[self.position + 1..=self.position + TAPS]);
        self.phase += 1;
        if self.phase == self.lines.len() {
            self.phase = 0;
            self.position = (self.position + 1) % TAPS;
        }
        window
    }

    fn reset(&mut self) {
        self.lines.fill([0.0; 2 * TAPS]);
        self.phase = 0;
        self.position = 0;
    }
}

/// Inner product in four independent sums, so that the processor need not wait for each addition.
#[inline]
fn dot(a: &[f64; TAPS], b: &[f64; TAPS]) -> f64 {
    let mut sums = [0.0; 4];
    for (x, y) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for lane in 0..4 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

const fn scaled(taps: [f64; TAPS]) -> [f64; TAPS] {
    let mut out = [0.0; TAPS];
    let mut k = 0;
    while k < TAPS {
        out[k] = taps[k] * FRAC_1_SQRT_2;
        k += 1;
    }
    out
}

// A window runs from old to new, a filter from new to old, so an analysis window meets the reversed analysis filter,
// which is the synthesis filter, and the other way round. 1/√2 makes up for the missing decimation.
const ANALYSIS_LOW: [f64; TAPS] = scaled(RECONSTRUCTION_LOW);
const ANALYSIS_HIGH: [f64; TAPS] = scaled(reconstruction_high());
const SYNTHESIS_LOW: [f64; TAPS] = super::reversed(ANALYSIS_LOW);
const SYNTHESIS_HIGH: [f64; TAPS] = super::reversed(ANALYSIS_HIGH);

/// One level of analysis. Its outputs relate to the decimated transform by
/// `cD_j[i] = 2^(j/2) · d_j[2^j i + 2^j − 1]` away from the edges of a signal.
#[derive(Clone, Debug)]
pub struct Analysis {
    history: Comb,
}

impl Analysis {
    /// The analysis of `level` (1 is the finest), starting at rest.
    pub fn new(level: usize) -> Self {
        Self { history: Comb::new(stride(level)) }
    }

    /// Takes one sample of the finer approximation; gives (approximation, detail).
    #[inline]
    pub fn push(&mut self, x: f64) -> (f64, f64) {
        let window = self.history.push(x);
        (dot(&window, &ANALYSIS_LOW), dot(&window, &ANALYSIS_HIGH))
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.history.reset();
    }
}

/// One level of synthesis: the inverse of [`Analysis`] of the same level.
#[derive(Clone, Debug)]
pub struct Synthesis {
    approximation: Comb,
    detail: Comb,
}

impl Synthesis {
    /// The synthesis of `level` (1 is the finest), starting at rest.
    pub fn new(level: usize) -> Self {
        Self { approximation: Comb::new(stride(level)), detail: Comb::new(stride(level)) }
    }

    /// Takes approximation and detail of the same moment; gives one sample of the finer approximation.
    #[inline]
    pub fn push(&mut self, approximation: f64, detail: f64) -> f64 {
        let (a, d) = (self.approximation.push(approximation), self.detail.push(detail));
        dot(&a, &SYNTHESIS_LOW) + dot(&d, &SYNTHESIS_HIGH)
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.approximation.reset();
        self.detail.reset();
    }
}

/// Delay of analysis and synthesis of `level` together, in samples.
pub const fn level_delay(level: usize) -> usize {
    (TAPS - 1) * stride(level)
}

const fn stride(level: usize) -> usize {
    1 << (level - 1)
}
