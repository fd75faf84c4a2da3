//! The daemon's runtime on an exported file against the trainer's own forward pass.

use burn::tensor::Device;
use ecg_train::network::weights::{Weight, Weights};
use ecg_train::network::{Network, NetworkKind};
use ecg_train::{onnx, parity};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::knobs::KnobScope;

/// Largest difference that is allowed, as the project promises.
pub(crate) const TOLERANCE: f32 = 1e-4;

/// Loads an ONNX file as the daemon does (`src/inference/network.rs`): optimised, for one beat at a time, with the same
/// kernels.
pub(crate) fn load(path: &std::path::Path) -> std::sync::Arc<TypedRunnableModel> {
    #[cfg(target_arch = "x86_64")]
    tract_onnx::tract_core::knobs::set_config_global("TRACT_CPU_ISA", "-avx512f").unwrap();
    let prepared = KnobScope::new([("TRACT_LAZY_IM2COL_MIN_KERNEL", "2")]).unwrap();
    tract_onnx::onnx()
        .model_for_path(path)
        .and_then(|model| model.with_input_fact(0, f32::fact([1, 1, 175]).into()))
        .and_then(|model| prepared.enter(|| model.into_optimized()))
        .and_then(|model| model.into_runnable())
        .expect("tract loads what ecg-train writes")
}

pub(crate) fn largest_difference(expected: &[f32], got: &TValue) -> f32 {
    let got = got.to_plain_array_view::<f32>().expect("floats");
    assert_eq!(got.len(), expected.len());
    got.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn tract_gives_the_trainers_embeddings_and_logits() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    for (kind, classes) in [(NetworkKind::Lightweight, Some(6)), (NetworkKind::Binned, None)] {
        device.seed(3);
        let path = folder.path().join(format!("{}.onnx", kind.name()));
        onnx::write(&Network::new(kind, classes, &device), &path).unwrap();
        let dump = parity::dump(&onnx::read(&path, &device).unwrap(), &path, 8, 1);
        let model = load(&path);
        for (index, beat) in dump.beats.iter().enumerate() {
            let input = Tensor::from_shape(&[1, 1, 175], beat).unwrap();
            let outputs = model.run(tvec!(input.into())).unwrap();
            assert!(largest_difference(&dump.embedding[index], &outputs[0]) <= TOLERANCE);
            if let Some(logits) = &dump.logits {
                assert!(largest_difference(&logits[index], &outputs[1]) <= TOLERANCE);
            }
        }
    }
}

#[test]
fn tract_gives_the_trainers_embeddings_with_a_linear_branch_too() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    device.seed(3);
    let values = |count: usize| (0..count).map(|i| ((i * 37 % 101) as f32 - 50.0) / 100.0).collect();
    let branch = Weights::from([
        ("axes.weight".to_owned(), Weight { shape: vec![175, 24], values: values(4200) }),
        ("axes.bias".to_owned(), Weight { shape: vec![24], values: values(24) }),
    ]);
    let network = Network::new(NetworkKind::Binned, None, &device).with_branch(&branch).unwrap();
    let path = folder.path().join("branch.onnx");
    onnx::write(&network, &path).unwrap();
    let dump = parity::dump(&onnx::read(&path, &device).unwrap(), &path, 8, 1);
    let model = load(&path);
    for (beat, expected) in dump.beats.iter().zip(&dump.embedding) {
        assert_eq!(expected.len(), 88);
        let input = Tensor::from_shape(&[1, 1, 175], beat).unwrap();
        let outputs = model.run(tvec!(input.into())).unwrap();
        assert!(largest_difference(expected, &outputs[0]) <= TOLERANCE);
    }
}

#[test]
fn tract_takes_the_file_with_a_free_batch_dimension_too() {
    let _alone = crate::alone();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    let path = folder.path().join("batch.onnx");
    onnx::write(&Network::new(NetworkKind::Binned, None, &device), &path).unwrap();
    let dump = parity::dump(&onnx::read(&path, &device).unwrap(), &path, 5, 2);
    let model = tract_onnx::onnx().model_for_path(&path).unwrap().into_optimized().unwrap().into_runnable().unwrap();
    let input = Tensor::from_shape(&[5, 1, 175], &dump.beats.concat()).unwrap();
    let outputs = model.run(tvec!(input.into())).unwrap();
    assert!(largest_difference(&dump.embedding.concat(), &outputs[0]) <= TOLERANCE);
}
