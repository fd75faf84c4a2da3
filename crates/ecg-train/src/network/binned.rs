//! The binned trunk: strides for pooling, one residual layer, and coarse time order kept. 80,800 parameters.
//!
//! Global average pooling forgets where in the beat a feature was; four time bins keep it.
//! The bins are a product with a constant 22 × 4 matrix, since ONNX has no adaptive pooling for a length that four
//! does not divide.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig1d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use ecg_signal::SEGMENT_SAMPLES;

use super::EMBEDDING;
use super::plan::{Operation, Plan, TIME_BINS, bin_matrix};

/// Samples that are left of a beat after three strides of two.
const BINNED_LENGTH: usize = 22;

/// Conv 32 k9, conv 64 k5, residual conv 64 k3, conv 128 k3, four time bins, 64 outputs.
#[derive(Module, Debug)]
pub struct Binned {
    conv1: Conv1d,
    norm1: BatchNorm,
    conv2: Conv1d,
    norm2: BatchNorm,
    conv3: Conv1d,
    norm3: BatchNorm,
    conv4: Conv1d,
    norm4: BatchNorm,
    embed: Linear,
}

impl Binned {
    /// Randomly initialised.
    pub fn new(device: &Device) -> Self {
        let conv = |from, to, kernel: usize, stride| {
            let padding = PaddingConfig1d::Explicit(kernel / 2, kernel / 2);
            let config = Conv1dConfig::new(from, to, kernel).with_stride(stride).with_padding(padding);
            config.with_bias(false).init(device)
        };
        let norm = |channels| BatchNormConfig::new(channels).init(device);
        Self {
            conv1: conv(1, 32, 9, 2),
            norm1: norm(32),
            conv2: conv(32, 64, 5, 2),
            norm2: norm(64),
            conv3: conv(64, 64, 3, 1),
            norm3: norm(64),
            conv4: conv(64, 128, 3, 2),
            norm4: norm(128),
            embed: LinearConfig::new(128 * TIME_BINS, EMBEDDING).init(device),
        }
    }

    /// `[N, 1, 175]` → `[N, 64]`, not yet of unit length.
    pub fn forward(&self, beat: Tensor<3>) -> Tensor<2> {
        let batch = beat.dims()[0];
        let device = beat.device();
        let x = relu(self.norm1.forward(self.conv1.forward(beat)));
        let x = relu(self.norm2.forward(self.conv2.forward(x)));
        let x = relu(self.norm3.forward(self.conv3.forward(x.clone())) + x);
        let x = relu(self.norm4.forward(self.conv4.forward(x)));
        let bins =
            Tensor::<2>::from_data(TensorData::new(bin_matrix(BINNED_LENGTH), [BINNED_LENGTH, TIME_BINS]), &device);
        // One plain product [N·128, 22] × [22, 4]: the backend is much faster at it than at N small ones.
        let x = x.reshape([batch * 128, BINNED_LENGTH]).matmul(bins);
        self.embed.forward(x.reshape([batch, 128 * TIME_BINS]))
    }

    /// The same as a list, up to the 64 outputs.
    pub fn plan() -> Plan {
        let conv = |kernel: usize, stride| Operation::Conv { kernel, stride, padding: kernel / 2, bias: false };
        Plan::new(1, SEGMENT_SAMPLES)
            .then_to("conv1", conv(9, 2), 32)
            .then("norm1", Operation::BatchNorm)
            .then("relu1", Operation::Relu)
            .then_to("conv2", conv(5, 2), 64)
            .then("norm2", Operation::BatchNorm)
            .then("relu2", Operation::Relu)
            .then("keep", Operation::Keep)
            .then_to("conv3", conv(3, 1), 64)
            .then("norm3", Operation::BatchNorm)
            .then("add", Operation::AddKept)
            .then("relu3", Operation::Relu)
            .then_to("conv4", conv(3, 2), 128)
            .then("norm4", Operation::BatchNorm)
            .then("relu4", Operation::Relu)
            .then("bins", Operation::TimeBins)
            .then_to("embed", Operation::Linear, EMBEDDING)
    }
}
