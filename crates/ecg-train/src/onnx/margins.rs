//! How far beyond its own ends each layer is computed, so that the convolutions behind it need no padding.
//!
//! tract pads a convolution's input by a copy of its own, which takes a fifth as long as the convolution. Here the layer
//! in front computes the margin as well (in tiles that its matrix product would leave empty), and a product with a mask,
//! part of the same matrix product, makes it the zeros of the padding. Knows plans only.

use crate::network::plan::{Operation, Plan};

/// First and one-past-last sample, counted from the first of the layer's own.
pub(super) type Extent = (isize, isize);

/// What each layer of the plan computes, own samples and margins.
pub(super) fn extents(plan: &Plan) -> Vec<Extent> {
    let mut wanted = None;
    let backwards = plan.layers().iter().rev().map(|layer| {
        let own = (0, layer.output.1 as isize);
        let (extent, before) = match layer.operation {
            Operation::Conv { .. } => {
                let extent = wanted.unwrap_or(own);
                (extent, Some(read(layer.operation, extent)))
            }
            Operation::BatchNorm | Operation::Relu | Operation::Keep | Operation::AddKept => {
                let extent = wanted.unwrap_or(own);
                (extent, Some(extent))
            }
            Operation::MaxPool2 | Operation::GlobalAverage | Operation::TimeBins | Operation::Linear => (own, None),
        };
        wanted = before;
        extent
    });
    let mut extents: Vec<Extent> = backwards.collect();
    extents.reverse();
    extents
}

/// What a layer reads of its input to compute `extent`.
pub(super) fn read(operation: Operation, extent: Extent) -> Extent {
    let Operation::Conv { kernel, stride, padding, .. } = operation else { return extent };
    let start = |at: isize| at * stride as isize - padding as isize;
    (start(extent.0), start(extent.1 - 1) + kernel as isize)
}

/// One within the `length` samples of a layer, zero in the margins of `extent`; none where there are no margins.
pub(super) fn mask(extent: Extent, length: usize) -> Option<Vec<f32>> {
    let own = 0..length as isize;
    let mask = || (extent.0..extent.1).map(|at| f32::from(u8::from(own.contains(&at)))).collect();
    (extent != (own.start, own.end)).then(mask)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::NetworkKind;

    #[test]
    fn only_the_first_convolution_of_the_binned_network_is_padded() {
        let plan = NetworkKind::Binned.plan();
        let extents = extents(&plan);
        let mut given = (0, 175);
        let mut pads = Vec::new();
        for (layer, &extent) in plan.layers().iter().zip(&extents) {
            if let Operation::Conv { .. } = layer.operation {
                let read = read(layer.operation, extent);
                pads.push((given.0 - read.0, read.1 - given.1));
            }
            given = extent;
        }
        assert_eq!(pads, [(16, 10), (0, 0), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_layer_behind_a_pooling_is_padded_as_it_says() {
        let plan = NetworkKind::Lightweight.plan();
        let computed = extents(&plan);
        assert!(plan.layers().iter().zip(computed).all(|(layer, extent)| extent == (0, layer.output.1 as isize)));
    }

    #[test]
    fn the_mask_is_one_on_the_layers_own_samples() {
        assert_eq!(mask((0, 3), 3), None);
        assert_eq!(mask((-2, 4), 3), Some(vec![0.0, 0.0, 1.0, 1.0, 1.0, 0.0]));
    }
}
