//! A network as a list of operations: what is counted, printed and written to ONNX.
//!
//! The forward pass of training is code of its own (`lightweight.rs`, `binned.rs`); a test holds the two together.
//! This file knows no tensor and no file format.

/// One operation on a `[channels, length]` activation. `name` of a [`Layer`] is the path of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Convolution along time with symmetric zero padding.
    Conv {
        /// Taps.
        kernel: usize,
        /// Step between outputs, samples.
        stride: usize,
        /// Zeros on either side.
        padding: usize,
        /// Whether the layer has a bias of its own (superfluous in front of a batch norm).
        bias: bool,
    },
    /// Batch normalisation, one pair of parameters a channel.
    BatchNorm,
    /// Rectifier.
    Relu,
    /// Maximum over pairs of samples, an odd last sample dropped.
    MaxPool2,
    /// Remembers the activation for [`Operation::AddKept`].
    Keep,
    /// Adds the remembered activation.
    AddKept,
    /// Mean over all of time.
    GlobalAverage,
    /// Means over [`TIME_BINS`] stretches of time, flattened channel by channel.
    TimeBins,
    /// Fully connected layer with bias.
    Linear,
}

/// Stretches of time kept apart by [`Operation::TimeBins`].
pub const TIME_BINS: usize = 4;

/// One operation with its shapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Unique within the plan; the path of the weights, if there are any.
    pub name: &'static str,
    /// What is done.
    pub operation: Operation,
    /// Channels and samples that go in.
    pub input: (usize, usize),
    /// Channels and samples that come out.
    pub output: (usize, usize),
}

impl Layer {
    /// Trainable parameters. Running means and variances of a batch norm are not trained and not counted.
    pub fn parameters(&self) -> usize {
        let ((from, length), (to, _)) = (self.input, self.output);
        match self.operation {
            Operation::Conv { kernel, bias, .. } => from * to * kernel + if bias { to } else { 0 },
            Operation::BatchNorm => 2 * from,
            Operation::Linear => from * length * to + to,
            _ => 0,
        }
    }

    /// Multiply-accumulate operations for one input. A batch norm is folded into its convolution by every runtime.
    pub fn multiply_accumulates(&self) -> usize {
        let ((from, length), (to, out_length)) = (self.input, self.output);
        match self.operation {
            Operation::Conv { kernel, .. } => from * to * kernel * out_length,
            Operation::Linear => from * length * to,
            _ => 0,
        }
    }
}

/// The operations from a beat to its output, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    layers: Vec<Layer>,
    shape: (usize, usize),
}

impl Plan {
    /// A plan that starts from `channels` × `length`.
    pub fn new(channels: usize, length: usize) -> Self {
        Self { layers: Vec::new(), shape: (channels, length) }
    }

    /// Adds an operation that keeps the number of channels, or cannot choose it.
    pub fn then(self, name: &'static str, operation: Operation) -> Self {
        let channels = self.shape.0;
        self.then_to(name, operation, channels)
    }

    /// Adds an operation with `channels` outputs.
    pub fn then_to(mut self, name: &'static str, operation: Operation, channels: usize) -> Self {
        let (from, length) = self.shape;
        let output = match operation {
            Operation::Conv { kernel, stride, padding, .. } => (channels, (length + 2 * padding - kernel) / stride + 1),
            Operation::MaxPool2 => (from, length / 2),
            Operation::GlobalAverage => (from, 1),
            Operation::TimeBins => (from * TIME_BINS, 1),
            Operation::Linear => (channels, 1),
            Operation::BatchNorm | Operation::Relu | Operation::Keep | Operation::AddKept => (from, length),
        };
        self.layers.push(Layer { name, operation, input: self.shape, output });
        self.shape = output;
        self
    }

    /// The operations in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Trainable parameters of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(Layer::parameters).sum()
    }

    /// Multiply-accumulate operations for one input.
    pub fn multiply_accumulates(&self) -> usize {
        self.layers.iter().map(Layer::multiply_accumulates).sum()
    }
}

/// First and one-past-last sample of each of the [`TIME_BINS`] stretches of `length` samples.
///
/// They overlap by a sample where the length does not divide: 22 samples give 0–5, 5–10, 11–16, 16–21.
fn time_bins(length: usize) -> [(usize, usize); TIME_BINS] {
    std::array::from_fn(|bin| (bin * length / TIME_BINS, ((bin + 1) * length).div_ceil(TIME_BINS)))
}

/// Row-major `[length, TIME_BINS]`: multiplied from the right, column b averages time bin b.
pub fn bin_matrix(length: usize) -> Vec<f32> {
    let mut matrix = vec![0.0; length * TIME_BINS];
    for (bin, (from, to)) in time_bins(length).into_iter().enumerate() {
        for row in from..to {
            matrix[row * TIME_BINS + bin] = 1.0 / (to - from) as f32;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_bins_of_22_samples_overlap_by_one() {
        assert_eq!(time_bins(22), [(0, 6), (5, 11), (11, 17), (16, 22)]);
        assert_eq!(time_bins(8), [(0, 2), (2, 4), (4, 6), (6, 8)]);
    }

    #[test]
    fn strides_and_padding_give_the_documented_lengths() {
        let conv = |kernel, stride| Operation::Conv { kernel, stride, padding: kernel / 2, bias: false };
        let plan =
            Plan::new(1, 175).then_to("a", conv(9, 2), 32).then_to("b", conv(5, 2), 64).then_to("c", conv(3, 2), 128);
        let shapes: Vec<_> = plan.layers().iter().map(|layer| layer.output).collect();
        assert_eq!(shapes, [(32, 88), (64, 44), (128, 22)]);
    }
}
