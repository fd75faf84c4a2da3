//! What the detector does to every sample, in blocks: the filters, the moving-window integral and the histories of them.
//!
//! Must not know about peaks, candidates and beats. Everything here is a filter, so that a block of any length gives the
//! same as its samples one by one.

use super::band::DetectionBand;
use super::energy::MovingWindowIntegral;
use super::features::{self, Signals};
use super::fiducial::FiducialFilter;
use super::flutter::{FlutterGuard, Texture};
use crate::line::BLOCK;
use crate::units::Hertz;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct FrontEnd {
    band: DetectionBand,
    integral: MovingWindowIntegral,
    fiducial: FiducialFilter,
    guard: FlutterGuard,
    signals: Signals,
    /// What the filters start from: the first sample, wherever the base line is. `None` before it.
    first: Option<f64>,
    newest: f64,
    centred: Box<[f64; BLOCK]>,
    banded: Box<[f64; BLOCK]>,
    slopes: Box<[f64; BLOCK]>,
    results: Box<[f64; BLOCK]>,
}

impl FrontEnd {
    /// Remembers `history` samples before the newest block.
    pub(super) fn new(fs: Hertz, history: usize) -> Self {
        let buffer = || Box::new([0.0; BLOCK]);
        Self {
            band: DetectionBand::new(fs),
            integral: MovingWindowIntegral::new(fs.samples(features::WINDOW_S)),
            fiducial: FiducialFilter::new(fs),
            guard: FlutterGuard::new(fs),
            signals: Signals::new(history + BLOCK),
            first: None,
            newest: 0.0,
            centred: buffer(),
            banded: buffer(),
            slopes: buffer(),
            results: buffer(),
        }
    }

    /// Takes a block of at most [`BLOCK`] samples. A sample that is not finite counts as the one before it.
    pub(super) fn run_block(&mut self, x: &[f64]) {
        let n = x.len();
        let centred = &mut self.centred[..n];
        for (&x, centred) in x.iter().zip(centred.iter_mut()) {
            if x.is_finite() {
                self.newest = x;
            }
            *centred = self.newest - *self.first.get_or_insert(self.newest);
        }
        let (banded, slopes, results) = (&mut self.banded[..n], &mut self.slopes[..n], &mut self.results[..n]);
        self.fiducial.run_block(centred, results);
        self.signals.fiducial.extend(results);
        self.band.run_block(centred, banded, slopes);
        self.signals.band.extend(banded);
        self.guard.run_block(centred, slopes);
        self.integral.run_squares(slopes, results);
        self.signals.integral.extend(results);
    }

    /// The signals up to the end of the newest block.
    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The moving-window integral of the newest block, of `n` samples.
    pub(super) fn integral(&self, n: usize) -> &[f64] {
        &self.results[..n]
    }

    /// The texture of the window that ends at sample `at` of the newest block. Asked for in order of time.
    pub(super) fn texture(&mut self, at: usize) -> Texture {
        self.guard.texture_at(at)
    }

    /// The last finite sample.
    pub(super) fn newest(&self) -> f64 {
        self.newest
    }

    /// Samples by which the fiducial signal lags the input.
    pub(super) fn fiducial_delay(&self) -> f64 {
        self.fiducial.delay()
    }

    pub(super) fn reset(&mut self) {
        self.band.reset();
        self.integral.reset();
        self.fiducial.reset();
        self.guard.reset();
        self.signals.reset();
        self.first = None;
        self.newest = 0.0;
    }
}
