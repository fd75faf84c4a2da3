//! Two recursive filters in the two lanes of a vector register: twice the work in the time of one.
//!
//! Must not know what is filtered. The arithmetic of each lane is that of [`super::SosFilter`], to the last bit.

use biquad::Coefficients;

use super::design::Sections;

/// Two cascades of `N` second-order sections in transposed direct form II, starting at rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Twin<const N: usize> {
    sections: [Pair; N],
}

/// One section of each.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    b0: [f64; 2],
    b1: [f64; 2],
    b2: [f64; 2],
    a1: [f64; 2],
    a2: [f64; 2],
    s1: [f64; 2],
    s2: [f64; 2],
}

impl<const N: usize> Twin<N> {
    /// Filters at rest.
    ///
    /// # Panics
    /// When a design does not have `N` sections.
    pub(crate) fn new(designs: [&Sections; 2]) -> Self {
        let mut sections = [Pair::default(); N];
        for (lane, design) in designs.into_iter().enumerate() {
            assert_eq!(design.coefficients.len(), N, "a twin of {N} sections");
            sections.iter_mut().zip(&design.coefficients).for_each(|(pair, c)| pair.set(lane, c));
        }
        Self { sections }
    }

    /// Filters one sample in each lane.
    #[inline(always)]
    pub(crate) fn run(&mut self, x: [f64; 2]) -> [f64; 2] {
        self.sections.iter_mut().fold(x, |x, pair| pair.run(x))
    }

    /// Forgets all history.
    pub(crate) fn reset(&mut self) {
        for pair in &mut self.sections {
            (pair.s1, pair.s2) = ([0.0; 2], [0.0; 2]);
        }
    }
}

impl Pair {
    fn set(&mut self, lane: usize, c: &Coefficients<f64>) {
        (self.b0[lane], self.b1[lane], self.b2[lane]) = (c.b0, c.b1, c.b2);
        (self.a1[lane], self.a2[lane]) = (c.a1, c.a2);
    }

    #[inline(always)]
    fn run(&mut self, x: [f64; 2]) -> [f64; 2] {
        let mut y = [0.0; 2];
        for lane in 0..2 {
            y[lane] = self.s1[lane] + self.b0[lane] * x[lane];
        }
        for lane in 0..2 {
            self.s1[lane] = self.s2[lane] + self.b1[lane] * x[lane] - self.a1[lane] * y[lane];
        }
        for lane in 0..2 {
            self.s2[lane] = self.b2[lane] * x[lane] - self.a2[lane] * y[lane];
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{SosFilter, design};
    use crate::units::Hertz;

    #[test]
    fn each_lane_is_a_filter_of_its_own() {
        let fs = Hertz(250.0);
        let designs = [design::low_pass(4, Hertz(20.0), fs), design::band_pass(2, Hertz(1.0), Hertz(8.0), fs)];
        let [low, band] = designs.map(|design| design.expect("legal"));
        let mut twin = Twin::<2>::new([&low, &band]);
        let (mut first, mut second) = (SosFilter::new(&low), SosFilter::new(&band));
        for n in 0..500 {
            let x = [f64::from(n % 37), f64::from(n % 11)];
            assert_eq!(twin.run(x), [first.run(x[0]), second.run(x[1])]);
        }
        twin.reset();
        assert_eq!(twin.run([0.0; 2]), [0.0; 2]);
    }
}
