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
/// Their number rounded up to a power of two, so that a remainder is a mask and no index needs a check.
const TABLE: usize = BINS.next_power_of_two();
/// Medians that are worked out together.
const PIECE: usize = 32;

/// Median of the absolute values of the newest `window` numbers, to about 1 %.
#[derive(Clone, Debug)]
pub struct SlidingMedian {
    counts: Box<[u32; TABLE]>,
    ring: Box<[u16]>,
    place: Place,
}

/// How far the window is filled, and where in the counts its median lies.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    next: usize,
    filled: usize,
    /// The bin that holds the median, and how many values lie in the bins before it.
    bin: usize,
    below: usize,
}

impl SlidingMedian {
    /// An empty median over `window` values (at least one).
    pub fn new(window: usize) -> Self {
        Self { counts: Box::new([0; TABLE]), ring: vec![0; window.max(1)].into_boxed_slice(), place: Place::default() }
    }

    /// Takes one number, and drops the oldest one when the window is full.
    #[inline]
    pub fn push(&mut self, x: f64) {
        self.place.take(bin_of(x), &mut self.counts, &mut self.ring);
    }

    /// Takes numbers one after another; `medians`, as long, gets the median after each of them.
    #[inline(always)]
    pub fn run_block(&mut self, x: &[f64], medians: &mut [f64]) {
        // In a local it stays in registers.
        let mut place = self.place;
        for (x, medians) in x.chunks(PIECE).zip(medians.chunks_mut(PIECE)) {
            let [mut bins, mut ranks, mut counts] = [[0; PIECE]; 3];
            for (n, &x) in x.iter().enumerate().take(PIECE) {
                place.take(bin_of(x), &mut self.counts, &mut self.ring);
                (bins[n], ranks[n], counts[n]) = place.median(&self.counts);
            }
            // Apart from the counting, so that several are worked out at once.
            for (n, median) in medians.iter_mut().enumerate().take(PIECE) {
                *median = within(bins[n], ranks[n], counts[n]);
            }
        }
        self.place = place;
    }

    /// How many numbers the median is taken over.
    pub fn filled(&self) -> usize {
        self.place.filled
    }

    /// The median of the absolute values, interpolated inside its bin; 0 when nothing came yet.
    #[inline]
    pub fn value(&self) -> f64 {
        if self.place.filled == 0 {
            return 0.0;
        }
        let (bin, rank, count) = self.place.median(&self.counts);
        within(bin, rank, count)
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.counts.fill(0);
        self.place = Place::default();
    }
}

impl Place {
    /// Counts a number in its bin, and no longer the oldest one when the window is full.
    #[inline(always)]
    fn take(&mut self, bin: usize, counts: &mut [u32; TABLE], ring: &mut [u16]) {
        let slot = &mut ring[self.next];
        let old = usize::from(std::mem::replace(slot, bin as u16));
        if self.filled == ring.len() {
            counts[old % TABLE] -= 1;
            self.below -= usize::from(old < self.bin);
        } else {
            self.filled += 1;
        }
        counts[bin % TABLE] += 1;
        self.below += usize::from(bin < self.bin);
        self.next += 1;
        if self.next == ring.len() {
            self.next = 0;
        }
        self.follow(counts);
    }

    /// Moves `bin` to where the median is now; one value in and one out move it by a step or two.
    #[inline(always)]
    fn follow(&mut self, counts: &[u32; TABLE]) {
        let rank = (self.filled - 1) / 2;
        while self.below > rank {
            self.bin -= 1;
            self.below -= counts[self.bin % TABLE] as usize;
        }
        loop {
            let count = counts[self.bin % TABLE] as usize;
            if self.below + count > rank {
                break;
            }
            self.below += count;
            self.bin += 1;
        }
    }

    /// The bin that holds the median, how many of its values lie before it, and how many there are.
    #[inline(always)]
    fn median(&self, counts: &[u32; TABLE]) -> (i32, i32, i32) {
        let rank = (self.filled - 1) / 2;
        (self.bin as i32, (rank - self.below) as i32, counts[self.bin % TABLE] as i32)
    }
}

/// The median, if the values of a bin are spread evenly in it; those of the lowest bin count as 0.
#[inline(always)]
fn within(bin: i32, rank: i32, count: i32) -> f64 {
    let (low, high) = (edge(bin as usize), edge(bin as usize + 1));
    let median = low + (high - low) * ((f64::from(rank) + 0.5) / f64::from(count));
    if bin == 0 { 0.0 } else { median }
}

#[inline(always)]
fn bin_of(x: f64) -> usize {
    let octave_and_part = x.abs().to_bits() >> (52 - MANTISSA_BITS);
    (octave_and_part.saturating_sub(SMALLEST_EXPONENT << MANTISSA_BITS) as usize).min(BINS - 1)
}

#[inline(always)]
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
