//! Taps that wait for few samples: for a source slower than the output, where nothing can alias.
//!
//! All that the output has beyond the source is images, and an image is an error of what stands between the samples. So
//! each row of taps is the least-squares estimate of a signal between its samples, as in optimal interpolation (Kay,
//! "Fundamentals of Statistical Signal Processing: Estimation Theory", 1993, chapter 12): of one whose power lies below
//! 40 Hz, evenly, and above only so much of it as an error may be. It sees many samples before the output and few behind
//! it. What lies above 40 Hz is not removed: near half of the source's rate it may come out with an image as strong as
//! itself, and some decibels stronger than it was. Must not know what is done with the taps.

use super::{PASS_HZ, Taps, sinc};

/// How much of a signal lies above 40 Hz, as densities of power: 60 dB less. With 50 dB images of 40 Hz are 5 dB stronger at
/// 100 and 125 Hz; with 70 dB they are 5 to 7 dB weaker, and tones near half of the rate come out 8 dB stronger, not 5.
const ABOVE: f64 = 1e-6;
/// How many samples must be seen behind an output, in parts of fs / (fs − 80 Hz): the nearer 40 Hz lies to half of the rate,
/// the more. With 1, a source of 125 Hz waits 8 ms longer, images of 40 Hz are 7 dB weaker, and tones above come out
/// 2 dB stronger, not 4.
const ROOM: f64 = 0.65;
/// One is too few at any rate.
const LEAST_AHEAD: usize = 2;
/// How many times as many samples are seen before an output as behind it: with 6, images of 40 Hz are 2 dB stronger, with 12
/// 1 to 3 dB weaker.
const MORE_BEHIND: usize = 8;

/// Taps for `phases` fractions of a sample of a source at `from` hertz; outputs stand for what lies `lead` samples later.
pub(super) fn design(from: f64, phases: u64, lead: f64) -> Taps {
    let ahead = samples_ahead(from);
    let before = MORE_BEHIND * ahead;
    let correlation = |lag: f64| {
        let width = 2.0 * PASS_HZ / from;
        (1.0 - ABOVE) * width * sinc(width * lag) + ABOVE * sinc(lag)
    };
    let known = Cholesky::of(before + ahead, |m, n| correlation(m.abs_diff(n) as f64));
    Taps::of(before, ahead, phases, |fraction, row| {
        for (m, tap) in row.iter_mut().enumerate() {
            *tap = correlation(m as f64 - (before as f64 - 1.0) - fraction - lead);
        }
        known.solve(row);
    })
}

fn samples_ahead(from: f64) -> usize {
    ((ROOM * from / (from - 2.0 * PASS_HZ)).ceil() as usize).max(LEAST_AHEAD)
}

/// A symmetric positive matrix as the product of a lower triangular one with its own transpose.
struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    fn of(size: usize, entry: impl Fn(usize, usize) -> f64) -> Self {
        let mut lower = vec![0.0; size * size];
        for m in 0..size {
            for n in 0..=m {
                let known: f64 = (0..n).map(|k| lower[m * size + k] * lower[n * size + k]).sum();
                let rest = entry(m, n) - known;
                lower[m * size + n] = if m == n { rest.sqrt() } else { rest / lower[n * size + n] };
            }
        }
        Self { size, lower }
    }

    /// Puts the solution in the place of the right side.
    fn solve(&self, x: &mut [f64]) {
        let at = |m: usize, n: usize| self.lower[m * self.size + n];
        for m in 0..self.size {
            let known: f64 = (0..m).map(|n| at(m, n) * x[n]).sum();
            x[m] = (x[m] - known) / at(m, m);
        }
        for m in (0..self.size).rev() {
            let known: f64 = (m + 1..self.size).map(|n| at(n, m) * x[n]).sum();
            x[m] = (x[m] - known) / at(m, m);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_system_is_solved() {
        let entry = |m: usize, n: usize| if m == n { 2.0 + m as f64 } else { 1.0 / (1 + m + n) as f64 };
        let wanted = [1.0, -2.0, 0.5, 3.0];
        let mut x: Vec<f64> = (0..4).map(|m| (0..4).map(|n| entry(m, n) * wanted[n]).sum()).collect();
        Cholesky::of(4, entry).solve(&mut x);
        assert!(x.iter().zip(wanted).all(|(x, wanted)| (x - wanted).abs() < 1e-12), "{x:?}");
    }
}
