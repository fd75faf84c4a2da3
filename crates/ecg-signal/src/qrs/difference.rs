//! The difference of a signal over a distance, in blocks.
//!
//! Must not know what the signal is. Before its start a signal is 0.

use crate::line::Line;

/// y[n] = x[n] − x[n − distance].
#[derive(Clone, Debug)]
pub(super) struct Difference {
    line: Line,
    distance: usize,
}

impl Difference {
    /// Over `distance` samples (at least one).
    pub(super) fn new(distance: usize) -> Self {
        let distance = distance.max(1);
        Self { line: Line::new(distance), distance }
    }

    /// The differences of a block `x`, into `out`.
    #[inline(always)]
    pub(super) fn run_block(&mut self, x: &[f64], out: &mut [f64]) {
        self.input(x.len()).copy_from_slice(x);
        self.run(out);
    }

    /// Where the next block, of `n` samples, is to be written.
    #[inline(always)]
    pub(super) fn input(&mut self, n: usize) -> &mut [f64] {
        self.line.extend(n)
    }

    /// The newest `n` samples.
    #[inline(always)]
    pub(super) fn newest(&self, n: usize) -> &[f64] {
        self.line.block(n, 0)
    }

    /// The differences of the block that has been written.
    #[inline(always)]
    pub(super) fn run(&self, out: &mut [f64]) {
        let (now, earlier) = (self.line.block(out.len(), 0), self.line.block(out.len(), self.distance));
        for (y, (x, earlier)) in out.iter_mut().zip(now.iter().zip(earlier)) {
            *y = x - earlier;
        }
    }

    pub(super) fn reset(&mut self) {
        self.line.reset();
    }
}
