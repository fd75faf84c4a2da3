//! The detection band: what of the signal the detector looks at to find a QRS, and the slope of it.
//!
//! Must not know what is done with them. 9 Hz at the lower edge keeps T and P waves down, 18 Hz keeps a narrow QRS, and
//! the extra low-pass at 20 Hz is what muscle noise needs. Pan and Tompkins have 5–15 Hz by integer filters; 5–15, 6–18
//! and 8–20 Hz score within 0.02 percentage points on clean records.
//!
//! Behind it lies a second one, the *steep band*, for leads full of muscle noise (`decision::choice` says when).

use super::difference::Difference;
use crate::filter::design::{self, Sections};
use crate::units::Hertz;

/// Edges of the first-order band-pass.
const BAND: (Hertz, Hertz) = (Hertz(9.0), Hertz(18.0));
/// Corner of the second-order low-pass behind it.
const LOW_PASS: Hertz = Hertz(20.0);
/// Corner of the second-order low-pass that makes the steep band of this one. Muscle noise begins at about 20 Hz, where the
/// skirts of the band are still shallow. With 16 Hz everywhere F1 in it at −6 dB is 2.8 percentage points lower, with 11 Hz
/// 1.5 higher; but there T waves are taken for beats.
const STEEP: Hertz = Hertz(13.0);
/// How much later a QRS lies in the steep band.
const STEEP_LAG_S: f64 = 0.020;
/// Distance of the difference that stands for the slope: two samples at 250 Hz.
const SLOPE_S: f64 = 0.008;
/// Group delay of the band and half the slope's distance: where a QRS lies in the slope after where it lay in the
/// input (11 samples at 250 Hz, measured on QRS complexes).
pub(super) const DELAY_S: f64 = 0.044;

/// One of the two bands in which beats can be looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Band {
    /// The detection band.
    Usual,
    /// The same behind a steep low-pass.
    Steep,
}

/// The filter of the detection band (`b`): two sections.
pub(super) fn filter(fs: Hertz) -> Sections {
    let band_pass = design::band_pass(1, BAND.0, BAND.1, fs).expect("fs is above twice the band's edges");
    band_pass.followed_by(&design::low_pass(2, LOW_PASS, fs).expect("fs is above twice the corner"))
}

/// What makes the steep band of the detection band: one section.
pub(super) fn steep_filter(fs: Hertz) -> Sections {
    design::low_pass(2, STEEP, fs).expect("fs is above twice the corner")
}

/// Samples by which a QRS lies later in the steep band.
pub(super) fn steep_lag(fs: Hertz) -> i64 {
    fs.samples(STEEP_LAG_S) as i64
}

/// The slope of the detection band (`d`), or of the steep one.
pub(super) fn slope(fs: Hertz) -> Difference {
    Difference::new(fs.samples(SLOPE_S))
}
