//! The conditioning chain: first sample subtracted → mains notch → high-pass 0.5 Hz → wavelet denoiser → low-pass 40 Hz.
//!
//! It makes the signal that segments are cut from. The detector takes the signal after the notch, which this kernel
//! hands out too: it has its own band and should not wait for the denoiser. Must not know about beats.
//!
//! The high-pass comes before the denoiser so that baseline wander does not leak into its coarsest band; the low-pass
//! after it, because the denoiser estimates noise in bands that the low-pass would empty.

use crate::filter::design::{self, DesignError};
use crate::filter::notch::{self, Mains};
use crate::filter::{self, Beside, SosFilter};
use crate::kernel::Kernel;
use crate::units::Hertz;
use crate::wavelet::denoise::Denoiser;

/// Lower corner: AHA's monitoring bandwidth; the ST segment is distorted a little, always in the same way.
pub(crate) const LOW_CORNER: Hertz = Hertz(0.5);
pub(crate) const LOW_ORDER: usize = 2;
/// Upper corner: what identifies a heart lies below it, most of the EMG above.
pub(crate) const HIGH_CORNER: Hertz = Hertz(40.0);
pub(crate) const HIGH_ORDER: usize = 3;
/// Where the energy of a QRS lies: the delay of the recursive filters is taken there.
const QRS_BAND: Hertz = Hertz(15.0);

/// The conditioning chain as one kernel. Its delay is a constant number of whole samples, right to half a sample for
/// the frequencies of a QRS.
#[derive(Clone, Debug)]
pub struct Conditioner {
    first: Option<f64>,
    notch: Option<SosFilter>,
    high_pass: SosFilter,
    denoiser: Denoiser,
    low_pass: SosFilter,
    delay: usize,
    last: f64,
    owed: usize,
}

impl Conditioner {
    /// The chain for a signal sampled at `fs`, at rest.
    ///
    /// # Errors
    /// [`DesignError`] when `fs` is too low for the 40 Hz low-pass or for the mains notch.
    pub fn new(fs: Hertz, mains: Mains) -> Result<Self, DesignError> {
        let high_pass = design::high_pass(LOW_ORDER, LOW_CORNER, fs)?;
        let low_pass = design::low_pass(HIGH_ORDER, HIGH_CORNER, fs)?;
        let recursive = high_pass.group_delay(QRS_BAND) + low_pass.group_delay(QRS_BAND);
        let denoiser = Denoiser::new(fs);
        Ok(Self {
            first: None,
            notch: notch::notch(mains, fs)?,
            high_pass: SosFilter::new(&high_pass),
            delay: denoiser.delay_samples() + recursive.round().max(0.0) as usize,
            denoiser,
            low_pass: SosFilter::new(&low_pass),
            last: 0.0,
            owed: 0,
        })
    }

    /// Takes one finite sample; unlike [`Kernel::push`] it always has an answer.
    #[inline]
    pub fn run(&mut self, x: f64) -> f64 {
        let mut conditioned = [0.0];
        self.run_block(&mut [x], &mut conditioned);
        conditioned[0]
    }

    /// Takes a block of finite samples, the same as each of them by itself. `notched` holds them and gets the signal
    /// after the notch, not delayed, for the detector; `conditioned` gets the signal after the whole chain,
    /// [`Conditioner::delay_samples`] late, for segments.
    pub fn run_block(&mut self, notched: &mut [f64], conditioned: &mut [f64]) {
        let rest = self.begin_block(notched, conditioned);
        rest.filter.run_block(rest.x);
    }

    /// The same, but for the low-pass, which is left to do: the detector has room for it beside its own filters.
    pub(crate) fn begin_block<'a>(&'a mut self, notched: &mut [f64], conditioned: &'a mut [f64]) -> Beside<'a> {
        self.run_to_low_pass(notched, conditioned);
        Beside { filter: &mut self.low_pass, x: conditioned }
    }

    fn run_to_low_pass(&mut self, notched: &mut [f64], conditioned: &mut [f64]) {
        let (Some(&start), Some(&last)) = (notched.first(), notched.last()) else { return };
        // Filters start at rest on the first sample, however far the electrode offset lies from zero.
        let first = *self.first.get_or_insert(start);
        notched.iter_mut().for_each(|x| *x -= first);
        self.last = last;
        self.owed = self.delay;
        if let Some(notch) = &mut self.notch {
            filter::run_both([notch, &mut self.high_pass], notched, conditioned);
        } else {
            conditioned.copy_from_slice(notched);
            self.high_pass.run_block(conditioned);
        }
        self.denoiser.run_block(conditioned);
    }

    /// The delay of the conditioned signal, in whole samples.
    pub fn delay_samples(&self) -> usize {
        self.delay
    }
}

impl Kernel for Conditioner {
    type Input = f64;
    type Output = f64;

    #[inline]
    fn push(&mut self, x: f64) -> Option<f64> {
        Some(self.run(x))
    }

    /// The outputs still owed, with the last sample held.
    fn flush(&mut self) -> Option<f64> {
        let owed = self.owed.checked_sub(1)?;
        let output = self.run(self.last);
        self.owed = owed;
        Some(output)
    }

    fn reset(&mut self) {
        self.first = None;
        self.notch.iter_mut().for_each(Kernel::reset);
        self.high_pass.reset();
        self.denoiser.reset();
        self.low_pass.reset();
        self.last = 0.0;
        self.owed = 0;
    }

    fn delay(&self) -> f64 {
        self.delay as f64
    }
}
