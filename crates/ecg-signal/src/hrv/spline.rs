//! The interval function at a regular rate: a cubic spline through the intervals, each at the moment where it ends.
//!
//! Not-a-knot at both ends, as `scipy.interpolate.CubicSpline` and `interp1d(kind="cubic")`. Must not know of spectra.

/// The spline through `nn_ms`, one run of at least four positive intervals, from the end of the first to before the end of
/// the last, `fs_hz` values a second. Empty for fewer than four intervals.
pub fn resample_run(nn_ms: &[f64], fs_hz: f64) -> Vec<f64> {
    let n = nn_ms.len();
    if n < 4 {
        return Vec::new();
    }
    let mut now = 0.0;
    let at = |nn: &f64| {
        now += nn / 1000.0;
        now
    };
    let t: Vec<f64> = nn_ms.iter().map(at).collect();
    let dx: Vec<f64> = t.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let rise: Vec<f64> = nn_ms.windows(2).zip(&dx).map(|(pair, dx)| (pair[1] - pair[0]) / dx).collect();
    let slopes = slopes(&t, &dx, &rise);
    let count = ((t[n - 1] - t[0]) * fs_hz).ceil() as usize;
    let mut values = Vec::with_capacity(count);
    let mut piece = 0;
    for k in 0..count {
        let x = t[0] + k as f64 / fs_hz;
        while piece + 2 < n && t[piece + 1] <= x {
            piece += 1;
        }
        let (h, since) = (dx[piece], x - t[piece]);
        let bend = (slopes[piece] + slopes[piece + 1] - 2.0 * rise[piece]) / h;
        let (third, second) = (bend / h, (rise[piece] - slopes[piece]) / h - bend);
        values.push(nn_ms[piece] + since * (slopes[piece] + since * (second + since * third)));
    }
    values
}

/// Slopes at the knots: a tridiagonal system, solved by elimination from the top. After its first row, which takes the
/// place of the not-a-knot condition, every pivot is positive.
fn slopes(t: &[f64], dx: &[f64], rise: &[f64]) -> Vec<f64> {
    let n = t.len();
    let (mut diagonal, mut above, mut right) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let ahead = t[2] - t[0];
    diagonal[0] = dx[1];
    above[0] = ahead;
    right[0] = ((dx[0] + 2.0 * ahead) * dx[1] * rise[0] + dx[0] * dx[0] * rise[1]) / ahead;
    for k in 1..n {
        let (below, own, next, value) = if k + 1 < n {
            (dx[k], 2.0 * (dx[k - 1] + dx[k]), dx[k - 1], 3.0 * (dx[k] * rise[k - 1] + dx[k - 1] * rise[k]))
        } else {
            let (last, before) = (dx[n - 2], dx[n - 3]);
            let behind = t[n - 1] - t[n - 3];
            let value = (last * last * rise[n - 3] + (2.0 * behind + last) * before * rise[n - 2]) / behind;
            (behind, before, 0.0, value)
        };
        let factor = below / diagonal[k - 1];
        diagonal[k] = own - factor * above[k - 1];
        above[k] = next;
        right[k] = value - factor * right[k - 1];
    }
    let mut slopes = right;
    slopes[n - 1] /= diagonal[n - 1];
    for k in (0..n - 1).rev() {
        slopes[k] = (slopes[k] - above[k] * slopes[k + 1]) / diagonal[k];
    }
    slopes
}
