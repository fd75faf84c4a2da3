//! The moving-window integral of the squared slope: one hump for one QRS.
//!
//! Must not know about beats. A running sum that adds the newest and subtracts the oldest square never loses the rounding
//! errors it collects, and after a 300 mV step its error is as large as a heart beat. Here every output is a sum of
//! the squares in the window and of nothing else: the window is the end of the last full block plus the beginning of the
//! running one, so that a block's sums from each sample to its end are all that is needed. Nothing is ever subtracted, the
//! sum cannot become negative, and it is as exact after a year as in the first second.

/// Moving-window integral of squares over a fixed number of samples (`M`, when they are squares of slopes).
#[derive(Clone, Debug)]
pub(super) struct MovingWindowIntegral {
    /// Squares of the running block; `filled` of them are there.
    block: Box<[f64]>,
    filled: usize,
    /// Their sum.
    head: f64,
    /// `tails[k]`: sum of the block before from its sample k to its end; the last entry is 0.
    tails: Box<[f64]>,
    /// The tails of two blocks while they are made.
    fresh: Box<[f64]>,
}

impl MovingWindowIntegral {
    /// An integral over `window` samples (at least one) that has only seen zeros.
    pub(super) fn new(window: usize) -> Self {
        let window = window.max(1);
        let zeros = |n: usize| vec![0.0; n].into_boxed_slice();
        Self { block: zeros(window), filled: 0, head: 0.0, tails: zeros(window + 1), fresh: zeros(2 * window) }
    }

    /// Takes a block; `sums` gets the sum of the squares of the newest `window` values at each of them.
    #[inline(always)]
    pub(super) fn run_squares(&mut self, mut values: &[f64], mut sums: &mut [f64]) {
        while !values.is_empty() {
            let two = self.fresh.len();
            let whole = self.filled == 0 && values.len() >= two;
            let n = if whole { two } else { values.len().min(self.block.len() - self.filled) };
            let (now, later) = values.split_at(n);
            let (out, rest) = sums.split_at_mut(n);
            if whole {
                self.two_blocks(now, out);
            } else {
                self.part(now, out);
            }
            (values, sums) = (later, rest);
        }
    }

    /// Takes a part of a block.
    #[inline(always)]
    fn part(&mut self, values: &[f64], sums: &mut [f64]) {
        let n = values.len();
        let block = &mut self.block[self.filled..self.filled + n];
        let tails = &self.tails[self.filled + 1..];
        let mut head = self.head;
        for (((value, slot), tail), sum) in values.iter().zip(block).zip(tails).zip(sums) {
            *slot = value * value;
            head += *slot;
            *sum = head + tail;
        }
        self.head = head;
        self.filled += n;
        if self.filled == self.block.len() {
            self.turn_over();
        }
    }

    /// Takes two whole blocks at once: their sums from the beginning and those to the end do not wait for each other.
    #[inline(always)]
    fn two_blocks(&mut self, values: &[f64], sums: &mut [f64]) {
        let n = self.block.len();
        let ((values, sums), (tails, fresh)) =
            ((values.split_at(n), sums.split_at_mut(n)), (&self.tails[1..], &mut self.fresh));
        let ((values, sums), fresh) = (([values.0, values.1], [sums.0, sums.1]), fresh.split_at_mut(n));
        let (fresh, [mut heads, mut ends]) = ([fresh.0, fresh.1], [[0.0; 2]; 2]);
        for k in 0..n {
            for block in 0..2 {
                heads[block] += values[block][k] * values[block][k];
                sums[block][k] = heads[block];
                let back = n - 1 - k;
                ends[block] += values[block][back] * values[block][back];
                fresh[block][back] = ends[block];
            }
        }
        let [first, second] = sums;
        first.iter_mut().zip(tails).for_each(|(sum, tail)| *sum += tail);
        second.iter_mut().zip(&fresh[0][1..]).for_each(|(sum, tail)| *sum += tail);
        self.tails[..n].copy_from_slice(fresh[1]);
    }

    pub(super) fn reset(&mut self) {
        self.tails.fill(0.0);
        self.filled = 0;
        self.head = 0.0;
    }

    /// The running block is full: it becomes the block before.
    fn turn_over(&mut self) {
        let mut tail = 0.0;
        for (value, slot) in self.block.iter().zip(self.tails.iter_mut()).rev() {
            tail += value;
            *slot = tail;
        }
        self.filled = 0;
        self.head = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_is_the_sum_of_the_squares_in_the_window() {
        for length in [1, 5, 28, 64, 500] {
            let mut integral = MovingWindowIntegral::new(28);
            let values: Vec<f64> = (0..500).map(|n| f64::from(n * n % 97)).collect();
            let mut sums = vec![0.0; values.len()];
            for (values, sums) in values.chunks(length).zip(sums.chunks_mut(length)) {
                integral.run_squares(values, sums);
            }
            for n in 0..values.len() {
                let expected: f64 = values[n.saturating_sub(27)..=n].iter().map(|v| v * v).sum();
                assert_eq!(sums[n], expected, "at sample {n}");
            }
        }
    }

    #[test]
    fn a_huge_value_leaves_no_trace_once_it_has_left_the_window() {
        let mut integral = MovingWindowIntegral::new(28);
        let mut values = [1e-3; 28 * 3 + 1];
        values[0] = 1e9;
        let mut sums = [0.0; 28 * 3 + 1];
        integral.run_squares(&values, &mut sums);
        assert!((sums[28 * 3] - 28e-6).abs() < 1e-18);
    }
}
