//! Heart-rate variability of NN intervals: time domain, spectrum, nonlinear figures; correction, windows, a day.
//!
//! Definitions are those of the Task Force 1996 (European Heart Journal 17:354) where it has them; each file states the
//! convention of its figures and its source, for libraries differ more by convention than by arithmetic. Everything is
//! computed anew from the intervals when it is asked for, so nothing drifts. A figure that cannot be trusted is not a
//! number but the reason why ([`figure`]). Must not know about samples or quality.

pub mod bands;
pub mod correction;
pub mod day;
pub mod dfa;
pub mod entropy;
pub mod figure;
pub mod frequency;
pub mod lomb_scargle;
pub mod poincare;
pub mod rhythm;
pub mod series;
mod spline;
pub mod summary;
pub mod time;
pub mod window;

pub use correction::{Corrected, Correction, NnInterval, two_sided};
pub use day::{DaySummary, HrvDay};
pub use figure::{Figure, Withheld};
pub use series::NnSeries;
pub use spline::resample_run;
pub use summary::{Analyser, Hrv, Spectral};
pub use window::HrvWindow;
