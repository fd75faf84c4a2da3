//! The Daubechies wavelet db6: its filters, the decimated transform of a whole signal, and the streaming denoiser.
//!
//! [`decompose`] and [`reconstruct`] follow PyWavelets (`wavedec` and `waverec` with mode `symmetric`) and exist for
//! reports and as the reference that the streaming transform of [`stationary`] is tested against. The signal path uses
//! [`denoise::Denoiser`]. Must not know about beats.

pub mod denoise;
pub mod median;
mod shrink;
pub mod stationary;
pub mod worth;

/// Length of the db6 filters.
pub const TAPS: usize = 12;

/// Low-pass synthesis filter of db6 (Daubechies 1988, N = 6; values as in PyWavelets 1.8). The other three follow from
/// it by reversal and alternating signs.
pub const RECONSTRUCTION_LOW: [f64; TAPS] = [
    0.11154074335010947,
    0.49462389039845306,
    0.7511339080210954,
    0.31525035170919763,
    -0.22626469396543983,
    -0.12976686756726194,
    0.09750160558732304,
    0.027522865530305727,
    -0.03158203931748603,
    0.0005538422011614961,
    0.004777257510945511,
    -0.0010773010853084796,
];

/// High-pass synthesis filter: the analysis low-pass with alternating signs.
pub const fn reconstruction_high() -> [f64; TAPS] {
    let mut high = [0.0; TAPS];
    let mut k = 0;
    while k < TAPS {
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        high[k] = sign * RECONSTRUCTION_LOW[TAPS - 1 - k];
        k += 1;
    }
    high
}

/// Low-pass analysis filter: the synthesis low-pass reversed.
pub const fn decomposition_low() -> [f64; TAPS] {
    reversed(RECONSTRUCTION_LOW)
}

/// High-pass analysis filter: the synthesis high-pass reversed.
pub const fn decomposition_high() -> [f64; TAPS] {
    reversed(reconstruction_high())
}

const fn reversed(taps: [f64; TAPS]) -> [f64; TAPS] {
    let mut out = [0.0; TAPS];
    let mut k = 0;
    while k < TAPS {
        out[k] = taps[TAPS - 1 - k];
        k += 1;
    }
    out
}

/// A multi-level decimated transform: what [`decompose`] gives and [`reconstruct`] takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// Approximation of the coarsest level.
    pub approximation: Vec<f64>,
    /// Details, finest (level 1) first.
    pub details: Vec<Vec<f64>>,
    /// Length of the input of each level, finest first; a reconstruction is cut to it.
    lengths: Vec<usize>,
}

/// Decimated db6 transform with half-sample symmetric extension, as `pywt.wavedec(x, "db6", "symmetric", levels)`.
pub fn decompose(x: &[f64], levels: usize) -> Decomposition {
    let mut out = Decomposition { approximation: x.to_vec(), details: Vec::new(), lengths: Vec::new() };
    for _ in 0..levels {
        if out.approximation.is_empty() {
            break;
        }
        let input = std::mem::take(&mut out.approximation);
        out.details.push(half_rate(&input, &decomposition_high()));
        out.approximation = half_rate(&input, &decomposition_low());
        out.lengths.push(input.len());
    }
    out
}

/// The inverse of [`decompose`]: perfect reconstruction where the coefficients are unchanged.
pub fn reconstruct(transform: &Decomposition) -> Vec<f64> {
    let mut signal = transform.approximation.clone();
    for (detail, &length) in transform.details.iter().zip(&transform.lengths).rev() {
        signal = double_rate(&signal, detail, length);
    }
    signal
}

fn half_rate(x: &[f64], taps: &[f64; TAPS]) -> Vec<f64> {
    (0..(x.len() + TAPS - 1) / 2)
        .map(|i| (0..TAPS).map(|k| taps[k] * x[mirrored((2 * i + 1) as isize - k as isize, x.len())]).sum())
        .collect()
}

fn double_rate(approximation: &[f64], detail: &[f64], length: usize) -> Vec<f64> {
    let (low, high) = (RECONSTRUCTION_LOW, reconstruction_high());
    let tap = |taps: &[f64; TAPS], n: usize, i: usize| {
        (n + TAPS - 2).checked_sub(2 * i).and_then(|k| taps.get(k)).copied().unwrap_or(0.0)
    };
    (0..length)
        .map(|n| {
            let reach = n / 2..approximation.len().min(n / 2 + TAPS / 2);
            reach.map(|i| tap(&low, n, i) * approximation[i] + tap(&high, n, i) * detail[i]).sum()
        })
        .collect()
}

/// Half-sample symmetric extension: … x1 x0 | x0 x1 … x(n−1) | x(n−1) x(n−2) …
fn mirrored(i: isize, n: usize) -> usize {
    let wrapped = i.rem_euclid(2 * n as isize) as usize;
    if wrapped < n { wrapped } else { 2 * n - 1 - wrapped }
}
