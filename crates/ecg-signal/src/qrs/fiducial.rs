//! Where in a QRS its R peak is: on the sharper deflection, up or down.
//!
//! Must not know which candidates are beats. The larger of |max| and |min| flips between R and S from beat to beat; what
//! an annotator marks is the *sharper* deflection (R in MIT-BIH 118 though S is deeper, S in 108 though R is as tall). No
//! direction is preferred, so that an inverted lead gives the same positions; a slow memory keeps a lead to its
//! direction where a beat leaves it open.

use biquad::Coefficients;

use super::Polarity;
use super::history::History;
use crate::filter::design::Sections;
use crate::line::Line;
use crate::units::Hertz;

/// Length of each of the two running means that make the triangular smoother ([1 2 3 4 3 2 1]/16 at 250 Hz).
const SMOOTH_S: f64 = 0.016;
/// Corner of the baseline remover: low enough to leave the QRS its shape.
const BASELINE: Hertz = Hertz(0.5);
/// The R peak is looked for within this of the centre of the QRS.
const REACH_S: f64 = 0.1;
/// Samples within reach: enough for 500 Hz.
const LONGEST: usize = 101;
/// Distance of the second difference that measures sharpness.
const SHARPNESS_S: f64 = 0.024;
/// Ends of the window whose means carry the base line.
const BASE_S: f64 = 0.02;
/// Least sharpness of a deflection in parts of its height: keeps the logarithm finite on a plateau.
const BLUNTEST: f64 = 0.02;
/// Weight of the sharpness against the height, both as logarithms of the ratio up / down.
const SHARPNESS_WEIGHT: f64 = 3.0;
/// Heights that are compared side by side.
const LANES: usize = 4;
/// Of several peaks as tall as this share of the tallest, the first is R: annotators mark the onset of a wide complex.
const FIRST_SHARE: f64 = 0.9;
/// Weight of the lead's usual direction, for a beat just like the usual one; others have their own.
const MEMORY_WEIGHT: f64 = 1.0;
/// Share of a new beat in the lead's usual direction, if it is just like the usual one.
const MEMORY_STEP: f64 = 0.1;

/// Smooths the input over 16 ms twice (`w`).
#[derive(Clone, Debug)]
pub(super) struct Smoother {
    means: [RunningMean; 2],
}

impl Smoother {
    pub(super) fn new(fs: Hertz) -> Self {
        let length = fs.samples(SMOOTH_S);
        Self { means: [RunningMean::new(length), RunningMean::new(length)] }
    }

    /// Samples by which the output lags the input.
    pub(super) fn delay(&self) -> f64 {
        (self.means[0].length - 1) as f64
    }

    /// Where the next block, of `n` samples, is to be written.
    #[inline(always)]
    pub(super) fn input(&mut self, n: usize) -> &mut [f64] {
        self.means[0].input(n)
    }

    /// The newest `n` samples, as they were written.
    #[inline(always)]
    pub(super) fn newest(&self, n: usize) -> &[f64] {
        self.means[0].line.block(n, 0)
    }

    /// Smooths the block that has been written.
    #[inline(always)]
    pub(super) fn run(&mut self, smoothed: &mut [f64]) {
        let [first, second] = &mut self.means;
        first.run(second.input(smoothed.len()));
        second.run(smoothed);
    }

    pub(super) fn reset(&mut self) {
        self.means.iter_mut().for_each(RunningMean::reset);
    }
}

/// What takes the base line off (`f`): f[n] = a (f[n−1] + w[n] − w[n−1]) for the smoothed w. One section.
pub(super) fn baseline_filter(fs: Hertz) -> Sections {
    let pole = (-2.0 * std::f64::consts::PI * BASELINE.0 / fs.0).exp();
    let coefficients = Coefficients { b0: pole, b1: -pole, b2: 0.0, a1: -pole, a2: 0.0 };
    Sections { coefficients: vec![coefficients], fs, reference: BASELINE }
}

/// Values in a mean at 250 Hz, which are added in one pass.
const USUAL_LENGTH: usize = 4;

/// Mean of a few newest values, summed anew each time: too short for a running sum to be worth its drift.
#[derive(Clone, Debug)]
struct RunningMean {
    line: Line,
    length: usize,
    scale: f64,
}

impl RunningMean {
    fn new(length: usize) -> Self {
        let length = length.max(1);
        Self { line: Line::new(length - 1), length, scale: 1.0 / length as f64 }
    }

    /// Where the next block of `n` values is to be written.
    #[inline(always)]
    fn input(&mut self, n: usize) -> &mut [f64] {
        self.line.extend(n)
    }

    /// The means at the values of the block that has been written.
    #[inline(always)]
    fn run(&self, means: &mut [f64]) {
        let n = means.len();
        if self.length == USUAL_LENGTH {
            let [x0, x1, x2, x3] = [0, 1, 2, 3].map(|late| &self.line.block(n, late)[..n]);
            for i in 0..n {
                means[i] = (x0[i] + x1[i] + x2[i] + x3[i]) * self.scale;
            }
            return;
        }
        means.copy_from_slice(self.line.block(n, 0));
        for late in 1..self.length {
            add(means, self.line.block(n, late));
        }
        for sum in means {
            *sum *= self.scale;
        }
    }

    fn reset(&mut self) {
        self.line.reset();
    }
}

/// Adds to each sum its value.
#[inline(always)]
fn add(sums: &mut [f64], values: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

/// Both answers for one QRS and what speaks for the upper one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Deflections {
    /// Position of the largest upward deflection, in samples of the input.
    up: f64,
    /// Position of the largest downward one.
    down: f64,
    /// `l`: ln(height up / down) + 3 ln(sharpness up / down).
    preference: f64,
}

/// Measures the deflections of a QRS.
#[derive(Clone, Copy, Debug)]
pub(super) struct FiducialSearch {
    reach: i64,
    sharpness: i64,
    base: i64,
    delay: f64,
}

impl FiducialSearch {
    pub(super) fn new(fs: Hertz, delay: f64) -> Self {
        Self {
            reach: fs.samples(REACH_S) as i64,
            sharpness: fs.samples(SHARPNESS_S) as i64,
            base: fs.samples(BASE_S).max(1) as i64,
            delay,
        }
    }

    /// The deflections of the QRS whose centre lies at `centre`; `signal` is the fiducial signal (`f`).
    pub(super) fn measure(&self, signal: &History, centre: i64) -> Deflections {
        let (first, last) = (centre - self.reach, centre + self.reach);
        let mut heights = [0.0; LONGEST];
        let heights = &mut heights[..=(last - first) as usize];
        signal.copy(first, heights);
        let base = self.base as usize;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / self.base as f64;
        let (left, right) = (mean(&heights[..base]), mean(&heights[heights.len() - base..]));
        // The straight line from the middle of the first samples to the middle of the last ones.
        let half = 0.5 * (self.base - 1) as f64;
        let slope = (right - left) / ((last - first) as f64 - 2.0 * half);
        for (n, height) in heights.iter_mut().enumerate() {
            *height -= left + slope * (n as f64 - half);
        }
        let [up, down] = [1.0, -1.0].map(|sign| {
            let (at, height) = first_high(heights, sign);
            (first + at as i64, height)
        });
        let sharp = |(i, height): (i64, f64)| {
            let second = 2.0 * signal.at(i) - signal.at(i - self.sharpness) - signal.at(i + self.sharpness);
            second.abs().max(BLUNTEST * height.abs())
        };
        Deflections {
            up: vertex(signal, up.0) - self.delay,
            down: vertex(signal, down.0) - self.delay,
            preference: log_ratio(up.1, down.1) + SHARPNESS_WEIGHT * log_ratio(sharp(up), sharp(down)),
        }
    }
}

/// Where the highest value is, or the first peak that is nearly as high, of `heights` times `sign`.
fn first_high(heights: &[f64], sign: f64) -> (usize, f64) {
    let value = |i: usize| sign * heights[i];
    // In lanes: one comparison would wait for the one before it.
    let (several, rest) = heights.as_chunks::<LANES>();
    let mut most = [f64::NEG_INFINITY; LANES];
    for some in several {
        for lane in 0..LANES {
            let height = sign * some[lane];
            most[lane] = if height > most[lane] { height } else { most[lane] };
        }
    }
    let ends = most.into_iter().chain(rest.iter().map(|height| sign * height));
    let highest = ends.fold(f64::NEG_INFINITY, |most, height| if height > most { height } else { most });
    let at = heights.iter().position(|height| sign * height == highest).unwrap_or(0);
    let high = |&i: &usize| value(i) >= FIRST_SHARE * highest && value(i) > value(i - 1) && value(i) >= value(i + 1);
    let first = (1..at).find(high).unwrap_or(at);
    (first, value(first))
}

/// ln(a/b) of two sizes, 0 where one of them is nothing.
fn log_ratio(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 { (a / b).ln() } else { 0.0 }
}

/// Vertex of the parabola through the samples round `i`, at most half a sample away.
fn vertex(signal: &History, i: i64) -> f64 {
    let (before, here, after) = (signal.at(i - 1), signal.at(i), signal.at(i + 1));
    let bend = before - 2.0 * here + after;
    let shift = if bend == 0.0 { 0.0 } else { 0.5 * (before - after) / bend };
    i as f64 + shift.clamp(-0.5, 0.5)
}

/// The direction in which R usually points in this lead (`pol`), −1 … 1.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsualPolarity(f64);

impl UsualPolarity {
    /// The lead has been turned upside down.
    pub(super) fn turn(&mut self) {
        self.0 = -self.0;
    }

    /// Chooses the R peak of an accepted beat and learns from it: position in input samples and direction. The less
    /// similar the beat is to the usual one, the less the one says of the other.
    pub(super) fn choose(&mut self, deflections: &Deflections, similarity: f64) -> (f64, Polarity) {
        let similarity = similarity.max(0.0);
        let upright = deflections.preference + MEMORY_WEIGHT * similarity * self.0 > 0.0;
        self.0 += MEMORY_STEP * similarity * (deflections.preference.clamp(-1.0, 1.0) - self.0);
        if upright { (deflections.up, Polarity::Upright) } else { (deflections.down, Polarity::Inverted) }
    }
}
