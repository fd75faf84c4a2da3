//! From the rate of the source to that of the path.
//!
//! A source below 250 Hz loses its mains here, before anything is made between its samples: prompt taps do not stop the
//! image of mains, and it lies where no notch is. For all others the notch stands behind the resampler. Must not know what
//! the signal is for.

use super::PathError;
use crate::FS;
use crate::filter::SosFilter;
use crate::filter::design;
use crate::filter::notch::{Mains, QUALITY};
use crate::kernel::Kernel;
use crate::resample::Resampler;
use crate::units::Hertz;

/// Where the energy of a QRS lies.
const QRS_BAND: Hertz = Hertz(15.0);

#[derive(Clone, Debug)]
pub(super) struct ToPathRate {
    notch: Option<SosFilter>,
    /// What the notch starts at rest on.
    first: Option<f64>,
    resampler: Resampler,
    notched: Vec<f64>,
}

impl ToPathRate {
    /// From `fs`, with room for blocks of `longest` samples; and the mains that are left to remove behind it.
    pub(super) fn new(fs: Hertz, mains: Mains, longest: usize) -> Result<(Self, Mains), PathError> {
        let (notch, later_s) = notch_before(fs, mains).map_or((None, 0.0), |(notch, later_s)| (Some(notch), later_s));
        let left = if notch.is_some() { Mains::None } else { mains };
        let notched = if notch.is_some() { Vec::with_capacity(longest) } else { Vec::new() };
        let resampler = Resampler::prompt(fs, FS, later_s * fs.0).map_err(PathError::Resampler)?;
        Ok((Self { notch, first: None, resampler, notched }, left))
    }

    /// Appends to `out` what samples of the source complete.
    pub(super) fn run(&mut self, x: &[f64], out: &mut Vec<f64>) {
        let Some(notch) = &mut self.notch else {
            return self.resampler.push_block(x, &mut |y| out.push(y));
        };
        let Some(&start) = x.first() else { return };
        let first = *self.first.get_or_insert(start);
        self.notched.clear();
        self.notched.extend(x.iter().map(|x| x - first));
        notch.run_block(&mut self.notched);
        self.resampler.push_block(&self.notched, &mut |y| out.push(y));
    }

    /// Appends to `out` what is still owed.
    pub(super) fn flush(&mut self, out: &mut Vec<f64>) {
        self.resampler.flush(&mut |y| out.push(y));
    }

    pub(super) fn resampler(&self) -> &Resampler {
        &self.resampler
    }

    pub(super) fn reset(&mut self) {
        self.notch.iter_mut().for_each(Kernel::reset);
        self.first = None;
        self.resampler.reset();
    }
}

/// The notch in front of a source below 250 Hz, and how much later than behind the resampler a QRS comes out of it, in
/// seconds: 0.1 ms at 125 Hz. None where mains lie above half of the rate: they are somewhere else in the samples, or, at
/// half of it, their own image.
fn notch_before(fs: Hertz, mains: Mains) -> Option<(SosFilter, f64)> {
    let centre = mains.frequency().filter(|_| fs < FS)?;
    let [before, behind] = [fs, FS].map(|fs| design::notch(centre, QUALITY, fs).ok());
    let (before, behind) = (before?, behind?);
    let later_s = before.group_delay(QRS_BAND) / fs.0 - behind.group_delay(QRS_BAND) / FS.0;
    Some((SosFilter::new(&before), later_s))
}
