//! Runs the arithmetic of a block with the widest vectors that the processor has.
//!
//! A build for x86-64 may use two lanes of 64 bits, as every such processor has them; most have four or eight. What is
//! given here is compiled once more for those, and the choice is made at run time. Each lane does what a single number
//! would go through, in the same order, and nothing is fused: the results are the same to the last bit. Must not know
//! what is computed.

use std::ops::{Add, Index, Mul, Sub};

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Level, Simd, SimdFrom, f64x4};

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

/// Four numbers side by side, in one register where the processor has one so wide. Where each step waits for the one
/// before, the compiler must not choose what lies beside what: every move from lane to lane would be waited for, too.
pub(crate) trait Four:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Index<usize, Output = f64>
{
}

/// What is done with fours of numbers; must be inlined as in [`widest`].
pub(crate) trait InFours {
    /// Does it; `four` puts numbers side by side.
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy);
}

/// Does `work` in the widest registers that four numbers need.
#[inline(always)]
pub(crate) fn in_fours(work: impl InFours) {
    #[cfg(target_arch = "x86_64")]
    if let Some(wide) = Level::new().as_avx2() {
        return wide.vectorize(
            #[inline(always)]
            || {
                work.run(
                    #[inline(always)]
                    |numbers| f64x4::simd_from(wide, numbers),
                )
            },
        );
    }
    work.run(Apart);
}

#[cfg(target_arch = "x86_64")]
impl<S: Simd> Four for f64x4<S> {}

/// Four numbers of which the compiler makes what it can.
#[derive(Clone, Copy, Debug)]
struct Apart([f64; 4]);

impl Four for Apart {}

impl Add for Apart {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] + other.0[lane]))
    }
}

impl Sub for Apart {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] - other.0[lane]))
    }
}

impl Mul for Apart {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|lane| self.0[lane] * other.0[lane]))
    }
}

impl Index<usize> for Apart {
    type Output = f64;

    #[inline(always)]
    fn index(&self, lane: usize) -> &f64 {
        &self.0[lane]
    }
}
