//! The flutter guard: tells ventricular flutter, a slow wave without rest, from beats.
//!
//! Must not know about single beats. It looks at about 2.75 s round a candidate and measures three things that are all
//! true of flutter and only one at a time of noise or of broad beats: no rest between the waves (spread), one narrow
//! band (complexity), slow (mobility). On the development records it takes 269 false beats away and costs 7 beats.

use std::ops::Range;

use super::difference::Difference;
use crate::filter::design::{self, Sections};
use crate::line::BLOCK;
use crate::units::Hertz;

/// Reach of the window before and after a peak of the integral: 2.04 s before and 0.68 s after the QRS, with the guard's
/// own filter delay (40 ms) and the integral's (100 ms) taken off.
const WINDOW_S: f64 = 2.752;
/// The part of it after the peak, which is what a decision waits for.
pub(super) const AFTER_PEAK_S: f64 = 0.62;
/// Length of the blocks in which sums are kept.
const BLOCK_S: f64 = 0.064;
/// Upper edge for the spread of the signal itself, and the distance of its difference.
const SIGNAL_LOW_PASS: Hertz = Hertz(15.0);
const SIGNAL_DIFFERENCE_S: f64 = 0.032;
/// Band in which flutter lives (1–8 Hz), and the distance of the differences that measure frequency in it.
const SLOW_BAND: (Hertz, Hertz) = (Hertz(1.0), Hertz(8.0));
const SLOW_DIFFERENCE_S: f64 = 0.016;
/// Sum of both spreads above which there is no rest between the waves: ECG has 2 × 0.48, noise 2 × 0.80, a sine 2 × 0.90.
const RESTLESS: f64 = 1.40;
/// Complexity below which the band is narrow: 1 is a sine.
const NARROW: f64 = 1.40;
/// Mobility below which the wave is slow: 0.45 is a sine of 4.5 Hz (270 a minute).
const SLOW: f64 = 0.45;
/// Sum of both that flutter stays below. Electrode motion comes near to either limit, seldom to both.
const NARROW_AND_SLOW: f64 = 1.75;
/// A candidate that has the lead's usual shape (at least this similarity), and rest on either side (less than this beside
/// it), is no flutter: wide beats in quick succession, paced ones of 130 a minute among them, leave no more rest than that
/// in the signal itself.
const USUAL: f64 = 0.95;
const RESTING: f64 = 0.4;
/// For a candidate that is not like a beat (below this similarity) less restless, broader waves are enough, if they are
/// slow indeed: the edges of an episode, where beats are in the window, too.
const UNLIKE: f64 = 0.8;
const EDGE_RESTLESS: f64 = 1.25;
const EDGE_NARROW: f64 = 1.5;
const EDGE_SLOW: f64 = 0.32;

/// The filter of the signal whose spread is measured: one section.
pub(super) fn signal_filter(fs: Hertz) -> Sections {
    design::low_pass(2, SIGNAL_LOW_PASS, fs).expect("fs is above twice the corner")
}

/// The filter of the band in which flutter lives: two sections.
pub(super) fn slow_filter(fs: Hertz) -> Sections {
    let band = design::band_pass(1, SLOW_BAND.0, SLOW_BAND.1, fs).expect("fs is above twice the edges");
    band.followed_by(&design::low_pass(2, SLOW_BAND.1, fs).expect("fs is above twice the corner"))
}

/// What the window round a candidate looks like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Texture {
    /// `SFy`: mean over root mean square of the signal's differences: 0.48 for ECG (99 % below 0.67), 0.80 for noise.
    pub(super) spread_signal: f64,
    /// `SFd`: the same of the slope in the detection band.
    pub(super) spread_band: f64,
    /// Hjorth's mobility of the slow band: mean frequency, as the difference's size over the signal's.
    mobility: f64,
    /// Hjorth's complexity of the slow band: 1 for a sine.
    complexity: f64,
}

impl Texture {
    /// Restless, narrow and slow: flutter. Each alone is also true of electrode motion, muscle noise or broad beats.
    /// `similarity`: how like a beat the candidate in the middle of the window is; `noise_ratio`: what its band shows beside
    /// it, in parts of it.
    pub(super) fn is_flutter(&self, similarity: f64, noise_ratio: f64) -> bool {
        let is = |restless, narrow, slow| {
            self.spread_signal + self.spread_band > restless && self.complexity < narrow && self.mobility < slow
        };
        let beats = similarity >= USUAL && noise_ratio < RESTING;
        !beats && is(RESTLESS, NARROW, SLOW) && self.mobility + self.complexity < NARROW_AND_SLOW
            || similarity < UNLIKE && is(EDGE_RESTLESS, EDGE_NARROW, EDGE_SLOW)
    }
}

/// Sums over some samples.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    count: usize,
    signal: [f64; 2],
    band: [f64; 2],
    slow: [f64; 3],
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.count += other.count;
        for (sum, more) in self.signal.iter_mut().zip(other.signal) {
            *sum += more;
        }
        for (sum, more) in self.band.iter_mut().zip(other.band) {
            *sum += more;
        }
        for (sum, more) in self.slow.iter_mut().zip(other.slow) {
            *sum += more;
        }
    }
}

/// What is summed of each sample of a stretch.
struct Terms<'a> {
    signal: &'a [f64],
    band: &'a [f64],
    slow: &'a [f64],
    first: &'a [f64],
    second: &'a [f64],
}

impl Terms<'_> {
    /// Adds sizes and squares, sample by sample: the order in which numbers are added must not depend on where a block ends.
    #[inline(always)]
    fn add_to(&self, sums: &mut Sums) {
        let n = self.signal.len();
        let [signal, band, slow, first, second] =
            [self.signal, self.band, self.slow, self.first, self.second].map(|term| &term[..n]);
        // In locals: sums in memory would be written at every sample. Pairs of sums share a register.
        let ([mut sizes, mut squares], [mut level, mut bends]) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
        [sizes[0], squares[0]] = sums.signal;
        [sizes[1], squares[1]] = sums.band;
        [level[0], level[1], bends[0]] = sums.slow;
        for i in 0..n {
            let (ends, waves) = ([signal[i], band[i]], [slow[i], first[i]]);
            for lane in 0..2 {
                sizes[lane] += ends[lane].abs();
                squares[lane] += ends[lane] * ends[lane];
                level[lane] += waves[lane] * waves[lane];
            }
            bends[0] += second[i] * second[i];
        }
        sums.signal = [sizes[0], squares[0]];
        sums.band = [sizes[1], squares[1]];
        sums.slow = [level[0], level[1], bends[0]];
    }

    /// The sums of two blocks at once, each as [`Terms::add_to`] makes them: they do not wait for each other.
    #[inline(always)]
    fn two_blocks(&self) -> [Sums; 2] {
        let n = self.signal.len() / 2;
        let [signal, band, slow, first, second] =
            [self.signal, self.band, self.slow, self.first, self.second].map(|term| [&term[..n], &term[n..][..n]]);
        let (mut sizes, mut squares, mut level, mut bends) = ([[0.0; 2]; 2], [[0.0; 2]; 2], [[0.0; 2]; 2], [0.0; 2]);
        for i in 0..n {
            for k in 0..2 {
                let (ends, waves) = ([signal[k][i], band[k][i]], [slow[k][i], first[k][i]]);
                for lane in 0..2 {
                    sizes[k][lane] += ends[lane].abs();
                    squares[k][lane] += ends[lane] * ends[lane];
                    level[k][lane] += waves[lane] * waves[lane];
                }
                bends[k] += second[k][i] * second[k][i];
            }
        }
        std::array::from_fn(|k| Sums {
            count: n,
            signal: [sizes[k][0], squares[k][0]],
            band: [sizes[k][1], squares[k][1]],
            slow: [level[k][0], level[k][1], bends[k]],
        })
    }
}

/// Keeps the sums that [`Texture`] is made of. The window ends at the newest sample and begins on a block's edge.
#[derive(Clone, Debug)]
pub(super) struct FlutterGuard {
    signal_difference: Difference,
    slow_differences: [Difference; 2],
    /// The newest block: what is summed of each sample besides what the differences keep, how many samples there are, and how
    /// many are summed.
    signal: Box<[f64; BLOCK]>,
    slope: Box<[f64; BLOCK]>,
    second: Box<[f64; BLOCK]>,
    held: usize,
    summed: usize,
    running: Sums,
    block: usize,
    blocks: Box<[Sums]>,
    oldest: usize,
}

impl FlutterGuard {
    pub(super) fn new(fs: Hertz) -> Self {
        let block = fs.samples(BLOCK_S);
        Self {
            signal_difference: Difference::new(fs.samples(SIGNAL_DIFFERENCE_S)),
            slow_differences: [fs.samples(SLOW_DIFFERENCE_S); 2].map(Difference::new),
            signal: Box::new([0.0; BLOCK]),
            slope: Box::new([0.0; BLOCK]),
            second: Box::new([0.0; BLOCK]),
            held: 0,
            summed: 0,
            running: Sums::default(),
            block,
            blocks: vec![Sums::default(); fs.samples(WINDOW_S) / block].into(),
            oldest: 0,
        }
    }

    /// Where the next block of the input, of `n` samples, is to be written as both filters of the guard give it: the signal
    /// and the slow band.
    #[inline(always)]
    pub(super) fn inputs(&mut self, n: usize) -> [&mut [f64]; 2] {
        self.sum_to(self.held);
        (self.held, self.summed) = (n, 0);
        [self.signal_difference.input(n), self.slow_differences[0].input(n)]
    }

    /// Where the slope of the detection band in that block is to be written, and is kept.
    #[inline(always)]
    pub(super) fn slope(&mut self, n: usize) -> &mut [f64] {
        &mut self.slope[..n]
    }

    /// Takes the block that has been written.
    #[inline(always)]
    pub(super) fn run(&mut self) {
        let n = self.held;
        self.signal_difference.run(&mut self.signal[..n]);
        let [over_once, over_twice] = &mut self.slow_differences;
        over_once.run(over_twice.input(n));
        over_twice.run(&mut self.second[..n]);
    }

    /// Adds the samples of the newest block before `end` that are not summed yet.
    #[inline(always)]
    fn sum_to(&mut self, end: usize) {
        while self.summed < end {
            let two = self.summed..self.summed + 2 * self.block;
            if self.running.count == 0 && two.end <= end {
                let sums = self.terms(two.clone()).two_blocks();
                sums.into_iter().for_each(|sums| self.keep(sums));
                self.summed = two.end;
                continue;
            }
            let part = self.summed..end.min(self.summed + self.block - self.running.count);
            let mut sums = self.running;
            sums.count += part.len();
            self.terms(part.clone()).add_to(&mut sums);
            self.running = sums;
            if sums.count == self.block {
                self.running = Sums::default();
                self.keep(sums);
            }
            self.summed = part.end;
        }
    }

    /// What is summed of a part of the newest block.
    #[inline(always)]
    fn terms(&self, part: Range<usize>) -> Terms<'_> {
        let [over_once, over_twice] = &self.slow_differences;
        Terms {
            signal: &self.signal[part.clone()],
            band: &self.slope[part.clone()],
            slow: &over_once.newest(self.held)[part.clone()],
            first: &over_twice.newest(self.held)[part.clone()],
            second: &self.second[part],
        }
    }

    /// Keeps the sums of a block in place of those of the oldest.
    #[inline(always)]
    fn keep(&mut self, sums: Sums) {
        self.blocks[self.oldest] = sums;
        self.oldest = if self.oldest + 1 == self.blocks.len() { 0 } else { self.oldest + 1 };
    }

    /// The texture of the window that ends at sample `at` of the newest block. Asked for in order of time.
    pub(super) fn texture_at(&mut self, at: usize) -> Texture {
        self.sum_to(at + 1);
        let mut sums = self.running;
        self.blocks.iter().for_each(|block| sums.add(block));
        let count = sums.count as f64;
        let [z, e1, e2] = sums.slow;
        Texture {
            spread_signal: spread(sums.signal, count),
            spread_band: spread(sums.band, count),
            mobility: ratio(e1, z).sqrt(),
            complexity: ratio(e2 * z, e1 * e1).sqrt(),
        }
    }

    pub(super) fn reset(&mut self) {
        self.signal_difference.reset();
        self.slow_differences.iter_mut().for_each(Difference::reset);
        (self.held, self.summed) = (0, 0);
        self.running = Sums::default();
        self.blocks.fill(Sums::default());
        self.oldest = 0;
    }
}

/// Mean of the sizes over the root of the mean square.
fn spread([sizes, squares]: [f64; 2], count: f64) -> f64 {
    ratio(sizes, (squares * count).sqrt())
}

/// a/b, 0 where there is nothing.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::super::front_end::FrontEnd;
    use super::*;

    fn texture_of(signal: impl Fn(f64) -> f64) -> Texture {
        let fs = Hertz(250.0);
        let mut front_end = FrontEnd::new(fs, 125);
        for n in 0..50 {
            let block = std::array::from_fn::<f64, 50, _>(|k| signal(f64::from(n * 50 + k as u32) / 250.0));
            front_end.run_block(&block, None);
        }
        front_end.texture(49)
    }

    #[test]
    fn a_slow_sine_is_flutter_and_a_fast_one_is_not() {
        let sine = |hz: f64| texture_of(move |t| (2.0 * std::f64::consts::PI * hz * t).sin());
        assert!(sine(4.0).is_flutter(0.0, 1.0));
        assert!((sine(4.0).spread_signal - 0.90).abs() < 0.01);
        assert!((sine(4.0).complexity - 1.0).abs() < 0.03);
        assert!((sine(4.5).mobility - 0.45).abs() < 0.02);
        assert!(!sine(6.0).is_flutter(0.0, 1.0));
    }

    #[test]
    fn beats_with_rest_between_them_are_not_flutter() {
        let beats = texture_of(|t| (-((t % 0.4 - 0.2) / 0.02).powi(2)).exp());
        assert!(!beats.is_flutter(0.0, 1.0));
        assert!(beats.spread_signal < 0.67);
    }

    #[test]
    fn nothing_is_not_flutter() {
        assert!(!texture_of(|_| 0.0).is_flutter(0.0, 1.0));
    }
}
