//! The spectrum of the intervals by Welch's method.
//!
//! The recipe: each run becomes a function of time through a cubic spline (`spline.rs`), 4 values a second; segments
//! of 256 values (64 s), half of each common with the next; the mean of a segment is taken off; periodic Hann window; 256
//! points; one-sided density; the mean over the segments of all runs. As `scipy.signal.welch(x, 4, "hann", 256, 128, 256,
//! "constant")`. A run shorter than a segment does not take part. Must not know about bands or clean time.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};

use super::series::NnSeries;
use super::spline::resample_run;

/// Values a second after interpolation.
pub const RESAMPLED_HZ: f64 = 4.0;
/// Values in a segment: 64 s.
pub const SEGMENT: usize = 256;
const HOP: usize = SEGMENT / 2;
/// Distance of two bins in hertz.
pub const STEP_HZ: f64 = RESAMPLED_HZ / SEGMENT as f64;
/// The recipe in words, for those who read a figure.
pub const RECIPE: &str = "Welch: cubic spline 4 Hz, Hann 256, overlap 50 %, mean off, band edges exact";

/// A density and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// ms²/Hz at multiples of [`STEP_HZ`] from 0 to 2 Hz.
    pub density: Vec<f64>,
    /// Segments it is the mean of.
    pub segments: usize,
    /// Sum of the intervals of the runs that took part, in seconds.
    pub clean_s: f64,
}

/// Welch's method; keeps its window and its transform.
#[derive(Clone)]
pub struct Welch {
    transform: Arc<dyn RealToComplex<f64>>,
    window: Vec<f64>,
    /// From a squared bin to a density, without the doubling of the one side.
    scale: f64,
}

impl Welch {
    /// Plans the transform.
    pub fn new() -> Self {
        let window: Vec<f64> = (0..SEGMENT).map(|n| 0.5 - 0.5 * (TAU * n as f64 / SEGMENT as f64).cos()).collect();
        let scale = 1.0 / (RESAMPLED_HZ * window.iter().map(|w| w * w).sum::<f64>());
        Self { transform: RealFftPlanner::new().plan_fft_forward(SEGMENT), window, scale }
    }

    /// The spectrum of a series; `None` where no run holds a segment.
    pub fn spectrum(&self, series: &NnSeries) -> Option<Spectrum> {
        let mut density = vec![0.0; SEGMENT / 2 + 1];
        let (mut input, mut output) = (self.transform.make_input_vec(), self.transform.make_output_vec());
        let mut scratch = self.transform.make_scratch_vec();
        let (mut segments, mut clean_s) = (0u32, 0.0);
        for run in series.runs() {
            let values = resample_run(run, RESAMPLED_HZ);
            if values.len() < SEGMENT {
                continue;
            }
            clean_s += run.iter().sum::<f64>() / 1000.0;
            for segment in values.windows(SEGMENT).step_by(HOP) {
                let mean = segment.iter().sum::<f64>() / SEGMENT as f64;
                for ((x, value), weight) in input.iter_mut().zip(segment).zip(&self.window) {
                    *x = (value - mean) * weight;
                }
                if self.transform.process_with_scratch(&mut input, &mut output, &mut scratch).is_err() {
                    // The lengths are the transform's own.
                    return None;
                }
                density.iter_mut().zip(&output).for_each(|(sum, bin)| *sum += bin.norm_sqr());
                segments += 1;
            }
        }
        if segments == 0 {
            return None;
        }
        let scale = self.scale / f64::from(segments);
        let last = density.len() - 1;
        for (k, value) in density.iter_mut().enumerate() {
            *value *= if k == 0 || k == last { scale } else { 2.0 * scale };
        }
        Some(Spectrum { density, segments: segments as usize, clean_s })
    }
}

impl Default for Welch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Welch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Welch").finish_non_exhaustive()
    }
}
