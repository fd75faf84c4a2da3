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
        self.line.extend(x.len()).copy_from_slice(x);
        let earlier = self.line.block(x.len(), self.distance);
        for (y, (x, earlier)) in out.iter_mut().zip(x.iter().zip(earlier)) {
            *y = x - earlier;
        }
    }

    pub(super) fn reset(&mut self) {
        self.line.reset();
    }
}
