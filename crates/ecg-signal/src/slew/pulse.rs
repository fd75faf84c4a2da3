//! What a slow board leaves of a pacemaker's spike: two samples that come out of nothing and go back to it.
//!
//! At 250 Hz a spike is steeper than any heart; spread over samples of 5 to 8 ms it is not, but no QRS is over so soon.
//! Must not know what waits behind it.

use std::ops::Range;

use crate::units::Hertz;

/// Rates of sources in which a spike looks so. (Where a sample lasts 10 ms a narrow QRS is as short: at 100 Hz 0.4 % of the
/// normal beats would be refused for it.)
pub(super) const RATES: Range<Hertz> = Hertz(120.0)..Hertz(250.0);
/// A pulse is this tall, in millivolts …
const TALL_MV: f64 = 1.5;
/// … this many times the mean step, its own steps counted …
const STANDS_OUT: f64 = 3.0;
/// … comes out of a signal that has just moved by no more than this share of it …
const QUIET: f64 = 1.0 / 8.0;
/// … and is back within this share two samples later. Of 74,000 beats of MIT-BIH, ECG-ID and Heartprint, read as 125 Hz,
/// one is so, as 200 Hz none.
const BACK: f64 = 1.0 / 4.0;

/// What should stand in place of the newest two outputs (newest last) if they are a pulse, given the one behind them and
/// the mean size of a step. In millivolts.
pub(super) fn mended(newest: &[f64; 4], behind: f64, mean_step: f64) -> Option<[f64; 2]> {
    let [before, foot, pulse @ ..] = *newest;
    let tall = pulse.iter().fold(0.0f64, |tall, x| tall.max((x - foot).abs()));
    let is_pulse = tall > TALL_MV
        && tall > STANDS_OUT * mean_step
        && (foot - before).abs() < QUIET * tall
        && (behind - foot).abs() < BACK * tall;
    is_pulse.then(|| [1.0, 2.0].map(|part| foot + (behind - foot) * part / 3.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_samples_out_of_nothing_are_a_pulse_and_a_narrow_qrs_is_none() {
        assert_eq!(mended(&[0.1, 0.0, 2.0, 1.5], 0.375, 0.2), Some([0.125, 0.25]));
        assert_eq!(mended(&[0.0, 0.0, 0.0, -1.6], 0.0, 0.1), Some([0.0, 0.0]));
        // Too low, not back, from something, and among steps as large.
        for (newest, behind, mean) in [
            ([0.0, 0.0, 1.4, 1.4], 0.0, 0.1),
            ([0.0, 0.0, 2.0, 2.0], 0.6, 0.1),
            ([0.5, 0.0, 2.0, 2.0], 0.0, 0.1),
            ([0.0, 0.0, 2.0, 2.0], 0.0, 0.7),
        ] {
            assert_eq!(mended(&newest, behind, mean), None, "{newest:?}");
        }
        let beat = |n: i32| 3.0 * (-0.5 * (f64::from(n) * 8.0 / 8.5).powi(2)).exp();
        for n in -6..6 {
            assert_eq!(mended(&[n, n + 1, n + 2, n + 3].map(beat), beat(n + 4), 0.3), None, "{n}");
        }
    }
}
