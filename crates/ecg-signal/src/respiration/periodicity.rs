//! The period at which a stretch of a waveform repeats, and how well it does.
//!
//! Steps are cut out, the straight line is taken off, and the stretch is tapered; the autocorrelation comes from its
//! power spectrum, of which only the band of breathing is kept, and is divided by that of the taper (Boersma, *Accurate
//! short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound*, Proceedings
//! of the Institute of Phonetic Sciences 17:97, Amsterdam 1993). The first peak that is nearly the highest is one
//! breath.
//!
//! Why not the peak of the spectrum: a breath is no sine (a short breath in, a pause), and a rate that changes over the
//! window spreads the peak, while neighbouring breaths are still alike. Why not counted crests: they carry no measure of
//! trust.
//!
//! Differences from the paper:
//! - No interpolation by sinc functions: a parabola through three values is right to 0.3 % of the shortest period.
//! - No path through several candidates: a choice is never revised, and each window stands for itself.
//! - Where later peaks exist too, the period is taken from the last clear one: a mean over several breaths.
//!
//! Must not know where a waveform is from.

use std::f64::consts::TAU;
use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::stretch::{MOST_CUT, Taper, cut_steps, disturbance, take_line_off};
use super::wave::{Span, Wave};
use super::{NEEDED_TICKS, NoRate, RATE_RANGE_PER_MIN, RespirationRate, TICKS_PER_S, WINDOW_TICKS};

/// Autocorrelation from which on a peak is a breath, where many breaths lie in the window.
pub const PERIODICITY_FLOOR: f64 = 0.55;
/// So much more is asked of a single breath, half of it of two, and so on: few breaths are alike by chance, and the slow
/// wander of an electrode always has some that are.
const FEW_BREATHS: f64 = 0.6;
/// The spectrum at the rate must be so much higher than at half of it. That of a breath has a peak there; that of slow
/// wander falls with the square of frequency, and has whatever period the lower edge of the band gives it.
const WANDER_FACTOR: f64 = 2.0;
/// The spectrum at the rate must reach this share of its highest bin: a breath has a fundamental. Two rhythms whose
/// periods have a common multiple repeat there, and nobody breathes so.
const FUNDAMENTAL_SHARE: f64 = 0.35;
/// The first peak that reaches this share of the highest is the breath; the later ones are its multiples.
const FIRST_SHARE: f64 = 0.7;
/// Length of the transform: a window and a few zeros. The longest lag that is looked at meets what wraps from 49 s, of
/// which the taper leaves a thousandth.
const TRANSFORM: usize = 256;
const BINS: usize = TRANSFORM / 2 + 1;
/// Bins that can lie in the band.
const BAND_BINS: usize = (BAND_HZ.3 / BIN_HZ) as usize + 1;
const BIN_HZ: f64 = TICKS_PER_S / TRANSFORM as f64;
/// Longest period in ticks, and the longest lag that is looked at.
const LONGEST: usize = (60.0 / RATE_RANGE_PER_MIN.0 * TICKS_PER_S) as usize;
/// The band: nothing below the first frequency, all from the second to the third, nothing above the fourth, in hertz.
/// The slowest breath has 0.067 Hz, the fastest 0.67.
const BAND_HZ: (f64, f64, f64, f64) = (0.045, 0.065, 0.70, 0.85);
/// What a waveform can show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// No faster breath is looked for, in hertz.
    pub(super) fastest_hz: f64,
    /// Its values lie on straight lines between points this far apart, in seconds.
    pub(super) joined_s: f64,
    /// Movement of no more than this share of its mean is none.
    pub(super) least_share: f64,
}

/// What is kept of a stretch for comparison with another: its spectrum within the band.
#[derive(Clone, Debug)]
pub(super) struct Spectrum {
    bins: Box<[Complex<f64>]>,
}

/// The transforms and their memory.
#[derive(Clone)]
pub(super) struct Periodicity {
    forward: Arc<dyn RealToComplex<f64>>,
    inverse: Arc<dyn ComplexToReal<f64>>,
    x: Box<[f64]>,
    taper: Taper,
    /// Sizes of the steps from tick to tick, in no order.
    steps: Box<[f64]>,
    /// Power of the stretch before the band is taken.
    density: Box<[f64]>,
    product: Box<[Complex<f64>]>,
    correlation: Box<[f64]>,
    scratch: Box<[Complex<f64>]>,
}

impl fmt::Debug for Periodicity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Periodicity").finish_non_exhaustive()
    }
}

impl Periodicity {
    pub(super) fn new() -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(TRANSFORM), planner.plan_fft_inverse(TRANSFORM));
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        Self {
            forward,
            inverse,
            x: vec![0.0; TRANSFORM].into(),
            taper: Taper::new(WINDOW_TICKS, LONGEST + 2),
            steps: vec![0.0; WINDOW_TICKS].into(),
            density: vec![0.0; BAND_BINS + 2].into(),
            product: vec![Complex::default(); BINS].into(),
            correlation: vec![0.0; TRANSFORM].into(),
            scratch: vec![Complex::default(); scratch].into(),
        }
    }

    /// Room for a spectrum.
    pub(super) fn spectrum(&self) -> Spectrum {
        Spectrum { bins: vec![Complex::default(); BINS].into() }
    }

    /// The rate of `span` of a waveform; its spectrum goes to `spectrum`.
    pub(super) fn rate(
        &mut self,
        wave: &Wave,
        span: Span,
        limits: Limits,
        spectrum: &mut Spectrum,
    ) -> Result<RespirationRate, NoRate> {
        if span.len() < NEEDED_TICKS || span.len() > WINDOW_TICKS {
            return Err(NoRate::Collecting);
        }
        self.x.fill(0.0);
        let values = wave.values(span);
        let length = values.len();
        let x = &mut self.x[..length];
        x.copy_from_slice(values);
        let least = limits.least_share * x.iter().sum::<f64>().abs() / length as f64;
        let share_cut = cut_steps(x, &mut self.steps[..length - 1]);
        if take_line_off(x) <= least {
            return Err(NoRate::Still);
        }
        if share_cut > MOST_CUT {
            return Err(NoRate::Motion);
        }
        self.taper.apply(x);
        transform(&*self.forward, &mut self.x, &mut spectrum.bins, &mut self.scratch);
        for (density, bin) in self.density.iter_mut().zip(&spectrum.bins[..BAND_BINS + 2]) {
            *density = bin.norm_sqr();
        }
        band_pass(&mut spectrum.bins, &limits);
        self.autocorrelation(spectrum);
        let rate = self.period(length, limits.fastest_hz).filter(|rate| self.is_breath(rate.per_min / 60.0, spectrum));
        rate.ok_or_else(|| disturbance(&mut self.steps[..length - 1]))
    }

    /// The rate by the autocorrelation of a stretch of `length` ticks.
    fn period(&self, length: usize, fastest_hz: f64) -> Option<RespirationRate> {
        let longest = LONGEST.min(length / 3);
        let shortest = (60.0 / RATE_RANGE_PER_MIN.1).max(1.0 / fastest_hz) * TICKS_PER_S;
        let first = first_peak(&self.correlation, (shortest - 0.5).max(1.0) as usize, longest)?;
        let period = over_several(&self.correlation, first, longest);
        let per_min = 60.0 * TICKS_PER_S / period;
        // Half a breath a minute beyond the range is a rounding, not another rate.
        let possible = (RATE_RANGE_PER_MIN.0 - 0.5..=RATE_RANGE_PER_MIN.1 + 0.5).contains(&per_min);
        let clear = first.height >= PERIODICITY_FLOOR + FEW_BREATHS * period / length as f64;
        (possible && clear).then(|| RespirationRate {
            per_min: per_min.clamp(RATE_RANGE_PER_MIN.0, RATE_RANGE_PER_MIN.1),
            periodicity: first.height.min(1.0),
            window_s: length as f64 / TICKS_PER_S,
        })
    }

    /// Whether the spectrum has its peak of a breath at `hz`.
    fn is_breath(&self, hz: f64, spectrum: &Spectrum) -> bool {
        let mean = |hz: f64| nearest(hz).map(|bin| self.density[bin]).sum::<f64>() / 3.0;
        let highest = spectrum.bins[..BAND_BINS].iter().fold(0.0, |highest: f64, bin| highest.max(bin.norm_sqr()));
        let own = nearest(hz).map(|bin| spectrum.bins[bin].norm_sqr()).fold(0.0, f64::max);
        mean(hz) >= WANDER_FACTOR * mean(0.5 * hz) && own >= FUNDAMENTAL_SHARE * highest
    }

    /// Highest absolute correlation of the same stretch of two waveforms within half a breath of each other, 0 … 1.
    pub(super) fn similarity(&mut self, a: &Spectrum, b: &Spectrum, per_min: f64) -> f64 {
        // Where one of the two has no part in a frequency (the QRS above half of the heart rate), the other has none.
        let within = |x: &Complex<f64>, y: &Complex<f64>| x.norm_sqr() > 0.0 && y.norm_sqr() > 0.0;
        let (mut power_a, mut power_b) = (0.0, 0.0);
        self.product[BAND_BINS..].fill(Complex::default());
        for ((product, x), y) in self.product.iter_mut().zip(&a.bins[..BAND_BINS]).zip(&b.bins) {
            *product = x * y.conj();
            if within(x, y) {
                power_a += x.norm_sqr();
                power_b += y.norm_sqr();
            }
        }
        back(&*self.inverse, &mut self.product, &mut self.correlation, &mut self.scratch);
        let reach = (30.0 / per_min * TICKS_PER_S).ceil() as usize;
        let later = &self.correlation[..=reach.min(TRANSFORM / 2)];
        let earlier = &self.correlation[TRANSFORM - reach.min(TRANSFORM / 2)..];
        let highest = later.iter().chain(earlier).fold(0.0, |highest: f64, c| highest.max(c.abs()));
        // The inverse transform sums both halves of the spectrum.
        let scale = 2.0 * (power_a * power_b).sqrt();
        if scale > 0.0 { (highest / scale).min(1.0) } else { 0.0 }
    }

    /// Autocorrelation of a tapered stretch, 1 at lag 0, that of the taper divided out.
    fn autocorrelation(&mut self, spectrum: &Spectrum) {
        for (product, x) in self.product.iter_mut().zip(&spectrum.bins[..BAND_BINS]) {
            *product = Complex::new(x.norm_sqr(), 0.0);
        }
        self.product[BAND_BINS..].fill(Complex::default());
        back(&*self.inverse, &mut self.product, &mut self.correlation, &mut self.scratch);
        let power = if self.correlation[0] > 0.0 { self.correlation[0] } else { 1.0 };
        let scale = 1.0 / power;
        for (value, inverse) in self.correlation.iter_mut().zip(self.taper.inverse_correlation()) {
            *value *= scale * inverse;
        }
    }
}

/// A peak of the autocorrelation.
#[derive(Clone, Copy, Debug)]
struct Peak {
    lag: f64,
    height: f64,
}

/// The peak at a local maximum, by the parabola through it and its neighbours.
fn peak_at(x: &[f64], at: usize) -> Option<Peak> {
    let (before, here, after) = (x[at.checked_sub(1)?], x[at], *x.get(at + 1)?);
    if here <= 0.0 || here < before || here <= after {
        return None;
    }
    let offset = 0.5 * (before - after) / (before - 2.0 * here + after);
    Some(Peak { lag: at as f64 + offset, height: here - 0.25 * (before - after) * offset })
}

fn first_peak(x: &[f64], shortest: usize, longest: usize) -> Option<Peak> {
    let peaks = || (shortest..=longest).filter_map(|at| peak_at(x, at));
    let highest = peaks().map(|peak| peak.height).fold(0.0, f64::max);
    peaks().find(|peak| peak.height >= FIRST_SHARE * highest)
}

/// The mean period: the last clear multiple of the first peak, divided by its number.
fn over_several(x: &[f64], first: Peak, longest: usize) -> f64 {
    let mut period = first.lag;
    for count in 2..=longest {
        let expected = (period * count as f64).round() as usize;
        if expected + 1 > longest {
            break;
        }
        let reach = expected.saturating_sub(1)..=(expected + 1).min(longest);
        let Some(peak) = reach.into_iter().find_map(|at| peak_at(x, at)) else { break };
        if peak.height < FIRST_SHARE * first.height {
            break;
        }
        period = peak.lag / count as f64;
    }
    period
}

/// The three bins nearest to a frequency.
fn nearest(hz: f64) -> std::ops::RangeInclusive<usize> {
    let bin = ((hz / BIN_HZ).round() as usize).clamp(1, BAND_BINS);
    bin - 1..=bin + 1
}

/// Keeps the band of breathing below the fastest rate, with edges of half a cosine.
fn band_pass(bins: &mut [Complex<f64>], limits: &Limits) {
    let (low_stop, low_pass, high_pass, high_stop) = BAND_HZ;
    let high_stop = high_stop.min(1.1 * limits.fastest_hz);
    let high_pass = high_pass.min(0.95 * limits.fastest_hz);
    bins[BAND_BINS..].fill(Complex::default());
    for (bin, value) in bins[..BAND_BINS].iter_mut().enumerate() {
        let hz = bin as f64 * BIN_HZ;
        let up = edge((hz - low_stop) / (low_pass - low_stop));
        let down = edge((high_stop - hz) / (high_stop - high_pass));
        let weight = up * down;
        *value *= if weight > 0.0 { weight / straight_gain(hz * limits.joined_s) } else { 0.0 };
    }
}

/// What straight lines between points leave of a wave that has `waves` periods from point to point: the square of
/// sin(πx)/πx, by its series, right to 1 % up to one half.
fn straight_gain(waves: f64) -> f64 {
    let square = (0.5 * TAU * waves).powi(2);
    let sinc = 1.0 - square / 6.0 * (1.0 - square / 20.0);
    (sinc * sinc).max(0.4)
}

/// From 0 to 1 along half a cosine while `x` goes from 0 to 1.
fn edge(x: f64) -> f64 {
    if x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        0.5 - 0.5 * (0.5 * TAU * x).cos()
    }
}

/// Forward transform; the input is used up. Lengths are those of the plan, so it cannot fail.
fn transform(plan: &dyn RealToComplex<f64>, x: &mut [f64], bins: &mut [Complex<f64>], scratch: &mut [Complex<f64>]) {
    let scratch = &mut scratch[..plan.get_scratch_len()];
    let done = plan.process_with_scratch(x, bins, scratch);
    debug_assert!(done.is_ok(), "lengths are those of the plan");
}

/// Inverse transform, not scaled; the spectrum is used up.
fn back(plan: &dyn ComplexToReal<f64>, bins: &mut [Complex<f64>], x: &mut [f64], scratch: &mut [Complex<f64>]) {
    // A real signal has no imaginary part at 0 and at the highest frequency; the band has neither of the two.
    bins[0].im = 0.0;
    bins[BINS - 1].im = 0.0;
    let scratch = &mut scratch[..plan.get_scratch_len()];
    let done = plan.process_with_scratch(bins, x, scratch);
    debug_assert!(done.is_ok(), "lengths are those of the plan");
}
