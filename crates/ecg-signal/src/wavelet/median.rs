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
    pub fn run_block(&mut self, mut x: &[f64], mut medians: &mut [f64]) {
        while !x.is_empty() {
            // In a local it stays in registers.
            let mut place = self.place;
            let n = x.len().min(PIECE).min(self.ring.len() - place.next);
            let (now, later) = x.split_at(n);
            let (out, rest) = medians.split_at_mut(n);
            let mut found = [Found::default(); PIECE];
            if place.filled == self.ring.len() {
                let slots = &mut self.ring[place.next..place.next + n];
                for ((x, slot), found) in now.iter().zip(slots).zip(&mut found) {
                    *found = place.replace(bin_of(*x), slot, &mut self.counts);
                }
                place.next = if place.next + n == self.ring.len() { 0 } else { place.next + n };
            } else {
                for (x, found) in now.iter().zip(&mut found) {
                    place.take(bin_of(*x), &mut self.counts, &mut self.ring);
                    *found = place.median(&self.counts);
                }
            }
            self.place = place;
            // Apart from the counting, so that several are worked out at once.
            for (median, found) in out.iter_mut().zip(&found) {
                *median = found.median();
            }
            (x, medians) = (later, rest);
        }
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
        self.place.median(&self.counts).median()
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
        self.follow((self.filled - 1) / 2, counts);
    }

    /// Counts a number in its bin, and no longer the oldest one, which is in `slot`, and finds the median; for a full window.
    #[inline(always)]
    fn replace(&mut self, bin: usize, slot: &mut u16, counts: &mut [u32; TABLE]) -> Found {
        let old = usize::from(std::mem::replace(slot, bin as u16));
        counts[old % TABLE] -= 1;
        counts[bin % TABLE] += 1;
        self.below = self.below + usize::from(bin < self.bin) - usize::from(old < self.bin);
        let rank = (self.filled - 1) / 2;
        let count = self.follow(rank, counts);
        Found { bin: self.bin as i32, rank: (rank - self.below) as i32, count: count as i32 }
    }

    /// Moves `bin` to where the median is now; one value in and one out move it by a step or two. Gives how many values it
    /// holds.
    #[inline(always)]
    fn follow(&mut self, rank: usize, counts: &[u32; TABLE]) -> usize {
        while self.below > rank {
            self.bin -= 1;
            self.below -= counts[self.bin % TABLE] as usize;
        }
        loop {
            let count = counts[self.bin % TABLE] as usize;
            if self.below + count > rank {
                return count;
            }
            self.below += count;
            self.bin += 1;
        }
    }

    /// Where the median lies.
    #[inline(always)]
    fn median(&self, counts: &[u32; TABLE]) -> Found {
        let rank = (self.filled - 1) / 2;
        Found { bin: self.bin as i32, rank: (rank - self.below) as i32, count: counts[self.bin % TABLE] as i32 }
    }
}

/// The bin that holds the median, how many of its values lie before it, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    bin: i32,
    rank: i32,
    count: i32,
}

impl Found {
    /// The median, if the values of a bin are spread evenly in it; those of the lowest bin count as 0.
    #[inline(always)]
    fn median(self) -> f64 {
        let (low, high) = (edge(self.bin as usize), edge(self.bin as usize + 1));
        let median = low + (high - low) * ((f64::from(self.rank) + 0.5) / f64::from(self.count));
        if self.bin == 0 { 0.0 } else { median }
    }
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
