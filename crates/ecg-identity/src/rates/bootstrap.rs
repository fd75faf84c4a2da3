//! The bootstrap over subjects, with a small generator of its own so that a seed means the same everywhere.

use std::collections::BTreeMap;

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

/// 2.5 % and 97.5 % percentiles of `figure` over draws of `units` out of `units` with replacement. NaN without
/// draws that give a figure.
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
    values.retain(|value| !value.is_nan());
    values.sort_by(f64::total_cmp);
    (percentile(&values, 0.025), percentile(&values, 0.975))
}

/// Any figure of what is known of each person, with its 95 % interval over draws of persons with replacement.
///
/// The value is that of everybody; NaN where `figure` gives none, as are the ends where no draw gave one.
pub fn over_persons<T>(persons: &[T], replicates: usize, seed: u64, figure: impl Fn(&[&T]) -> f64) -> super::Interval {
    let all: Vec<&T> = persons.iter().collect();
    let (low, high) = percentile_interval(persons.len(), replicates, seed, |drawn| {
        figure(&drawn.iter().map(|&person| &persons[person]).collect::<Vec<_>>())
    });
    super::Interval { value: figure(&all), low, high }
}

/// The share of mated comparisons in which something was found, with its 95 % interval over draws of persons with
/// replacement. One item is the person, and whether it was found. NaN of no comparison.
pub fn over_mated<'a>(
    comparisons: impl IntoIterator<Item = (&'a str, bool)>,
    replicates: usize,
    seed: u64,
) -> super::Interval {
    let mut persons: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (person, found) in comparisons {
        let [some, all] = persons.entry(person).or_default();
        *some += usize::from(found);
        *all += 1;
    }
    let persons: Vec<_> = persons.into_values().collect();
    over_persons(&persons, replicates, seed, |drawn| {
        let sum = |part: usize| drawn.iter().map(|person| person[part]).sum::<usize>() as f64;
        sum(0) / sum(1)
    })
}

/// The share of non-mated comparisons in which something was found, with its 95 % interval over draws of persons with
/// replacement: whoever is drawn twice is there twice as a probe and twice as a reference. One item is the person of the
/// probe, that of the reference, and whether it was found.
///
/// NaN of no comparison; draws that leave none are passed over.
pub fn over_pairs<'a>(
    comparisons: impl IntoIterator<Item = (&'a str, &'a str, bool)>,
    replicates: usize,
    seed: u64,
) -> super::Interval {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let mut pairs: BTreeMap<[usize; 2], [usize; 2]> = BTreeMap::new();
    for (probe, reference, found) in comparisons {
        let pair = [probe, reference].map(|person| {
            let next = numbers.len();
            *numbers.entry(person).or_insert(next)
        });
        let [some, all] = pairs.entry(pair).or_default();
        *some += usize::from(found);
        *all += 1;
    }
    let share = |weight: &[usize]| {
        let (mut some, mut all) = (0, 0);
        for ([probe, reference], [found, of]) in &pairs {
            let weight = weight[*probe] * weight[*reference];
            some += weight * found;
            all += weight * of;
        }
        some as f64 / all as f64
    };
    let (low, high) = percentile_interval(numbers.len(), replicates, seed, |drawn| {
        let mut weight = vec![0; numbers.len()];
        drawn.iter().for_each(|&person| weight[person] += 1);
        share(&weight)
    });
    super::Interval { value: share(&vec![1; numbers.len()]), low, high }
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
    fn a_figure_over_persons_has_the_interval_that_the_binomial_has() {
        let persons: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i < 20))).collect();
        let mean = |drawn: &[&f64]| drawn.iter().copied().sum::<f64>() / drawn.len() as f64;
        let interval = over_persons(&persons, 4000, 1, mean);
        // 0.2 ± 1.96 · √(0.2 · 0.8 / 100)
        assert!((interval.value - 0.2).abs() < 1e-12);
        assert!((interval.low - 0.12).abs() < 0.015 && (interval.high - 0.28).abs() < 0.015, "{interval:?}");
        let nobody = over_persons(&[] as &[f64], 10, 1, mean);
        assert!(nobody.value.is_nan() && nobody.low.is_nan());
    }

    #[test]
    fn a_share_of_pairs_varies_with_whom_strangers_are_compared_with() {
        // One of twenty persons is whom everybody resembles: by the probes alone the share would not vary at all.
        let names: Vec<String> = (0..20).map(|i| format!("p{i}")).collect();
        let pairs = names.iter().flat_map(|p| names.iter().map(move |r| (p, r))).filter(|(p, r)| p != r);
        let found = pairs.filter(|(p, _)| *p != "p0").map(|(p, r)| (p.as_str(), r.as_str(), r == "p0"));
        let interval = over_pairs(found, 2000, 1);
        assert!((interval.value - 1.0 / 19.0).abs() < 1e-12);
        // He is drawn never, once, twice, … : a Poisson variable of mean 1, between 0 and 3 in 95 of 100 draws.
        assert!(interval.low == 0.0 && (0.13..0.18).contains(&interval.high), "{interval:?}");
        assert!(over_pairs([], 10, 1).value.is_nan());
    }

    #[test]
    fn percentiles_are_linear_between_neighbours() {
        assert_eq!(percentile(&[0.0, 1.0, 2.0, 3.0, 4.0], 0.25), 1.0);
        assert!((percentile(&[0.0, 1.0], 0.025) - 0.025).abs() < 1e-15);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
