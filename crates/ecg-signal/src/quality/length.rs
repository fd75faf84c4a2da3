//! A second detector of beats, cheap and of another kind, to compare the first one with (bSQI).
//!
//! The length of the curve over one QRS, after W. Zong, G. B. Moody and D. Jiang, *A robust open-source algorithm to
//! detect onset and duration of QRS complexes*, Computers in Cardiology 30 (2003) 737–740. It sees slopes from about 5 to
//! 45 Hz, unsquared, and knows no shape, no rhythm and no search-back: where it finds the beats of the first detector,
//! they are plain to see. Must not know the first detector.
//!
//! Differences from the paper, each with its reason:
//! - **Slopes over 32 ms for the low-pass at 16 Hz:** `d = x₀ + x₁ − x₂ − x₃` at 125 Hz needs four additions.
//! - **The sum of |d| for that of √(c + d²):** no constant that knows the unit of the signal.
//! - **Beats at peaks, not at onsets:** bSQI asks for places within 150 ms only.

use super::half_rate;
use crate::kernel::Kernel;

/// The curve is as long as a QRS: 128 ms in samples at half the rate.
const WINDOW: usize = 16;
/// A quarter of it.
const QUARTER: usize = WINDOW / 4;
/// The most samples that are taken at once: half of what the half rate is made of.
pub(super) const PIECE: usize = half_rate::PIECE / 2;
/// Samples before the newest one that a slope is made of, and slopes before it that a quarter is.
const REACH: usize = QUARTER - 1;
/// A peak that nothing has topped for 144 ms is one.
const UNTOPPED: u32 = 18;
/// Two beats are no nearer than this: 240 ms.
const REFRACTORY: f64 = 30.0;
/// A peak is a beat when it stands out of the lowest length of late by this share of what beats stand out.
const THRESHOLD: f64 = 0.4;
/// What beats stand out by is the median of so many: one artefact does not move it, a new gain rules after three.
const REMEMBERED: usize = 5;
/// Without a beat for so long (2 s) that halves, and again every half second.
const SILENCE: u32 = 250;
const SILENCE_STEP: u32 = 62;
/// The lowest length of late rises to the present one by this share of the distance at each sample: in about 1 s.
const RISE: f64 = 0.01;
/// The peak of the length lies so far behind the middle of the QRS: half of the window and of the slope.
const DELAY: f64 = 0.5 * (WINDOW - 1) as f64 + 1.5;

/// Takes samples at half the rate of the path; gives the place of each beat among them, fractional, some time later.
#[derive(Clone, Debug, Default)]
pub struct LengthDetector {
    /// The newest samples, sizes of slopes, and sums of those over a quarter of the window; the newest last.
    before: [f64; REACH],
    slopes: [f64; REACH],
    quarters: [f64; WINDOW - QUARTER],
    pushed: u64,
    lowest: f64,
    /// The peak that waits to be topped, and for how long it has.
    peak: f64,
    age: u32,
    /// By how much the newest beats stood out, and the median of that.
    heights: [f64; REMEMBERED],
    beats: usize,
    level: f64,
    since_beat: u32,
    last: Option<f64>,
}

impl LengthDetector {
    /// From the middle of a QRS to the sample that gives it, in samples at half the rate.
    pub const DECISION_DELAY: usize = UNTOPPED as usize + DELAY as usize + 1;

    /// Takes a block of at most [`PIECE`] samples; `sink` gets the place of each beat that they decide.
    #[inline(always)]
    pub(super) fn run_block(&mut self, x: &[f64], sink: &mut impl FnMut(f64)) {
        let mut lengths = [0.0; PIECE];
        let lengths = &mut lengths[..x.len()];
        self.measure(x, lengths);
        for &length in &*lengths {
            if let Some(place) = self.look_at(length) {
                sink(place);
            }
        }
    }

    /// Lengths of the curves that end at each sample of a block.
    #[inline(always)]
    fn measure(&mut self, x: &[f64], lengths: &mut [f64]) {
        let n = x.len();
        let [mut line, mut slopes] = [[0.0; REACH + PIECE]; 2];
        let mut quarters = [0.0; WINDOW - QUARTER + PIECE];
        line[..REACH].copy_from_slice(&self.before);
        line[REACH..REACH + n].copy_from_slice(x);
        slopes[..REACH].copy_from_slice(&self.slopes);
        let [x3, x2, x1, x0] = [0, 1, 2, 3].map(|k| &line[k..k + n]);
        for (i, slope) in slopes[REACH..REACH + n].iter_mut().enumerate() {
            *slope = ((x0[i] + x1[i]) - (x2[i] + x3[i])).abs();
        }
        quarters[..WINDOW - QUARTER].copy_from_slice(&self.quarters);
        let [d3, d2, d1, d0] = [0, 1, 2, 3].map(|k| &slopes[k..k + n]);
        for (i, quarter) in quarters[WINDOW - QUARTER..][..n].iter_mut().enumerate() {
            *quarter = (d0[i] + d1[i]) + (d2[i] + d3[i]);
        }
        let [q3, q2, q1, q0] = [0, 1, 2, 3].map(|k| &quarters[k * QUARTER..k * QUARTER + n]);
        for (i, length) in lengths.iter_mut().enumerate() {
            *length = (q0[i] + q1[i]) + (q2[i] + q3[i]);
        }
        self.before.copy_from_slice(&line[n..n + REACH]);
        self.slopes.copy_from_slice(&slopes[n..n + REACH]);
        self.quarters.copy_from_slice(&quarters[n..n + WINDOW - QUARTER]);
    }

    /// Takes the next length; gives a beat that it decides.
    #[inline(always)]
    fn look_at(&mut self, length: f64) -> Option<f64> {
        self.lowest = length.min((1.0 - RISE) * self.lowest + RISE * length);
        self.since_beat += 1;
        if self.since_beat > SILENCE {
            self.heights.iter_mut().for_each(|height| *height *= 0.5);
            self.level *= 0.5;
            self.since_beat -= SILENCE_STEP;
        }
        let mut beat = None;
        if length > self.peak {
            (self.peak, self.age) = (length, 0);
        } else {
            self.age += 1;
            if self.age == UNTOPPED {
                beat = self.judge(self.peak - self.lowest);
                (self.peak, self.age) = (length, 0);
            }
        }
        self.pushed += 1;
        beat
    }

    /// A peak that stands out by `height` has not been topped.
    #[inline(never)]
    fn judge(&mut self, height: f64) -> Option<f64> {
        let place = self.pushed as f64 - f64::from(UNTOPPED) - DELAY;
        if height <= THRESHOLD * self.level || self.last.is_some_and(|last| place - last < REFRACTORY) {
            return None;
        }
        self.heights[self.beats % REMEMBERED] = height;
        self.beats += 1;
        self.level = self.usual_height();
        self.since_beat = 0;
        self.last = Some(place);
        Some(place)
    }

    fn usual_height(&self) -> f64 {
        let mut sorted = self.heights;
        let known = &mut sorted[..self.beats.min(REMEMBERED)];
        known.sort_unstable_by(f64::total_cmp);
        known.get(known.len() / 2).copied().unwrap_or(0.0)
    }
}

impl Kernel for LengthDetector {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        let mut beat = None;
        self.run_block(&[x], &mut |place| beat = Some(place));
        beat
    }

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn delay(&self) -> f64 {
        DELAY
    }
}
