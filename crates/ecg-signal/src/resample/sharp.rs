//! Taps of a Kaiser-windowed sinc: the same number on either side of an output, and a stop band that begins at half of the
//! lower of the two rates.
//!
//! Must not know what is done with them.

use std::f64::consts::PI;

use super::{ATTENUATION_DB, PASS_HZ, Taps, sinc};

/// Taps for `phases` fractions of a sample, each row summing to 1 so that a constant passes exactly. Kaiser's formulas: β
/// from the attenuation, length from the transition `PASS_HZ` … `stop`. Frequencies in hertz.
pub(super) fn design(from: f64, stop: f64, phases: u64) -> Taps {
    let transition = 2.0 * PI * (stop - PASS_HZ) / from;
    let reach = (((ATTENUATION_DB - 7.95) / (2.285 * transition) + 1.0) / 2.0).ceil() as usize;
    let beta = 0.1102 * (ATTENUATION_DB - 8.7);
    let corner = (stop + PASS_HZ) / 2.0 / from;
    Taps::of(reach, reach, phases, |fraction, row| {
        for (m, tap) in row.iter_mut().enumerate() {
            let t = m as f64 - (reach as f64 - 1.0) - fraction;
            let window = bessel_i0(beta * (1.0 - (t / reach as f64).powi(2)).max(0.0).sqrt()) / bessel_i0(beta);
            *tap = sinc(2.0 * corner * t) * window;
        }
    })
}

/// Modified Bessel function of order 0 by its power series, which converges quickly for the arguments used here.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..60 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}
