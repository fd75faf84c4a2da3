//! Values between samples.

/// The value of `samples` at a fractional position, cubic between them (Catmull and Rom, *A class of local interpolating
/// splines*, 1974). Beyond the ends the outermost sample stands in for those that are missing; 0 without samples.
pub fn cubic<T: Copy + Into<f64>>(samples: &[T], position: f64) -> f64 {
    let (base, last) = (position.floor(), samples.len() as i64 - 1);
    let t = position - base;
    let sample = |offset: i64| {
        let index = (base as i64).saturating_add(offset).min(last).max(0);
        samples.get(index as usize).map_or(0.0, |sample| (*sample).into())
    };
    let (a, b, c, d) = (sample(-1), sample(0), sample(1), sample(2));
    b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
}

#[cfg(test)]
mod tests {
    use super::cubic;

    #[test]
    fn it_meets_the_samples_and_a_parabola_between_them() {
        let parabola: Vec<f64> = (0..12).map(|n| 0.5 * f64::from(n * n) - f64::from(n) + 2.0).collect();
        for position in [1.0, 3.25, 5.5, 8.9, 9.0] {
            let expected = 0.5 * position * position - position + 2.0;
            assert!((cubic(&parabola, position) - expected).abs() < 1e-12, "at {position}");
        }
    }

    #[test]
    fn beyond_the_ends_the_outermost_sample_holds() {
        let samples = [3.0_f32, 1.0, 4.0];
        assert_eq!([-1e300, -5.0, -1.5].map(|position| cubic(&samples, position)), [3.0; 3]);
        assert_eq!(cubic(&samples, 7.0), 4.0);
        assert_eq!(cubic::<f64>(&[], 1.5), 0.0);
    }
}
