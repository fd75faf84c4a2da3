//! Second-order sections for shaping white noise. Must not know what the noise is for.
//!
//! Source: R. Bristow-Johnson, *Cookbook formulae for audio equalizer biquad filter coefficients*.

use std::f64::consts::TAU;

/// Quality factors of the two sections of a Butterworth filter of fourth order.
const BUTTERWORTH_4: [f64; 2] = [0.541_196_100_146_197, 1.306_562_964_876_377];
/// No corner above this share of the sampling frequency: the bilinear transform bends the response there.
const HIGHEST: f64 = 0.45;

/// `y = b₀x + b₁x₁ + b₂x₂ − a₁y₁ − a₂y₂`, transposed.
#[derive(Clone, Copy, Debug)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
    state: [f64; 2],
}

impl Section {
    /// A low-pass, or with `high` a high-pass, at `hz`.
    fn new(hz: f64, fs: f64, quality: f64, high: bool) -> Self {
        let w = TAU * (hz / fs).min(HIGHEST);
        let (sine, cosine) = w.sin_cos();
        let alpha = sine / (2.0 * quality);
        let a0 = 1.0 + alpha;
        let reach = if high { 1.0 + cosine } else { 1.0 - cosine };
        let edge = reach / (2.0 * a0);
        let middle = if high { -2.0 * edge } else { 2.0 * edge };
        Self { b: [edge, middle, edge], a: [-2.0 * cosine / a0, (1.0 - alpha) / a0], state: [0.0; 2] }
    }

    fn run(&mut self, x: f64) -> f64 {
        let y = self.b[0] * x + self.state[0];
        self.state[0] = self.b[1] * x - self.a[0] * y + self.state[1];
        self.state[1] = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// Butterworth of fourth order at either edge.
#[derive(Clone, Copy, Debug)]
pub(super) struct BandPass([Section; 4]);

impl BandPass {
    pub(super) fn new(low_hz: f64, high_hz: f64, fs: f64) -> Self {
        let [first, second] = BUTTERWORTH_4;
        Self([
            Section::new(low_hz, fs, first, true),
            Section::new(low_hz, fs, second, true),
            Section::new(high_hz, fs, first, false),
            Section::new(high_hz, fs, second, false),
        ])
    }

    pub(super) fn run(&mut self, x: f64) -> f64 {
        self.0.iter_mut().fold(x, |x, section| section.run(x))
    }
}
