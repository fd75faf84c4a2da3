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

use std::ops::Range;

use super::half_rate;

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
#[derive(Clone, Debug)]
pub struct LengthDetector {
    curve: Box<Curve>,
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

/// What the length of a block is made of: samples, sizes of slopes, and sums of those over a quarter of the window, each
/// behind those before the block that are still needed.
#[derive(Clone, Debug)]
struct Curve {
    samples: [f64; REACH + PIECE],
    slopes: [f64; REACH + PIECE],
    quarters: [f64; WINDOW - QUARTER + PIECE],
    /// Lengths of the newest block.
    lengths: [f64; PIECE],
}

impl Default for LengthDetector {
    fn default() -> Self {
        let curve = Curve {
            samples: [0.0; REACH + PIECE],
            slopes: [0.0; REACH + PIECE],
            quarters: [0.0; WINDOW - QUARTER + PIECE],
            lengths: [0.0; PIECE],
        };
        Self {
            curve: Box::new(curve),
            pushed: 0,
            lowest: 0.0,
            peak: 0.0,
            age: 0,
            heights: [0.0; REMEMBERED],
            beats: 0,
            level: 0.0,
            since_beat: 0,
            last: None,
        }
    }
}

impl LengthDetector {
    /// From the middle of a QRS to the sample that gives it, in samples at half the rate.
    pub const DECISION_DELAY: usize = UNTOPPED as usize + DELAY as usize + 1;

    /// Takes a block of at most [`PIECE`] samples; `sink` gets the place of each beat that they decide.
    #[inline(always)]
    pub(super) fn run_block(&mut self, x: &[f64], sink: &mut impl FnMut(f64)) {
        self.curve.measure(x);
        let mut looked_at = 0;
        while looked_at < x.len() {
            let (taken, height) = self.look_through(looked_at..x.len());
            looked_at += taken;
            if let Some(place) = height.and_then(|height| self.judge(height)) {
                sink(place);
            }
        }
    }

    /// Takes the lengths of a stretch until a peak has not been topped; gives how many it took, and by how much the peak stands out.
    #[inline(always)]
    fn look_through(&mut self, stretch: Range<usize>) -> (usize, Option<f64>) {
        let lengths = &self.curve.lengths[stretch];
        // In locals they stay in registers.
        let (mut lowest, mut peak, mut age, mut since_beat) = (self.lowest, self.peak, self.age, self.since_beat);
        let (mut taken, mut height) = (lengths.len(), None);
        for (n, &length) in lengths.iter().enumerate() {
            let risen = (1.0 - RISE) * lowest + RISE * length;
            lowest = if risen < length { risen } else { length };
            since_beat += 1;
            if since_beat > SILENCE {
                self.heights.iter_mut().for_each(|height| *height *= 0.5);
                self.level *= 0.5;
                since_beat -= SILENCE_STEP;
            }
            age += 1;
            if length > peak {
                (peak, age) = (length, 0);
            } else if age == UNTOPPED {
                (taken, height) = (n + 1, Some(peak - lowest));
                (peak, age) = (length, 0);
                break;
            }
        }
        (self.lowest, self.peak, self.age, self.since_beat) = (lowest, peak, age, since_beat);
        self.pushed += taken as u64;
        (taken, height)
    }

    /// A peak that stands out by `height` has not been topped.
    #[inline(never)]
    fn judge(&mut self, height: f64) -> Option<f64> {
        let place = (self.pushed - 1) as f64 - f64::from(UNTOPPED) - DELAY;
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

impl Curve {
    /// Lengths of the curves that end at each sample of a block.
    #[inline(always)]
    fn measure(&mut self, x: &[f64]) {
        let n = x.len();
        let Self { samples, slopes, quarters, lengths } = self;
        for (sample, x) in samples[REACH..].iter_mut().zip(x) {
            *sample = *x;
        }
        let ([x3, x2, x1, x0], new) = (four(samples, 1, n), &mut slopes[REACH..][..n]);
        for i in 0..n {
            new[i] = ((x0[i] + x1[i]) - (x2[i] + x3[i])).abs();
        }
        let ([d3, d2, d1, d0], new) = (four(slopes, 1, n), &mut quarters[WINDOW - QUARTER..][..n]);
        for i in 0..n {
            new[i] = (d0[i] + d1[i]) + (d2[i] + d3[i]);
        }
        let ([q3, q2, q1, q0], lengths) = (four(quarters, QUARTER, n), &mut lengths[..n]);
        for i in 0..n {
            lengths[i] = (q0[i] + q1[i]) + (q2[i] + q3[i]);
        }
        samples.copy_within(n..n + REACH, 0);
        slopes.copy_within(n..n + REACH, 0);
        quarters.copy_within(n..n + WINDOW - QUARTER, 0);
    }
}

/// Four parts of `n` values, each so many values after the one before.
#[inline(always)]
fn four(values: &[f64], apart: usize, n: usize) -> [&[f64]; 4] {
    [&values[..n], &values[apart..][..n], &values[2 * apart..][..n], &values[3 * apart..][..n]]
}

impl LengthDetector {
    /// Takes one sample; gives the place of a beat, in samples, when it is sure of one.
    pub fn push(&mut self, x: f64) -> Option<f64> {
        let mut beat = None;
        self.run_block(&[x], &mut |place| beat = Some(place));
        beat
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        let Curve { samples, slopes, quarters, .. } = &mut *self.curve;
        samples.fill(0.0);
        slopes.fill(0.0);
        quarters.fill(0.0);
        (self.pushed, self.lowest, self.peak, self.age) = (0, 0.0, 0.0, 0);
        (self.heights, self.beats, self.level) = ([0.0; REMEMBERED], 0, 0.0);
        (self.since_beat, self.last) = (0, None);
    }
}
