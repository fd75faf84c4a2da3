//! The sliding median of |x|, in constant time and constant memory.
//!
//! An exact count in bins of equal ratio (16 an octave) over a ring of the newest values: whatever enters the count
//! leaves it again as an integer, so nothing drifts over days. The bin of a number is cut out of its floating-point
//! representation, without a logarithm. Must not know what the numbers are.

/// Bins per octave are 2^4: within an octave they are spaced linearly.
const MANTISSA_BITS: u32 = 4;
/// Values below 2^−24 (0.06 nV when the unit is mV) count as that.
const SMALLEST_EXPONENT: u64 = 1023 - 24;
/// Values above 2^16 count as that.
const OCTAVES: usize = 40;
const BINS: usize = OCTAVES << MANTISSA_BITS;

/// Median of the absolute values of the newest `window` numbers, to about 1 %.
#[derive(Clone, Debug)]
pub struct SlidingMedian {
    counts: Box<[u32; BINS]>,
    ring: Box<[u16]>,
    next: usize,
    filled: usize,
    /// The bin that holds the median, and how many values lie in the bins before it.
    bin: usize,
    below: usize,
}

impl SlidingMedian {
    /// An empty median over `window` values (at least one).
    pub fn new(window: usize) -> Self {
        Self {
            counts: Box::new([0; BINS]),
            ring: vec![0; window.max(1)].into_boxed_slice(),
            next: 0,
            filled: 0,
            bin: 0,
            below: 0,
        }
    }

    /// Takes one number, and drops the oldest one when the window is full.
    #[inline]
    pub fn push(&mut self, x: f64) {
        let bin = bin_of(x);
        if self.filled == self.ring.len() {
            let old = self.ring[self.next] as usize;
            self.counts[old] -= 1;
            self.below -= usize::from(old < self.bin);
        } else {
            self.filled += 1;
        }
        self.ring[self.next] = bin as u16;
        self.counts[bin] += 1;
        self.below += usize::from(bin < self.bin);
        self.next += 1;
        if self.next == self.ring.len() {
            self.next = 0;
        }
        self.follow();
    }

    /// How many numbers the median is taken over.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// The median of the absolute values, interpolated inside its bin; 0 when nothing came yet.
    #[inline]
    pub fn value(&self) -> f64 {
        if self.filled == 0 || self.bin == 0 {
            return 0.0;
        }
        let (low, high) = (edge(self.bin), edge(self.bin + 1));
        let inside = (self.rank() as f64 + 0.5 - self.below as f64) / f64::from(self.counts[self.bin]);
        low + (high - low) * inside
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.counts.fill(0);
        self.next = 0;
        self.filled = 0;
        self.bin = 0;
        self.below = 0;
    }

    fn rank(&self) -> usize {
        (self.filled - 1) / 2
    }

    /// Moves `bin` to where the median is now; one value in and one out move it by a step or two.
    #[inline]
    fn follow(&mut self) {
        let rank = self.rank();
        while self.below > rank {
            self.bin -= 1;
            self.below -= self.counts[self.bin] as usize;
        }
        while self.below + self.counts[self.bin] as usize <= rank {
            self.below += self.counts[self.bin] as usize;
            self.bin += 1;
        }
    }
}

#[inline]
fn bin_of(x: f64) -> usize {
    let octave_and_part = x.abs().to_bits() >> (52 - MANTISSA_BITS);
    (octave_and_part.saturating_sub(SMALLEST_EXPONENT << MANTISSA_BITS) as usize).min(BINS - 1)
}

fn edge(bin: usize) -> f64 {
    f64::from_bits((bin as u64 + (SMALLEST_EXPONENT << MANTISSA_BITS)) << (52 - MANTISSA_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_true_median_of_the_window() {
        let mut median = SlidingMedian::new(101);
        let mut random = 1u64;
        let mut values = Vec::new();
        for n in 0..5000 {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let x = ((random >> 33) as f64 / 2f64.powi(31) - 0.5) * if n < 2500 { 1.0 } else { 50.0 };
            values.push(x);
            median.push(x);
            if n >= 101 {
                let mut window: Vec<f64> = values[values.len() - 101..].iter().map(|v: &f64| v.abs()).collect();
                window.sort_by(f64::total_cmp);
                assert!((median.value() / window[50] - 1.0).abs() < 0.07, "{} {}", median.value(), window[50]);
            }
        }
    }

    #[test]
    fn zeros_and_huge_values_stay_in_range() {
        let mut median = SlidingMedian::new(3);
        for x in [0.0, f64::MIN_POSITIVE, 1e300, 1e300, f64::MAX] {
            median.push(x);
            assert!(median.value().is_finite());
        }
        median.reset();
        assert_eq!(median.value(), 0.0);
    }
}
