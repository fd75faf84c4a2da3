//! Runs the arithmetic of a block with the widest vectors that the processor has.
//!
//! A build for x86-64 may use two lanes of 64 bits, as every such processor has them; most have four or eight. What is
//! given here is compiled once more for those, and the choice is made at run time. Each lane does what a single number
//! would go through, in the same order, and nothing is fused: the results are the same to the last bit. Must not know
//! what is computed.

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Level, Simd};

/// Does `work`, which must be inlined (as a closure with `#[inline(always)]`, and all that it calls likewise): what is
/// not is compiled for two lanes only.
#[inline(always)]
pub(crate) fn widest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = Level::new().as_avx2() {
        return wide.vectorize(work);
    }
    work()
}
