//! The middle of a QRS complex: a place in a beat that does not depend on which of its deflections was called R.
//!
//! A detector that has heard something else in between may find R on another deflection of the same complex, 20 to 40 ms
//! away, in a replay as in a heart. The middle is where the energy of the slope lies on both sides alike, in a window
//! that follows it (mean shift; Fukunaga and Hostetler, *The estimation of the gradient of a density function*, IEEE
//! Transactions on Information Theory 21:32–40, 1975). Noise moves it more than it moves R. It must not know rhythm.

/// Half of the window, samples at 250 Hz: 72 ms, the deflections of a wide complex and no T wave.
const HALF: f64 = 18.0;
/// Most steps of the window, and the one, in samples, with which it stands still: after five or six.
const STEPS: usize = 12;
const STILL: f64 = 1e-3;

/// Where the middle lies in `segment`, in samples at 250 Hz from its first one, fractional; R lies at `r_index`. `None` of
/// a segment without any slope there or that is no numbers, and where no middle is within 72 ms of R.
pub fn qrs_middle(segment: &[f64], r_index: f64) -> Option<f64> {
    let mut middle = r_index;
    for _ in 0..STEPS {
        let first = ((middle - HALF).ceil().max(1.0)) as usize;
        let (mut sum, mut moment) = (0.0, 0.0);
        for (n, around) in segment.windows(3).enumerate().skip(first - 1) {
            let away = n as f64 + 1.0 - middle;
            if away >= HALF {
                break;
            }
            let energy = (around[2] - around[0]).powi(2);
            let weight = (std::f64::consts::FRAC_PI_2 * away / HALF).cos().powi(2) * energy;
            sum += weight;
            moment += weight * away;
        }
        let step = moment / sum;
        middle += step;
        if step.abs() < STILL {
            break;
        }
    }
    // A comparison that is false for what is no number.
    ((middle - r_index).abs() < HALF).then_some(middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A complex of three deflections, the middle one at 62 + `phase`, and a T wave.
    fn beat(phase: f64, gain: f64, offset: f64) -> Vec<f64> {
        let wave = |n: usize, at: f64, width: f64| (-0.5 * ((n as f64 - at - phase) / width).powi(2)).exp();
        let value =
            |n| -0.6 * wave(n, 55.0, 2.0) + wave(n, 62.0, 2.5) - 0.8 * wave(n, 69.0, 2.2) + 0.3 * wave(n, 130.0, 11.0);
        (0..175).map(|n| offset + gain * value(n)).collect()
    }

    #[test]
    fn it_does_not_matter_on_which_deflection_r_lies() {
        let of_r = qrs_middle(&beat(0.0, 1.0, 0.0), 62.0).unwrap();
        assert!((60.0..66.0).contains(&of_r), "{of_r}");
        for r in [54.0, 55.0, 69.0, 70.0] {
            let of_other = qrs_middle(&beat(0.0, 1.0, 0.0), r).unwrap();
            assert!((of_other - of_r).abs() < 0.01, "R at {r}: {of_other}, else {of_r}");
        }
    }

    #[test]
    fn it_moves_with_the_beat_and_not_with_gain_or_offset() {
        let plain = qrs_middle(&beat(0.0, 1.0, 0.0), 62.0).unwrap();
        for (phase, gain, offset) in [(0.4, 1.0, 0.0), (-3.3, 0.5, 2.0), (2.5, -2.0, -1.0)] {
            let other = qrs_middle(&beat(phase, gain, offset), 62.0).unwrap();
            assert!((other - plain - phase).abs() < 0.02, "{phase}: {other}, else {plain}");
        }
    }

    #[test]
    fn what_has_no_slope_has_no_middle() {
        for segment in [&[0.5; 175][..], &[f64::NAN; 175], &[1.0; 2], &[]] {
            assert_eq!(qrs_middle(segment, 62.0), None);
        }
        assert_eq!(qrs_middle(&beat(0.0, 1.0, 0.0), f64::NAN), None);
    }
}
