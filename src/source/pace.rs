//! How large the blocks of a source without a wire are. It must not know what is in them, and waits for nothing.

use std::time::Duration;

/// Time between two blocks, as a board's reader would deliver them.
const BLOCK: Duration = Duration::from_millis(40);
/// Most samples in a block, and so many where there is no time to keep: in a hurry blocks come faster, not larger, and
/// what waits in a full queue stays below half a megabyte.
const MOST: usize = 64;

/// Samples in a block at `rate` samples a second; `None`: as fast as it goes.
pub(super) fn block_samples(rate: Option<f64>) -> usize {
    rate.map_or(MOST, |rate| ((rate * BLOCK.as_secs_f64()).round() as usize).clamp(1, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_of_a_board_and_in_a_hurry_no_larger_than_without_time() {
        assert_eq!([1.0, 250.0, 1000.0].map(|rate| block_samples(Some(rate))), [1, 10, 40]);
        assert_eq!([block_samples(Some(100_000.0)), block_samples(Some(1e9)), block_samples(None)], [MOST; 3]);
    }
}
