//! The detection band: what of the signal the detector looks at to find a QRS, and the slope of it.
//!
//! Must not know what is done with them. 9 Hz at the lower edge keeps T and P waves down, 18 Hz keeps a narrow QRS, and
//! the extra low-pass at 20 Hz is what muscle noise needs. Pan and Tompkins have 5–15 Hz by integer filters; 5–15, 6–18
//! and 8–20 Hz score within 0.02 percentage points on clean records.

use super::difference::Difference;
use crate::filter::design::{self, Sections};
use crate::units::Hertz;

/// Edges of the first-order band-pass.
const BAND: (Hertz, Hertz) = (Hertz(9.0), Hertz(18.0));
/// Corner of the second-order low-pass behind it.
const LOW_PASS: Hertz = Hertz(20.0);
/// Distance of the difference that stands for the slope: two samples at 250 Hz.
const SLOPE_S: f64 = 0.008;
/// Group delay of the band and half the slope's distance: where a QRS lies in the slope after where it lay in the
/// input (11 samples at 250 Hz, measured on QRS complexes).
pub(super) const DELAY_S: f64 = 0.044;

/// The filter of the detection band (`b`): two sections.
pub(super) fn filter(fs: Hertz) -> Sections {
    let band_pass = design::band_pass(1, BAND.0, BAND.1, fs).expect("fs is above twice the band's edges");
    band_pass.followed_by(&design::low_pass(2, LOW_PASS, fs).expect("fs is above twice the corner"))
}

/// The slope of the detection band (`d`).
pub(super) fn slope(fs: Hertz) -> Difference {
    Difference::new(fs.samples(SLOPE_S))
}
