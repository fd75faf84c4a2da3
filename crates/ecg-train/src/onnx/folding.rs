//! Batch norms and residual additions as part of the convolution in front of them, and back again.
//!
//! A convolution, its batch norm and the addition of its own input are one linear map: the norm scales the taps and
//! gives a bias, the addition is a one in the middle tap of a channel to itself. Knows plans and weights, no file format.

use crate::network::plan::{Layer, Operation, Plan};
use crate::network::weights::{Weight, Weights};

/// The epsilon of every batch norm.
const BATCH_NORM_EPSILON: f32 = 1e-5;
/// The parameters of a batch norm.
const NORM_PARTS: [&str; 4] = ["gamma", "beta", "running_mean", "running_var"];

/// The weights of `plan` with every batch norm in its convolution, which gets a bias.
pub(super) fn fold(plan: &Plan, weights: &Weights) -> Weights {
    let mut folded = weights.clone();
    for block in blocks(plan) {
        let own_bias = folded.remove(&block.bias());
        let parts = NORM_PARTS.map(|part| folded.remove(&format!("{}.{part}", block.norm)));
        let (Some(taps), [Some(gamma), Some(beta), Some(mean), Some(variance)]) =
            (folded.get_mut(&block.weight()), parts)
        else {
            continue;
        };
        let scale = |channel: usize| {
            f64::from(gamma.values[channel]) / f64::from(variance.values[channel] + BATCH_NORM_EPSILON).sqrt()
        };
        let row = taps.values.len() / taps.shape[0];
        for (channel, taps) in taps.values.chunks_mut(row).enumerate() {
            taps.iter_mut().for_each(|tap| *tap = (f64::from(*tap) * scale(channel)) as f32);
        }
        if block.residual {
            add_to_own_channel(taps, 1.0);
        }
        let bias = |channel: usize| {
            let own = own_bias.as_ref().map_or(0.0, |bias| f64::from(bias.values[channel]));
            (f64::from(beta.values[channel]) + (own - f64::from(mean.values[channel])) * scale(channel)) as f32
        };
        let bias = Weight { shape: beta.shape.clone(), values: (0..beta.values.len()).map(bias).collect() };
        folded.insert(block.bias(), bias);
    }
    folded
}

/// Weights that fit the modules of `plan` again: the same function, with batch norms that only add the bias. Weights
/// that are not folded stay as they are.
pub(super) fn unfold(plan: &Plan, weights: &mut Weights) {
    for block in blocks(plan) {
        if weights.contains_key(&format!("{}.{}", block.norm, NORM_PARTS[0])) {
            continue;
        }
        let Some(beta) = weights.remove(&block.bias()) else { continue };
        let all = |value: f32| Weight { shape: beta.shape.clone(), values: vec![value; beta.values.len()] };
        let parts = [all(1.0), beta.clone(), all(0.0), all(1.0 - BATCH_NORM_EPSILON)];
        if block.own_bias {
            weights.insert(block.bias(), all(0.0));
        }
        for (part, weight) in NORM_PARTS.into_iter().zip(parts) {
            weights.insert(format!("{}.{part}", block.norm), weight);
        }
        if let Some(taps) = weights.get_mut(&block.weight()).filter(|_| block.residual) {
            add_to_own_channel(taps, -1.0);
        }
    }
}

/// A convolution with what is folded into it.
struct Block {
    convolution: &'static str,
    norm: &'static str,
    /// Whether the module has a bias in front of the norm.
    own_bias: bool,
    /// Whether the convolution's own input is added behind the norm.
    residual: bool,
}

impl Block {
    fn weight(&self) -> String {
        format!("{}.weight", self.convolution)
    }

    fn bias(&self) -> String {
        format!("{}.bias", self.convolution)
    }
}

fn blocks(plan: &Plan) -> impl Iterator<Item = Block> {
    let layers = plan.layers();
    let is = |index: usize, operation| layers.get(index).is_some_and(|layer: &Layer| layer.operation == operation);
    layers.windows(2).enumerate().filter_map(move |(index, pair)| {
        let Operation::Conv { bias: own_bias, .. } = pair[0].operation else { return None };
        let residual = index > 0 && is(index - 1, Operation::Keep) && is(index + 2, Operation::AddKept);
        let block = Block { convolution: pair[0].name, norm: pair[1].name, own_bias, residual };
        (pair[1].operation == Operation::BatchNorm).then_some(block)
    })
}

/// Adds to the middle tap from each channel to itself; `[channels, channels, taps]`.
fn add_to_own_channel(weight: &mut Weight, value: f32) {
    let (channels, taps) = (weight.shape[1], weight.shape[2]);
    for channel in 0..channels {
        weight.values[(channel * channels + channel) * taps + taps / 2] += value;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::network::{Network, NetworkKind};

    #[test]
    fn every_batch_norm_and_every_addition_of_our_networks_is_folded() {
        for kind in [NetworkKind::Lightweight, NetworkKind::Binned] {
            let plan = kind.plan();
            let count = |operation| plan.layers().iter().filter(|layer| layer.operation == operation).count();
            assert_eq!(blocks(&plan).count(), count(Operation::BatchNorm));
            assert_eq!(blocks(&plan).filter(|block| block.residual).count(), count(Operation::AddKept));
        }
    }

    #[test]
    fn weights_of_an_older_file_stay_as_they_are() {
        for kind in [NetworkKind::Lightweight, NetworkKind::Binned] {
            let weights = Network::new(kind, None, &Device::flex()).weights();
            let mut unfolded = weights.clone();
            unfold(&kind.plan(), &mut unfolded);
            assert_eq!(unfolded, weights);
        }
    }
}
