//! The bootstrap over subjects, with a small generator of its own so that a seed means the same everywhere.

use super::table::Table;

/// SplitMix64 (Steele, Lea, Flood 2014): the 64-bit generator that seeds others; its quality is ample for a bootstrap.
#[derive(Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; the bias of the multiplication is below n / 2^64.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// 2.5 % and 97.5 % percentiles of each metric over draws with replacement. NaN where no draw gave a figure.
pub(super) fn intervals(table: &Table, replicates: usize, seed: u64) -> [(f64, f64); 4] {
    let groups = table.groups();
    let mut random = SplitMix64(seed);
    let mut drawn: [Vec<f64>; 4] = Default::default();
    let mut weight = vec![0.0; table.subjects()];
    for _ in 0..replicates {
        weight.fill(0.0);
        for group in &groups {
            for _ in 0..group.len() {
                weight[group[random.below(group.len())]] += 1.0;
            }
        }
        for (values, value) in drawn.iter_mut().zip(table.metrics(&weight)) {
            values.extend((!value.is_nan()).then_some(value));
        }
    }
    drawn.map(|mut values| {
        values.sort_by(f64::total_cmp);
        (percentile(&values, 0.025), percentile(&values, 0.975))
    })
}

/// 2.5 % and 97.5 % percentiles of `figure` over draws of `units` out of `units` with replacement. NaN without draws.
pub(super) fn percentile_interval(
    units: usize,
    replicates: usize,
    seed: u64,
    figure: impl Fn(&[usize]) -> f64,
) -> (f64, f64) {
    let mut random = SplitMix64(seed);
    let mut drawn = vec![0; units];
    let mut values = Vec::with_capacity(replicates);
    for _ in 0..if units > 0 { replicates } else { 0 } {
        drawn.iter_mut().for_each(|unit| *unit = random.below(units));
        values.push(figure(&drawn));
    }
    values.sort_by(f64::total_cmp);
    (percentile(&values, 0.025), percentile(&values, 0.975))
}

/// Linear between neighbours, as NumPy's default.
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_the_published_sequence() {
        // First outputs of the reference implementation for the seed 1234567.
        let mut random = SplitMix64(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn percentiles_are_linear_between_neighbours() {
        assert_eq!(percentile(&[0.0, 1.0, 2.0, 3.0, 4.0], 0.25), 1.0);
        assert!((percentile(&[0.0, 1.0], 0.025) - 0.025).abs() < 1e-15);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
