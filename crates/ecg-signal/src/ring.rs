//! A ring of the newest values of a stream, addressed by their position in the stream.
//!
//! Must not know what the values are. The memory is taken once; a position that has been overwritten, or has not come
//! yet, is `None` and never a wrong value.

use std::ops::Range;

/// The newest `capacity` values of a stream whose first value has position 0.
#[derive(Clone, Debug)]
pub(crate) struct Ring<T> {
    values: Box<[T]>,
    mask: u64,
    end: u64,
}

impl<T: Copy + Default> Ring<T> {
    /// A ring that keeps at least `capacity` values.
    pub(crate) fn new(capacity: usize) -> Self {
        let size = capacity.max(1).next_power_of_two();
        Self { values: vec![T::default(); size].into_boxed_slice(), mask: size as u64 - 1, end: 0 }
    }

    /// Appends the values at the next positions.
    #[inline]
    pub(crate) fn extend(&mut self, mut values: &[T]) {
        while !values.is_empty() {
            let slot = (self.end & self.mask) as usize;
            let n = values.len().min(self.values.len() - slot);
            let (now, later) = values.split_at(n);
            self.values[slot..slot + n].copy_from_slice(now);
            self.end += n as u64;
            values = later;
        }
    }

    /// How many values are held at the most.
    pub(crate) fn capacity(&self) -> usize {
        self.values.len()
    }

    /// The position that the next value will have.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// The value at `position`, if it is still held.
    #[inline]
    pub(crate) fn get(&self, position: u64) -> Option<T> {
        let held = position < self.end && self.end - position <= self.mask + 1;
        held.then(|| self.values[(position & self.mask) as usize])
    }

    /// What is still held of these positions, in two parts that follow each other.
    pub(crate) fn held(&self, positions: Range<i64>) -> [&[T]; 2] {
        let oldest = self.end.saturating_sub(self.mask + 1) as i64;
        let (first, end) = (positions.start.max(oldest), positions.end.min(self.end as i64));
        if first >= end {
            return [&[]; 2];
        }
        let (slot, n) = ((first as u64 & self.mask) as usize, (end - first) as usize);
        let now = n.min(self.values.len() - slot);
        [&self.values[slot..slot + now], &self.values[..n - now]]
    }

    /// Forgets everything; the next value has position 0 again.
    pub(crate) fn clear(&mut self) {
        self.end = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_that_is_not_held_is_none() {
        let mut ring = Ring::new(8);
        (0..30u32).collect::<Vec<_>>().chunks(7).for_each(|block| ring.extend(block));
        assert_eq!((ring.get(21), ring.get(22), ring.get(29), ring.get(30)), (None, Some(22), Some(29), None));
        assert_eq!(ring.held(-5..25).concat(), [22, 23, 24]);
        assert_eq!(ring.held(20..100).concat(), (22..30).collect::<Vec<_>>());
        assert_eq!((ring.held(30..40).concat(), ring.held(0..22).concat()), (vec![], vec![]));
        ring.clear();
        assert_eq!((ring.get(29), ring.end()), (None, 0));
    }
}
