//! The impedance channel brought from the rate of the source to the common one, at the cost of an addition a sample.
//!
//! ```text
//! mean of 40 ms → low-pass 1 Hz at 25 Hz → value at each tick
//! ```
//!
//! The mean has its zeros at 25 Hz and its multiples, 50 Hz among them; the low-pass keeps heart and movement from
//! folding into the band of breathing. Slow drift is left in: it is taken out of each window, where a step of the
//! electrodes does not ring on. Must not know about periods or beats.

use super::TICKS_PER_S;
use super::wave::Wave;
use crate::filter::SosFilter;
use crate::filter::design::{self, DesignError};
use crate::kernel::Kernel;
use crate::units::{Hertz, SampleIndex};

/// Rate after the mean, nearly: blocks have whole samples.
const BLOCK_HZ: f64 = 25.0;
/// Half of the tick rate less the fastest breath folds onto that breath: 41 dB down.
const CORNER: Hertz = Hertz(1.0);
const ORDER: usize = 4;
/// Missing values are bridged by the last one for so long, in seconds: a tenth of the fastest breath's worth of
/// corrupt frames is no reason to begin anew.
const BRIDGED_S: f64 = 0.5;
/// Larger than any code, and small enough that no filter overflows.
const LARGEST: f64 = 1e12;

/// The impedance at the common rate.
#[derive(Clone, Debug)]
pub(super) struct ImpedanceWave {
    wave: Wave,
    low_pass: SosFilter,
    samples_per_tick: f64,
    block: u32,
    bridged: u32,
    /// Source samples that the low-pass is late.
    filter_delay: f64,
    /// First mean of the stretch: filters start at rest on it.
    first: Option<f64>,
    held: f64,
    missing: u32,
    sum: f64,
    count: u32,
    previous: Option<f64>,
    /// Values have come once: there is such a channel.
    present: bool,
}

impl ImpedanceWave {
    pub(super) fn new(fs: Hertz) -> Result<Self, DesignError> {
        let block = (fs.0 / BLOCK_HZ).round().max(1.0);
        let low_pass = design::low_pass(ORDER, CORNER, Hertz(fs.0 / block))?;
        Ok(Self {
            wave: Wave::new(),
            filter_delay: low_pass.group_delay(Hertz(0.25)) * block,
            low_pass: SosFilter::new(&low_pass),
            samples_per_tick: fs.0 / TICKS_PER_S,
            block: block as u32,
            bridged: fs.samples(BRIDGED_S) as u32,
            first: None,
            held: 0.0,
            missing: 0,
            sum: 0.0,
            count: 0,
            previous: None,
            present: false,
        })
    }

    pub(super) fn wave(&self) -> &Wave {
        &self.wave
    }

    /// No more than a few values have come since the start.
    pub(super) fn is_absent(&self) -> bool {
        !self.present
    }

    /// From a breath to the middle of the block that shows it, in source samples.
    pub(super) fn delay(&self) -> f64 {
        self.filter_delay + f64::from(self.block - 1) / 2.0
    }

    /// Takes the value at source sample `index`.
    #[inline]
    pub(super) fn push(&mut self, value: Option<f64>, index: SampleIndex) {
        match value {
            Some(value) if value.abs() <= LARGEST => {
                self.missing = 0;
                self.add(value, index);
            }
            _ if self.count == 0 && self.first.is_none() => {}
            _ => self.bridge(index),
        }
    }

    #[inline]
    fn add(&mut self, value: f64, index: SampleIndex) {
        self.held = value;
        self.sum += value;
        self.count += 1;
        if self.count == self.block {
            self.end_block(index);
        }
    }

    fn bridge(&mut self, index: SampleIndex) {
        self.missing += 1;
        if self.missing > self.bridged {
            self.interrupt();
        } else {
            self.add(self.held, index);
        }
    }

    pub(super) fn reset(&mut self) {
        self.interrupt();
        self.present = false;
    }

    pub(super) fn interrupt(&mut self) {
        self.wave.begin_at(0);
        self.low_pass.reset();
        self.first = None;
        self.held = 0.0;
        self.missing = 0;
        self.sum = 0.0;
        self.count = 0;
        self.previous = None;
    }

    /// The block ends with source sample `index`: gives the ticks since the block before their values.
    fn end_block(&mut self, index: SampleIndex) {
        self.present = true;
        let mean = self.sum / f64::from(self.block);
        let value = self.low_pass.run(mean - *self.first.get_or_insert(mean));
        self.sum = 0.0;
        self.count = 0;
        let at = index as f64 - self.delay();
        let Some(previous) = self.previous.replace(value) else {
            return self.wave.begin_at((at / self.samples_per_tick).ceil().max(0.0) as u64);
        };
        let block = f64::from(self.block);
        loop {
            // The straight line between two blocks is right to 0.4 % for the fastest breath.
            let after = at - self.wave.end() as f64 * self.samples_per_tick;
            if after < 0.0 {
                return;
            }
            self.wave.push(value + (previous - value) * after / block);
        }
    }
}
