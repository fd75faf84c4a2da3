//! Mel-frequency cepstral coefficients of a heartbeat: a coarse spectrum in time, for comparison and research.
//!
//! A segment is cut into overlapping frames; each frame's power spectrum is summed in triangular bands that are even on
//! a mel scale, and the logarithms of the bands are decorrelated by a cosine transform (S. Davis and P. Mermelstein,
//! *IEEE Trans. ASSP* 28 (1980) 357–366). It must not know what the coefficients are used for.
//!
//! # Differences from the paper
//! - **The scale.** Speech has its knee at 700 Hz of 8 kHz. An ECG ends at 40 Hz, where the usual scale is a straight
//!   line. The knee is 10 Hz here, where a QRS complex has its most energy: bands are even below and grow above.
//! - **Frames of 300 ms every 100 ms.** The usual 25 ms hold less than a QRS complex. Five frames cover a segment:
//!   P, QRS onset, QRS, ST, T, one or two in each.
//! - **20 bands from 0.5 to 40 Hz**, the pass band of the path; more would be narrower than a bin at the low end.
//! - No pre-emphasis and no lifter: the path has shaped the spectrum already.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use crate::segment::Segment;
use crate::{FS, SEGMENT_SAMPLES};

/// Coefficients of one frame.
pub const COEFFICIENTS: usize = 13;
/// Samples of a frame: 300 ms.
pub const FRAME: usize = 75;
/// Samples from frame to frame: 100 ms.
pub const HOP: usize = 25;
/// Frames of a segment.
pub const FRAMES: usize = (SEGMENT_SAMPLES - FRAME) / HOP + 1;

const BANDS: usize = 20;
/// Length of the transform: a bin is 0.49 Hz, less than the narrowest band.
const TRANSFORM: usize = 512;
const BINS: usize = TRANSFORM / 2 + 1;
/// Edges of the lowest and the highest band, Hz.
const EDGES_HZ: (f64, f64) = (0.5, 40.0);
const KNEE_HZ: f64 = 10.0;
/// Added to the power of a band, so that silence has a logarithm. A beat of 1 mV has some 100.
const POWER_FLOOR: f64 = 1e-10;

/// Computes coefficients; owns window, bands and buffers.
#[derive(Clone)]
pub struct Mfcc {
    transform: Arc<dyn RealToComplex<f64>>,
    window: [f64; FRAME],
    /// Band by band, a weight for each bin.
    bands: Vec<[f64; BINS]>,
    cosines: [[f64; BANDS]; COEFFICIENTS],
    padded: Vec<f64>,
    spectrum: Vec<Complex<f64>>,
    scratch: Vec<Complex<f64>>,
}

impl std::fmt::Debug for Mfcc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mfcc").finish_non_exhaustive()
    }
}

impl Default for Mfcc {
    fn default() -> Self {
        Self::new()
    }
}

impl Mfcc {
    /// Everything that does not depend on the signal.
    #[must_use]
    pub fn new() -> Self {
        let transform = RealFftPlanner::new().plan_fft_forward(TRANSFORM);
        Self {
            window: std::array::from_fn(|n| 0.54 - 0.46 * (TAU * n as f64 / FRAME as f64).cos()),
            bands: bands(),
            cosines: std::array::from_fn(|k| std::array::from_fn(|band| cosine(k, band))),
            padded: transform.make_input_vec(),
            spectrum: transform.make_output_vec(),
            scratch: transform.make_scratch_vec(),
            transform,
        }
    }

    /// Coefficients of every frame of a segment (millivolts or z-scored), the earliest first. The first coefficient is
    /// the loudness: `2·ln` of the amplitude, times √20.
    pub fn segment(&mut self, segment: &Segment) -> [[f64; COEFFICIENTS]; FRAMES] {
        let mut frames = [[0.0; COEFFICIENTS]; FRAMES];
        for (number, coefficients) in frames.iter_mut().enumerate() {
            let frame = &segment[number * HOP..number * HOP + FRAME];
            self.padded.fill(0.0);
            self.padded.iter_mut().zip(frame.iter().zip(&self.window)).for_each(|(to, (x, w))| *to = x * w);
            *coefficients = self.cepstrum();
        }
        frames
    }

    /// Cepstrum of the frame in `padded`.
    fn cepstrum(&mut self) -> [f64; COEFFICIENTS] {
        // It fails only for buffers of another length than the planner's own.
        let _same_length = self.transform.process_with_scratch(&mut self.padded, &mut self.spectrum, &mut self.scratch);
        let mut logarithms = [0.0; BANDS];
        for (logarithm, band) in logarithms.iter_mut().zip(&self.bands) {
            let power: f64 = self.spectrum.iter().zip(band).map(|(value, weight)| value.norm_sqr() * weight).sum();
            *logarithm = (power + POWER_FLOOR).ln();
        }
        std::array::from_fn(|k| self.cosines[k].iter().zip(&logarithms).map(|(c, l)| c * l).sum())
    }
}

/// Row `k` of the orthonormal cosine transform (DCT-II).
fn cosine(k: usize, band: usize) -> f64 {
    let scale = if k == 0 { (1.0 / BANDS as f64).sqrt() } else { (2.0 / BANDS as f64).sqrt() };
    scale * (PI * k as f64 * (band as f64 + 0.5) / BANDS as f64).cos()
}

/// Triangles with their corners even on the mel scale, each 1 at its middle corner.
fn bands() -> Vec<[f64; BINS]> {
    let mel = |hz: f64| (1.0 + hz / KNEE_HZ).ln();
    let hz = |mel: f64| KNEE_HZ * (mel.exp() - 1.0);
    let (low, high) = (mel(EDGES_HZ.0), mel(EDGES_HZ.1));
    let corner = |number: usize| hz(low + (high - low) * number as f64 / (BANDS + 1) as f64);
    let triangle = |band: usize| {
        let [left, middle, right] = [band, band + 1, band + 2].map(corner);
        std::array::from_fn(|bin| {
            let at = bin as f64 * FS.0 / TRANSFORM as f64;
            ((at - left) / (middle - left)).min((right - at) / (right - middle)).max(0.0)
        })
    };
    (0..BANDS).map(triangle).collect()
}
