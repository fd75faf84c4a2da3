//! Where a beat may be: local maxima of the moving-window integral.
//!
//! Must not know whether a candidate is a beat; it only makes sure that two are never closer than the refractory time.

use super::history::History;
use crate::units::Hertz;

/// Refractory time: 200 ms, in which a ventricle cannot contract again (Pan and Tompkins have the same).
pub(super) const REFRACTORY_S: f64 = 0.2;

/// Finds the samples of the integral that have no larger one within the refractory time on either side.
#[derive(Clone, Debug)]
pub(super) struct PeakFinder {
    refractory: i64,
    /// The newest maximum that is still without a larger one after it.
    pending: Option<(i64, f64)>,
    /// The two newest values.
    newest: [f64; 2],
}

impl PeakFinder {
    pub(super) fn new(fs: Hertz) -> Self {
        Self { refractory: fs.samples(REFRACTORY_S) as i64, pending: None, newest: [0.0; 2] }
    }

    /// Looks through `values`, samples of `history` of which the first has the index `first`, until one of them confirms
    /// a peak; gives how many it took for that, and the index of the peak. Of equal values the first counts; zero is
    /// never a peak.
    #[inline]
    pub(super) fn search(&mut self, values: &[f64], first: i64, history: &History) -> Option<(usize, i64)> {
        let [mut before, mut last] = self.newest;
        for (offset, &value) in values.iter().enumerate() {
            let index = first + offset as i64;
            if last > before && last >= value && self.is_largest(index - 1, last, history) {
                self.pending = Some((index - 1, last));
            }
            (before, last) = (last, value);
            let Some((at, height)) = self.pending else { continue };
            if value > height {
                self.pending = None;
            } else if index - at == self.refractory {
                self.pending = None;
                self.newest = [before, last];
                return Some((offset + 1, at));
            }
        }
        self.newest = [before, last];
        None
    }

    /// Goes on with another integral, of which sample `next` is the next one looked at.
    pub(super) fn turn_to(&mut self, integral: &History, next: i64) {
        self.pending = None;
        self.newest = [integral.at(next - 2), integral.at(next - 1)];
    }

    pub(super) fn reset(&mut self) {
        self.pending = None;
        self.newest = [0.0; 2];
    }

    /// Whether no value as large lies before it.
    fn is_largest(&self, at: i64, height: f64, history: &History) -> bool {
        history.range(at - self.refractory, at - 1).all(|earlier| earlier < height)
    }
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
