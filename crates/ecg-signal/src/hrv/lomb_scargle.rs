//! The spectrum of the intervals as they lie, by Lomb and Scargle: no interpolation, and gaps are no trouble.
//!
//! The normalised form of Scargle 1982 (Astrophysical Journal 263:835): y is the interval less the mean, t the moment where
//! it ends. The unnormalised power P of `scipy.signal.lombscargle` becomes a one-sided density by 2·T/N·P, T/N being the
//! mean interval, so that a sine of amplitude A has a power of A²/2 here as with Welch. A series longer than ten minutes
//! is cut into equal stretches of five minutes or a little more, and the mean of their densities is taken: one
//! periodogram over a day would be no less noisy than over five minutes. Must not know about bands or clean time.

use super::series::NnSeries;

/// Distance of two frequencies in hertz.
pub const STEP_HZ: f64 = 0.001;
/// The last frequency, in steps: 0.4 Hz.
pub const STEPS: usize = 400;
/// Shortest stretch of a longer series, seconds.
const STRETCH_S: f64 = 300.0;
/// Fewer intervals than this make no periodogram.
const FEWEST: usize = 16;
/// Sums that run side by side, so that the processor can.
const LANES: usize = 4;

/// The density in ms²/Hz at multiples of [`STEP_HZ`] from 0 to 0.4 Hz (0 at 0 Hz); `None` for fewer than 16 intervals.
pub fn density(series: &NnSeries) -> Option<Vec<f64>> {
    let (nn, end) = (series.nn_ms(), series.end_s());
    let (&first, &last) = (end.first()?, end.last()?);
    let stretches = ((last - first) / STRETCH_S).floor().clamp(1.0, 1e6);
    let length = (last - first) / stretches;
    let mut density = vec![0.0; STEPS + 1];
    let (mut from, mut used) = (0, 0.0);
    for k in 1..=stretches as usize {
        let stop = first + k as f64 * length;
        let to = if k as f64 == stretches { nn.len() } else { end.partition_point(|&end| end < stop) };
        let count = to - from;
        if count >= FEWEST {
            let mean_s = nn[from..to].iter().sum::<f64>() / count as f64 / 1000.0;
            let power = periodogram(&nn[from..to], &end[from..to]);
            density.iter_mut().skip(1).zip(power).for_each(|(sum, power)| *sum += 2.0 * mean_s * power);
            used += 1.0;
        }
        from = to;
    }
    density.iter_mut().for_each(|sum| *sum /= used);
    (used > 0.0).then_some(density)
}

/// The unnormalised power of `scipy.signal.lombscargle` at 1 … [`STEPS`] times [`STEP_HZ`], in ms².
pub fn periodogram(nn_ms: &[f64], end_s: &[f64]) -> Vec<f64> {
    let n = nn_ms.len();
    let mean = nn_ms.iter().sum::<f64>() / n as f64;
    // The lanes that are filled up with y = 0 count in no sum but those of the squares, from which they are taken off.
    let filled = n.next_multiple_of(LANES);
    let mut phasors = Phasors { y: vec![0.0; filled], ..Phasors::turned(filled) };
    for (k, (nn, end)) in nn_ms.iter().zip(end_s).enumerate() {
        let angle = std::f64::consts::TAU * STEP_HZ * (end - end_s[0]);
        phasors.y[k] = nn - mean;
        (phasors.turn_sin[k], phasors.turn_cos[k]) = angle.sin_cos();
    }
    let spare = (filled - n) as f64;
    (0..STEPS).map(|_| phasors.step(n as f64, spare)).collect()
}

/// A unit vector for each interval, turned on by its own angle from frequency to frequency.
struct Phasors {
    y: Vec<f64>,
    cos: Vec<f64>,
    sin: Vec<f64>,
    turn_cos: Vec<f64>,
    turn_sin: Vec<f64>,
}

impl Phasors {
    fn turned(n: usize) -> Self {
        Self { y: Vec::new(), cos: vec![1.0; n], sin: vec![0.0; n], turn_cos: vec![1.0; n], turn_sin: vec![0.0; n] }
    }

    /// Turns on to the next frequency and gives its power.
    fn step(&mut self, n: f64, spare: f64) -> f64 {
        let mut sums = [[0.0; LANES]; 4];
        let turns = self.turn_cos.chunks_exact(LANES).zip(self.turn_sin.chunks_exact(LANES));
        let places = self.cos.chunks_exact_mut(LANES).zip(self.sin.chunks_exact_mut(LANES));
        for (((cos, sin), (turn_cos, turn_sin)), y) in places.zip(turns).zip(self.y.chunks_exact(LANES)) {
            for lane in 0..LANES {
                let c = cos[lane] * turn_cos[lane] - sin[lane] * turn_sin[lane];
                let s = sin[lane] * turn_cos[lane] + cos[lane] * turn_sin[lane];
                (cos[lane], sin[lane]) = (c, s);
                sums[0][lane] += y[lane] * c;
                sums[1][lane] += y[lane] * s;
                sums[2][lane] += c * c;
                sums[3][lane] += c * s;
            }
        }
        let [y_cos, y_sin, squares, half_sin_2] = sums.map(|lanes| lanes.iter().sum::<f64>());
        let (cos_2, sin_2) = (2.0 * (squares - spare) - n, 2.0 * half_sin_2);
        // Scargle's τ makes sine and cosine orthogonal over the given moments.
        let (sin_t, cos_t) = (0.5 * sin_2.atan2(cos_2)).sin_cos();
        let along = y_cos * cos_t + y_sin * sin_t;
        let across = y_sin * cos_t - y_cos * sin_t;
        let length = cos_2.hypot(sin_2);
        let part = |sum: f64, squares: f64| if squares > 1e-9 * n { sum * sum / squares } else { 0.0 };
        0.5 * (part(along, 0.5 * (n + length)) + part(across, 0.5 * (n - length)))
    }
}
