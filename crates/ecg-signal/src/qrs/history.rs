//! A short memory of one signal, addressed by absolute sample index.
//!
//! Must not know what the signal is. Before its start a signal is 0: the detector's filters start at rest.

/// The newest samples of a signal.
#[derive(Clone, Debug)]
pub(super) struct History {
    samples: Box<[f64]>,
    next: i64,
}

impl History {
    /// Remembers at least `length` samples (rounded up to a power of two, so that an index is a mask).
    pub(super) fn new(length: usize) -> Self {
        Self { samples: vec![0.0; length.next_power_of_two()].into(), next: 0 }
    }

    /// Appends the samples with the next indices.
    #[inline]
    pub(super) fn extend(&mut self, mut samples: &[f64]) {
        while !samples.is_empty() {
            let slot = self.slot(self.next);
            let n = samples.len().min(self.samples.len() - slot);
            let (now, later) = samples.split_at(n);
            self.samples[slot..slot + n].copy_from_slice(now);
            self.next += n as i64;
            samples = later;
        }
    }

    /// Goes on with `index` as the next sample; those in between are not known and must not be asked for.
    pub(super) fn skip_to(&mut self, index: i64) {
        self.next = index;
    }

    /// The sample at `index`, which must be one of the newest (or lie before the start: 0).
    #[inline]
    pub(super) fn at(&self, index: i64) -> f64 {
        debug_assert!(index < self.next && index >= self.next - self.samples.len() as i64);
        self.samples[self.slot(index)]
    }

    /// The samples from `first` on, as many as there is room for.
    #[inline]
    pub(super) fn copy(&self, first: i64, out: &mut [f64]) {
        let [now, later] = self.parts(first, first + out.len() as i64 - 1);
        out[..now.len()].copy_from_slice(now);
        out[now.len()..].copy_from_slice(later);
    }

    /// Those from `first` to `last`, both included, in two parts that follow each other.
    #[inline]
    pub(super) fn parts(&self, first: i64, last: i64) -> [&[f64]; 2] {
        let (slot, n) = (self.slot(first), (last - first + 1).max(0) as usize);
        let now = n.min(self.samples.len() - slot);
        [&self.samples[slot..slot + now], &self.samples[..n - now]]
    }

    /// Forgets everything.
    pub(super) fn reset(&mut self) {
        self.samples.fill(0.0);
        self.next = 0;
    }

    /// Two's complement makes the mask right for the indices before the start, too.
    #[inline]
    fn slot(&self, index: i64) -> usize {
        index as usize & (self.samples.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_gives_back_the_newest_samples_and_zero_before_the_start() {
        let mut history = History::new(5);
        for n in 0..3 {
            history.extend(&[f64::from(n) + 1.0]);
        }
        let mut newest = [0.0; 5];
        history.copy(-2, &mut newest);
        assert_eq!(newest, [0.0, 0.0, 1.0, 2.0, 3.0]);
        for n in (3..100).step_by(11) {
            let block: Vec<f64> = (n..(n + 11).min(100)).map(|n| f64::from(n) + 1.0).collect();
            history.extend(&block);
        }
        history.copy(95, &mut newest);
        assert_eq!(newest, [96.0, 97.0, 98.0, 99.0, 100.0]);
    }
}
