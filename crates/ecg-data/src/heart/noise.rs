//! What disturbs an ECG: baseline wander, powerline, muscles, moving electrodes.
//!
//! Must not know of hearts.

use std::f64::consts::TAU;

use super::gaussian;

/// How much of each disturbance; all zero is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// Baseline wander below about 0.5 Hz: its root mean square in millivolts.
    pub baseline_wander_mv: f64,
    /// Powerline: its amplitude in millivolts.
    pub powerline_mv: f64,
    /// Powerline frequency in hertz, 50 or 60; it drifts by some hundredths.
    pub powerline_hz: f64,
    /// Muscles at rest, 20 Hz and above: root mean square in millivolts.
    pub emg_mv: f64,
    /// Bursts of muscle activity: root mean square at their height in millivolts.
    pub emg_burst_mv: f64,
    /// Bursts a minute, in the mean.
    pub emg_bursts_per_min: f64,
    /// Electrode motion: the largest jump in millivolts.
    pub motion_mv: f64,
    /// Jumps a minute, in the mean.
    pub motions_per_min: f64,
}

impl Noise {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// A person who sits still: what good electrodes give, with 50 Hz mains about.
    pub fn at_rest() -> Self {
        Self { baseline_wander_mv: 0.04, powerline_mv: 0.03, powerline_hz: 50.0, emg_mv: 0.008, ..Self::none() }
    }

    /// A person who moves: wander, bursts of muscle activity, jumps of the electrodes.
    pub fn in_motion() -> Self {
        Self {
            baseline_wander_mv: 0.15,
            powerline_mv: 0.06,
            powerline_hz: 50.0,
            emg_mv: 0.02,
            emg_burst_mv: 0.12,
            emg_bursts_per_min: 6.0,
            motion_mv: 1.5,
            motions_per_min: 3.0,
        }
    }

    /// The same with another powerline frequency.
    #[must_use]
    pub fn with_powerline_hz(self, powerline_hz: f64) -> Self {
        Self { powerline_hz, ..self }
    }
}

/// Frequency below which the wander lies, in hertz: two poles there.
const WANDER_HZ: f64 = 0.15;
/// Frequency above which muscles are heard, in hertz: one pole there.
const EMG_HZ: f64 = 20.0;
/// Standard deviation of the powerline's frequency, in hertz.
const POWERLINE_DRIFT_HZ: f64 = 0.03;
/// Time constant of that drift, in seconds.
const POWERLINE_DRIFT_S: f64 = 10.0;
/// Amplitude of the third harmonic over that of the fundamental.
const THIRD_HARMONIC: f64 = 0.15;

/// The disturbances as a stream.
#[derive(Clone, Debug)]
pub(super) struct NoiseSource {
    noise: Noise,
    fs: f64,
    random: fastrand::Rng,
    wander: [f64; 2],
    muscle_low: f64,
    powerline_turns: f64,
    powerline_drift_hz: f64,
    burst: Option<Episode>,
    motion: Option<Episode>,
}

/// A burst or a jump while it lasts.
#[derive(Clone, Copy, Debug)]
struct Episode {
    age_s: f64,
    length_s: f64,
    millivolts: f64,
}

impl NoiseSource {
    pub(super) fn new(noise: Noise, fs: f64, seed: u64) -> Self {
        Self {
            noise,
            fs,
            random: fastrand::Rng::with_seed(seed),
            wander: [0.0; 2],
            muscle_low: 0.0,
            powerline_turns: 0.0,
            powerline_drift_hz: 0.0,
            burst: None,
            motion: None,
        }
    }

    pub(super) fn set(&mut self, noise: Noise) {
        self.noise = noise;
    }

    pub(super) fn next_millivolts(&mut self) -> f64 {
        if self.noise == Noise::none() {
            return 0.0;
        }
        self.next_wander() + self.next_powerline() + self.next_muscle() + self.next_motion()
    }

    /// White noise through two equal poles: `w ← a·w + (1 − a)·x`.
    fn next_wander(&mut self) -> f64 {
        let a = (-TAU * WANDER_HZ / self.fs).exp();
        let white = gaussian(&mut self.random);
        self.wander[0] = a * self.wander[0] + (1.0 - a) * white;
        self.wander[1] = a * self.wander[1] + (1.0 - a) * self.wander[0];
        // Variance of that for white noise of variance 1: the sum of its squared impulse response.
        let variance = (1.0 - a).powi(4) * (1.0 + a * a) / (1.0 - a * a).powi(3);
        self.noise.baseline_wander_mv * self.wander[1] / variance.sqrt()
    }

    fn next_powerline(&mut self) -> f64 {
        let a = (-1.0 / (POWERLINE_DRIFT_S * self.fs)).exp();
        let push = POWERLINE_DRIFT_HZ * (1.0 - a * a).sqrt();
        self.powerline_drift_hz = a * self.powerline_drift_hz + push * gaussian(&mut self.random);
        let hz = self.noise.powerline_hz + self.powerline_drift_hz;
        self.powerline_turns = (self.powerline_turns + hz / self.fs).fract();
        let angle = TAU * self.powerline_turns;
        // A converter filters what lies above half its rate.
        let third = if 3.0 * hz < self.fs / 2.0 { THIRD_HARMONIC * (3.0 * angle).sin() } else { 0.0 };
        self.noise.powerline_mv * (angle.sin() + third)
    }

    /// White noise less what lies below [`EMG_HZ`], with bursts.
    fn next_muscle(&mut self) -> f64 {
        let a = (-TAU * EMG_HZ / self.fs).exp();
        let white = gaussian(&mut self.random);
        self.muscle_low = a * self.muscle_low + (1.0 - a) * white;
        let variance = 1.0 - 2.0 * (1.0 - a) + (1.0 - a) / (1.0 + a);
        let step_s = 1.0 / self.fs;
        if self.burst.is_none() && self.random.f64() < self.noise.emg_bursts_per_min / 60.0 * step_s {
            let length_s = 0.3 + 1.2 * self.random.f64();
            self.burst = Some(Episode { age_s: 0.0, length_s, millivolts: self.noise.emg_burst_mv });
        }
        let mut rms = self.noise.emg_mv;
        if let Some(burst) = &mut self.burst {
            rms += burst.millivolts * (std::f64::consts::PI * burst.age_s / burst.length_s).sin().powi(2);
            burst.age_s += step_s;
        }
        self.burst = self.burst.filter(|burst| burst.age_s < burst.length_s);
        rms * (white - self.muscle_low) / variance.sqrt()
    }

    /// A jump in 30 ms that swings and dies away: skin stretched under an electrode.
    fn next_motion(&mut self) -> f64 {
        let step_s = 1.0 / self.fs;
        if self.motion.is_none() && self.random.f64() < self.noise.motions_per_min / 60.0 * step_s {
            let millivolts = self.noise.motion_mv * (2.0 * self.random.f64() - 1.0);
            self.motion = Some(Episode { age_s: 0.0, length_s: 0.8 + 1.7 * self.random.f64(), millivolts });
        }
        let Some(motion) = &mut self.motion else { return 0.0 };
        let fall = (-4.0 * motion.age_s / motion.length_s).exp() - (-4.0f64).exp();
        let rise = 1.0 - (-motion.age_s / 0.03).exp();
        let swing = 1.0 + 0.4 * (TAU * 3.0 * motion.age_s).sin();
        let millivolts = motion.millivolts * rise * fall * swing;
        motion.age_s += step_s;
        self.motion = self.motion.filter(|motion| motion.age_s < motion.length_s);
        millivolts
    }
}
