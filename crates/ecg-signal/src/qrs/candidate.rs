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

    /// Takes `value`, the newest sample of `history`, which has the index `index`; gives the index of the peak that is
    /// confirmed by it, if any. Of equal values the first counts; zero is never a peak.
    #[inline]
    pub(super) fn push(&mut self, value: f64, index: i64, history: &History) -> Option<i64> {
        let [before, last] = self.newest;
        self.newest = [last, value];
        if last > before && last >= value {
            self.consider(index - 1, last, history);
        }
        let (at, height) = self.pending?;
        if value > height {
            self.pending = None;
        } else if index - at == self.refractory {
            self.pending = None;
            return Some(at);
        }
        None
    }

    pub(super) fn reset(&mut self) {
        self.pending = None;
        self.newest = [0.0; 2];
    }

    /// A local maximum becomes the pending one unless a value as large lies before it.
    fn consider(&mut self, at: i64, height: f64, history: &History) {
        if history.range(at - self.refractory, at - 1).all(|earlier| earlier < height) {
            self.pending = Some((at, height));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peaks(signal: &[f64]) -> Vec<i64> {
        let mut history = History::new(256);
        let mut finder = PeakFinder::new(Hertz(250.0));
        let mut found = Vec::new();
        for (index, &value) in signal.iter().enumerate() {
            history.push(value);
            found.extend(finder.push(value, index as i64, &history));
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
        let found = peaks(&signal);
        assert!(found.len() > 100);
        assert_eq!(found, by_definition(&signal));
    }

    #[test]
    fn a_flat_signal_has_no_peak() {
        assert!(peaks(&[0.0; 1000]).is_empty());
    }
}
