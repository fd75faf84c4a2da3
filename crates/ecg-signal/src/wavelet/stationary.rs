//! The stationary (undecimated, translation-invariant) db6 transform, streaming: one level of analysis and synthesis.
//!
//! Without decimation a shift of the signal shifts the coefficients and changes nothing else, so what is done to a beat
//! does not depend on where it falls; and thresholding averages over all shifts ("cycle spinning"), which a decimated
//! transform would have to do explicitly. At level j the filters are stretched by 2^(j−1). Analysis followed by
//! synthesis is an exact delay of 11 · 2^(j−1) samples. Must not know about thresholds.

use std::f64::consts::FRAC_1_SQRT_2;

use super::{RECONSTRUCTION_LOW, TAPS, decomposition_high, decomposition_low, reconstruction_high};

/// Taps of a filter against a window that runs from old to new: the newest sample has its own tap, because it is still
/// in a register (reading it back within a wide load would wait for its store), and the oldest of the window has none.
#[derive(Clone, Copy, Debug)]
struct Taps {
    newest: f64,
    older: [f64; TAPS],
}

impl Taps {
    /// Taps of the filter h, h[0] first, each times 1/√2, which makes up for the missing decimation.
    const fn new(filter: [f64; TAPS]) -> Self {
        let mut older = [0.0; TAPS];
        let mut k = 1;
        while k < TAPS {
            older[TAPS - k] = filter[k] * FRAC_1_SQRT_2;
            k += 1;
        }
        Self { newest: filter[0] * FRAC_1_SQRT_2, older }
    }

    /// The output of the filter in four independent sums, so that the processor need not wait for each addition.
    #[inline]
    fn apply(&self, window: &[f64], newest: f64) -> f64 {
        let mut sums = [self.newest * newest, 0.0, 0.0, 0.0];
        for (x, tap) in window.chunks_exact(4).zip(self.older.chunks_exact(4)) {
            for lane in 0..4 {
                sums[lane] += x[lane] * tap[lane];
            }
        }
        (sums[0] + sums[1]) + (sums[2] + sums[3])
    }
}

/// The 12 values of each phase of a signal before the present one, each line written twice so that a window is
/// contiguous.
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

    /// x[n − 12s], …, x[n − s] for the stride s and the x[n] that is pushed next.
    #[inline]
    fn window(&self) -> &[f64] {
        &self.lines[self.phase][self.position..self.position + TAPS]
    }

    /// Takes x[n].
    #[inline]
    fn push(&mut self, x: f64) {
        let line = &mut self.lines[self.phase];
        line[self.position] = x;
        line[self.position + TAPS] = x;
        self.phase += 1;
        if self.phase == self.lines.len() {
            self.phase = 0;
            self.position += 1;
            if self.position == TAPS {
                self.position = 0;
            }
        }
    }

    fn reset(&mut self) {
        self.lines.fill([0.0; 2 * TAPS]);
        self.phase = 0;
        self.position = 0;
    }
}

static ANALYSIS_LOW: Taps = Taps::new(decomposition_low());
static ANALYSIS_HIGH: Taps = Taps::new(decomposition_high());
static SYNTHESIS_LOW: Taps = Taps::new(RECONSTRUCTION_LOW);
static SYNTHESIS_HIGH: Taps = Taps::new(reconstruction_high());

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
        let window = self.history.window();
        let outputs = (ANALYSIS_LOW.apply(window, x), ANALYSIS_HIGH.apply(window, x));
        self.history.push(x);
        outputs
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
        let low = SYNTHESIS_LOW.apply(self.approximation.window(), approximation);
        let high = SYNTHESIS_HIGH.apply(self.detail.window(), detail);
        self.approximation.push(approximation);
        self.detail.push(detail);
        low + high
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
