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

use crate::kernel::Kernel;

/// The curve is as long as a QRS: 128 ms in samples at half the rate.
const WINDOW: usize = 16;
/// A quarter of it.
const QUARTER: usize = WINDOW / 4;
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
    /// The newest three samples, the newest first.
    before: [f64; 3],
    /// The newest three sizes of slopes, and their sums over a quarter of the window.
    slopes: [f64; 3],
    quarters: [f64; WINDOW],
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

    /// Length of the curve that ends at the newest sample.
    #[inline]
    fn length(&mut self, x: f64) -> f64 {
        let [x1, x2, x3] = self.before;
        self.before = [x, x1, x2];
        let slope = ((x + x1) - (x2 + x3)).abs();
        let [d1, d2, d3] = self.slopes;
        self.slopes = [slope, d1, d2];
        let quarter = (slope + d1) + (d2 + d3);
        let at = self.pushed as usize;
        self.quarters[at % WINDOW] = quarter;
        let back = |quarters: usize| self.quarters[(at + WINDOW - quarters * QUARTER) % WINDOW];
        (quarter + back(1)) + (back(2) + back(3))
    }

    /// A peak that stands out by `height` has not been topped.
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
        let length = self.length(x);
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

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn delay(&self) -> f64 {
        DELAY
    }
}
