//! An axis: its range, the marks along it, and what makes distances on it even.

/// An axis from one end to the other, with ticks between.
#[derive(Debug, Clone)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// Its ends: left or lower one first, which may be the greater.
    pub ends: (f64, f64),
    /// Where a line stands, and what is written there.
    pub ticks: Vec<(f64, String)>,
    /// Distance between ticks, in the axis's unit; 0 where they are not even.
    pub step: f64,
    /// Makes distances even: the identity, or a logarithm.
    pub scale: fn(f64) -> f64,
}

impl Axis {
    /// An axis with about `about` ticks at round numbers.
    #[must_use]
    pub fn linear(label: &str, ends: (f64, f64), about: usize) -> Self {
        let (step, ticks) = linear_ticks(ends, about);
        Self { label: label.to_owned(), ends, ticks, step, scale: |value| value }
    }

    /// An axis from the first of these ticks to the last.
    #[must_use]
    pub fn ticked(label: &str, ticks: &[(f64, String)], scale: fn(f64) -> f64) -> Self {
        let end = |tick: Option<&(f64, String)>| tick.map_or(f64::NAN, |(value, _)| *value);
        let ends = (end(ticks.first()), end(ticks.last()));
        Self { label: label.to_owned(), ends, ticks: ticks.to_vec(), step: 0.0, scale }
    }

    /// 0…1 along the axis, beyond its ends too.
    #[must_use]
    pub fn along(&self, value: f64) -> f64 {
        let [value, first, last] = [value, self.ends.0, self.ends.1].map(self.scale);
        (value - first) / (last - first)
    }
}

/// About `about` round numbers within `ends`, as they are written, and the distance between them: 1, 2 or 5 times a
/// power of ten.
#[must_use]
pub fn linear_ticks(ends: (f64, f64), about: usize) -> (f64, Vec<(f64, String)>) {
    let rough = (ends.1 - ends.0) / about.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return (1.0, Vec::new());
    }
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().find(|s| s * decade >= rough * 0.999).unwrap_or(10.0) * decade;
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize;
    let (first, last) = ((ends.0 / step - 1e-9).ceil() as i64, (ends.1 / step + 1e-9).floor() as i64);
    let ticks = (first..=last).map(|k| {
        let value = k as f64 * step;
        (value, format!("{value:.decimals$}").replace('-', "\u{2212}"))
    });
    (step, ticks.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ends: (f64, f64), about: usize) -> Vec<String> {
        linear_ticks(ends, about).1.into_iter().map(|(_, word)| word).collect()
    }

    #[test]
    fn ticks_are_round_and_written_with_the_decimals_they_need() {
        assert_eq!(words((0.0, 10.0), 5), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(words((-0.6, 1.1), 4), ["\u{2212}0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(words((1203.4, 1204.1), 4), ["1203.4", "1203.6", "1203.8", "1204.0"]);
        assert_eq!(words((0.0, 0.0), 4), Vec::<String>::new());
        assert_eq!(words((0.0, f64::NAN), 4), Vec::<String>::new());
    }
}
