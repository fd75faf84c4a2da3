//! The lightweight trunk: three convolutions, global average pooling, 64 outputs. 43,968 parameters.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::pool::{MaxPool1d, MaxPool1dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig1d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use ecg_signal::SEGMENT_SAMPLES;

use super::EMBEDDING;
use super::plan::{Operation, Plan};

/// Conv 32 k7, conv 64 k5, conv 128 k3, each with batch norm and rectifier, max pooling after the first two.
#[derive(Module, Debug)]
pub struct Lightweight {
    conv1: Conv1d,
    norm1: BatchNorm,
    conv2: Conv1d,
    norm2: BatchNorm,
    conv3: Conv1d,
    norm3: BatchNorm,
    pool: MaxPool1d,
    embed: Linear,
}

impl Lightweight {
    /// Randomly initialised.
    pub fn new(device: &Device) -> Self {
        let conv = |from, to, kernel: usize| {
            let padding = PaddingConfig1d::Explicit(kernel / 2, kernel / 2);
            Conv1dConfig::new(from, to, kernel).with_padding(padding).init(device)
        };
        let norm = |channels| BatchNormConfig::new(channels).init(device);
        Self {
            conv1: conv(1, 32, 7),
            norm1: norm(32),
            conv2: conv(32, 64, 5),
            norm2: norm(64),
            conv3: conv(64, 128, 3),
            norm3: norm(128),
            pool: MaxPool1dConfig::new(2).init(),
            embed: LinearConfig::new(128, EMBEDDING).init(device),
        }
    }

    /// `[N, 1, 175]` → `[N, 64]`, not yet of unit length.
    pub fn forward(&self, beat: Tensor<3>) -> Tensor<2> {
        let x = self.pool.forward(relu(self.norm1.forward(self.conv1.forward(beat))));
        let x = self.pool.forward(relu(self.norm2.forward(self.conv2.forward(x))));
        let x = relu(self.norm3.forward(self.conv3.forward(x)));
        self.embed.forward(x.mean_dim(2).flatten::<2>(1, 2))
    }

    /// The same as a list, up to the 64 outputs.
    pub fn plan() -> Plan {
        let conv = |kernel: usize| Operation::Conv { kernel, stride: 1, padding: kernel / 2, bias: true };
        Plan::new(1, SEGMENT_SAMPLES)
            .then_to("conv1", conv(7), 32)
            .then("norm1", Operation::BatchNorm)
            .then("relu1", Operation::Relu)
            .then("pool1", Operation::MaxPool2)
            .then_to("conv2", conv(5), 64)
            .then("norm2", Operation::BatchNorm)
            .then("relu2", Operation::Relu)
            .then("pool2", Operation::MaxPool2)
            .then_to("conv3", conv(3), 128)
            .then("norm3", Operation::BatchNorm)
            .then("relu3", Operation::Relu)
            .then("average", Operation::GlobalAverage)
            .then_to("embed", Operation::Linear, EMBEDDING)
    }
}
