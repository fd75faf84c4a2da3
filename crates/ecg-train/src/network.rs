//! The networks: beats in, unit embeddings (and class scores, if asked for) out.
//!
//! Input `[N, 1, 175]`, z-scored five-beat averages at 250 Hz with the middle of the QRS at index 62; embedding `[N, 64]` of unit length, or
//! `[N, 88]` with a linear branch beside the trunk.
//! Nothing here knows where beats come from, how the network is trained, or how it is stored.

mod binned;
mod lightweight;
pub mod plan;
pub mod weights;

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use ecg_signal::SEGMENT_SAMPLES;

pub use binned::Binned;
pub use lightweight::Lightweight;
use plan::{Operation, Plan};
use weights::{RestoreError, Weights};

/// Length of the trunk's embedding.
pub const EMBEDDING: usize = 64;

/// Length of the linear branch's.
pub const AXES: usize = 24;

/// Share of the linear branch in the cosine of two embeddings. With less of it more genuine comparisons fail on the board
/// that was trained on and more strangers of another one are accepted; with more, more comparisons fail there (ADR 38).
const BRANCH_SHARE: f32 = 0.35;

/// Factors of the unit vectors of trunk and branch: together they have unit length, and their cosines add up by share.
pub fn branch_scales() -> [f32; 2] {
    [(1.0 - BRANCH_SHARE).sqrt(), BRANCH_SHARE.sqrt()]
}

/// Share of the embedding that is silenced in front of the class scores while training.
const DROPOUT: f64 = 0.3;

/// Floor under the Euclidean length, so that an all-zero vector stays zero instead of becoming NaN.
pub const LENGTH_FLOOR: f32 = 1e-12;

/// Which trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Three convolutions and global average pooling: 43,968 parameters, 2.0 M multiply-accumulates.
    Lightweight,
    /// Strides, a residual layer and four time bins: 80,800 parameters, 1.6 M multiply-accumulates.
    Binned,
}

impl NetworkKind {
    /// The word used on the command line and in the model card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lightweight => "lightweight",
            Self::Binned => "binned",
        }
    }

    /// Operations from the beat to the 64 outputs (not yet of unit length).
    pub fn plan(self) -> Plan {
        match self {
            Self::Lightweight => Lightweight::plan(),
            Self::Binned => Binned::plan(),
        }
    }

    /// The one operation of the linear branch, from the beat to its [`AXES`].
    pub fn branch_plan() -> Plan {
        Plan::new(SEGMENT_SAMPLES, 1).then_to("axes", Operation::Linear, AXES)
    }

    /// Operations that lead from the 64 outputs to `classes` scores.
    pub fn classifier_plan(classes: usize) -> Plan {
        Plan::new(EMBEDDING, 1).then("relu", Operation::Relu).then_to("scores", Operation::Linear, classes)
    }
}

#[expect(clippy::large_enum_variant, reason = "one or two of them live at a time, and burn has no boxed modules")]
#[derive(Module, Debug)]
enum Trunk {
    Lightweight(Lightweight),
    Binned(Binned),
}

/// Rectifier, dropout, one score a class.
#[derive(Module, Debug)]
struct Classifier {
    dropout: Dropout,
    scores: Linear,
}

impl Classifier {
    fn new(classes: usize, device: &Device) -> Self {
        let dropout = DropoutConfig::new(DROPOUT).init();
        Self { dropout, scores: LinearConfig::new(EMBEDDING, classes).init(device) }
    }

    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.scores.forward(self.dropout.forward(relu(features)))
    }
}

/// A projection of the beat that was computed and not trained by gradients.
#[derive(Module, Debug)]
struct Branch {
    axes: Linear,
}

/// What a network says about a batch of beats.
#[derive(Debug)]
pub struct Output {
    /// `[N, 64]`, or `[N, 88]` with a linear branch; each row of unit length.
    pub embedding: Tensor<2>,
    /// `[N, C]` class scores before softmax, if the network has classes.
    pub logits: Option<Tensor<2>>,
}

/// A trunk; a classifier if the network is one; a linear branch if it was given one.
#[derive(Module, Debug)]
pub struct Network {
    trunk: Trunk,
    classifier: Option<Classifier>,
    branch: Option<Branch>,
}

impl Network {
    /// Randomly initialised (seed the device first). `classes`: number of class scores, `None` for embeddings only.
    pub fn new(kind: NetworkKind, classes: Option<usize>, device: &Device) -> Self {
        let trunk = match kind {
            NetworkKind::Lightweight => Trunk::Lightweight(Lightweight::new(device)),
            NetworkKind::Binned => Trunk::Binned(Binned::new(device)),
        };
        Self { trunk, classifier: classes.map(|classes| Classifier::new(classes, device)), branch: None }
    }

    /// The same network with a linear branch of these weights (`axes.weight`, `axes.bias`) beside its trunk.
    ///
    /// # Errors
    /// Weights that are missing or have another shape.
    pub fn with_branch(self, weights: &Weights) -> Result<Self, RestoreError> {
        let axes = LinearConfig::new(SEGMENT_SAMPLES, AXES).init(&Device::flex());
        Ok(Self { branch: Some(weights::restore(Branch { axes }, weights)?), ..self })
    }

    /// Length of its embeddings.
    pub fn dimensions(&self) -> usize {
        EMBEDDING + if self.branch.is_some() { AXES } else { 0 }
    }

    /// Whether it has a linear branch.
    pub fn has_branch(&self) -> bool {
        self.branch.is_some()
    }

    /// Which trunk it has.
    pub fn kind(&self) -> NetworkKind {
        match &self.trunk {
            Trunk::Lightweight(_) => NetworkKind::Lightweight,
            Trunk::Binned(_) => NetworkKind::Binned,
        }
    }

    /// `[N, 1, 175]` → embeddings and class scores.
    pub fn forward(&self, beat: Tensor<3>) -> Output {
        let features = match &self.trunk {
            Trunk::Lightweight(trunk) => trunk.forward(beat.clone()),
            Trunk::Binned(trunk) => trunk.forward(beat.clone()),
        };
        let logits = self.classifier.as_ref().map(|classifier| classifier.forward(features.clone()));
        let mut embedding = unit_length(features);
        if let Some(branch) = &self.branch {
            let axes = unit_length(branch.axes.forward(beat.flatten::<2>(1, 2)));
            let [of_trunk, of_branch] = branch_scales();
            embedding = Tensor::cat(vec![embedding.mul_scalar(of_trunk), axes.mul_scalar(of_branch)], 1);
        }
        Output { embedding, logits }
    }

    /// Everything a runtime needs, by name. Names of the trunk are those of its [`Plan`]; the classifier's begin
    /// with `classifier.`, the linear branch's with `branch.`
    pub fn weights(&self) -> Weights {
        let settled = self.valid();
        let mut weights = match &settled.trunk {
            Trunk::Lightweight(trunk) => weights::collect(trunk),
            Trunk::Binned(trunk) => weights::collect(trunk),
        };
        if let Some(classifier) = &settled.classifier {
            let classifier = weights::collect(classifier);
            weights.extend(classifier.into_iter().map(|(name, weight)| (format!("classifier.{name}"), weight)));
        }
        if let Some(branch) = &settled.branch {
            let branch = weights::collect(branch);
            weights.extend(branch.into_iter().map(|(name, weight)| (format!("branch.{name}"), weight)));
        }
        weights
    }

    /// A network with these weights, for inference.
    ///
    /// # Errors
    /// The first weight that is missing or has another shape than the network wants.
    pub fn with_weights(kind: NetworkKind, weights: &Weights, device: &Device) -> Result<Self, RestoreError> {
        let classes = weights.get("classifier.scores.bias").map(|bias| bias.values.len());
        let Self { trunk, classifier, .. } = Self::new(kind, classes, device);
        let trunk = match trunk {
            Trunk::Lightweight(trunk) => Trunk::Lightweight(weights::restore(trunk, weights)?),
            Trunk::Binned(trunk) => Trunk::Binned(weights::restore(trunk, weights)?),
        };
        let part = |prefix: &str| -> Weights {
            let strip =
                |(name, weight): (&String, &_)| Some((name.strip_prefix(prefix)?.to_owned(), Clone::clone(weight)));
            weights.iter().filter_map(strip).collect()
        };
        let classifier = classifier.map(|classifier| weights::restore(classifier, &part("classifier."))).transpose()?;
        let network = Self { trunk, classifier, branch: None };
        let branch = part("branch.");
        let network = if branch.is_empty() { network } else { network.with_branch(&branch)? };
        Ok(network.valid())
    }
}

/// Rows scaled to Euclidean length one.
fn unit_length(rows: Tensor<2>) -> Tensor<2> {
    let squared = rows.clone().powi_scalar(2).sum_dim(1);
    rows / squared.clamp_min(LENGTH_FLOOR * LENGTH_FLOOR).sqrt()
}

#[cfg(test)]
mod tests {
    use super::weights::Weight;
    use super::*;

    fn trained_values(network: &Network) -> usize {
        let running = |name: &String| name.ends_with("running_mean") || name.ends_with("running_var");
        network.weights().iter().filter(|(name, _)| !running(name)).map(|(_, weight)| weight.values.len()).sum()
    }

    #[test]
    fn the_lightweight_network_with_six_classes_has_44358_parameters() {
        let counted = Lightweight::plan().parameters() + NetworkKind::classifier_plan(6).parameters();
        assert_eq!(counted, 44_358);
        assert_eq!(trained_values(&Network::new(NetworkKind::Lightweight, Some(6), &Device::flex())), 44_358);
        let by_hand = 175 * 32 * 7 + 87 * 64 * 32 * 5 + 43 * 128 * 64 * 3 + 128 * 64;
        assert_eq!(Lightweight::plan().multiply_accumulates(), by_hand);
    }

    #[test]
    fn the_binned_network_has_80800_parameters() {
        assert_eq!(Binned::plan().parameters(), 80_800);
        assert_eq!(trained_values(&Network::new(NetworkKind::Binned, None, &Device::flex())), 80_800);
        assert!(Binned::plan().multiply_accumulates() < 1_600_000);
    }

    #[test]
    fn embeddings_have_unit_length() {
        let device = Device::flex();
        for kind in [NetworkKind::Lightweight, NetworkKind::Binned] {
            let beats = Tensor::<3>::random([3, 1, 175], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
            let output = Network::new(kind, None, &device).valid().forward(beats);
            assert_eq!(output.embedding.dims(), [3, EMBEDDING]);
            for length in weights::floats(output.embedding.powi_scalar(2).sum_dim(1).into_data()) {
                assert!((length - 1.0).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn weights_taken_out_and_put_back_give_the_same_output() {
        let device = Device::flex();
        for kind in [NetworkKind::Lightweight, NetworkKind::Binned] {
            let network = Network::new(kind, Some(5), &device).valid();
            let copy = Network::with_weights(kind, &network.weights(), &device).expect("its own weights fit");
            let beats = Tensor::<3>::random([2, 1, 175], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
            let (a, b) = (network.forward(beats.clone()), copy.forward(beats));
            assert_eq!(weights::floats(a.embedding.into_data()), weights::floats(b.embedding.into_data()));
            assert_eq!(copy.kind(), kind);
        }
    }

    #[test]
    fn with_a_linear_branch_the_cosine_is_the_weighted_sum_of_both() {
        let device = Device::flex();
        let trunk = Network::new(NetworkKind::Binned, None, &device).valid();
        let values = |count: usize| (0..count).map(|i| ((i * 37 % 101) as f32 - 50.0) / 100.0).collect();
        let branch = Weights::from([
            ("axes.weight".to_owned(), Weight { shape: vec![SEGMENT_SAMPLES, AXES], values: values(4200) }),
            ("axes.bias".to_owned(), Weight { shape: vec![AXES], values: values(AXES) }),
        ]);
        let both = trunk.clone().with_branch(&branch).expect("the shapes fit");
        assert_eq!((both.dimensions(), trunk.dimensions()), (88, 64));
        assert_eq!(NetworkKind::branch_plan().parameters(), 175 * 24 + 24);
        let beats = Tensor::<3>::random([2, 1, 175], burn::tensor::Distribution::Normal(0.0, 1.0), &device);
        let cosine = |rows: &[f32], width: usize| -> f32 { (0..width).map(|i| rows[i] * rows[width + i]).sum() };
        let alone = weights::floats(trunk.forward(beats.clone()).embedding.into_data());
        let whole = weights::floats(both.forward(beats).embedding.into_data());
        let axes: Vec<f32> = whole.chunks(88).flat_map(|row| row[64..].to_vec()).collect();
        let expected = (1.0 - BRANCH_SHARE) * cosine(&alone, 64) + cosine(&axes, 24);
        assert!((cosine(&whole, 88) - expected).abs() < 1e-5);
        let length: f32 = whole[..88].iter().map(|x| x * x).sum();
        assert!((length - 1.0).abs() < 1e-5);
        assert_eq!(Network::with_weights(NetworkKind::Binned, &both.weights(), &device).unwrap().dimensions(), 88);
    }

    #[test]
    fn a_weight_of_another_shape_is_named() {
        let device = Device::flex();
        let mut weights = Network::new(NetworkKind::Binned, None, &device).weights();
        weights.remove("conv1.weight");
        let error = Network::with_weights(NetworkKind::Binned, &weights, &device).map(|_| ()).unwrap_err();
        assert_eq!(error, RestoreError::Missing("conv1.weight".into()));
    }
}
