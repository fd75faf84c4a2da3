//! The four recursive filters of the detector, all in one loop, and a fifth that another part of the path has to run.
//!
//! Must not know what they are for. Each filter waits for its own last output; together they wait once. Both sections of a
//! filter work at the same time, the second one a sample behind the first.

use crate::filter::Beside;
use crate::filter::design::Sections;
use crate::filter::lanes::{Lanes, NONE};
use crate::widest::{Four, InFours, in_fours};

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct FilterBank {
    /// The first sections of both long filters, then their second ones.
    long: Lanes<4>,
    /// The two sections of the guest, then both short filters: what the second section takes from the first is waited for,
    /// and comes sooner from the lane beside it.
    short: Lanes<4>,
}

impl FilterBank {
    /// Filters at rest; the first two have two sections, the others one.
    ///
    /// # Panics
    /// When they do not.
    pub(super) fn new(long: [&Sections; 2], short: [&Sections; 2]) -> Self {
        assert!(long.iter().all(|filter| filter.coefficients.len() == 2), "two sections");
        assert!(short.iter().all(|filter| filter.coefficients.len() == 1), "one section");
        let [a, b] = long.map(|filter| &filter.coefficients);
        let [c, d] = short.map(|filter| &filter.coefficients[0]);
        Self { long: Lanes::new([&a[0], &b[0], &a[1], &b[1]]), short: Lanes::new([&NONE, &NONE, c, d]) }
    }

    /// Filters one block by both long filters and the first short one, and what lies in `last` by the other short one,
    /// in place; and the block of as many samples that lies beside.
    #[inline(always)]
    pub(super) fn run_block(&mut self, x: &[f64], out: [&mut [f64]; 3], last: &mut [f64], beside: Option<Beside<'_>>) {
        let Some(beside) = beside else { return in_fours(Alone { bank: self, x, out, last }) };
        match beside.filter.two_sections() {
            Some([one, two]) => {
                self.short.seat(0, one);
                self.short.seat(1, two);
                in_fours(Together { bank: self, x, out, last, beside: beside.x });
                self.short.unseat(0, one);
                self.short.unseat(1, two);
            }
            None => {
                in_fours(Alone { bank: self, x, out, last });
                beside.filter.run_block(beside.x);
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.long.reset();
        self.short.reset();
    }
}

/// A block for the bank alone.
struct Alone<'a> {
    bank: &'a mut FilterBank,
    x: &'a [f64],
    out: [&'a mut [f64]; 3],
    last: &'a mut [f64],
}

impl InFours for Alone<'_> {
    #[inline(always)]
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy) {
        let Self { bank, x, out: [a, b, c], last } = self;
        let n = x.len();
        let (a, b, c, last) = (&mut a[..n], &mut b[..n], &mut c[..n], &mut last[..n]);
        let Some(&start) = x.first() else { return };
        [.., c[0], last[0]] = bank.short.run_some(2..4, [0.0, 0.0, start, last[0]]);
        let [y0, y1, ..] = bank.long.run_some(0..2, [start, start, 0.0, 0.0]);
        let (mut long, mut short) = (bank.long.begin(four), bank.short.begin(four));
        let mut y = four([y0, y1, 0.0, 0.0]);
        for i in 1..n {
            y = long.run(four([x[i], x[i], y[0], y[1]]));
            (a[i - 1], b[i - 1]) = (y[2], y[3]);
            let z = short.run(four([0.0, 0.0, x[i], last[i]]));
            (c[i], last[i]) = (z[2], z[3]);
        }
        bank.long.end(&long);
        bank.short.end(&short);
        [_, _, a[n - 1], b[n - 1]] = bank.long.run_some(2..4, [0.0, 0.0, y[0], y[1]]);
    }
}

/// A block for the bank with a cascade of two sections beside it.
struct Together<'a> {
    bank: &'a mut FilterBank,
    x: &'a [f64],
    out: [&'a mut [f64]; 3],
    last: &'a mut [f64],
    beside: &'a mut [f64],
}

impl InFours for Together<'_> {
    #[inline(always)]
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy) {
        let Self { bank, x, out: [a, b, c], last, beside } = self;
        let n = x.len();
        let (a, b, c, last, beside) = (&mut a[..n], &mut b[..n], &mut c[..n], &mut last[..n], &mut beside[..n]);
        let Some(&start) = x.first() else { return };
        let [z0, ..] = bank.short.run_some(0..1, [beside[0], 0.0, 0.0, 0.0]);
        [.., c[0], last[0]] = bank.short.run_some(2..4, [0.0, 0.0, start, last[0]]);
        let [y0, y1, ..] = bank.long.run_some(0..2, [start, start, 0.0, 0.0]);
        let (mut long, mut short) = (bank.long.begin(four), bank.short.begin(four));
        let (mut y, mut z) = (four([y0, y1, 0.0, 0.0]), four([z0, 0.0, 0.0, 0.0]));
        for i in 1..n {
            y = long.run(four([x[i], x[i], y[0], y[1]]));
            (a[i - 1], b[i - 1]) = (y[2], y[3]);
            z = short.run(four([beside[i], z[0], x[i], last[i]]));
            (beside[i - 1], c[i], last[i]) = (z[1], z[2], z[3]);
        }
        bank.long.end(&long);
        bank.short.end(&short);
        [_, _, a[n - 1], b[n - 1]] = bank.long.run_some(2..4, [0.0, 0.0, y[0], y[1]]);
        [_, beside[n - 1], ..] = bank.short.run_some(1..2, [0.0, z[0], 0.0, 0.0]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{band, fiducial, flutter};
    use super::*;
    use crate::filter::{SosFilter, design};
    use crate::units::Hertz;

    #[test]
    fn what_lies_beside_is_filtered_as_alone_and_changes_nothing() {
        let fs = Hertz(250.0);
        let (long, short) =
            ([band::filter(fs), flutter::slow_filter(fs)], [flutter::signal_filter(fs), fiducial::baseline_filter(fs)]);
        // Two sections, for which there is room, and three, for which there is not.
        for order in [3, 6] {
            let low_pass = design::low_pass(order, Hertz(40.0), fs).expect("legal");
            let mut guests = [&low_pass; 2].map(SosFilter::new);
            let mut banks = [0; 2].map(|_| FilterBank::new(long.each_ref(), short.each_ref()));
            let mut sections = long.each_ref().map(SosFilter::new);
            for (number, n) in [1, 7, 256, 1, 2, 100].into_iter().enumerate() {
                let wave = |k: usize, step: f64| (((number * 256 + k) as f64) * step).sin();
                let x: Vec<f64> = (0..n).map(|k| wave(k, 0.3)).collect();
                let y: Vec<f64> = (0..n).map(|k| wave(k, 0.7)).collect();
                let mut outputs = [0; 2].map(|_| [x.clone(), x.clone(), x.clone(), y.clone(), y.clone()]);
                for (lies_beside, (bank, outputs)) in banks.iter_mut().zip(&mut outputs).enumerate() {
                    let [a, b, c, last, beside] = outputs;
                    let guest = &mut guests[lies_beside];
                    if lies_beside == 1 {
                        bank.run_block(&x, [a, b, c], last, Some(Beside { filter: guest, x: beside }));
                    } else {
                        bank.run_block(&x, [a, b, c], last, None);
                        guest.run_block(beside);
                    }
                }
                assert_eq!(outputs[0], outputs[1], "order {order}, {n} samples");
                for (section, output) in sections.iter_mut().zip(&outputs[1]) {
                    let mut expected = x.clone();
                    section.run_block(&mut expected);
                    assert_eq!(*output, expected, "order {order}, {n} samples");
                }
            }
        }
    }
}
