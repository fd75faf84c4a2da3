//! Shares of power in bands by Welch's method, for pSQI and basSQI.
//!
//! Segments of 4 s, half of each common with the next, their mean taken off, periodic Hann window, the density integrated
//! by the trapezoidal rule over bins of 0.25 Hz: as `scipy.signal.welch(x, 250, nperseg=1000)`, but at half the sampling
//! frequency ([`HalfRate`]); what that filter takes from a bin is given back. Must not know about beats.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::half_rate::{HALF_FS, HalfRate};
use crate::kernel::Kernel;
use crate::widest::widest;

/// Samples in a segment: 4 s at half the rate.
const SEGMENT: usize = 500;
/// Samples from one segment to the next.
const HOP: usize = SEGMENT / 2;
/// Edges of the bands in bins of 0.25 Hz: 0, 1, 5, 15 and 40 Hz.
const EDGES: [usize; 5] = [0, 4, 20, 60, 160];

/// Power in four bands next to each other, 0–1, 1–5, 5–15 and 15–40 Hz, in any unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BandPowers([f64; 4]);

impl BandPowers {
    /// The powers of two stretches together.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(std::array::from_fn(|band| self.0[band] + other.0[band]))
    }

    /// pSQI: power from 5 to 15 Hz over that from 5 to 40 Hz, 0 … 1. `None` without power.
    pub fn p_sqi(&self) -> Option<f64> {
        let [_, _, qrs, above] = self.0;
        share(qrs, qrs + above)
    }

    /// basSQI: 1 − power below 1 Hz over that below 40 Hz, 0 … 1. `None` without power.
    pub fn bas_sqi(&self) -> Option<f64> {
        let [baseline, rest @ ..] = self.0;
        Some(1.0 - share(baseline, baseline + rest.iter().sum::<f64>())?)
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    let share = part / whole;
    (whole > 0.0 && share.is_finite()).then_some(share)
}

/// Takes samples at half the rate; gives the band powers of a segment every two seconds, at its last sample.
#[derive(Clone)]
pub struct SegmentSpectrum {
    transform: Arc<dyn RealToComplex<f32>>,
    window: Box<[f32]>,
    /// By what the power of a bin is multiplied to undo the half-rate filter.
    restore: Box<[f64]>,
    samples: Box<[f64]>,
    held: usize,
    windowed: Box<[f32]>,
    bins: Box<[Complex<f32>]>,
    scratch: Box<[Complex<f32>]>,
}

impl fmt::Debug for SegmentSpectrum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentSpectrum").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Default for SegmentSpectrum {
    fn default() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(SEGMENT);
        let hann = |n| 0.5 - 0.5 * (TAU * n as f64 / SEGMENT as f64).cos();
        let restore = |bin| HalfRate::amplitude(bin as f64 * HALF_FS.0 / SEGMENT as f64).powi(-2);
        Self {
            window: (0..SEGMENT).map(|n| hann(n) as f32).collect(),
            restore: (0..=EDGES[4]).map(restore).collect(),
            samples: vec![0.0; SEGMENT].into(),
            held: 0,
            windowed: transform.make_input_vec().into(),
            bins: transform.make_output_vec().into(),
            scratch: transform.make_scratch_vec().into(),
            transform,
        }
    }
}

impl SegmentSpectrum {
    /// Takes a block; `sink` gets the powers of each segment that it ends.
    pub(super) fn run_block(&mut self, mut x: &[f64], sink: &mut impl FnMut(BandPowers)) {
        while !x.is_empty() {
            let (now, later) = x.split_at(x.len().min(SEGMENT - self.held));
            self.samples[self.held..self.held + now.len()].copy_from_slice(now);
            self.held += now.len();
            if self.held == SEGMENT {
                sink(self.powers());
                self.samples.copy_within(HOP.., 0);
                self.held = HOP;
            }
            x = later;
        }
    }

    fn powers(&mut self) -> BandPowers {
        let scaled = widest(
            #[inline(always)]
            || self.scale(),
        );
        let Some(largest) = scaled else { return BandPowers::default() };
        if self.transform.process_with_scratch(&mut self.windowed, &mut self.bins, &mut self.scratch).is_err() {
            return BandPowers::default();
        }
        let mut powers = [0.0; EDGES[4] + 1];
        widest(
            #[inline(always)]
            || {
                for ((power, bin), restore) in powers.iter_mut().zip(&self.bins).zip(&self.restore) {
                    *power = f64::from(bin.norm_sqr()) * restore;
                }
            },
        );
        let band =
            |from: usize, to: usize| 0.5 * (powers[from] + powers[to]) + powers[from + 1..to].iter().sum::<f64>();
        let unit = largest * largest;
        BandPowers(std::array::from_fn(|n| unit * band(EDGES[n], EDGES[n + 1])))
    }

    /// Takes the mean off the segment and scales it to 1 for the transform, which has fewer digits and less range than the
    /// signal. Gives its largest value; `None` where there is nothing.
    #[inline(always)]
    fn scale(&mut self) -> Option<f64> {
        let (fours, _) = self.samples.as_chunks::<4>();
        // Four chains side by side: one would wait for itself at every sample.
        let mut sums = [0.0; 4];
        fours.iter().for_each(|four| sums.iter_mut().zip(four).for_each(|(sum, x)| *sum += x));
        let mean = sums.iter().sum::<f64>() / SEGMENT as f64;
        let mut largest = [0.0_f64; 4];
        for four in fours {
            for (largest, x) in largest.iter_mut().zip(four) {
                let size = (x - mean).abs();
                *largest = if size > *largest { size } else { *largest };
            }
        }
        let largest = largest.into_iter().fold(0.0, f64::max);
        let scale = 1.0 / largest;
        for ((windowed, x), window) in self.windowed.iter_mut().zip(&self.samples).zip(&self.window) {
            *windowed = ((x - mean) * scale) as f32 * window;
        }
        scale.is_finite().then_some(largest)
    }
}

impl Kernel for SegmentSpectrum {
    type Input = f64;
    type Output = BandPowers;

    #[inline]
    fn push(&mut self, x: f64) -> Option<BandPowers> {
        let mut powers = None;
        self.run_block(&[x], &mut |segment| powers = Some(segment));
        powers
    }

    fn reset(&mut self) {
        self.held = 0;
    }

    fn delay(&self) -> f64 {
        0.0
    }

    fn inputs_per_output(&self) -> f64 {
        HOP as f64
    }
}
