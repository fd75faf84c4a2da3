//! The four recursive filters of the detector, all in one loop.
//!
//! Must not know what they are for. Each filter waits for its own last output; together they wait once.

use crate::filter::design::Sections;
use crate::filter::twin::Twin;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct FilterBank {
    long: Twin<2>,
    short: Twin<1>,
}

impl FilterBank {
    /// Filters at rest; the first two have two sections, the others one.
    pub(super) fn new(long: [&Sections; 2], short: [&Sections; 2]) -> Self {
        Self { long: Twin::new(long), short: Twin::new(short) }
    }

    /// Filters one block by both long filters and the first short one, and what lies in `last` by the other short one,
    /// in place.
    #[inline(always)]
    pub(super) fn run_block(&mut self, x: &[f64], [a, b, c]: [&mut [f64]; 3], last: &mut [f64]) {
        let n = x.len();
        let (a, b, c, last) = (&mut a[..n], &mut b[..n], &mut c[..n], &mut last[..n]);
        // In locals the state stays in registers.
        let (mut long, mut short) = (self.long, self.short);
        for i in 0..n {
            [a[i], b[i]] = long.run([x[i]; 2]);
            [c[i], last[i]] = short.run([x[i], last[i]]);
        }
        (self.long, self.short) = (long, short);
    }

    pub(super) fn reset(&mut self) {
        self.long.reset();
        self.short.reset();
    }
}
