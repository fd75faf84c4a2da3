//! The six signal-quality indices of a window of ten seconds, measured as the signal passes.
//!
//! | index | definition | where |
//! | --- | --- | --- |
//! | bSQI | beats that two detectors both found within 150 ms, over those that either found | [`LengthDetector`] |
//! | kSQI | Pearson's kurtosis of the conditioned signal | [`Moments`] |
//! | sSQI | skewness of the conditioned signal | [`Moments`] |
//! | pSQI | power from 5 to 15 Hz over that from 5 to 40 Hz | [`SegmentSpectrum`] |
//! | basSQI | 1 − power below 1 Hz over that below 40 Hz | [`SegmentSpectrum`] |
//! | template correlation | mean correlation of the beats with the mean beat | `RecentBeats` |
//!
//! Sources: Q. Li, R. G. Mark and G. D. Clifford, Physiol. Meas. 29 (2008) 15–32 (bSQI, kSQI, basSQI); G. D. Clifford et
//! al., Physiol. Meas. 33 (2012) 1419 (sSQI, pSQI); C. Orphanidou et al., IEEE J. Biomed. Health Inform. 19 (2015) 832
//! (template). bSQI, pSQI and basSQI see the signal after the mains notch, as the first detector does. Must not know what
//! follows from an index.

use super::half_rate::{self, HalfRate};
use super::length::LengthDetector;
use super::moments::Moments;
use super::recent::{Newest, RecentBeats};
use super::spectrum::{BandPowers, SegmentSpectrum};
use crate::kernel::Kernel;
use crate::widest::widest;

/// Samples in a block: the window moves by one second.
const BLOCK: usize = 250;
/// Blocks in a window.
const BLOCKS: usize = 10;
/// Segments of the spectrum in a window: they begin 0, 2, 4 and 6 s after it, and are 4 s long.
const SEGMENTS: usize = 4;

/// Samples after which both detectors have decided on a beat: one second.
const BEATS_DECIDED: f64 = 250.0;

/// The indices of one window. `None` where it holds nothing that the index could be taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct QualityIndices {
    /// bSQI, 0 … 1. `None` where neither detector has found a beat.
    pub b_sqi: Option<f64>,
    /// kSQI, 1 or more. `None` where nothing moves.
    pub k_sqi: Option<f64>,
    /// sSQI. `None` where nothing moves.
    pub s_sqi: Option<f64>,
    /// pSQI, 0 … 1. `None` in the first four seconds, and without power in the band.
    pub p_sqi: Option<f64>,
    /// basSQI, 0 … 1. `None` in the first four seconds, and without power in the band.
    pub bas_sqi: Option<f64>,
    /// Mean correlation of the beats with their mean, −1 … 1. `None` with fewer than two.
    pub template_correlation: Option<f64>,
}

/// Measures the indices of the newest window, which moves on every second.
#[derive(Clone, Debug)]
pub(super) struct IndexMeter {
    half_rate: HalfRate,
    halved: Box<[f64; half_rate::PIECE / 2]>,
    second: LengthDetector,
    spectrum: SegmentSpectrum,
    block: Box<[f64; BLOCK]>,
    held: usize,
    moments: Newest<Moments, BLOCKS>,
    powers: Newest<BandPowers, SEGMENTS>,
    beats: RecentBeats,
    /// Samples that have come.
    samples: u64,
    /// Samples after the notch that have been looked at and have not come with their conditioned ones.
    ahead: usize,
}

impl IndexMeter {
    pub(super) fn new() -> Self {
        Self {
            half_rate: HalfRate::default(),
            halved: Box::new([0.0; half_rate::PIECE / 2]),
            second: LengthDetector::default(),
            spectrum: SegmentSpectrum::default(),
            block: Box::new([0.0; BLOCK]),
            held: 0,
            moments: Newest::default(),
            powers: Newest::default(),
            beats: RecentBeats::default(),
            samples: 0,
            ahead: 0,
        }
    }

    /// Looks at a block after the notch at once: in the parts that beats leave of a block it takes longer.
    /// [`IndexMeter::run_block`] must take the same samples next.
    pub(super) fn run_ahead(&mut self, notched: &[f64]) {
        // The window that moves first may see what comes behind it: of the beats it leaves out those of the last second, and
        // segments of the spectrum end where windows do. So all may come but the sample with which a second window moves.
        let until = notched.len().min(2 * BLOCK - 1 - self.held);
        self.run_notched(&notched[..until]);
        self.ahead = until;
    }

    /// Takes a block after the notch and the conditioned samples that came with it, and measures the window wherever it
    /// moves; gives the newest one. A window that ends before `first` samples have come is not measured.
    pub(super) fn run_block(&mut self, notched: &[f64], conditioned: &[f64], first: u64) -> Option<QualityIndices> {
        let mut newest = None;
        let (mut notched, mut conditioned) = (notched, conditioned);
        while !notched.is_empty() {
            let until = notched.len().min(BLOCK - self.held);
            let (now, later) = notched.split_at(until);
            self.run_notched(&now[self.ahead.min(until)..]);
            self.ahead -= self.ahead.min(until);
            self.block[self.held..self.held + until].copy_from_slice(&conditioned[..until]);
            (notched, conditioned) = (later, &conditioned[until..]);
            self.held += until;
            self.samples += until as u64;
            if self.held == BLOCK {
                self.held = 0;
                self.moments.push(Moments::of(&self.block[..]));
                if self.samples >= first {
                    newest = Some(self.measure());
                }
            }
        }
        newest
    }

    /// What looks at the signal after the notch takes a stretch in which no window moves.
    fn run_notched(&mut self, notched: &[f64]) {
        let Self { half_rate, halved, second, spectrum, powers, beats, .. } = self;
        for piece in notched.chunks(half_rate::PIECE - 1) {
            let made = widest(
                #[inline(always)]
                || {
                    let made = half_rate.run_block(piece, halved);
                    second.run_block(&halved[..made], &mut |place| beats.second(2.0 * place + 1.0 - half_rate.delay()));
                    made
                },
            );
            spectrum.run_block(&halved[..made], &mut |segment| powers.push(segment));
        }
    }

    /// Samples that have come.
    pub(super) fn samples(&self) -> u64 {
        self.samples
    }

    /// The beats that the two detectors have found.
    pub(super) fn beats(&mut self) -> &mut RecentBeats {
        &mut self.beats
    }

    /// Measures the window that has just ended, or what there is of it at the start.
    fn measure(&self) -> QualityIndices {
        let moments = self.moments.newest_first().fold(Moments::default(), |sum, block| sum.and(block));
        let powers = self.powers.newest_first().fold(BandPowers::default(), |sum, segment| sum.and(segment));
        // Beats are decided within a second; the window of beats ends where both detectors have.
        let to = self.samples as f64 - BEATS_DECIDED;
        let from = to - (BLOCK * BLOCKS) as f64;
        QualityIndices {
            b_sqi: self.beats.b_sqi(from, to),
            k_sqi: moments.kurtosis(),
            s_sqi: moments.skewness(),
            p_sqi: powers.p_sqi(),
            bas_sqi: powers.bas_sqi(),
            template_correlation: self.beats.template_correlation(from, to),
        }
    }

    /// Too few beats have come to compare the next one with.
    pub(super) fn wants_company(&self) -> bool {
        self.beats.are_few()
    }

    /// What comes now may be another heart's.
    pub(super) fn forget_heart(&mut self) {
        self.beats.forget_heart();
    }

    pub(super) fn reset(&mut self) {
        self.half_rate.reset();
        self.second.reset();
        self.spectrum.reset();
        self.held = 0;
        self.moments.clear();
        self.powers.clear();
        self.beats.reset();
        (self.samples, self.ahead) = (0, 0);
    }
}
