//! Kurtosis and skewness of a window, from the moments of its blocks.
//!
//! The window moves on by a block at a time; what a block contributes is summed up once. Moments about the block's own
//! mean are kept and put together exactly (P. Pébay, *Formulas for robust, one-pass parallel computation of covariances
//! and arbitrary-order statistical moments*, SAND2008-6212), so that an electrode offset of 300 mV costs no digits. Must
//! not know what the samples mean.

use crate::widest::{Four, InFours, in_fours};

/// Count, mean and sums of the second to fourth powers of the distances from it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: f64,
    mean: f64,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Moments {
    /// The moments of some samples.
    pub fn of(samples: &[f64]) -> Self {
        let count = samples.len() as f64;
        if samples.is_empty() {
            return Self::default();
        }
        // Four chains side by side: one sum would wait for itself at every sample.
        let (fours, rest) = samples.as_chunks::<4>();
        let (mut lanes, mut powers) = ([0.0; 4], [[0.0; 4]; 3]);
        in_fours(Total { fours, sums: &mut lanes });
        let mean = (lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()) / count;
        in_fours(Powers { fours, mean, sums: &mut powers });
        let [mut second, mut third, mut fourth] = powers.map(|lanes| lanes.iter().sum::<f64>());
        for x in rest {
            let from_mean = x - mean;
            let square = from_mean * from_mean;
            second += square;
            third += square * from_mean;
            fourth += square * square;
        }
        Self { count, mean, second, third, fourth }
    }

    /// The moments of both sets of samples together.
    pub fn and(&self, other: &Self) -> Self {
        let (a, b) = (self.count, other.count);
        let count = a + b;
        if a == 0.0 || b == 0.0 {
            return if a == 0.0 { *other } else { *self };
        }
        let apart = other.mean - self.mean;
        let per = apart / count;
        let both = a * b * apart * per;
        Self {
            count,
            mean: self.mean + b * per,
            second: self.second + other.second + both,
            third: self.third + other.third + both * per * (a - b) + 3.0 * per * (a * other.second - b * self.second),
            fourth: self.fourth
                + other.fourth
                + both * per * per * (a * a - a * b + b * b)
                + 6.0 * per * per * (a * a * other.second + b * b * self.second)
                + 4.0 * per * (a * other.third - b * self.third),
        }
    }

    /// kSQI: Pearson's kurtosis m₄/m₂² (3 for a Gaussian, 1.5 for a sine, far more for an ECG). `None` where nothing
    /// moves.
    pub fn kurtosis(&self) -> Option<f64> {
        let kurtosis = self.count * self.fourth / (self.second * self.second);
        (self.second > 0.0 && kurtosis.is_finite()).then_some(kurtosis)
    }

    /// sSQI: skewness m₃/m₂^1.5 (0 for what is symmetric). `None` where nothing moves.
    pub fn skewness(&self) -> Option<f64> {
        let skewness = self.count.sqrt() * self.third / self.second.powf(1.5);
        (self.second > 0.0 && skewness.is_finite()).then_some(skewness)
    }
}

/// Sums in four chains.
struct Total<'a> {
    fours: &'a [[f64; 4]],
    sums: &'a mut [f64; 4],
}

impl InFours for Total<'_> {
    #[inline(always)]
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy) {
        let sum = self.fours.iter().fold(four([0.0; 4]), |sum, x| sum + four(*x));
        for lane in 0..4 {
            self.sums[lane] = sum[lane];
        }
    }
}

/// Sums of second to fourth powers of distances from the mean in four chains each.
struct Powers<'a> {
    fours: &'a [[f64; 4]],
    mean: f64,
    sums: &'a mut [[f64; 4]; 3],
}

impl InFours for Powers<'_> {
    #[inline(always)]
    fn run<F: Four>(self, four: impl Fn([f64; 4]) -> F + Copy) {
        let (mean, mut sums) = (four([self.mean; 4]), [four([0.0; 4]); 3]);
        for x in self.fours {
            let from_mean = four(*x) - mean;
            let square = from_mean * from_mean;
            sums = [sums[0] + square, sums[1] + square * from_mean, sums[2] + square * square];
        }
        for (lanes, sum) in self.sums.iter_mut().zip(sums) {
            for lane in 0..4 {
                lanes[lane] = sum[lane];
            }
        }
    }
}
