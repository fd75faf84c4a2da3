//! A figure or the reason why there is none, and how much each figure needs.
//!
//! The clean time that is asked for is that of the sources named; those of *five minutes* ask for nine tenths of them,
//! because a window that is cut at beats, or has lost a beat or two to the quality gate, always holds less than its
//! length. Must not know how a figure is computed.

use std::fmt;

/// Clean time below which a mean heart rate is not given (BioSPPy's gate).
pub const MEAN_HR_NEEDS_S: f64 = 10.0;
/// Clean time below which RMSSD and SDSD are not given: usable from 30 s, 60 s preferred (BioSPPy gives it from 10 s).
pub const RMSSD_NEEDS_S: f64 = 30.0;
/// Clean time below which pNN50 is not given (60 to 100 beats are adequate: Chou 2021; BioSPPy gives it from 20 s).
pub const PNN50_NEEDS_S: f64 = 60.0;
/// Clean time below which SDNN is not given: a short-term label at 60 s; the standard is 5 min (Task Force 1996).
pub const SDNN_NEEDS_S: f64 = 60.0;
/// Clean time below which the triangular index, SD1 and SD2 are not given (BioSPPy's gate). The Task Force 1996 wants
/// 20 minutes for geometric figures that are compared between persons.
pub const GEOMETRIC_NEEDS_S: f64 = 90.0;
/// Clean time below which HF is not given: ten periods of its lower edge (Task Force 1996); one segment of Welch's method.
pub const HF_NEEDS_S: f64 = 64.0;
/// Clean time below which LF is not given (NeuroKit2; ten periods at 0.083 Hz).
pub const LF_NEEDS_S: f64 = 120.0;
/// Clean time below which what compares bands, and VLF, is not given: nine tenths of five minutes (Task Force 1996).
pub const LF_HF_NEEDS_S: f64 = 270.0;
/// Intervals below which sample and approximate entropy are not given: 10^m to 20^m are asked for with m = 2 (Pincus and
/// Goldberger 1994, American Journal of Physiology 266:H1643).
pub const ENTROPY_NEEDS: usize = 200;
/// Intervals below which DFA α1 is not given: ten boxes of the longest scale and more.
pub const ALPHA1_NEEDS: usize = 200;
/// Intervals below which DFA α2 is not given: four boxes of the longest scale, the bound of Peng 1994. It scatters below
/// 1000 (Chou 2021).
pub const ALPHA2_NEEDS: usize = 256;
/// Share of corrected beats above which variability is not given, per cent (guidance of Kubios).
pub const MOST_CORRECTED_PERCENT: f64 = 5.0;

/// Why a figure is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Withheld {
    /// Too little clean time.
    TooLittle {
        /// Sum of the intervals that can serve, in seconds.
        clean_s: f64,
        /// What the figure needs, in seconds.
        needed_s: f64,
    },
    /// Too few intervals.
    TooFew {
        /// Intervals that can serve.
        intervals: usize,
        /// What the figure needs.
        needed: usize,
    },
    /// Too many beats had to be corrected: what is left says more of the correction than of the heart.
    Corrected {
        /// Share of corrected beats, per cent.
        percent: f64,
    },
    /// The rhythm is irregular as in atrial fibrillation: the intervals do not show what the nerves do.
    Irregular {
        /// Share of the minutes with such a rhythm, per cent.
        percent: f64,
    },
    /// The figure does not exist for these intervals: they are all alike, or no pattern comes twice.
    Undefined,
}

impl Withheld {
    /// How much is missing, to say the most of several reasons: the one that waits longest.
    pub fn severity(&self) -> f64 {
        match self {
            Self::Undefined => 0.0,
            // An interval is about a second.
            Self::TooFew { needed, .. } => *needed as f64,
            Self::TooLittle { needed_s, .. } => *needed_s,
            Self::Irregular { .. } => 1e6,
            Self::Corrected { .. } => 2e6,
        }
    }
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLittle { clean_s, needed_s } => {
                write!(f, "{clean_s:.0} s of clean intervals, {needed_s:.0} s needed")
            }
            Self::TooFew { intervals, needed } => write!(f, "{intervals} intervals in a row, {needed} needed"),
            Self::Corrected { percent } => {
                write!(f, "{percent:.1} % of the beats were corrected, more than {MOST_CORRECTED_PERCENT:.0} %")
            }
            Self::Irregular { percent } => {
                write!(f, "irregular rhythm, as in atrial fibrillation, in {percent:.0} % of the time")
            }
            Self::Undefined => write!(f, "not defined for these intervals"),
        }
    }
}

/// A figure, or why there is none.
pub type Figure = Result<f64, Withheld>;
