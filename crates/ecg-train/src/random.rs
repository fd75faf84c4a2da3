//! Draws from seeded distributions. The only randomness of the crate besides the framework's own.

/// Standard normal draw (Box–Muller, one of the pair).
pub fn normal(rng: &mut fastrand::Rng) -> f64 {
    // 1 − u lies in (0, 1], so that the logarithm is finite.
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// Uniform draw between `low` and `high`.
pub fn uniform(rng: &mut fastrand::Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.f64()
}

/// Draw whose logarithm is uniform between those of `low` and `high`, both positive.
pub fn log_uniform(rng: &mut fastrand::Rng, low: f64, high: f64) -> f64 {
    uniform(rng, low.ln(), high.ln()).exp()
}

/// Whether an event of this probability happens.
pub fn chance(rng: &mut fastrand::Rng, probability: f64) -> bool {
    rng.f64() < probability
}

/// A generator for one item of a seeded whole: streams of different `(seed, item)` are unrelated.
pub fn stream(seed: u64, item: u64) -> fastrand::Rng {
    // splitmix64 on the pair; fastrand alone gives near seeds near first draws.
    let mut z = seed.wrapping_add(item.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    fastrand::Rng::with_seed(z ^ (z >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_draws_have_mean_zero_and_deviation_one() {
        let mut rng = stream(7, 0);
        let draws: Vec<f64> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn draws_stay_in_their_range_and_repeat_by_seed() {
        let draw = |item| {
            let mut rng = stream(1, item);
            let value = log_uniform(&mut rng, 0.05, 0.7);
            assert!((0.05..=0.7).contains(&value));
            value
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }
}
