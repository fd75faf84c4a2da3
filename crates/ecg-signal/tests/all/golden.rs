//! Values from public libraries (scipy, PyWavelets, NumPy) that the kernels must reproduce.

use serde_json::Value;

/// `tests/golden/dsp.json`: filter and wavelet outputs with the library versions that made them.
pub(crate) fn dsp() -> Value {
    serde_json::from_str(include_str!("../golden/dsp.json")).expect("the golden file is valid JSON")
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("an array of numbers").iter().map(|x| x.as_f64().expect("a number")).collect()
}

pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max)
}
