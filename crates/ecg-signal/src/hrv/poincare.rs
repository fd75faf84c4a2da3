//! The Poincaré plot: each interval against the one after it, and the ellipse along the line of identity.
//!
//! Must not know about clean time.

use std::f64::consts::FRAC_1_SQRT_2;

use super::series::{NnSeries, moments};

/// The semi-axes of the ellipse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poincare {
    /// Across the line of identity: standard deviation (n − 1) of (x − y)/√2, ms. It is SDSD/√2.
    pub sd1_ms: f64,
    /// Along it: standard deviation (n − 1) of (x + y)/√2, ms (Brennan 2001, NeuroKit2). The form √(2·SDNN² − SDSD²/2)
    /// of other libraries differs in the fourth digit.
    pub sd2_ms: f64,
}

impl Poincare {
    /// Of all neighbours within a run; `None` for fewer than two pairs.
    pub fn of(series: &NnSeries) -> Option<Self> {
        let (_, across) = moments(series.pairs().map(|(x, y)| (x - y) * FRAC_1_SQRT_2))?;
        let (_, along) = moments(series.pairs().map(|(x, y)| (x + y) * FRAC_1_SQRT_2))?;
        Some(Self { sd1_ms: across?.sqrt(), sd2_ms: along?.sqrt() })
    }

    /// SD1 over SD2; `None` where SD2 is 0.
    pub fn ratio(&self) -> Option<f64> {
        (self.sd2_ms > 0.0).then(|| self.sd1_ms / self.sd2_ms)
    }
}
