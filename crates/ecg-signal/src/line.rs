//! The newest values of a stream in one piece, so that whole blocks of it can be read at any delay.
//!
//! Must not know what the values are. A stream begins with zeros: filters start at rest.

/// The most values that a block may have. With 64 the path takes 14 % more time (docs/adr/0010); all buffers of the path
/// still fit the second cache.
pub(crate) const BLOCK: usize = 256;

/// Values that are moved at once.
const STEP: usize = 4;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    values: Box<[f64]>,
    reach: usize,
    end: usize,
}

impl Line {
    /// A line of blocks of at most [`BLOCK`] values, the newest of which can be read up to `reach` values late.
    pub(crate) fn new(reach: usize) -> Self {
        Self::with_blocks(reach, BLOCK)
    }

    /// The same for blocks of at most `longest` values.
    pub(crate) fn with_blocks(reach: usize, longest: usize) -> Self {
        Self { values: vec![0.0; reach + 2 * longest].into_boxed_slice(), reach, end: reach }
    }

    /// Appends a block of `n` values, which the caller fills in.
    #[inline(always)]
    pub(crate) fn extend(&mut self, n: usize) -> &mut [f64] {
        if self.end + n > self.values.len() {
            self.begin_anew();
        }
        self.end += n;
        &mut self.values[self.end - n..self.end]
    }

    /// Moves what is still needed to the front, a few values at a time: a call would cost more than the copy.
    #[inline(always)]
    fn begin_anew(&mut self) {
        let (mut from, mut to) = (self.end - self.reach, 0);
        while to + STEP <= self.reach {
            self.values.copy_within(from..from + STEP, to);
            (from, to) = (from + STEP, to + STEP);
        }
        while to < self.reach {
            self.values[to] = self.values[from];
            (from, to) = (from + 1, to + 1);
        }
        self.end = self.reach;
    }

    /// The newest `n` values as they were `late` values ago.
    #[inline(always)]
    pub(crate) fn block(&self, n: usize, late: usize) -> &[f64] {
        &self.values[self.end - n - late..self.end - late]
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.fill(0.0);
    }

    /// Forgets everything; what lies before the start is `value`.
    pub(crate) fn fill(&mut self, value: f64) {
        self.values.fill(value);
        self.end = self.reach;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_can_be_read_at_any_delay() {
        let mut line = Line::new(10);
        let mut next = 0;
        for n in [1, 64, 7, 30, 63, 64, 1, 1, 64] {
            for value in line.extend(n) {
                next += 1;
                *value = f64::from(next);
            }
            for late in 0..=10 {
                let first = next - n as i32 + 1 - late as i32;
                let expected: Vec<f64> = (first..first + n as i32).map(|v| f64::from(v.max(0))).collect();
                assert_eq!(line.block(n, late), expected);
            }
        }
        line.reset();
        line.extend(3).fill(1.0);
        assert_eq!(line.block(3, 2), [0.0, 0.0, 1.0]);
    }
}
