//! The mains notch: which mains there are, and the notch for them.
//!
//! Must not know what else the chain does.

use super::SosFilter;
use super::design::{self, DesignError};
use crate::units::Hertz;

/// Quality factor of the notch: −3 dB width 1.7 Hz at 50 Hz. It follows mains that are off by ±0.5 Hz to about −8 dB
/// and rings for less than 0.3 s after a step.
pub const QUALITY: f64 = 30.0;

/// The mains frequency of the country, or none where the source has no mains in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mains {
    /// 50 Hz.
    Hz50,
    /// 60 Hz.
    Hz60,
    /// No notch.
    None,
}

impl Mains {
    /// The frequency, if there is one.
    pub fn frequency(self) -> Option<Hertz> {
        match self {
            Self::Hz50 => Some(Hertz(50.0)),
            Self::Hz60 => Some(Hertz(60.0)),
            Self::None => None,
        }
    }
}

/// The notch for `mains` at `fs`, at rest; `None` when there is nothing to remove.
///
/// # Errors
/// [`DesignError`] when the mains frequency lies above half of `fs`.
pub fn notch(mains: Mains, fs: Hertz) -> Result<Option<SosFilter>, DesignError> {
    let Some(frequency) = mains.frequency() else { return Ok(None) };
    Ok(Some(SosFilter::new(&design::notch(frequency, QUALITY, fs)?)))
}
