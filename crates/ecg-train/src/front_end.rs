//! Other boards and other electrodes, imitated: what a recording might have looked like on hardware we do not have.
//!
//! A variant acts on the raw signal of a record, in front of the signal path, which then finds R anew. Networks
//! trained without variants are as good on clean recordings and worse on every other board.
//! Nothing here knows beats or networks.

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design::{self, DesignError, Sections};
use ecg_signal::{Hertz, Mains, ResampleError, resample};

use crate::random::{chance, log_uniform, normal, uniform};

/// Sampling frequency of the slow boards that are imitated.
const SLOW_BOARD: Hertz = Hertz(125.0);
/// Taps and corner of the low-pass filter of the slow boards.
const SLOW_BOARD_TAPS: usize = 101;
const SLOW_BOARD_CORNER: Hertz = Hertz(40.0);
/// Highest frequency of muscle noise.
const EMG_BAND: (f64, f64) = (20.0, 90.0);

/// What the board does to high frequencies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum HighEnd {
    /// Nothing that shows.
    Open,
    /// 125 samples a second behind a sharp 40 Hz filter.
    SlowBoard,
    /// An analogue low-pass of this order and corner.
    LowPass(usize, Hertz),
}

/// Why a front end cannot be imitated at a record's sampling frequency.
#[derive(Debug, thiserror::Error)]
pub enum FrontEndError {
    /// A filter cannot be designed.
    #[error("imitating a front end: {0}")]
    Filter(#[from] DesignError),
    /// The rate of the slow boards cannot be reached.
    #[error("imitating a slow board: {0}")]
    Resample(#[from] ResampleError),
}

/// One imitated front end. Amplitudes are relative to the R peak of the record.
#[derive(Clone, Debug, PartialEq)]
pub struct FrontEnd {
    /// Share of the signal's derivative that is mixed in: electrodes placed elsewhere.
    derivative: f64,
    /// Random walk of the baseline, per square root of a second.
    wander: f64,
    /// Deviation of muscle noise.
    emg: f64,
    /// Amplitude of powerline interference.
    mains: f64,
    /// Mains frequency of the place.
    mains_hertz: f64,
    /// Whether the path knows the mains frequency; else it runs without notch.
    notch: bool,
    /// High-pass order and corner.
    high_pass: Option<(usize, Hertz)>,
    /// What happens to high frequencies.
    high_end: HighEnd,
    /// Step of the converter.
    step: Option<f64>,
}

/// A record as an imitated front end delivers it.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// Samples, mV.
    pub millivolts: Vec<f64>,
    /// Their sampling frequency.
    pub fs: Hertz,
    /// What the signal path is told about the mains.
    pub mains: Mains,
}

impl FrontEnd {
    /// A random front end.
    pub fn draw(rng: &mut fastrand::Rng) -> Self {
        let mut sometimes =
            |probability, low, high| if chance(rng, probability) { uniform(rng, low, high) } else { 0.0 };
        let derivative = sometimes(0.4, -0.25, 0.25);
        let wander = sometimes(0.5, 0.0, 0.036);
        let emg = sometimes(0.5, 0.0, 0.06);
        let mains = sometimes(0.5, 0.0, 0.2);
        let mains_hertz = if rng.bool() { 50.0 } else { 60.0 };
        let high_pass = match rng.f64() {
            u if u < 0.6 => Some((1, Hertz(log_uniform(rng, 0.05, 0.7)))),
            u if u < 0.75 => Some((2, Hertz(uniform(rng, 0.1, 0.6)))),
            _ => None,
        };
        let high_end = match rng.f64() {
            u if u < 0.3 => HighEnd::SlowBoard,
            u if u < 0.5 => HighEnd::LowPass(rng.usize(1..=3), Hertz(uniform(rng, 28.0, 80.0))),
            _ => HighEnd::Open,
        };
        let step = chance(rng, 0.5).then(|| log_uniform(rng, 0.0005, 0.02));
        let notch = chance(rng, 0.9);
        Self { derivative, wander, emg, mains, mains_hertz, notch, high_pass, high_end, step }
    }

    /// Boards that training never draws as they are, to measure what another board costs. It draws their parts in other
    /// strengths and company, so that they lie between what is known, not outside of it: a slow one (first-order high-pass
    /// at 0.3 Hz, 125 samples a second behind a 40 Hz filter), and a coarse one (second-order filters at 0.5 and 35 Hz,
    /// steps of a sixtieth of R, 60 Hz mains of a tenth of R).
    pub fn unseen() -> [Self; 2] {
        let quiet = Self {
            derivative: 0.0,
            wander: 0.0,
            emg: 0.0,
            mains: 0.0,
            mains_hertz: 50.0,
            notch: true,
            high_pass: None,
            high_end: HighEnd::Open,
            step: None,
        };
        let slow = Self { high_pass: Some((1, Hertz(0.3))), high_end: HighEnd::SlowBoard, ..quiet.clone() };
        let coarse = Self {
            mains: 0.1,
            mains_hertz: 60.0,
            high_pass: Some((2, Hertz(0.5))),
            high_end: HighEnd::LowPass(2, Hertz(35.0)),
            step: Some(1.0 / 60.0),
            ..quiet
        };
        [slow, coarse]
    }

    /// What this front end makes of `millivolts` at `fs`, given the height of its R peaks (mV, positive).
    ///
    /// # Errors
    /// A filter that cannot be designed, or a rate that cannot be reached, from `fs`.
    pub fn apply(
        &self,
        millivolts: &[f64],
        fs: Hertz,
        r_amplitude: f64,
        rng: &mut fastrand::Rng,
    ) -> Result<Delivered, FrontEndError> {
        let mut signal = without_offset(millivolts);
        mix_derivative(&mut signal, self.derivative);
        add_wander(&mut signal, self.wander * r_amplitude / fs.0.sqrt(), rng);
        if self.emg > 0.0 {
            add_emg(&mut signal, self.emg * r_amplitude, fs, rng)?;
        }
        add_mains(&mut signal, self.mains * r_amplitude, self.mains_hertz, fs, rng);
        if let Some((order, corner)) = self.high_pass {
            filter(&mut signal, &design::high_pass(order, corner, fs)?);
        }
        let mut out_fs = fs;
        match self.high_end {
            HighEnd::Open => {}
            HighEnd::LowPass(order, corner) => filter(&mut signal, &design::low_pass(order, corner, fs)?),
            HighEnd::SlowBoard => {
                signal = convolve(&resample(&signal, fs, SLOW_BOARD)?, &slow_board_taps());
                out_fs = SLOW_BOARD;
            }
        }
        if let Some(step) = self.step {
            let step = step * r_amplitude;
            signal.iter_mut().for_each(|x| *x = (*x / step).round() * step);
        }
        let mains = match (self.notch, self.mains_hertz > 55.0) {
            (false, _) => Mains::None,
            (true, false) => Mains::Hz50,
            (true, true) => Mains::Hz60,
        };
        Ok(Delivered { millivolts: signal, fs: out_fs, mains })
    }
}

/// The signal with its median removed, invalid samples set to zero.
fn without_offset(millivolts: &[f64]) -> Vec<f64> {
    let mut valid: Vec<f64> = millivolts.iter().copied().filter(|x| x.is_finite()).collect();
    valid.sort_by(f64::total_cmp);
    let median = valid.get(valid.len() / 2).copied().unwrap_or(0.0);
    millivolts.iter().map(|x| if x.is_finite() { x - median } else { 0.0 }).collect()
}

/// Adds `share` of the derivative, scaled to the deviation of the signal itself.
fn mix_derivative(signal: &mut [f64], share: f64) {
    if share == 0.0 || signal.len() < 2 {
        return;
    }
    let slope: Vec<f64> = std::iter::once(0.0).chain(signal.windows(2).map(|pair| pair[1] - pair[0])).collect();
    let scale = share * deviation(signal) / deviation(&slope).max(1e-12);
    signal.iter_mut().zip(&slope).for_each(|(x, slope)| *x += scale * slope);
}

fn add_wander(signal: &mut [f64], step: f64, rng: &mut fastrand::Rng) {
    if step == 0.0 {
        return;
    }
    let mut level = 0.0;
    for x in signal {
        level += step * normal(rng);
        *x += level;
    }
}

fn add_emg(signal: &mut [f64], amplitude: f64, fs: Hertz, rng: &mut fastrand::Rng) -> Result<(), DesignError> {
    let mut noise: Vec<f64> = signal.iter().map(|_| normal(rng)).collect();
    let high = Hertz(EMG_BAND.1.min(0.45 * fs.0));
    filter(&mut noise, &design::band_pass(2, Hertz(EMG_BAND.0), high, fs)?);
    let scale = amplitude / deviation(&noise).max(1e-12);
    signal.iter_mut().zip(&noise).for_each(|(x, noise)| *x += scale * noise);
    Ok(())
}

fn add_mains(signal: &mut [f64], amplitude: f64, hertz: f64, fs: Hertz, rng: &mut fastrand::Rng) {
    let phase = uniform(rng, 0.0, std::f64::consts::TAU);
    let turn = std::f64::consts::TAU * hertz / fs.0;
    signal.iter_mut().enumerate().for_each(|(i, x)| *x += amplitude * (phase + turn * i as f64).sin());
}

fn filter(signal: &mut [f64], sections: &Sections) {
    let mut filter = SosFilter::new(sections);
    signal.iter_mut().for_each(|x| *x = filter.run(*x));
}

/// Windowed-sinc low-pass of the slow boards, unit gain at rest.
fn slow_board_taps() -> Vec<f64> {
    use std::f64::consts::PI;
    let middle = (SLOW_BOARD_TAPS / 2) as f64;
    let turn = 2.0 * SLOW_BOARD_CORNER.0 / SLOW_BOARD.0;
    let taps: Vec<f64> = (0..SLOW_BOARD_TAPS)
        .map(|i| {
            let x = (i as f64 - middle) * turn;
            let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
            sinc * (0.54 - 0.46 * (2.0 * PI * i as f64 / (SLOW_BOARD_TAPS - 1) as f64).cos())
        })
        .collect();
    let sum: f64 = taps.iter().sum();
    taps.iter().map(|tap| tap / sum).collect()
}

/// Causal convolution, as long as the signal; the time before it is taken as its first sample.
fn convolve(signal: &[f64], taps: &[f64]) -> Vec<f64> {
    let first = signal.first().copied().unwrap_or(0.0);
    let at = |i: usize, lag: usize| if lag <= i { signal[i - lag] } else { first };
    (0..signal.len()).map(|i| taps.iter().enumerate().map(|(lag, tap)| tap * at(i, lag)).sum()).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;

    fn sine(hertz: f64, fs: f64, seconds: f64) -> Vec<f64> {
        (0..(fs * seconds) as usize).map(|i| (std::f64::consts::TAU * hertz * i as f64 / fs).sin()).collect()
    }

    #[test]
    fn every_front_end_delivers_finite_samples_of_the_same_duration() {
        let signal = sine(2.0, 500.0, 4.0);
        for item in 0..200 {
            let mut rng = stream(3, item);
            let front_end = FrontEnd::draw(&mut rng);
            let delivered = front_end.apply(&signal, Hertz(500.0), 1.0, &mut rng).expect("designs at 500 Hz");
            assert!(delivered.millivolts.iter().all(|x| x.is_finite()));
            let seconds = delivered.millivolts.len() as f64 / delivered.fs.0;
            assert!((seconds - 4.0).abs() < 0.1, "{front_end:?}: {seconds} s");
        }
    }

    #[test]
    fn the_slow_board_passes_10_hz_and_stops_55_hz() {
        let taps = slow_board_taps();
        let rms = |hertz| deviation(&convolve(&sine(hertz, 125.0, 4.0), &taps)[150..]);
        assert!((rms(10.0) - std::f64::consts::FRAC_1_SQRT_2).abs() < 0.02);
        assert!(rms(55.0) < 0.01);
    }

    #[test]
    fn invalid_samples_become_the_median() {
        assert_eq!(without_offset(&[5.0, f64::NAN, 5.0, 7.0]), [0.0, 0.0, 0.0, 2.0]);
    }
}
