//! The one verb of the signal path: a sample goes in, at most one result comes out.
//!
//! Must not know what the samples mean. A kernel owns its coefficients and its history and nothing else; once built it
//! cannot fail, reads no clock and allocates nothing per sample.

/// A pure, streaming computation.
///
/// Properties that every implementation keeps and that the tests check:
/// - `reset` leaves the kernel as if newly built,
/// - finite numbers in give finite numbers out,
/// - the measured delay equals [`Kernel::delay`].
pub trait Kernel {
    /// What one push takes.
    type Input;
    /// What one push may give.
    type Output;

    /// Takes one input; gives one output, or `None` while the kernel still owes it.
    fn push(&mut self, input: Self::Input) -> Option<Self::Output>;

    /// Ends the record: gives the outputs that are still owed, one a call, then `None` for ever.
    fn flush(&mut self) -> Option<Self::Output> {
        None
    }

    /// Forgets all history.
    fn reset(&mut self);

    /// How far the output lags the input, in input samples.
    ///
    /// For a recursive filter, whose delay depends on frequency, it is the group delay at the frequency that the
    /// kernel's own description names.
    fn delay(&self) -> f64;

    /// Input samples per output sample; 1 unless the kernel changes the rate.
    fn inputs_per_output(&self) -> f64 {
        1.0
    }

    /// This kernel followed by `next`, as one kernel.
    fn then<K>(self, next: K) -> Then<Self, K>
    where
        Self: Sized,
        K: Kernel<Input = Self::Output>,
    {
        Then { first: self, second: next }
    }
}

/// Two kernels in a row; see [`Kernel::then`].
#[derive(Clone, Debug)]
pub struct Then<A, B> {
    first: A,
    second: B,
}

impl<A, B> Kernel for Then<A, B>
where
    A: Kernel,
    B: Kernel<Input = A::Output>,
{
    type Input = A::Input;
    type Output = B::Output;

    #[inline]
    fn push(&mut self, input: A::Input) -> Option<B::Output> {
        self.second.push(self.first.push(input)?)
    }

    fn flush(&mut self) -> Option<B::Output> {
        while let Some(held) = self.first.flush() {
            if let Some(output) = self.second.push(held) {
                return Some(output);
            }
        }
        self.second.flush()
    }

    fn reset(&mut self) {
        self.first.reset();
        self.second.reset();
    }

    fn delay(&self) -> f64 {
        self.first.delay() + self.second.delay() * self.first.inputs_per_output()
    }

    fn inputs_per_output(&self) -> f64 {
        self.first.inputs_per_output() * self.second.inputs_per_output()
    }
}
