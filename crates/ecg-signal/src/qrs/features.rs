//! What is measured of a candidate as soon as it is confirmed, before anything is decided.
//!
//! Must not know levels, thresholds or other candidates.

use super::band::{self, Band};
use super::fiducial::{Deflections, FiducialSearch};
use super::flutter::Texture;
use super::front_end::FrontEnd;
use super::history::History;
use super::template::{Shape, Template};
use crate::units::Hertz;
use crate::widest::widest;

/// Window of the moving-window integral: 112 ms, one QRS. Pan and Tompkins have 150 ms.
pub(super) const WINDOW_S: f64 = 0.112;
/// The surroundings of a QRS begin where the integral no longer sees it, and reach so far before and after the peak.
const BEFORE_S: f64 = 0.24;
const AFTER_S: f64 = 0.2;
/// Samples of these surroundings: enough for 500 Hz.
const BESIDE: usize = 112;
/// The slope of the fiducial signal is looked for in so much time up to the peak.
const SLOPE_REACH_S: f64 = 0.2;
/// Distance of the difference that stands for the slope.
const SLOPE_S: f64 = 0.008;
/// Samples that the slope is looked for in: enough for 500 Hz.
const SLOPE_VALUES: usize = 112;
/// Slopes that are compared side by side.
const LANES: usize = 8;
/// What must be known of the steep band before a candidate's peak: the surroundings, and before them the time in which its
/// filter forgets that it started from rest.
const STEEP_REACH_S: f64 = 0.4;

/// A peak of the integral with what was measured there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Index of the peak of the integral (`p`); the QRS lies 100 ms before it.
    pub(super) peak: i64,
    /// What it looks like in the detection band.
    usual: View,
    /// What it looks like in the steep one; `None` while that is asleep.
    steep: Option<View>,
    /// Largest slope with the low frequencies in (`S`).
    pub(super) slope: f64,
    /// Where R may be.
    pub(super) deflections: Deflections,
    /// The texture of the signal round it; measured last, when the window after it is there.
    pub(super) texture: Texture,
}

/// What a candidate looks like in one band.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Envelope at the peak (`E`): root mean square slope in the window, in input units per 8 ms.
    pub(super) envelope: f64,
    /// Mean envelope beside the QRS over that at the peak (`q`), 0 … 1. The best single feature: a QRS is one burst
    /// with quiet beside it (true beats: median 0.07, 99 % below 0.30), noise is not (median 0.54).
    pub(super) noise_ratio: f64,
    /// The band round the QRS.
    pub(super) shape: Shape,
}

impl Candidate {
    /// The view in a band, if it was taken.
    pub(super) fn seen_in(&self, band: Band) -> Option<&View> {
        match band {
            Band::Usual => Some(&self.usual),
            Band::Steep => self.steep.as_ref(),
        }
    }

    /// The view in a band. A lead is only judged in a band that is awake; a candidate from before shows its usual view.
    pub(super) fn view(&self, band: Band) -> &View {
        self.seen_in(band).unwrap_or(&self.usual)
    }
}

/// The histories of one band.
#[derive(Clone, Debug)]
pub(super) struct BandSignals {
    /// The band itself (`b`).
    pub(super) band: History,
    /// Moving-window integral of its squared slope (`M`).
    pub(super) integral: History,
}

impl BandSignals {
    /// Goes on with sample `index`.
    pub(super) fn skip_to(&mut self, index: i64) {
        self.band.skip_to(index);
        self.integral.skip_to(index);
    }

    fn reset(&mut self) {
        self.band.reset();
        self.integral.reset();
    }
}

/// The histories that features are taken from.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    /// Detection band.
    pub(super) usual: BandSignals,
    /// Steep band.
    pub(super) steep: BandSignals,
    /// Fiducial signal (`f`).
    pub(super) fiducial: History,
}

impl Signals {
    pub(super) fn new(length: usize) -> Self {
        let history = History::new(length);
        let band = BandSignals { band: history.clone(), integral: history.clone() };
        Self { usual: band.clone(), steep: band, fiducial: history }
    }

    /// The histories of a band.
    pub(super) fn of(&self, band: Band) -> &BandSignals {
        match band {
            Band::Usual => &self.usual,
            Band::Steep => &self.steep,
        }
    }

    pub(super) fn reset(&mut self) {
        self.usual.reset();
        self.steep.reset();
        self.fiducial.reset();
    }
}

/// Measures candidates.
#[derive(Clone, Debug)]
pub(super) struct FeatureMeter {
    window: f64,
    before: i64,
    after: i64,
    clear: i64,
    slope_reach: i64,
    slope: i64,
    /// From the peak of the integral back to the QRS.
    centre: i64,
    /// From the peak in the detection band on to that in the steep one, and back to what must be known of it.
    steep_lag: i64,
    steep_reach: i64,
    fiducial: FiducialSearch,
    fiducial_delay: i64,
}

/// How far the peak of the integral lies behind the centre of the QRS (`D`): the detection band's delay and half the
/// window.
pub(super) fn centre_delay(fs: Hertz) -> usize {
    fs.samples(band::DELAY_S + 0.5 * WINDOW_S)
}

impl FeatureMeter {
    pub(super) fn new(fs: Hertz, fiducial_delay: f64) -> Self {
        let window = fs.samples(WINDOW_S);
        assert!(
            fs.samples(BEFORE_S) + fs.samples(AFTER_S) <= BESIDE + 2 * window,
            "what lies beside a QRS at {fs} does not fit"
        );
        Self {
            window: window as f64,
            before: fs.samples(BEFORE_S) as i64,
            after: fs.samples(AFTER_S) as i64,
            clear: window as i64 + 1,
            slope_reach: fs.samples(SLOPE_REACH_S) as i64,
            slope: fs.samples(SLOPE_S) as i64,
            centre: centre_delay(fs) as i64,
            steep_lag: band::steep_lag(fs),
            steep_reach: fs.samples(STEEP_REACH_S) as i64,
            fiducial: FiducialSearch::new(fs, fiducial_delay),
            fiducial_delay: fiducial_delay as i64,
        }
    }

    /// Measures everything but the texture of the candidate whose peak lies at `peak` in the integral of the detection
    /// band.
    pub(super) fn measure(&self, front_end: &FrontEnd, peak: i64, template: &Template) -> Candidate {
        let signals = front_end.signals();
        let steep = front_end.steep().has_seen(peak - self.steep_reach);
        Candidate {
            peak,
            usual: self.view(&signals.usual, peak, self.after, template),
            // What is confirmed in the detection band has been seen shorter in the steep one, which is later.
            steep: steep
                .then(|| self.view(&signals.steep, peak + self.steep_lag, self.after - self.steep_lag, template)),
            slope: self.steepest(&signals.fiducial, peak),
            deflections: self.fiducial.measure(&signals.fiducial, peak - self.centre + self.fiducial_delay),
            texture: Texture::default(),
        }
    }

    /// Measures what one band shows of a candidate; its surroundings reach until `after` samples behind the peak.
    fn view(&self, signals: &BandSignals, peak: i64, after: i64, template: &Template) -> View {
        let envelope = self.envelope(signals.integral.at(peak));
        let beside = self.mean_envelope(&signals.integral, peak, after);
        View {
            envelope,
            noise_ratio: if envelope > 0.0 { beside / envelope } else { 1.0 },
            // The band's delay is left in: the shape is the first half of the QRS with the quiet before it. Round the
            // QRS itself it scores the same on clean records and a little less in electrode motion.
            shape: template.cut(&signals.band, peak - self.centre),
        }
    }

    /// `m`: root mean square of the slope in the integral's window.
    fn envelope(&self, integral: f64) -> f64 {
        (integral / self.window).sqrt()
    }

    /// `bg`: mean envelope where the integral's window no longer touches the QRS, before and after it.
    fn mean_envelope(&self, integral: &History, peak: i64, reach: i64) -> f64 {
        let before = (self.before - self.clear + 1) as usize;
        let count = before + (reach - self.clear + 1) as usize;
        let mut envelopes = [0.0; BESIDE];
        integral.copy(peak - self.before, &mut envelopes[..before]);
        integral.copy(peak + self.clear, &mut envelopes[before..count]);
        // Apart from their sum, so that several are worked out at once.
        let envelopes = &mut envelopes[..count];
        widest(
            #[inline(always)]
            || envelopes.iter_mut().for_each(|envelope| *envelope = (*envelope / self.window).sqrt()),
        );
        envelopes.iter().sum::<f64>() / count as f64
    }

    fn steepest(&self, fiducial: &History, peak: i64) -> f64 {
        let (slope, count) = (self.slope as usize, self.slope_reach as usize + 1);
        let mut values = [0.0; SLOPE_VALUES];
        fiducial.copy(peak - self.slope_reach - self.slope, &mut values[..count + slope]);
        widest(
            #[inline(always)]
            || {
                let mut slopes = [0.0; SLOPE_VALUES];
                let (later, earlier) = (&values[slope..][..count], &values[..count]);
                for (out, (later, earlier)) in slopes.iter_mut().zip(later.iter().zip(earlier)) {
                    *out = f64::abs(later - earlier);
                }
                let mut steepest = [0.0; LANES];
                for slopes in slopes[..count.next_multiple_of(LANES)].as_chunks::<LANES>().0 {
                    for lane in 0..LANES {
                        steepest[lane] = if slopes[lane] > steepest[lane] { slopes[lane] } else { steepest[lane] };
                    }
                }
                steepest.into_iter().fold(0.0, f64::max)
            },
        )
    }
}
