//! The beats of the last ten seconds, as two detectors found them: their agreement and their likeness.
//!
//! Must not know how beats are found. Places are samples of the path since its last reset.

use super::template::{COMPARED, LANES, Part, correlation, dot};
use crate::order;
use crate::widest::widest;

/// Two detectors mean the same beat when they are no farther apart than this: 150 ms.
const MATCH: f64 = 37.5;
/// Beats kept: more than 10 s hold at 300 a minute.
const KEPT: usize = 64;

/// Beats that a new one is compared with.
const COMPANIONS: usize = order::FEW;

/// A beat that comes sooner than this share of the usual interval is premature. Breath shortens intervals by as much in
/// the young; their beats are alike, and stay.
const PREMATURE: f64 = 0.85;
/// Intervals that make one usual.
const LEAST_INTERVALS: usize = 4;

/// A beat beside the eight before it, or, where fewer have come, the one behind it too.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Company {
    /// Largest likeness.
    pub(super) best: f64,
    /// Mean distance of their heights from the median one, as logarithms.
    pub(super) height_spread: f64,
    /// The same of the intervals.
    pub(super) interval_spread: f64,
    /// Share of the eight that have not come yet.
    pub(super) missing: f64,
    /// It came sooner than the beats before it did.
    pub(super) premature: bool,
}

/// The newest few values.
#[derive(Clone, Debug)]
pub(super) struct Newest<T, const N: usize> {
    values: Box<[T; N]>,
    end: usize,
}

impl<T: Copy + Default, const N: usize> Default for Newest<T, N> {
    fn default() -> Self {
        Self { values: Box::new([T::default(); N]), end: 0 }
    }
}

impl<T: Copy, const N: usize> Newest<T, N> {
    pub(super) fn push(&mut self, value: T) {
        self.values[self.end % N] = value;
        self.end += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.end.min(N)
    }

    /// The values held, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &T> + Clone {
        (1..=self.len()).map(|back| &self.values[(self.end - back) % N])
    }

    pub(super) fn clear(&mut self) {
        self.end = 0;
    }
}

/// At most one number for each companion.
#[derive(Clone, Copy, Debug, Default)]
struct Few {
    values: [f64; COMPANIONS],
    count: usize,
}

impl Few {
    /// Takes one more, unless there are eight.
    fn push(&mut self, value: f64) {
        if self.count < COMPANIONS {
            self.values[self.count] = value;
            self.count += 1;
        }
    }

    /// The largest; 0 without numbers.
    fn largest(&self) -> f64 {
        self.values[..self.count].iter().copied().reduce(|a, b| if b > a { b } else { a }).unwrap_or(0.0)
    }

    /// Whether the first number is lower than the median of the others, at least so many, by more than `by` (negative).
    fn first_is_below(&self, least: usize, by: f64) -> bool {
        if self.count <= least {
            return false;
        }
        let mut others = self.values;
        others.copy_within(1.., 0);
        let others = order::sorted(others, self.count - 1);
        let middle = (self.count - 2) / 2;
        let median = (others[middle] + others[(self.count - 1) / 2]) / 2.0;
        self.values[0] - median < by
    }

    /// Mean distance from the upper median; 0 without numbers.
    fn spread(&self) -> f64 {
        let sorted = order::sorted(self.values, self.count);
        let known = &sorted[..self.count];
        let median = known.get(known.len() / 2).copied().unwrap_or(0.0);
        known.iter().map(|value| (value - median).abs()).sum::<f64>() / self.count.max(1) as f64
    }
}

/// A beat of the first detector, its QRS and the square of its size: 0 where samples are missing.
#[derive(Clone, Copy, Debug)]
struct Found {
    place: f64,
    /// Of the interval before it; means nothing for the first.
    log_interval: f64,
    square: f32,
    /// What makes the size of the QRS 1.
    to_unit: f32,
    part: Part,
}

impl Default for Found {
    fn default() -> Self {
        Self { place: 0.0, log_interval: 0.0, square: 0.0, to_unit: 0.0, part: [0.0; COMPARED] }
    }
}

/// Logarithm of the interval between two beats, in samples.
fn log_interval(later: f64, earlier: f64) -> f64 {
    (later - earlier).max(1.0).ln()
}

/// Keeps the newest beats of both detectors, which come in order of time.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentBeats {
    first: Newest<Found, KEPT>,
    second: Newest<f64, KEPT>,
    /// Beats of the first detector since the wearer may have changed: the others are no company.
    companions: usize,
}

impl RecentBeats {
    /// The first detector has found a beat; `part` is its QRS without its line and the square of its size, `None` where
    /// samples are missing.
    pub(super) fn first(&mut self, place: f64, part: Option<(&Part, f32)>) {
        let log_interval = self.first.newest_first().next().map_or(0.0, |before| log_interval(place, before.place));
        let found = Found { place, log_interval, ..Found::default() };
        self.companions += 1;
        self.first.push(part.map_or(found, |(part, square)| Found {
            square,
            to_unit: square.sqrt().recip(),
            part: *part,
            ..found
        }));
    }

    /// The second detector has found a beat.
    pub(super) fn second(&mut self, place: f64) {
        self.second.push(place);
    }

    /// What comes now may be another heart's: nothing of before is compared with it. The places of beats stay.
    pub(super) fn forget_heart(&mut self) {
        self.companions = 0;
    }

    /// Fewer than eight beats of this heart have come.
    pub(super) fn are_few(&self) -> bool {
        self.companions < COMPANIONS
    }

    /// How the beat at `place` with the QRS `part`, whose size has the square `square`, compares with those before it and
    /// with the next one, `behind`.
    #[inline(always)]
    pub(super) fn company(&self, place: f64, (part, square): (&Part, f32), behind: Option<&Part>) -> Company {
        let mut likeness = Few::default();
        let mut heights = Few::default();
        let mut intervals = Few::default();
        let mut compare = |other: &Part, other_square: f32| {
            if square * other_square > 0.0 {
                likeness.push(correlation(part, square, other, other_square));
                heights.push(0.5 * f64::from(other_square / square).ln());
            }
        };
        if let Some(behind) = behind {
            compare(behind, dot(behind, behind));
        }
        let mut before = None;
        for found in self.first.newest_first().take(self.companions.min(COMPANIONS)) {
            intervals.push(before.unwrap_or_else(|| log_interval(place, found.place)));
            before = Some(found.log_interval);
            compare(&found.part, found.square);
        }
        Company {
            best: likeness.largest(),
            height_spread: heights.spread(),
            interval_spread: intervals.spread(),
            missing: 1.0 - likeness.count as f64 / COMPANIONS as f64,
            premature: intervals.first_is_below(LEAST_INTERVALS, PREMATURE.ln()),
        }
    }

    /// bSQI of the beats in `from..to`. A pair lies where its first beat does, and its second one may lie beyond an end.
    pub(super) fn b_sqi(&self, from: f64, to: f64) -> Option<f64> {
        let inside = |place: f64| u32::from((from..to).contains(&place));
        let (late, within) = (|place: &f64| *place >= to + MATCH, |place: &f64| *place >= from - MATCH);
        let first = self.first.newest_first().map(|found| found.place);
        let mut first = first.skip_while(late).take_while(within).peekable();
        let mut second = self.second.newest_first().copied().skip_while(late).take_while(within).peekable();
        let (mut matched, mut all) = (0u32, 0u32);
        // Both run from the newest to the oldest: what is newer than the other's newest by more than the match has none.
        loop {
            match (first.peek().copied(), second.peek().copied()) {
                (Some(a), Some(b)) if (a - b).abs() <= MATCH => {
                    matched += inside(a);
                    all += inside(a);
                    first.next();
                    second.next();
                }
                (Some(a), b) if b.is_none_or(|b| a > b) => {
                    all += inside(a);
                    first.next();
                }
                (_, Some(b)) => {
                    all += inside(b);
                    second.next();
                }
                (_, None) => break,
            }
        }
        (all > 0).then(|| f64::from(matched) / f64::from(all))
    }

    /// Mean correlation of the beats in `from..to` with their mean; `None` with fewer than two.
    pub(super) fn template_correlation(&self, from: f64, to: f64) -> Option<f64> {
        widest(
            #[inline(always)]
            || self.likeness_with_mean(from, to),
        )
    }

    #[inline(always)]
    fn likeness_with_mean(&self, from: f64, to: f64) -> Option<f64> {
        let beats = self.first.newest_first().skip_while(|found| found.place >= to);
        let beats = beats.take_while(|found| found.place >= from).filter(|found| found.square > 0.0);
        let (mut held, mut count) = ([None; KEPT], 0);
        for (held, beat) in held.iter_mut().zip(beats) {
            *held = Some(beat);
            count += 1;
        }
        let held = &held[..count];
        // The sum of the correlations is one scalar product with the sum of all beats made equally large. A few samples of
        // all beats at a time, whose sums stay in registers; the last few begin before the end of those before them.
        let (mut sum, mut units) = ([0.0; COMPARED], [0.0; COMPARED]);
        for first in (0..COMPARED).step_by(LANES).map(|first| first.min(COMPARED - LANES)) {
            let (mut sums, mut unit_sums) = ([0.0; LANES], [0.0; LANES]);
            for beat in held.iter().flatten() {
                let part = &beat.part[first..first + LANES];
                for lane in 0..LANES {
                    sums[lane] += part[lane];
                    unit_sums[lane] += beat.to_unit * part[lane];
                }
            }
            sum[first..first + LANES].copy_from_slice(&sums);
            units[first..first + LANES].copy_from_slice(&unit_sums);
        }
        let size = dot(&sum, &sum).sqrt();
        let mean = || (f64::from(dot(&units, &sum) / size) / count as f64).clamp(-1.0, 1.0);
        (count >= 2 && size > 0.0).then(mean)
    }

    pub(super) fn reset(&mut self) {
        self.first.clear();
        self.second.clear();
        self.companions = 0;
    }
}
