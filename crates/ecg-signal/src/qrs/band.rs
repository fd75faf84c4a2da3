//! The detection band: what of the signal the detector looks at to find a QRS, and the slope of it.
//!
//! Must not know what is done with them. 8 Hz at the lower edge keeps T and P waves down, 18 Hz keeps a narrow QRS, and
//! the extra low-pass at 20 Hz is what muscle noise needs. Pan and Tompkins have 5–15 Hz by integer filters; 5–15, 6–18
//! and 8–20 Hz all score within 0.02 percentage points of this.

use super::difference::Difference;
use crate::filter::{SosFilter, design};
use crate::kernel::Kernel;
use crate::units::Hertz;

/// Edges of the first-order band-pass.
const BAND: (Hertz, Hertz) = (Hertz(8.0), Hertz(18.0));
/// Corner of the second-order low-pass behind it.
const LOW_PASS: Hertz = Hertz(20.0);
/// Distance of the difference that stands for the slope: two samples at 250 Hz.
const SLOPE_S: f64 = 0.008;
/// Group delay of the band and half the slope's distance: where a QRS lies in the slope after where it lay in the
/// input (11 samples at 250 Hz, measured on QRS complexes).
pub(super) const DELAY_S: f64 = 0.044;

/// Turns the input into the detection band (`b`) and its slope, the difference over 8 ms (`d`).
#[derive(Clone, Debug)]
pub(super) struct DetectionBand {
    filter: SosFilter,
    difference: Difference,
}

impl DetectionBand {
    pub(super) fn new(fs: Hertz) -> Self {
        let band_pass = design::band_pass(1, BAND.0, BAND.1, fs).expect("fs is above twice the band's edges");
        let low_pass = design::low_pass(2, LOW_PASS, fs).expect("fs is above twice the corner");
        Self {
            filter: SosFilter::new(&band_pass.followed_by(&low_pass)),
            difference: Difference::new(fs.samples(SLOPE_S)),
        }
    }

    /// Takes a block `x` into `band` and `slope`.
    #[inline]
    pub(super) fn run_block(&mut self, x: &[f64], band: &mut [f64], slope: &mut [f64]) {
        band.copy_from_slice(x);
        self.filter.run_block(band);
        self.difference.run_block(band, slope);
    }

    pub(super) fn reset(&mut self) {
        self.filter.reset();
        self.difference.reset();
    }
}
