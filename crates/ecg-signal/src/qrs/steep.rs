//! The steep band, which runs only while the lead is noisy.
//!
//! Must not know when that is. In a quiet lead it is asleep and costs nothing.

use super::band;
use super::difference::Difference;
use super::energy::MovingWindowIntegral;
use super::features::{self, BandSignals};
use crate::filter::SosFilter;
use crate::kernel::Kernel;
use crate::line::BLOCK;
use crate::units::Hertz;

/// Asleep.
const NEVER: i64 = i64::MAX;
/// Awake since before the first sample: the signal was 0 then, and the filter at rest.
const ALWAYS: i64 = i64::MIN;

/// See the head of the file. Awake when built.
#[derive(Clone, Debug)]
pub(super) struct SteepBand {
    filter: SosFilter,
    slope: Difference,
    integral: MovingWindowIntegral,
    awake_since: i64,
    /// The newest block at every step.
    banded: [f64; BLOCK],
    slopes: [f64; BLOCK],
    integrals: [f64; BLOCK],
}

impl SteepBand {
    pub(super) fn new(fs: Hertz) -> Self {
        Self {
            filter: SosFilter::new(&band::steep_filter(fs)),
            slope: band::slope(fs),
            integral: MovingWindowIntegral::new(fs.samples(features::WINDOW_S)),
            awake_since: ALWAYS,
            banded: [0.0; BLOCK],
            slopes: [0.0; BLOCK],
            integrals: [0.0; BLOCK],
        }
    }

    /// Takes the newest block of the detection band; `signals` get the steep one, if this is awake.
    pub(super) fn run_block(&mut self, detection_band: &[f64], signals: &mut BandSignals) {
        if !self.is_awake() {
            return;
        }
        let n = detection_band.len();
        let (banded, slopes) = (&mut self.banded[..n], &mut self.slopes[..n]);
        banded.copy_from_slice(detection_band);
        self.filter.run_block(banded);
        self.slope.run_block(banded, slopes);
        self.integral.run_squares(slopes, &mut self.integrals[..n]);
        signals.band.extend(banded);
        signals.integral.extend(&self.integrals[..n]);
    }

    /// The moving-window integral of the newest block, of `n` samples.
    pub(super) fn integral(&self, n: usize) -> &[f64] {
        &self.integrals[..n]
    }

    /// Wakes it, if it was asleep: sample `now` is the first that it will see, from rest.
    pub(super) fn wake(&mut self, now: i64, signals: &mut BandSignals) {
        if !self.is_awake() {
            self.rest();
            signals.skip_to(now);
            self.awake_since = now;
        }
    }

    pub(super) fn sleep(&mut self) {
        self.awake_since = NEVER;
    }

    pub(super) fn is_awake(&self) -> bool {
        self.awake_since != NEVER
    }

    /// Whether it has been awake since sample `index`.
    pub(super) fn has_seen(&self, index: i64) -> bool {
        self.awake_since <= index
    }

    pub(super) fn reset(&mut self) {
        self.rest();
        self.awake_since = ALWAYS;
    }

    fn rest(&mut self) {
        self.filter.reset();
        self.slope.reset();
        self.integral.reset();
    }
}
