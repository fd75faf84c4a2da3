//! Mel-frequency cepstral coefficients: against a public library, and what must hold for every segment.

use ecg_signal::mfcc::{COEFFICIENTS, FRAMES};
use ecg_signal::{Mfcc, SEGMENT_SAMPLES};
use proptest::prelude::*;

/// A beat of five Gaussian waves, millivolts: centre and width in samples.
fn beat() -> [f64; SEGMENT_SAMPLES] {
    let waves = [(0.12, 25.0, 6.0), (-0.1, 55.0, 2.0), (1.1, 62.0, 2.5), (-0.25, 70.0, 3.0), (0.3, 130.0, 12.0)];
    std::array::from_fn(|i| {
        waves.iter().map(|(mv, at, width)| mv * (-0.5 * ((i as f64 - at) / width).powi(2)).exp()).sum()
    })
}

/// Within 1e-6 of librosa, at a rate and a knee 70 times ours, which is the same computation (`golden/mfcc.json` says
/// with which versions and calls).
#[test]
fn the_coefficients_of_a_beat_are_those_of_a_public_library() {
    let golden: serde_json::Value = serde_json::from_str(include_str!("../golden/mfcc.json")).unwrap();
    let frames = Mfcc::new().segment(&beat());
    let expected = golden["coefficients"].as_array().unwrap();
    assert_eq!(expected.len(), FRAMES);
    for (frame, expected) in frames.iter().zip(expected) {
        for (got, expected) in frame.iter().zip(expected.as_array().unwrap()) {
            let expected = expected.as_f64().unwrap();
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }
}

#[test]
fn a_louder_beat_changes_the_first_coefficient_alone() {
    let (mut kernel, quiet) = (Mfcc::new(), beat());
    let loud = quiet.map(|x| 3.0 * x);
    let louder = 2.0 * 3.0_f64.ln() * 20.0_f64.sqrt();
    for (a, b) in kernel.segment(&quiet).iter().zip(kernel.clone().segment(&loud)) {
        assert!((b[0] - a[0] - louder).abs() < 1e-3, "{} {}", a[0], b[0]);
        assert!(a[1..].iter().zip(&b[1..]).all(|(x, y)| (x - y).abs() < 1e-3));
    }
}

proptest! {
    #[test]
    fn finite_segments_give_finite_coefficients_and_the_kernel_remembers_nothing(
        values in prop::collection::vec(-1e4_f64..1e4, SEGMENT_SAMPLES),
    ) {
        let mut kernel = Mfcc::new();
        let segment: [f64; SEGMENT_SAMPLES] = values.try_into().unwrap();
        let first = kernel.segment(&segment);
        prop_assert!(first.iter().flatten().all(|c| c.is_finite()));
        let silence = kernel.segment(&[0.0; SEGMENT_SAMPLES]);
        prop_assert!(silence.iter().flatten().all(|c| c.is_finite()));
        prop_assert_eq!(kernel.segment(&segment), first);
        prop_assert_eq!(first[0].len(), COEFFICIENTS);
    }
}
