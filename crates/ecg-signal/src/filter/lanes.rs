//! Second-order sections in the lanes of a vector register: several times the work in the time of one.
//!
//! Must not know what is filtered. The arithmetic of each lane is that of [`super::SosFilter`], to the last bit. Sections of
//! one cascade may lie in different lanes: the later one then takes what the earlier one gave a sample ago.

use std::ops::Range;

use biquad::{Biquad, Coefficients, DirectForm2Transposed};

use crate::widest::Four;

/// A section that gives nothing: for a lane without one.
pub(crate) const NONE: Coefficients<f64> = Coefficients { a1: 0.0, a2: 0.0, b0: 0.0, b1: 0.0, b2: 0.0 };

/// `N` second-order sections in transposed direct form II, starting at rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes<const N: usize> {
    b0: [f64; N],
    b1: [f64; N],
    b2: [f64; N],
    a1: [f64; N],
    a2: [f64; N],
    s1: [f64; N],
    s2: [f64; N],
}

impl<const N: usize> Lanes<N> {
    /// Sections at rest with these coefficients.
    pub(crate) fn new(coefficients: [&Coefficients<f64>; N]) -> Self {
        Self {
            b0: coefficients.map(|c| c.b0),
            b1: coefficients.map(|c| c.b1),
            b2: coefficients.map(|c| c.b2),
            a1: coefficients.map(|c| c.a1),
            a2: coefficients.map(|c| c.a2),
            s1: [0.0; N],
            s2: [0.0; N],
        }
    }

    /// Puts another section into a lane, with its history.
    #[inline(always)]
    pub(crate) fn seat(&mut self, lane: usize, section: &DirectForm2Transposed<f64>) {
        let c = section.clone().replace_coefficients(NONE);
        (self.b0[lane], self.b1[lane], self.b2[lane]) = (c.b0, c.b1, c.b2);
        (self.a1[lane], self.a2[lane]) = (c.a1, c.a2);
        (self.s1[lane], self.s2[lane]) = (section.s1, section.s2);
    }

    /// Gives a section in a lane its history back.
    #[inline(always)]
    pub(crate) fn unseat(&self, lane: usize, section: &mut DirectForm2Transposed<f64>) {
        (section.s1, section.s2) = (self.s1[lane], self.s2[lane]);
    }

    /// Filters one sample in each lane.
    #[inline(always)]
    pub(crate) fn run(&mut self, x: [f64; N]) -> [f64; N] {
        let mut y = [0.0; N];
        for lane in 0..N {
            y[lane] = self.s1[lane] + self.b0[lane] * x[lane];
        }
        for lane in 0..N {
            self.s1[lane] = self.s2[lane] + self.b1[lane] * x[lane] - self.a1[lane] * y[lane];
        }
        for lane in 0..N {
            self.s2[lane] = self.b2[lane] * x[lane] - self.a2[lane] * y[lane];
        }
        y
    }

    /// The same, but only some lanes remember it.
    #[inline(always)]
    pub(crate) fn run_some(&mut self, lanes: Range<usize>, x: [f64; N]) -> [f64; N] {
        let mut after = *self;
        let y = after.run(x);
        for lane in lanes {
            (self.s1[lane], self.s2[lane]) = (after.s1[lane], after.s2[lane]);
        }
        y
    }

    /// Forgets all history.
    pub(crate) fn reset(&mut self) {
        (self.s1, self.s2) = ([0.0; N], [0.0; N]);
    }
}

impl Lanes<4> {
    /// The same sections in registers, for the length of a block.
    #[inline(always)]
    pub(crate) fn begin<F: Four>(&self, four: impl Fn([f64; 4]) -> F) -> Running<F> {
        Running {
            b: [self.b0, self.b1, self.b2].map(&four),
            a: [self.a1, self.a2].map(&four),
            s: [self.s1, self.s2].map(&four),
        }
    }

    /// Takes their history back.
    #[inline(always)]
    pub(crate) fn end<F: Four>(&mut self, running: &Running<F>) {
        for lane in 0..4 {
            (self.s1[lane], self.s2[lane]) = (running.s[0][lane], running.s[1][lane]);
        }
    }
}

/// Four sections at work; see [`Lanes::begin`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running<F> {
    b: [F; 3],
    a: [F; 2],
    s: [F; 2],
}

impl<F: Four> Running<F> {
    /// Filters one sample in each lane.
    #[inline(always)]
    pub(crate) fn run(&mut self, x: F) -> F {
        let ([b0, b1, b2], [a1, a2], [s1, s2]) = (self.b, self.a, self.s);
        let y = s1 + b0 * x;
        self.s = [s2 + b1 * x - a1 * y, b2 * x - a2 * y];
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{SosFilter, design};
    use crate::units::Hertz;

    #[test]
    fn each_lane_is_a_section_of_its_own_and_a_cascade_can_lie_in_two() {
        let fs = Hertz(250.0);
        let designs = [design::low_pass(2, Hertz(20.0), fs), design::low_pass(4, Hertz(30.0), fs)];
        let [one, two] = designs.map(|design| design.expect("legal"));
        let [c0, c1, c2] = [&one.coefficients[0], &two.coefficients[0], &two.coefficients[1]];
        let mut lanes = Lanes::new([c0, c1, c2]);
        let (mut first, mut second) = (SosFilter::new(&one), SosFilter::new(&two));
        let x = |n: u32| [f64::from(n % 37), f64::from(n % 11)];
        let expected = (0..500).map(|n| [first.run(x(n)[0]), second.run(x(n)[1])]).collect::<Vec<_>>();
        let [x0, x1] = x(0);
        let mut y = lanes.run_some(0..2, [x0, x1, f64::NAN]);
        for n in 1..500 {
            let [x0, x1] = x(n);
            let late = y[1];
            assert_eq!(y[0], expected[n as usize - 1][0]);
            y = lanes.run([x0, x1, late]);
            assert_eq!(y[2], expected[n as usize - 1][1]);
        }
        y = lanes.run_some(2..3, [f64::NAN, f64::NAN, y[1]]);
        assert_eq!(y[2], expected[499][1]);
        assert!(lanes.run([0.0; 3])[0].is_finite());
        lanes.reset();
        assert_eq!(lanes.run([0.0; 3]), [0.0; 3]);
    }
}
