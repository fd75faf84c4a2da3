//! Which way up a lead is: whether its electrodes are probably swapped.
//!
//! In lead I of a heart that lies where hearts lie, P, QRS and T point up. One of them may not (a deep S, a flat or
//! negative T, no P in fibrillation); with the arms swapped all three point down, and P and T together are what a
//! cardiologist looks at. So the three vote, each by its height over that of the QRS, on the mean of the newest accepted
//! beats. A heart on the right side, or a lead that is not lead I, may look swapped, too: it is *probably* inverted, and
//! nothing but the report depends on it. Must not know where beats are or why one was accepted.

use crate::segment::Segment;
use crate::widest::widest;
use crate::{SEGMENT_R_INDEX, SEGMENT_SAMPLES};

/// Beats from which on something is said.
const ENOUGH: u32 = 8;
/// Weight of a new beat once so many are known: the mean follows in some fifteen beats.
const RATE: f64 = 1.0 / 16.0;
/// Weights of the three waves. In ECG-ID and Heartprint QRS has 0.6, P 0.07 and T 0.18 in the median, so that QRS and P
/// weigh alike and T, which is seen at any heart rate and without doubt, twice as much.
const QRS_WEIGHT: f64 = 0.5;
const P_WEIGHT: f64 = 4.0;
const T_WEIGHT: f64 = 3.0;
/// A vote nearer to nothing than this leaves things as they are. A usual lead has 1.1; 1 in 100 is nearer.
const UNDECIDED: f64 = 0.3;

/// The ends of a part of the segment, in samples.
type Part = std::ops::Range<usize>;

/// 64 to 40 ms before R: the level from which the QRS is measured.
const PR: Part = SEGMENT_R_INDEX - 16..SEGMENT_R_INDEX - 10;
/// 48 ms before R to 52 ms after it.
const QRS: Part = SEGMENT_R_INDEX - 12..SEGMENT_R_INDEX + 14;
/// 220 to 64 ms before R.
const P: Part = SEGMENT_R_INDEX - 55..SEGMENT_R_INDEX - 15;
/// 100 to 416 ms after R.
const T: Part = SEGMENT_R_INDEX + 25..SEGMENT_R_INDEX + 105;
/// Samples at the ends of P and T whose mean carries the line from which the wave is measured.
const END: usize = 5;

/// Samples that are compared side by side, and as many as the longest wave has.
const LANES: usize = 8;
const MOST: usize = 80;

/// Watches one lead.
#[derive(Clone, Debug)]
pub struct LeadWatch {
    mean: Segment,
    beats: u32,
    inverted: Option<bool>,
}

impl Default for LeadWatch {
    fn default() -> Self {
        Self::new()
    }
}

impl LeadWatch {
    /// A watch that has seen nothing.
    pub fn new() -> Self {
        Self { mean: [0.0; SEGMENT_SAMPLES], beats: 0, inverted: None }
    }

    /// Takes the segment of an accepted beat.
    pub fn beat(&mut self, segment: &Segment) {
        widest(
            #[inline(always)]
            || self.learn(segment),
        );
    }

    #[inline(always)]
    fn learn(&mut self, segment: &Segment) {
        self.beats = self.beats.saturating_add(1);
        let rate = RATE.max(1.0 / f64::from(self.beats));
        self.mean.iter_mut().zip(segment).for_each(|(mean, x)| *mean += rate * (x - *mean));
        if self.beats >= ENOUGH {
            let vote = vote(&self.mean);
            if vote.abs() > UNDECIDED {
                self.inverted = Some(vote < 0.0);
            }
        }
    }

    /// The lead has been turned upside down: what is known of it is turned, too.
    pub fn turn(&mut self) {
        self.mean.iter_mut().for_each(|x| *x = -*x);
        self.inverted = self.inverted.map(|inverted| !inverted);
    }

    /// Whether the lead is probably upside down. `None` until eight accepted beats have come, and after them as long as
    /// P, QRS and T do not agree well enough; from then on the last clear answer.
    pub fn is_inverted(&self) -> Option<bool> {
        self.inverted
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Self::new();
    }
}

/// What the waves of a mean beat say: positive for an upright lead; the size of the signal does not matter. 0 without a
/// QRS.
#[inline(always)]
fn vote(beat: &Segment) -> f64 {
    let level = mean(&beat[PR]);
    let (low, high) = extremes(beat[QRS].iter().map(|x| x - level));
    let height = high - low;
    if height <= 0.0 {
        return 0.0;
    }
    (QRS_WEIGHT * (low + high) + P_WEIGHT * direction(&beat[P]) + T_WEIGHT * direction(&beat[T])) / height
}

/// How far a wave goes up from the line through its ends, less how far it goes down.
#[inline(always)]
fn direction(wave: &[f64]) -> f64 {
    let (first, last) = (mean(&wave[..END]), mean(&wave[wave.len() - END..]));
    let slope = (last - first) / (wave.len() - 1) as f64;
    let (low, high) = extremes(wave.iter().enumerate().map(|(n, x)| x - first - slope * n as f64));
    low + high
}

#[inline(always)]
fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

#[inline(always)]
fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut some = [0.0; MOST];
    let mut count = 0;
    for (slot, value) in some.iter_mut().zip(values) {
        *slot = value;
        count += 1;
    }
    let first = some[0];
    some[count..].fill(first);
    let (mut low, mut high) = ([first; LANES], [first; LANES]);
    for several in some[..count.next_multiple_of(LANES)].as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            low[lane] = if several[lane] < low[lane] { several[lane] } else { low[lane] };
            high[lane] = if several[lane] > high[lane] { several[lane] } else { high[lane] };
        }
    }
    (low.into_iter().fold(f64::INFINITY, f64::min), high.into_iter().fold(f64::NEG_INFINITY, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A beat of Gaussians: heights of P, R, S and T in millivolts.
    fn beat(p: f64, r: f64, s: f64, t: f64) -> Segment {
        let waves = [(p, -40.0, 6.0), (r, 0.0, 2.5), (s, 8.0, 2.5), (t, 65.0, 12.0)];
        std::array::from_fn(|n| {
            let at = n as f64 - SEGMENT_R_INDEX as f64;
            waves.iter().map(|(height, centre, width)| height * (-0.5 * ((at - centre) / width).powi(2)).exp()).sum()
        })
    }

    fn after(segments: impl IntoIterator<Item = Segment>) -> Option<bool> {
        let mut watch = LeadWatch::new();
        segments.into_iter().for_each(|segment| watch.beat(&segment));
        watch.is_inverted()
    }

    #[test]
    fn nothing_is_said_before_eight_beats_and_of_nothing() {
        assert_eq!(after(vec![beat(0.1, 1.0, -0.2, 0.3); 7]), None);
        assert_eq!(after(vec![beat(0.1, 1.0, -0.2, 0.3); 8]), Some(false));
        assert_eq!(after(vec![[0.0; SEGMENT_SAMPLES]; 20]), None);
    }

    #[test]
    fn one_wave_of_the_wrong_sign_does_not_make_an_inverted_lead() {
        assert_eq!(after(vec![beat(0.1, 0.4, -1.0, 0.3); 20]), Some(false), "a deep S");
        assert_eq!(after(vec![beat(0.0, 1.0, -0.2, 0.3); 20]), Some(false), "no P");
        assert_ne!(after(vec![beat(0.1, 1.0, -0.2, -0.15); 20]), Some(true), "a negative T");
    }

    #[test]
    fn a_turn_that_is_known_of_is_followed_at_once() {
        let mut watch = LeadWatch::new();
        watch.turn();
        assert_eq!(watch.is_inverted(), None);
        (0..8).for_each(|_| watch.beat(&beat(0.1, 1.0, -0.2, 0.3)));
        watch.turn();
        assert_eq!(watch.is_inverted(), Some(true));
        (0..8).for_each(|_| watch.beat(&beat(-0.1, -1.0, 0.2, -0.3)));
        assert_eq!(watch.is_inverted(), Some(true));
    }

    #[test]
    fn a_lead_that_is_turned_is_followed_within_sixteen_beats_and_the_scale_does_not_matter() {
        for scale in [0.01, 1.0, 40.0] {
            let upright = beat(0.1, 1.0, -0.2, 0.3).map(|x| scale * x);
            let turned = upright.map(|x| -x);
            assert_eq!(after(vec![turned; 8]), Some(true));
            let row = vec![upright; 40].into_iter().chain(vec![turned; 16]);
            assert_eq!(after(row), Some(true), "scale {scale}");
        }
    }
}
