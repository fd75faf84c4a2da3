//! Signals that the tests make themselves: a regular heart of Gaussian waves, and noise from a fixed seed.

/// One deviate after another, from a fixed seed.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Uniform in 0 … 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (sum of twelve).
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

/// A heart that beats every `rr_s` seconds, first at `rr_s`: P, Q, R, S and T as Gaussians, 1.2 mV at R.
pub(crate) fn heart(t: f64, rr_s: f64) -> f64 {
    const WAVES: [(f64, f64, f64); 5] =
        [(0.12, -0.17, 0.022), (-0.10, -0.027, 0.008), (1.2, 0.0, 0.010), (-0.22, 0.028, 0.009), (0.28, 0.26, 0.045)];
    let beat = (t / rr_s).round().max(1.0);
    (-1..=1)
        .map(|k| (beat + f64::from(k)) * rr_s)
        .filter(|r| *r > 0.5 * rr_s)
        .map(|r| WAVES.iter().map(|(a, at, w)| a * (-0.5 * ((t - r - at) / w).powi(2)).exp()).sum::<f64>())
        .sum()
}

pub(crate) fn heart_record(fs: f64, seconds: f64, rr_s: f64) -> Vec<f64> {
    (0..(fs * seconds) as usize).map(|n| heart(n as f64 / fs, rr_s)).collect()
}

pub(crate) fn power(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64
}

pub(crate) fn decibel(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}
