//! Recursive filters as kernels: a cascade of second-order sections.
//!
//! Must not know what is filtered. Coefficients come from [`design`], at run time, for any sampling frequency. All
//! arithmetic is `f64`: at 0.5 Hz and 1000 Hz sampling the poles lie so near to 1 that `f32` loses the signal.

pub mod design;
pub(crate) mod lanes;
pub mod notch;

use biquad::{Biquad, DirectForm2Transposed};

use crate::kernel::Kernel;
use crate::widest::{Four, InFours, in_fours};
use design::Sections;
use lanes::{Lanes, NONE};

/// A cascade of second-order sections in transposed direct form II, starting at rest.
///
/// Delay: the group delay at the frequency that the design names as its reference ([`Sections::reference`]).
#[derive(Clone, Debug)]
pub struct SosFilter {
    sections: Box<[DirectForm2Transposed<f64>]>,
    delay: f64,
}

impl SosFilter {
    /// A filter at rest with the coefficients of `design`.
    pub fn new(design: &Sections) -> Self {
        let sections = design.coefficients.iter().map(|&c| DirectForm2Transposed::new(c)).collect();
        Self { sections, delay: design.group_delay(design.reference) }
    }

    /// Filters one sample; unlike [`Kernel::push`] it always has an answer.
    #[inline]
    pub fn run(&mut self, x: f64) -> f64 {
        self.sections.iter_mut().fold(x, |x, section| section.run(x))
    }

    /// Its sections, if it has two.
    pub(crate) fn two_sections(&mut self) -> Option<&mut [DirectForm2Transposed<f64>; 2]> {
        (&mut *self.sections).try_into().ok()
    }

    /// Filters a block in place, to the same last bit as [`SosFilter::run`] sample by sample.
    ///
    /// A section must wait for its own last output before it can take the next sample. Up to four sections go over the
    /// block together, with their state in registers, so that one works while another waits.
    pub fn run_block(&mut self, x: &mut [f64]) {
        let (fours, rest) = self.sections.as_chunks_mut::<4>();
        fours.iter_mut().for_each(|group| run_together(group, x));
        let (twos, rest) = rest.as_chunks_mut::<2>();
        twos.iter_mut().for_each(|group| run_together(group, x));
        let (ones, _) = rest.as_chunks_mut::<1>();
        ones.iter_mut().for_each(|group| run_together(group, x));
    }
}

/// A filter that has a block to do in place and may do it beside others, which wait for their own outputs as it does.
#[derive(Debug)]
pub(crate) struct Beside<'a> {
    pub(crate) filter: &'a mut SosFilter,
    pub(crate) x: &'a mut [f64],
}

impl Beside<'_> {
    /// Its first `n` samples, which it has done when it comes back.
    pub(crate) fn take(&mut self, n: usize) -> Beside<'_> {
        let (now, later) = std::mem::take(&mut self.x).split_at_mut(n);
        self.x = later;
        Beside { filter: self.filter, x: now }
    }
}

/// Runs a cascade of two filters over a block: `middle` gets what the first gives, `out` what the second makes of it. The
/// same as one after the other; filters of one section each do not wait for each other.
pub(crate) fn run_both(filters: [&mut SosFilter; 2], middle: &mut [f64], out: &mut [f64]) {
    let [first, second] = filters;
    if let ([one], [two]) = (&mut *first.sections, &mut *second.sections) {
        let mut lanes = Lanes::new([&NONE; 4]);
        lanes.seat(0, one);
        lanes.seat(1, two);
        in_fours(Cascade { lanes: &mut lanes, middle, out });
        lanes.unseat(0, one);
        lanes.unseat(1, two);
        return;
    }
    first.run_block(middle);
    out.copy_from_slice(middle);
    second.run_block(out);
}

/// A block for two sections in a row.
struct Cascade<'a> {
    lanes: &'a mut Lanes<4>,
    middle: &'a mut [f64],
    out: &'a mut [f64],
}

impl InFours for Cascade<'_> {
    #[inline(always)]
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy) {
        let Self { lanes, middle, out } = self;
        let n = middle.len();
        let out = &mut out[..n];
        let Some(&start) = middle.first() else { return };
        [middle[0], ..] = lanes.run_some(0..1, [start, 0.0, 0.0, 0.0]);
        let mut running = lanes.begin(four);
        let mut y = four([middle[0], 0.0, 0.0, 0.0]);
        for i in 1..n {
            y = running.run(four([middle[i], y[0], 0.0, 0.0]));
            (middle[i], out[i - 1]) = (y[0], y[1]);
        }
        lanes.end(&running);
        [_, out[n - 1], ..] = lanes.run_some(1..2, [0.0, y[0], 0.0, 0.0]);
    }
}

/// Runs a cascade of `N` sections over a block.
#[inline]
fn run_together<const N: usize>(sections: &mut [DirectForm2Transposed<f64>; N], x: &mut [f64]) {
    let mut local = *sections;
    for sample in x {
        *sample = local.iter_mut().fold(*sample, |x, section| section.run(x));
    }
    *sections = local;
}

impl Kernel for SosFilter {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.run(x))
    }

    fn reset(&mut self) {
        self.sections.iter_mut().for_each(Biquad::reset_state);
    }

    fn delay(&self) -> f64 {
        self.delay
    }
}
