//! The sliding median of |x|, in constant memory.
//!
//! An exact count in bins of equal ratio (16 an octave) over a ring of the newest values: whatever enters the count
//! leaves it again as an integer, so nothing drifts over days. The bin of a number is cut out of its floating-point
//! representation, without a logarithm. Must not know what the numbers are.
//!
//! Counted is, for each of some neighbouring bins, how many values lie below it; the median is in the last one with few
//! enough. A value that comes or goes is held against all of them at once, and where the median has gone needs no walk
//! whose length chance decides. Only when it leaves these bins, others are counted anew out of the ring.

/// Bins per octave are 2^4: within an octave they are spaced linearly.
const MANTISSA_BITS: u32 = 4;
/// Values below 2^−24 (0.06 nV when the unit is mV) count as that.
const SMALLEST_EXPONENT: u64 = 1023 - 24;
/// Values above 2^16 count as that.
const OCTAVES: usize = 40;
const BINS: usize = OCTAVES << MANTISSA_BITS;
/// Neighbouring bins that are kept count of: two octaves, so that others are seldom needed.
const KEPT: usize = 32;
/// By how many others are kept count of where the median has left them.
const STEP: i16 = (KEPT / 2) as i16;
/// A place of the ring without a value: in no bin, and below none.
const NOTHING: i16 = i16::MAX;
/// Medians that are worked out together.
const PIECE: usize = 32;

/// Median of the absolute values of the newest `window` numbers, to about 1 %.
#[derive(Clone, Debug)]
pub struct SlidingMedian {
    /// The bins of the newest values.
    ring: Box<[i16]>,
    next: usize,
    filled: usize,
    kept: Kept,
    /// What was counted at each of the newest few.
    seen: Box<[Seen; PIECE]>,
}

/// How many values lie below each of some neighbouring bins.
#[derive(Clone, Copy, Debug)]
struct Kept {
    edges: [i16; KEPT],
    below: [i16; KEPT],
}

impl SlidingMedian {
    /// An empty median over `window` values: at least one and at most 32,767.
    pub fn new(window: usize) -> Self {
        let window = window.clamp(1, i16::MAX as usize);
        let seen = Box::new([Seen { below: [0; KEPT], first: 0, few: 1 }; PIECE]);
        Self { ring: vec![NOTHING; window].into_boxed_slice(), next: 0, filled: 0, kept: Kept::EMPTY, seen }
    }

    /// Takes one number, and drops the oldest one when the window is full.
    #[inline]
    pub fn push(&mut self, x: f64) {
        self.run_block(&[x], &mut [0.0]);
    }

    /// Takes numbers one after another; `medians`, as long, gets the median after each of them.
    #[inline(always)]
    pub fn run_block(&mut self, mut x: &[f64], mut medians: &mut [f64]) {
        while !x.is_empty() {
            // As many as find their places in a row and, while the window is filled, have the same number of values.
            let full = self.filled == self.ring.len();
            let n = if full { x.len().min(PIECE).min(self.ring.len() - self.next) } else { 1 };
            let ((now, later), (out, rest)) = (x.split_at(n), medians.split_at_mut(n));
            self.filled += usize::from(!full);
            let mut bins = [0; PIECE];
            bins.iter_mut().zip(now).for_each(|(bin, x)| *bin = bin_of(*x));
            self.count(&bins[..n]);
            // Apart from the counting: so several are worked out at once, and no look-up waits for what has just been written.
            let (rank, mut found) = (rank_among(self.filled), Found::default());
            self.seen[..n].iter().enumerate().for_each(|(n, seen)| found.set(n % PIECE, seen, rank));
            for (median, ((bin, rank), count)) in
                out.iter_mut().zip(found.bin.iter().zip(&found.rank).zip(&found.count))
            {
                *median = interpolated(*bin, *rank, *count);
            }
            (x, medians) = (later, rest);
        }
    }

    /// How many numbers the median is taken over.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// The median of the absolute values, interpolated inside its bin; 0 when nothing came yet.
    #[inline]
    pub fn value(&self) -> f64 {
        if self.filled == 0 {
            return 0.0;
        }
        let rank = rank_among(self.filled);
        let few = self.kept.up_to(rank) as i32;
        let mut found = Found::default();
        found.set(0, &Seen { below: self.kept.below, first: self.kept.edges[0].into(), few }, rank);
        interpolated(found.bin[0], found.rank[0], found.count[0])
    }

    /// Forgets all history.
    pub fn reset(&mut self) {
        self.ring.fill(NOTHING);
        (self.next, self.filled, self.kept) = (0, 0, Kept::EMPTY);
    }

    /// Counts numbers in their bins, and no longer what was in their places.
    #[inline(always)]
    fn count(&mut self, bins: &[i16]) {
        let places = self.next..self.next + bins.len();
        self.next = if places.end == self.ring.len() { 0 } else { places.end };
        let rank = rank_among(self.filled);
        // In a local they stay in registers.
        let mut kept = self.kept;
        for ((place, bin), seen) in places.zip(bins).zip(self.seen.iter_mut()) {
            let old = std::mem::replace(&mut self.ring[place], *bin);
            kept.replace(old, *bin);
            let mut few = kept.up_to(rank);
            if few == 0 || few == KEPT {
                (kept, few) = kept.moved_to(rank, &self.ring);
            }
            *seen = Seen { below: kept.below, first: kept.edges[0].into(), few: few as i32 };
        }
        self.kept = kept;
    }
}

/// What was counted at one moment.
#[derive(Clone, Copy, Debug)]
struct Seen {
    below: [i16; KEPT],
    first: i32,
    /// Bins with few enough values below them; the median lies in the last of these.
    few: i32,
}

/// How many of so many values lie before their median.
#[inline(always)]
fn rank_among(values: usize) -> i16 {
    ((values - 1) / 2) as i16
}

impl Kept {
    /// No values, from the lowest bin on.
    const EMPTY: Self = {
        let (mut edges, mut n) = ([0; KEPT], 0);
        while n < KEPT {
            edges[n] = n as i16;
            n += 1;
        }
        Self { edges, below: [0; KEPT] }
    };

    /// Counts the new value and no longer the old one.
    #[inline(always)]
    fn replace(&mut self, old: i16, new: i16) {
        for (below, edge) in self.below.iter_mut().zip(&self.edges) {
            *below += i16::from(new < *edge) - i16::from(old < *edge);
        }
    }

    /// How many of the bins have no more than so many values below them. The value with so many before it lies in the last
    /// of these; where that is the last that is kept, or none is, it lies elsewhere.
    #[inline(always)]
    fn up_to(&self, rank: i16) -> usize {
        let mut few = [0; KEPT];
        few.iter_mut().zip(&self.below).for_each(|(few, below)| *few = i16::from(*below <= rank));
        let mut half = KEPT / 2;
        while half > 0 {
            let (first, second) = few.split_at_mut(half);
            first.iter_mut().zip(second).for_each(|(a, b)| *a += *b);
            half /= 2;
        }
        few[0] as usize
    }

    /// Other bins, further on or further back, that hold the value with so many before it, and [`Kept::up_to`] of it.
    #[cold]
    #[inline(never)]
    fn moved_to(mut self, rank: i16, ring: &[i16]) -> (Self, usize) {
        loop {
            let step = if self.below[0] > rank { -STEP } else { STEP };
            self.edges.iter_mut().for_each(|edge| *edge += step);
            self.below = [0; KEPT];
            ring.iter().for_each(|bin| self.replace(NOTHING, *bin));
            let few = self.up_to(rank);
            if few != 0 && few != KEPT {
                return (self, few);
            }
        }
    }
}

/// Where medians lie: the bin, how many of its values lie before the median, and how many there are.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    bin: [i32; PIECE],
    rank: [i32; PIECE],
    count: [i32; PIECE],
}

impl Found {
    #[inline(always)]
    fn set(&mut self, n: usize, seen: &Seen, rank: i16) {
        let Seen { below, first, few } = seen;
        let (before, up_to) = (below[(*few - 1) as usize % KEPT], below[*few as usize % KEPT]);
        self.bin[n] = first + few - 1;
        self.rank[n] = i32::from(rank - before);
        self.count[n] = i32::from(up_to - before);
    }
}

/// The median, if the values of a bin are spread evenly in it; those of the lowest bin count as 0.
#[inline(always)]
fn interpolated(bin: i32, rank: i32, count: i32) -> f64 {
    let (low, high) = (edge(bin as usize), edge(bin as usize + 1));
    let median = low + (high - low) * ((f64::from(rank) + 0.5) / f64::from(count));
    if bin == 0 { 0.0 } else { median }
}

#[inline(always)]
fn bin_of(x: f64) -> i16 {
    let octave_and_part = (x.abs().to_bits() >> (52 - MANTISSA_BITS)) as i32;
    (octave_and_part - (SMALLEST_EXPONENT << MANTISSA_BITS) as i32).clamp(0, BINS as i32 - 1) as i16
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
