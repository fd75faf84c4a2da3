//! Where a beat may be: local maxima of the moving-window integral.
//!
//! Must not know whether a candidate is a beat; it only makes sure that two are never closer than the refractory time.

use super::history::History;
use crate::units::Hertz;

/// Refractory time: 200 ms, in which a ventricle cannot contract again (Pan and Tompkins have the same).
pub(super) const REFRACTORY_S: f64 = 0.2;

/// Values that are compared at once.
const TOGETHER: usize = 8;

/// Finds the samples of the integral that have no larger one within the refractory time on either side.
#[derive(Clone, Debug)]
pub(super) struct PeakFinder {
    refractory: i64,
    state: State,
}

/// What is known of the values that have been looked at.
#[derive(Clone, Copy, Debug)]
enum State {
    /// None is a peak before the signal rises above its newest value.
    Falling(f64),
    /// The newest value is larger than the one before it.
    Rising(f64),
    /// None is a peak before the signal rises above the value at `at`, as long as that lies within the refractory time.
    /// `peak`: that one is a peak itself, unless the signal rises above it.
    Under { at: i64, height: f64, peak: bool },
}

impl PeakFinder {
    pub(super) fn new(fs: Hertz) -> Self {
        Self { refractory: fs.samples(REFRACTORY_S) as i64, state: State::Falling(0.0) }
    }

    /// Looks through `values`, samples of `history` of which the first has the index `first`, until one of them confirms
    /// a peak; gives how many it took for that, and the index of the peak. Of equal values the first counts; zero is
    /// never a peak.
    #[inline]
    pub(super) fn search(&mut self, values: &[f64], first: i64, history: &History) -> Option<(usize, i64)> {
        let mut taken = 0;
        while taken < values.len() {
            match self.state {
                State::Falling(newest) => {
                    let mut newest = newest;
                    let rises = values[taken..].iter().position(|&value| std::mem::replace(&mut newest, value) < value);
                    taken = rises.map_or(values.len(), |offset| taken + offset + 1);
                    self.state = if rises.is_some() { State::Rising(newest) } else { State::Falling(newest) };
                }
                State::Rising(newest) if values[taken] > newest => {
                    self.state = State::Rising(values[taken]);
                    taken += 1;
                }
                State::Rising(newest) => self.state = self.top(first + taken as i64 - 1, newest, history),
                State::Under { at, height, peak } => {
                    let last = (at + self.refractory - first) as usize;
                    let end = values.len().min(last + 1);
                    if let Some(offset) = first_above(&values[taken..end], height) {
                        taken += offset + 1;
                        self.state = State::Rising(values[taken - 1]);
                        continue;
                    }
                    taken = end;
                    if end == last + 1 {
                        self.state = State::Falling(values[last]);
                        if peak {
                            return Some((taken, at));
                        }
                    }
                }
            }
        }
        None
    }

    /// Goes on with another integral, of which sample `next` is the next one looked at.
    pub(super) fn turn_to(&mut self, integral: &History, next: i64) {
        let [before, newest] = [integral.at(next - 2), integral.at(next - 1)];
        self.state = if newest > before { State::Rising(newest) } else { State::Falling(newest) };
    }

    pub(super) fn reset(&mut self) {
        self.state = State::Falling(0.0);
    }

    /// The signal has risen to `height` at `at` and goes no further: a peak, or under the newest value that is as large.
    fn top(&self, at: i64, height: f64, history: &History) -> State {
        let oldest = at - self.refractory;
        let [earlier, later] = history.parts(oldest, at - 1);
        let larger = last_as_large(later, height).map(|k| (at - (later.len() - k) as i64, later[k]));
        match larger.or_else(|| last_as_large(earlier, height).map(|k| (oldest + k as i64, earlier[k]))) {
            // Too old for the next sample.
            Some((at, _)) if at == oldest => State::Falling(height),
            Some((at, height)) => State::Under { at, height, peak: false },
            None => State::Under { at, height, peak: true },
        }
    }
}

/// Where the first value above `height` stands.
#[inline]
fn first_above(values: &[f64], height: f64) -> Option<usize> {
    let (several, rest) = values.as_chunks::<TOGETHER>();
    let holds = |some: &[f64]| some.iter().fold(false, |any, value| any | (*value > height));
    let skipped = TOGETHER * several.iter().position(|some| holds(some)).unwrap_or(several.len());
    let near = if skipped < values.len() - rest.len() { &values[skipped..skipped + TOGETHER] } else { rest };
    near.iter().position(|value| *value > height).map(|offset| skipped + offset)
}

/// Where the last value of at least `height` stands.
#[inline]
fn last_as_large(values: &[f64], height: f64) -> Option<usize> {
    let (rest, several) = values.as_rchunks::<TOGETHER>();
    let holds = |some: &[f64; TOGETHER]| some.iter().fold(false, |any, value| any | (*value >= height));
    let end = match several.iter().rposition(holds) {
        Some(number) => rest.len() + (number + 1) * TOGETHER,
        None => rest.len(),
    };
    values[..end].iter().rposition(|value| *value >= height)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peaks(signal: &[f64], length: usize) -> Vec<i64> {
        let mut history = History::new(256);
        let mut finder = PeakFinder::new(Hertz(250.0));
        let mut found = Vec::new();
        for (number, mut block) in signal.chunks(length).enumerate() {
            history.extend(block);
            let mut first = (number * length) as i64;
            while let Some((taken, peak)) = finder.search(block, first, &history) {
                found.push(peak);
                block = &block[taken..];
                first += taken as i64;
            }
        }
        found
    }

    /// The definition, looking at the whole signal at once.
    fn by_definition(signal: &[f64]) -> Vec<i64> {
        (0..signal.len().saturating_sub(50))
            .filter(|&p| {
                let earlier = &signal[p.saturating_sub(50)..p];
                let later = &signal[p + 1..=p + 50];
                signal[p] > 0.0 && earlier.iter().all(|&v| v < signal[p]) && later.iter().all(|&v| v <= signal[p])
            })
            .map(|p| p as i64)
            .collect()
    }

    #[test]
    fn peaks_are_the_samples_without_a_larger_one_within_the_refractory_time() {
        let mut random = 1u64;
        let mut level = 0.0f64;
        let signal: Vec<f64> = (0..20_000)
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                level = 0.95 * level + (random >> 40) as f64;
                (level / 1e6).round()
            })
            .collect();
        let found = peaks(&signal, 1);
        assert!(found.len() > 100);
        assert_eq!(found, by_definition(&signal));
        assert_eq!(found, peaks(&signal, 64));
    }

    #[test]
    fn a_flat_signal_has_no_peak() {
        assert!(peaks(&[0.0; 1000], 50).is_empty());
    }
}
