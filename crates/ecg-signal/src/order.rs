//! Puts a few numbers in order, without a branch.
//!
//! Must not know what they are. A sort that looks at each pair cannot be foreseen by the processor, and for eight numbers
//! that costs more than all comparisons.

/// As many as a median remembers.
pub(crate) const FEW: usize = 8;

/// The numbers, none of which is NaN, in rising order; what lies behind the first `count` comes last, as infinity.
///
/// By the network of K. E. Batcher, *Sorting networks and their applications*, Spring Joint Computer Conference 32 (1968)
/// 307–314.
#[inline]
pub(crate) fn sorted(mut values: [f64; FEW], count: usize) -> [f64; FEW] {
    values[count..].fill(f64::INFINITY);
    let mut order = |a: usize, b: usize| {
        let (first, second) = (values[a], values[b]);
        values[a] = if second < first { second } else { first };
        values[b] = if second < first { first } else { second };
    };
    // Written out, so that the numbers stay in registers.
    order(0, 1);
    order(2, 3);
    order(4, 5);
    order(6, 7);
    order(0, 2);
    order(1, 3);
    order(4, 6);
    order(5, 7);
    order(1, 2);
    order(5, 6);
    order(0, 4);
    order(1, 5);
    order(2, 6);
    order(3, 7);
    order(2, 4);
    order(3, 5);
    order(1, 2);
    order(3, 4);
    order(5, 6);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_of_zeros_and_ones_is_put_right() {
        // What sorts these sorts everything (Knuth's principle of zeros and ones).
        for pattern in 0..1u32 << FEW {
            let values = std::array::from_fn(|n| f64::from(pattern >> n & 1));
            assert!(sorted(values, FEW).is_sorted(), "{pattern:b}");
        }
        assert_eq!(sorted([3.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0], 3)[..3], [1.0, 2.0, 3.0]);
    }
}
