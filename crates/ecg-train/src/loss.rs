//! What training minimises: ArcFace over unit embeddings, or softmax over class scores.

use burn::module::{Module, Param};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Distribution, Int, Tensor};

use crate::network::EMBEDDING;

/// Which loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// Additive angular margin: embeddings for comparing persons never seen (no class scores in the model).
    Arcface,
    /// Cross entropy over the persons trained on: a closed-set classifier with `logits`.
    Softmax,
}

impl LossKind {
    /// The word used on the command line and in the model card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arcface => "arcface",
            Self::Softmax => "softmax",
        }
    }
}

/// Keeps the square root of `1 − cos²` away from zero, where its slope is infinite.
const SINE_FLOOR: f32 = 1e-6;

/// Deviation of the first class centres' components. The loss sees their directions alone, but a step of the optimiser
/// moves each component by about the learning rate, whatever the length: centres ten times longer turn ten times slower,
/// and were not where they belong when training ended (FNMR at FMR 1 % 26 % instead of 20 % on the same fold).
const CENTRE_DEVIATION: f64 = 0.1;

/// One unit vector a class; the loss asks that an embedding be nearer to its own by `margin` radians
/// (Deng et al., *ArcFace: Additive Angular Margin Loss for Deep Face Recognition*, CVPR 2019).
///
/// Differences from the paper: past the angle π − margin, where cos(θ + margin) would rise again, the penalty is
/// the tangent-free `cos θ − margin · sin margin`, as is usual.
#[derive(Module, Debug)]
pub struct ArcFace {
    centres: Param<Tensor<2>>,
    scale: f64,
}

impl ArcFace {
    /// Random class centres; `scale` is the inverse temperature.
    pub fn new(classes: usize, scale: f64, device: &Device) -> Self {
        let centres = Tensor::random([EMBEDDING, classes], Distribution::Normal(0.0, CENTRE_DEVIATION), device);
        Self { centres: Param::from_tensor(centres), scale }
    }

    /// Mean loss of `[N, 64]` unit embeddings against their `[N]` classes.
    pub fn forward(&self, embedding: Tensor<2>, classes: Tensor<1, Int>, margin: f64) -> Tensor<1> {
        let centres = self.centres.val();
        let length = centres.clone().powi_scalar(2).sum_dim(0).sqrt();
        let cosine = embedding.matmul(centres / length);
        let own = classes.clone().unsqueeze_dim::<2>(1);
        let target = cosine.clone().gather(1, own.clone());
        let penalised = with_margin(target.clone(), margin);
        let classes_total = cosine.dims()[1];
        let mask = classes.one_hot::<2>(classes_total).float();
        let logits = (cosine + mask * (penalised - target)) * self.scale;
        cross_entropy(logits, own)
    }
}

/// cos(θ + margin) from cos θ, continued falling past θ = π − margin.
fn with_margin(cosine: Tensor<2>, margin: f64) -> Tensor<2> {
    let sine = (cosine.clone().powi_scalar(2).neg() + 1.0).clamp_min(SINE_FLOOR).sqrt();
    let turned = cosine.clone() * margin.cos() - sine * margin.sin();
    let beyond = cosine.clone().lower_elem((std::f64::consts::PI - margin).cos());
    turned.mask_where(beyond, cosine - margin * margin.sin())
}

/// Mean cross entropy of `[N, C]` scores against `[N, 1]` classes.
pub fn cross_entropy(logits: Tensor<2>, own: Tensor<2, Int>) -> Tensor<1> {
    log_softmax(logits, 1).gather(1, own).mean().neg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::weights::floats;

    fn value(cosine: f32, margin: f64) -> f32 {
        floats(with_margin(Tensor::from_floats([[cosine]], &Device::flex()), margin).into_data())[0]
    }

    #[test]
    fn the_margin_turns_the_angle() {
        for angle in [0.1_f32, 0.7, 1.5, 2.5] {
            assert!((value(angle.cos(), 0.3) - (angle + 0.3).cos()).abs() < 1e-4);
        }
    }

    #[test]
    fn without_margin_nothing_changes_and_with_margin_the_score_never_rises_again() {
        assert!((value(0.4, 0.0) - 0.4).abs() < 1e-6);
        let scores: Vec<f32> = (0..=100).map(|i| value((i as f32 / 100.0 * std::f32::consts::PI).cos(), 0.3)).collect();
        assert!(scores.windows(2).all(|pair| pair[1] < pair[0] + 1e-4));
    }

    #[test]
    fn an_embedding_on_its_centre_costs_less_than_one_on_another() {
        let device = Device::flex();
        device.seed(1);
        let loss = ArcFace::new(4, 24.0, &device);
        let centres = loss.centres.val().transpose();
        let length = centres.clone().powi_scalar(2).sum_dim(1).sqrt();
        let embedding = (centres / length).narrow(0, 0, 1);
        let cost = |class: i64| {
            floats(loss.forward(embedding.clone(), Tensor::from_ints([class], &device), 0.3).into_data())[0]
        };
        assert!(cost(0) < 0.1 && cost(1) > 1.0, "{} {}", cost(0), cost(1));
    }
}
