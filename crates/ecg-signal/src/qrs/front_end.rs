//! What the detector does to every sample, in blocks: the filters, the moving-window integral and the histories of them.
//!
//! Must not know about peaks, candidates and beats. Everything here is a filter, so that a block of any length gives the
//! same as its samples one by one.

use super::band::{self, Band};
use super::bank::FilterBank;
use super::difference::Difference;
use super::energy::MovingWindowIntegral;
use super::features::{self, Signals};
use super::fiducial::{self, Smoother};
use super::flutter::{self, FlutterGuard, Texture};
use super::steep::SteepBand;
use crate::filter::Beside;
use crate::line::BLOCK;
use crate::units::Hertz;
use crate::widest::widest;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(super) struct FrontEnd {
    smoother: Smoother,
    bank: FilterBank,
    slope: Difference,
    integral: MovingWindowIntegral,
    steep: SteepBand,
    guard: FlutterGuard,
    signals: Signals,
    /// What the filters start from: the first sample, wherever the base line is. `None` before it.
    first: Option<f64>,
    newest: f64,
    buffers: Box<Buffers>,
}

/// The newest block at every step.
#[derive(Clone, Debug)]
struct Buffers {
    fiducial: [f64; BLOCK],
    integral: [f64; BLOCK],
}

impl Buffers {
    fn new() -> Self {
        Self { fiducial: [0.0; BLOCK], integral: [0.0; BLOCK] }
    }
}

impl FrontEnd {
    /// Remembers `history` samples before the newest block.
    pub(super) fn new(fs: Hertz, history: usize) -> Self {
        let long = [&band::filter(fs), &flutter::slow_filter(fs)];
        let short = [&flutter::signal_filter(fs), &fiducial::baseline_filter(fs)];
        Self {
            smoother: Smoother::new(fs),
            bank: FilterBank::new(long, short),
            slope: band::slope(fs),
            integral: MovingWindowIntegral::new(fs.samples(features::WINDOW_S)),
            steep: SteepBand::new(fs),
            guard: FlutterGuard::new(fs),
            signals: Signals::new(history + BLOCK),
            first: None,
            newest: 0.0,
            buffers: Box::new(Buffers::new()),
        }
    }

    /// Takes a block of at most [`BLOCK`] samples, and runs the filter that lies beside it. A sample that is not finite
    /// counts as the one before it.
    pub(super) fn run_block(&mut self, x: &[f64], beside: Option<Beside<'_>>) {
        widest(
            #[inline(always)]
            || self.filter(x, beside),
        );
        self.remember(x.len());
    }

    /// Runs all filters. Each writes where the next one reads.
    #[inline(always)]
    fn filter(&mut self, x: &[f64], beside: Option<Beside<'_>>) {
        let n = x.len();
        let Buffers { fiducial, integral } = &mut *self.buffers;
        let (fiducial, integral) = (&mut fiducial[..n], &mut integral[..n]);
        centre(x, &mut self.first, &mut self.newest, self.smoother.input(n));
        self.smoother.run(fiducial);
        let [signal, slow] = self.guard.inputs(n);
        self.bank.run_block(self.smoother.newest(n), [self.slope.input(n), slow, signal], fiducial, beside);
        self.slope.run(self.guard.slope(n));
        self.integral.run_squares(self.guard.slope(n), integral);
        self.guard.run();
    }

    /// Puts the newest block, of `n` samples, into the histories.
    fn remember(&mut self, n: usize) {
        self.signals.fiducial.extend(&self.buffers.fiducial[..n]);
        self.signals.usual.band.extend(self.slope.newest(n));
        self.signals.usual.integral.extend(&self.buffers.integral[..n]);
        self.steep.run_block(self.slope.newest(n), &mut self.signals.steep);
    }

    /// The signals up to the end of the newest block.
    pub(super) fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The moving-window integral of the newest block, of `n` samples, in one band.
    pub(super) fn integral(&self, band: Band, n: usize) -> &[f64] {
        match band {
            Band::Usual => &self.buffers.integral[..n],
            Band::Steep => self.steep.integral(n),
        }
    }

    /// The steep band.
    pub(super) fn steep(&self) -> &SteepBand {
        &self.steep
    }

    /// Wakes the steep band, or lets it sleep, from sample `now` on, which must be the next.
    pub(super) fn run_steep(&mut self, awake: bool, now: i64) {
        if awake {
            self.steep.wake(now, &mut self.signals.steep);
        } else {
            self.steep.sleep();
        }
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
        self.smoother.delay()
    }

    pub(super) fn reset(&mut self) {
        self.smoother.reset();
        self.bank.reset();
        self.slope.reset();
        self.integral.reset();
        self.steep.reset();
        self.guard.reset();
        self.signals.reset();
        self.first = None;
        self.newest = 0.0;
    }
}

/// Takes the first sample off, and holds the last finite one where one is not.
#[inline(always)]
fn centre(x: &[f64], first: &mut Option<f64>, newest: &mut f64, centred: &mut [f64]) {
    let Some(&last) = x.last() else { return };
    if let Some(first) = *first
        && x.iter().fold(true, |all, x| all & x.is_finite())
    {
        centred.iter_mut().zip(x).for_each(|(centred, x)| *centred = x - first);
        *newest = last;
        return;
    }
    for (centred, &x) in centred.iter_mut().zip(x) {
        if x.is_finite() {
            *newest = x;
        }
        *centred = *newest - *first.get_or_insert(*newest);
    }
}
