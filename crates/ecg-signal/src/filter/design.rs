//! Design of recursive filters at run time: Butterworth of any order and the second-order notch, as second-order
//! sections.
//!
//! Butterworth filters are made by the bilinear transform of the analog prototype with pre-warped corners, as
//! `scipy.signal.butter` does; the notch is `scipy.signal.iirnotch`. Must not know about samples.

use std::f64::consts::PI;
use std::fmt;

use biquad::Coefficients;

use crate::units::Hertz;

/// Why a filter cannot be built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DesignError {
    /// A corner must lie strictly between 0 and half the sampling frequency.
    Corner {
        /// The corner asked for.
        corner: Hertz,
        /// The sampling frequency it was asked for.
        fs: Hertz,
    },
    /// The lower corner of a band must lie below the upper one.
    Band {
        /// Lower corner.
        low: Hertz,
        /// Upper corner.
        high: Hertz,
    },
    /// The order must be at least 1.
    Order,
    /// The quality factor of a notch must be a positive number.
    QualityFactor(f64),
}

impl fmt::Display for DesignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corner { corner, fs } => {
                write!(f, "a filter corner of {corner} does not lie between 0 and half of the sampling frequency {fs}")
            }
            Self::Band { low, high } => write!(f, "the lower corner {low} does not lie below the upper corner {high}"),
            Self::Order => write!(f, "the order of a filter must be at least 1"),
            Self::QualityFactor(q) => write!(f, "the quality factor {q} of a notch must be positive"),
        }
    }
}

impl std::error::Error for DesignError {}

/// A designed filter: second-order sections, and the frequency at which its delay is stated.
#[derive(Clone, Debug)]
pub struct Sections {
    /// Normalised coefficients (`a0` = 1), in the order in which they are run.
    pub coefficients: Vec<Coefficients<f64>>,
    /// Sampling frequency that the coefficients are for.
    pub fs: Hertz,
    /// Where the delay is stated: 0 Hz for a low-pass, the geometric centre of a band-pass, a frequency well inside
    /// the pass band of a high-pass or notch.
    pub reference: Hertz,
}

impl Sections {
    /// Group delay at `frequency`, in samples: the delay of the envelope of a narrow band around it.
    pub fn group_delay(&self, frequency: Hertz) -> f64 {
        let w = 2.0 * PI * frequency.0 / self.fs.0;
        self.coefficients
            .iter()
            .map(|c| polynomial_delay([c.b0, c.b1, c.b2], w) - polynomial_delay([1.0, c.a1, c.a2], w))
            .sum()
    }

    /// Amplitude gain at `frequency`.
    pub fn gain(&self, frequency: Hertz) -> f64 {
        let w = 2.0 * PI * frequency.0 / self.fs.0;
        self.coefficients.iter().map(|c| magnitude([c.b0, c.b1, c.b2], w) / magnitude([1.0, c.a1, c.a2], w)).product()
    }

    /// These sections followed by those of `next` (the reference stays).
    pub fn followed_by(mut self, next: &Sections) -> Self {
        self.coefficients.extend_from_slice(&next.coefficients);
        self
    }
}

/// Low-pass Butterworth of `order` with its −3 dB corner at `corner`.
///
/// # Errors
/// [`DesignError`] when the order is 0 or the corner lies outside 0 … fs/2.
pub fn low_pass(order: usize, corner: Hertz, fs: Hertz) -> Result<Sections, DesignError> {
    let w = warped(order, corner, fs)?;
    let coefficients = halves(order)
        .map(|damping| match damping {
            Some(d) => bilinear([w * w, 0.0, 0.0], [w * w, d * w, 1.0]),
            None => bilinear([w, 0.0, 0.0], [w, 1.0, 0.0]),
        })
        .collect();
    Ok(Sections { coefficients, fs, reference: Hertz(0.0) })
}

/// High-pass Butterworth of `order` with its −3 dB corner at `corner`. Its delay is stated at 20 times the corner (at
/// most a quarter of the sampling frequency).
///
/// # Errors
/// [`DesignError`] when the order is 0 or the corner lies outside 0 … fs/2.
pub fn high_pass(order: usize, corner: Hertz, fs: Hertz) -> Result<Sections, DesignError> {
    let w = warped(order, corner, fs)?;
    let coefficients = halves(order)
        .map(|damping| match damping {
            Some(d) => bilinear([0.0, 0.0, 1.0], [w * w, d * w, 1.0]),
            None => bilinear([0.0, 1.0, 0.0], [w, 1.0, 0.0]),
        })
        .collect();
    Ok(Sections { coefficients, fs, reference: Hertz((20.0 * corner.0).min(fs.0 / 4.0)) })
}

/// Band-pass Butterworth with −3 dB corners at `low` and `high`; `order` counts the poles of the prototype, so the
/// filter has twice as many (as `butter(order, [low, high], "band")`).
///
/// # Errors
/// [`DesignError`] when the order is 0, a corner lies outside 0 … fs/2 or `low` is not below `high`.
pub fn band_pass(order: usize, low: Hertz, high: Hertz, fs: Hertz) -> Result<Sections, DesignError> {
    let (wl, wh) = (warped(order, low, fs)?, warped(order, high, fs)?);
    if wl >= wh {
        return Err(DesignError::Band { low, high });
    }
    let (bandwidth, centre2) = (wh - wl, wl * wh);
    // s → (s² + ω₀²)/(B s): each prototype pole p gives the two roots of s² − pB s + ω₀².
    let mut coefficients = Vec::with_capacity(order);
    for damping in halves(order) {
        let Some(d) = damping else {
            coefficients.push(bilinear([0.0, bandwidth, 0.0], [centre2, bandwidth, 1.0]));
            continue;
        };
        let (re, im) = (-0.5 * d * bandwidth, (1.0 - 0.25 * d * d).sqrt() * bandwidth);
        let (root_re, root_im) = complex_sqrt(re * re - im * im - 4.0 * centre2, 2.0 * re * im);
        for sign in [1.0, -1.0] {
            let (qr, qi) = (0.5 * (re + sign * root_re), 0.5 * (im + sign * root_im));
            coefficients.push(bilinear([0.0, bandwidth, 0.0], [qr * qr + qi * qi, -2.0 * qr, 1.0]));
        }
    }
    Ok(Sections { coefficients, fs, reference: Hertz((low.0 * high.0).sqrt()) })
}

/// Second-order notch at `centre` whose −3 dB width is `centre / quality`. Its delay is stated at a quarter of its
/// centre.
///
/// # Errors
/// [`DesignError`] when the centre lies outside 0 … fs/2 or `quality` is not positive.
pub fn notch(centre: Hertz, quality: f64, fs: Hertz) -> Result<Sections, DesignError> {
    check(centre, fs)?;
    if !(quality > 0.0 && quality.is_finite()) {
        return Err(DesignError::QualityFactor(quality));
    }
    let w0 = 2.0 * PI * centre.0 / fs.0;
    let gain = 1.0 / (1.0 + (0.5 * w0 / quality).tan());
    let b1 = -2.0 * gain * w0.cos();
    let coefficients = vec![Coefficients { b0: gain, b1, b2: gain, a1: b1, a2: 2.0 * gain - 1.0 }];
    Ok(Sections { coefficients, fs, reference: Hertz(centre.0 / 4.0) })
}

/// The pole pairs of the Butterworth prototype of `order`: `Some(d)` for a pair s² + d s + 1, `None` for the real pole
/// of an odd order.
fn halves(order: usize) -> impl Iterator<Item = Option<f64>> {
    let pairs = (0..order / 2).map(move |k| Some(2.0 * (PI * (2 * k + 1) as f64 / (2 * order) as f64).sin()));
    pairs.chain((order % 2 == 1).then_some(None))
}

fn check(corner: Hertz, fs: Hertz) -> Result<(), DesignError> {
    let inside = corner.0 > 0.0 && corner.0 < fs.0 / 2.0;
    if inside { Ok(()) } else { Err(DesignError::Corner { corner, fs }) }
}

/// The analog corner that the bilinear transform (with s = (1 − z⁻¹)/(1 + z⁻¹)) maps to `corner`.
fn warped(order: usize, corner: Hertz, fs: Hertz) -> Result<f64, DesignError> {
    check(corner, fs)?;
    if order == 0 {
        return Err(DesignError::Order);
    }
    Ok((PI * corner.0 / fs.0).tan())
}

/// Bilinear transform of (b[0] + b[1] s + b[2] s²)/(a[0] + a[1] s + a[2] s²). A first-order section keeps `b2 = a2 = 0`:
/// the common factor 1 + z⁻¹ is left out so that no pole lies on the unit circle.
fn bilinear(b: [f64; 3], a: [f64; 3]) -> Coefficients<f64> {
    if a[2] == 0.0 {
        let a0 = a[0] + a[1];
        let (b0, b1) = ((b[0] + b[1]) / a0, (b[0] - b[1]) / a0);
        return Coefficients { b0, b1, b2: 0.0, a1: (a[0] - a[1]) / a0, a2: 0.0 };
    }
    let expand = |p: [f64; 3]| [p[0] + p[1] + p[2], 2.0 * (p[0] - p[2]), p[0] - p[1] + p[2]];
    let (n, d) = (expand(b), expand(a));
    Coefficients { b0: n[0] / d[0], b1: n[1] / d[0], b2: n[2] / d[0], a1: d[1] / d[0], a2: d[2] / d[0] }
}

fn complex_sqrt(re: f64, im: f64) -> (f64, f64) {
    let r = re.hypot(im);
    let root_re = (0.5 * (r + re)).max(0.0).sqrt();
    let root_im = (0.5 * (r - re)).max(0.0).sqrt();
    (root_re, if im < 0.0 { -root_im } else { root_im })
}

/// Group delay of a polynomial in z⁻¹ at angular frequency `w`: Re(Σ k p_k z⁻ᵏ / Σ p_k z⁻ᵏ).
fn polynomial_delay(p: [f64; 3], w: f64) -> f64 {
    let (value, weighted) = (evaluate(p, w), evaluate([0.0, p[1], 2.0 * p[2]], w));
    let norm = value.0 * value.0 + value.1 * value.1;
    if norm == 0.0 { 0.0 } else { (weighted.0 * value.0 + weighted.1 * value.1) / norm }
}

fn magnitude(p: [f64; 3], w: f64) -> f64 {
    let (re, im) = evaluate(p, w);
    re.hypot(im)
}

fn evaluate(p: [f64; 3], w: f64) -> (f64, f64) {
    let re = p[0] + p[1] * w.cos() + p[2] * (2.0 * w).cos();
    let im = -p[1] * w.sin() - p[2] * (2.0 * w).sin();
    (re, im)
}
