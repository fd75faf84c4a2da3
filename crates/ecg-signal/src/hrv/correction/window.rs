//! Differences and deviations of intervals, and thresholds that follow the heart.
//!
//! Must not know what patterns mean.

use super::NnInterval;
use super::rules::Measure;

/// Quartile deviations that make a threshold (Lipponen and Tarvainen 2019).
const ALPHA: f64 = 5.2;
/// Intervals over which quartiles are taken, and over which the median is.
pub(super) const QUARTILES: usize = 91;
pub(super) const MEDIAN: usize = 11;
/// No threshold is below this share of the median: an ectopic beat comes a tenth of an interval early at least. On the
/// records of MIT-BIH it leaves the ectopic beats found as they are and halves what is corrected beside them (1.3 to 0.6 %).
const LEAST: f64 = 0.1;
/// Nor above this one: where every second or third beat is ectopic, the quartiles are those of the ectopic beats: it takes the
/// ectopic beats that are found on MIT-BIH from 46 to 84 %.
const MOST: f64 = 0.3;

/// What is known of each interval of a row, with all its neighbours.
pub(super) fn measures(row: &[NnInterval]) -> Vec<Measure> {
    let differences = differences(row);
    let lengths: Vec<f64> = row.iter().map(|nn| nn.nn_ms).collect();
    let medians = rolling(&lengths, MEDIAN, |sorted| quantile(sorted, 0.5));
    let deviations: Vec<f64> =
        lengths.iter().zip(&medians).map(|(length, median)| deviation(*length, *median)).collect();
    let steps = thresholds(&differences);
    let fars = thresholds(&deviations);
    (0..row.len()).map(|k| measure(lengths[k], medians[k], differences[k], steps[k], fars[k])).collect()
}

/// One measure from its parts, all in milliseconds; no difference is NaN.
pub(super) fn measure(length: f64, median: f64, difference: f64, step: f64, far: f64) -> Measure {
    let bounded = |threshold: f64| threshold.clamp(LEAST * median, MOST * median);
    let far = bounded(far);
    let difference = if difference.is_nan() { 0.0 } else { difference / bounded(step) };
    Measure { difference, deviation: deviation(length, median) / far, length, median, far }
}

/// Differences from the interval before; NaN where it is not the one before.
pub(super) fn differences(row: &[NnInterval]) -> Vec<f64> {
    let mut before = f64::NAN;
    let difference = |nn: &NnInterval| {
        let difference = if nn.follows { nn.nn_ms - before } else { f64::NAN };
        before = nn.nn_ms;
        difference
    };
    row.iter().map(difference).collect()
}

/// Deviation from the median: what is too short weighs twice, for an interval can grow further than it can shrink.
pub(super) fn deviation(length: f64, median: f64) -> f64 {
    let deviation = length - median;
    if deviation < 0.0 { 2.0 * deviation } else { deviation }
}

/// A threshold from sorted absolute values.
pub(super) fn threshold(sorted: &[f64]) -> f64 {
    ALPHA * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / 2.0
}

fn thresholds(values: &[f64]) -> Vec<f64> {
    let absolute: Vec<f64> = values.iter().map(|value| value.abs()).collect();
    rolling(&absolute, QUARTILES, threshold)
}

/// A quantile of sorted values, between two of them on the line from one to the other; 0 of none.
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// A figure of the sorted values in a window round each value; NaN takes no part. The window is narrower at the ends.
fn rolling(values: &[f64], width: usize, figure: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let half = width / 2;
    let mut sorted: Vec<f64> = Vec::with_capacity(width);
    let place = |sorted: &[f64], value: f64| sorted.partition_point(|other| *other < value);
    let mut figures = Vec::with_capacity(values.len());
    for k in 0..values.len() + half {
        if let Some(&value) = values.get(k).filter(|value| !value.is_nan()) {
            sorted.insert(place(&sorted, value), value);
        }
        if let Some(&value) = k.checked_sub(width).map(|k| &values[k]).filter(|value| !value.is_nan()) {
            sorted.remove(place(&sorted, value));
        }
        if k >= half {
            figures.push(figure(&sorted));
        }
    }
    figures
}
