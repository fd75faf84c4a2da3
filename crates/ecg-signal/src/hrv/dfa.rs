//! Detrended fluctuation analysis (Peng et al. 1994, Physical Review E 49:1685; 1995, Chaos 5:82).
//!
//! The profile is the running sum of the intervals less their mean. It is cut into boxes of n intervals from the start
//! on, without overlap; what does not fill a box is left out. A line is fitted in each box; F(n) is the root of the mean
//! square of what is left, over all boxes of all runs. α is the slope of log F over log n, every n of the range counted
//! once. As nolds with `overlap=False, fit_exp="poly"`; NeuroKit2's `HRV_DFA_alpha1` takes n = 4 … 11 with half
//! overlapping boxes and comes out up to 0.1 higher. Must not know about clean time.

use std::ops::RangeInclusive;

use super::series::NnSeries;

/// Box lengths of α1, in intervals (Peng 1995).
pub const ALPHA1_SCALES: RangeInclusive<usize> = 4..=16;
/// Box lengths of α2, in intervals.
pub const ALPHA2_SCALES: RangeInclusive<usize> = 16..=64;

/// The slope over a range of box lengths; `None` where a length has no box or nothing is left of it.
pub fn alpha(series: &NnSeries, scales: RangeInclusive<usize>) -> Option<f64> {
    let profile = profile(series);
    let mut points = Vec::with_capacity(scales.clone().count());
    for n in scales {
        let left = fluctuation(series, &profile, n)?;
        points.push(((n as f64).ln(), left.ln()));
    }
    slope(&points)
}

/// F(n) in milliseconds for one box length; `None` where no run is as long, or nothing is left.
pub fn fluctuation_ms(series: &NnSeries, n: usize) -> Option<f64> {
    fluctuation(series, &profile(series), n)
}

/// The running sum. Between runs it goes on: a line takes any level away.
fn profile(series: &NnSeries) -> Vec<f64> {
    let nn = series.nn_ms();
    let mean = nn.iter().sum::<f64>() / nn.len() as f64;
    let mut sum = 0.0;
    let add = |nn: &f64| {
        sum += nn - mean;
        sum
    };
    nn.iter().map(add).collect()
}

fn fluctuation(series: &NnSeries, profile: &[f64], n: usize) -> Option<f64> {
    if n < 3 {
        return None;
    }
    let middle = (n - 1) as f64 / 2.0;
    // Σ (k − middle)² over a box.
    let spread = (n * n - 1) as f64 * n as f64 / 12.0;
    let (mut sum, mut boxes) = (0.0, 0usize);
    for range in series.ranges() {
        for values in profile[range].chunks_exact(n) {
            // Near zero, so that no digit is lost to the level.
            let level = values[n / 2];
            let (mut ones, mut line) = (0.0, 0.0);
            for (k, value) in values.iter().enumerate() {
                ones += value - level;
                line += (value - level) * (k as f64 - middle);
            }
            let (mean, slope) = (ones / n as f64, line / spread);
            let left = |(k, value): (usize, &f64)| {
                let left = value - level - mean - slope * (k as f64 - middle);
                left * left
            };
            sum += values.iter().enumerate().map(left).sum::<f64>();
            boxes += 1;
        }
    }
    let mean = sum / (boxes * n) as f64;
    (boxes > 0 && mean > 0.0).then(|| mean.sqrt())
}

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / n, y / n);
    let across: f64 = points.iter().map(|point| (point.0 - x) * (point.0 - x)).sum();
    let along: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let slope = along / across;
    slope.is_finite().then_some(slope)
}
