//! Shrinks the details of one level of the denoiser by what their neighbourhood holds beyond the noise.
//!
//! Must not know the other levels, nor where beats are.

use super::median::SlidingMedian;
use crate::line::{BLOCK, Line};

/// median |x| of a Gaussian is 0.6745 σ.
const MEDIAN_OF_GAUSSIAN: f64 = 0.6745;

/// What a [`Shrinker`] is told of its level. Times are in samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// Threshold in units of the noise.
    pub(super) threshold: f64,
    /// The neighbourhood: so many details before and after the one that is shrunk.
    pub(super) neighbours: (usize, usize),
    /// Noise looks at every `stride`-th detail, as a level is oversampled; the threshold moves as often.
    pub(super) stride: usize,
    /// Details that the noise is estimated from, and the fewest that say something of it.
    pub(super) window: usize,
    pub(super) minimum: usize,
    /// How late a detail comes out, at least the neighbours after it.
    pub(super) delay: usize,
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct Shrinker {
    rule: Rule,
    details: Line,
    noise: SlidingMedian,
    until_look: usize,
    threshold: f64,
    /// Squared threshold on the sum over the neighbourhood, in units of the squared median.
    limit: f64,
}

/// Memory for one block, which the levels use in turns: the more of them share it, the nearer it stays.
#[derive(Clone, Debug)]
pub(super) struct Scratch {
    /// The details of a block that noise looks at, and what it makes of them.
    looks: Box<[[f64; BLOCK]; 2]>,
    thresholds: Box<[f64; BLOCK]>,
    squares: Box<[f64]>,
}

impl Scratch {
    /// For levels whose neighbourhoods are no wider than the widest of these.
    pub(super) fn new(rules: impl Iterator<Item = Rule>) -> Self {
        Self {
            looks: Box::new([[0.0; BLOCK]; 2]),
            thresholds: Box::new([0.0; BLOCK]),
            squares: vec![0.0; BLOCK + rules.map(width).max().unwrap_or(0)].into_boxed_slice(),
        }
    }
}

impl Shrinker {
    pub(super) fn new(rule: Rule) -> Self {
        let width = width(rule);
        Self {
            rule,
            details: Line::new(rule.delay + rule.neighbours.0),
            noise: SlidingMedian::new(rule.window),
            until_look: 0,
            threshold: 0.0,
            limit: rule.threshold * rule.threshold * width as f64 / (MEDIAN_OF_GAUSSIAN * MEDIAN_OF_GAUSSIAN),
        }
    }

    pub(super) fn rule(&self) -> Rule {
        self.rule
    }

    /// Where the next block of at most [`BLOCK`] details is to be written.
    #[inline(always)]
    pub(super) fn input(&mut self, n: usize) -> &mut [f64] {
        self.details.extend(n)
    }

    /// Takes the block that has been written; `shrunk` gets the details of `delay` samples ago, shrunk.
    #[inline(always)]
    pub(super) fn run(&mut self, shrunk: &mut [f64], scratch: &mut Scratch) {
        let n = shrunk.len();
        let Scratch { looks, thresholds, squares } = scratch;
        let thresholds = &mut thresholds[..n];
        self.look_at(looks, thresholds);
        let width = width(self.rule);
        let reached = self.details.block(n + width - 1, self.rule.delay - self.rule.neighbours.1);
        let squares = &mut squares[..n + width - 1];
        squares.iter_mut().zip(reached).for_each(|(square, d)| *square = d * d);
        let values = self.details.block(n, self.rule.delay);
        match width {
            4 => shrink_by::<4>(squares, values, thresholds, shrunk),
            5 => shrink_by::<5>(squares, values, thresholds, shrunk),
            7 => shrink_by::<7>(squares, values, thresholds, shrunk),
            _ => {
                let energies = squares.windows(width).map(|part| part.iter().sum());
                for (((out, value), energy), threshold) in shrunk.iter_mut().zip(values).zip(energies).zip(thresholds) {
                    *out = shrink(*value, energy, *threshold);
                }
            }
        }
    }

    /// Takes the newest details into the estimate of the noise, and sets the threshold that holds at each of them.
    #[inline(always)]
    fn look_at(&mut self, looks: &mut [[f64; BLOCK]; 2], thresholds: &mut [f64]) {
        let n = thresholds.len();
        let (details, stride, first) = (self.details.block(n, 0), self.rule.stride, self.until_look.min(n));
        let (held, thresholds) = thresholds.split_at_mut(first);
        held.fill(self.threshold);
        if first == n {
            self.until_look -= n;
            return;
        }
        let count = (n - first).div_ceil(stride);
        self.until_look = first + count * stride - n;
        let [looked_at, medians] = looks;
        let (looked_at, medians) = (&mut looked_at[..count], &mut medians[..count]);
        looked_at.iter_mut().zip(details[first..].iter().step_by(stride)).for_each(|(look, detail)| *look = *detail);
        // Too few are held before the look that makes them enough.
        let unknown = self.rule.minimum.saturating_sub(self.noise.filled() + 1).min(count);
        self.noise.run_block(looked_at, medians);
        medians[..unknown].fill(self.threshold);
        medians[unknown..].iter_mut().for_each(|median| *median = self.limit * *median * *median);
        self.threshold = medians[count - 1];
        spread(medians, stride, thresholds);
    }

    pub(super) fn reset(&mut self) {
        self.details.reset();
        self.noise.reset();
        self.until_look = 0;
        self.threshold = 0.0;
    }
}

fn width(rule: Rule) -> usize {
    rule.neighbours.0 + 1 + rule.neighbours.1
}

/// Repeats each value `times`, as often as there is room.
#[inline(always)]
fn spread(values: &[f64], times: usize, out: &mut [f64]) {
    match times {
        2 => spread_by::<2>(values, out),
        4 => spread_by::<4>(values, out),
        8 => spread_by::<8>(values, out),
        _ => out.chunks_mut(times).zip(values).for_each(|(out, value)| out.fill(*value)),
    }
}

/// As the general form, with a number that the compiler knows.
#[inline(always)]
fn spread_by<const TIMES: usize>(values: &[f64], out: &mut [f64]) {
    let (whole, rest) = out.as_chunks_mut::<TIMES>();
    whole.iter_mut().zip(values).for_each(|(out, value)| *out = [*value; TIMES]);
    if let Some(last) = values.last() {
        rest.fill(*last);
    }
}

/// Shrinks each value by the sum of the squares in its neighbourhood, with a width that the compiler knows: several at once.
#[inline(always)]
fn shrink_by<const WIDTH: usize>(squares: &[f64], values: &[f64], thresholds: &[f64], out: &mut [f64]) {
    let n = out.len();
    let parts: [&[f64]; WIDTH] = std::array::from_fn(|k| &squares[k..k + n]);
    let (values, thresholds) = (&values[..n], &thresholds[..n]);
    for i in 0..n {
        out[i] = shrink(values[i], parts.iter().map(|part| part[i]).sum(), thresholds[i]);
    }
}

/// The value times g = max(0, 1 − (threshold / energy)²).
#[inline(always)]
fn shrink(value: f64, energy: f64, threshold: f64) -> f64 {
    let share = threshold / energy;
    let shrunk = value * (1.0 - share * share);
    if energy > threshold { shrunk } else { 0.0 }
}
