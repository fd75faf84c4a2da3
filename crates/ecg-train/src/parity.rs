//! Seeded beats with the trainer's own answers, for comparing runtimes on the exported file.
//!
//! Knows no runtime: a test asks tract, `scripts/parity.py` asks onnxruntime.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use ecg_signal::{SEGMENT_R_INDEX, SEGMENT_SAMPLES};
use serde::Serialize;

use crate::network::Network;
use crate::network::weights::floats;
use crate::random::normal;

/// Inputs and what the network made of them. Rows of equal length.
#[derive(Clone, Debug, Serialize)]
pub struct Dump {
    /// The ONNX file that was read back.
    pub model: String,
    /// Beats of 175 z-scored samples.
    pub beats: Vec<Vec<f32>>,
    /// One embedding a beat.
    pub embedding: Vec<Vec<f32>>,
    /// One row of class scores a beat, if the network has classes.
    pub logits: Option<Vec<Vec<f32>>>,
}

/// Runs `network` on `count` artificial beats and keeps both sides.
pub fn dump(network: &Network, model: &Path, count: usize, seed: u64) -> Dump {
    let mut rng = fastrand::Rng::with_seed(seed);
    let beats: Vec<Vec<f32>> = (0..count).map(|_| artificial_beat(&mut rng)).collect();
    let input = TensorData::new(beats.concat(), [count, 1, SEGMENT_SAMPLES]);
    let output = network.forward(Tensor::from_data(input, &Device::flex()));
    Dump {
        model: model.display().to_string(),
        beats,
        embedding: rows(output.embedding),
        logits: output.logits.map(rows),
    }
}

/// The rows of a matrix.
pub fn rows(matrix: Tensor<2>) -> Vec<Vec<f32>> {
    let width = matrix.dims()[1];
    floats(matrix.into_data()).chunks(width).map(<[f32]>::to_vec).collect()
}

/// A QRS-like bump, a T-like one and noise, z-scored: near enough to a beat that no layer is silent.
fn artificial_beat(rng: &mut fastrand::Rng) -> Vec<f32> {
    let (width, t_height, t_delay) = (2.0 + 3.0 * rng.f32(), rng.f32() - 0.3, 45.0 + 30.0 * rng.f32());
    let bump = |at: f32, centre: f32, width: f32| (-((at - centre) / width).powi(2) / 2.0).exp();
    let r = SEGMENT_R_INDEX as f32;
    let beat: Vec<f32> = (0..SEGMENT_SAMPLES)
        .map(|i| {
            let at = i as f32;
            bump(at, r, width) + t_height * bump(at, r + t_delay, 12.0) + 0.05 * normal(rng) as f32
        })
        .collect();
    let count = SEGMENT_SAMPLES as f32;
    let mean = beat.iter().sum::<f32>() / count;
    let deviation = (beat.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count).sqrt();
    beat.iter().map(|x| (x - mean) / deviation).collect()
}
