//! Blocks give what single samples give, to the last bit: the whole path, the detector, the conditioner, the resampler.

use ecg_signal::{
    Beat, Conditioner, Detection, Hertz, Mains, PathConfig, PathInput, QrsDetector, Resampler, SignalPath, SignalState,
};
use proptest::prelude::*;

use crate::wave::{Noise, heart};

/// A heart with what boards send besides: noise, steps, rails, lost contact, values that are no numbers.
fn inputs(fs: f64, seconds: f64, seed: u64) -> Vec<PathInput> {
    let mut noise = Noise::new(seed);
    let (mut clipped, mut lead_off, mut wild, mut offset) = (0u32, 0u32, 0u32, 0.0);
    let begin = |left: &mut u32, per_second: f64, noise: &mut Noise| {
        if *left > 0 {
            *left -= 1;
        } else if noise.uniform() < per_second / fs {
            *left = (noise.uniform() * 0.3 * fs) as u32;
        }
        *left > 0
    };
    (0..(fs * seconds) as usize)
        .map(|n| {
            if noise.uniform() < 0.1 / fs {
                offset += 300.0 * (noise.uniform() - 0.5);
            }
            let rr = if (n as f64 / fs) % 40.0 < 20.0 { 0.8 } else { 0.55 };
            let millivolts = heart(n as f64 / fs, rr) + 0.02 * noise.normal() + offset;
            PathInput {
                clipped: begin(&mut clipped, 0.1, &mut noise),
                lead_off: [None, Some(begin(&mut lead_off, 0.05, &mut noise))][seed as usize % 2],
                millivolts: if begin(&mut wild, 0.03, &mut noise) { f64::NAN } else { millivolts },
            }
        })
        .collect()
}

/// What comes out of a path for blocks of the lengths that `length` gives, with a gap in the middle.
fn through(fs: f64, inputs: &[PathInput], mut length: impl FnMut() -> usize) -> (Vec<Beat>, SignalState, u64) {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("a legal configuration");
    let mut beats = Vec::new();
    let (before, after) = inputs.split_at(inputs.len() / 2);
    for mut rest in [before, after] {
        while !rest.is_empty() {
            let (block, later) = rest.split_at(length().min(rest.len()));
            path.push_block(block, &mut |beat| beats.push(beat));
            rest = later;
        }
        path.gap(97, &mut |beat| beats.push(beat));
    }
    path.push_block(before, &mut |beat| beats.push(beat));
    (beats, path.signal_state(), path.unusable_samples())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_path_gives_the_same_beats_in_blocks_of_any_length(
        seed in any::<u64>(),
        fs in prop_oneof![Just(250.0), Just(100.0), Just(128.0), Just(1000.0 / 3.0), Just(360.0), Just(500.0), Just(2000.0)],
        longest in prop_oneof![Just(3usize), Just(64), Just(700), Just(100_000)],
    ) {
        let inputs = inputs(fs, 60.0, seed);
        let single = through(fs, &inputs, || 1);
        let mut noise = Noise::new(seed ^ 1);
        let blocks = through(fs, &inputs, || 1 + (noise.uniform() * longest as f64) as usize);
        prop_assert!(single.0.len() > 60);
        prop_assert_eq!(blocks.0.len(), single.0.len());
        for (block, single) in blocks.0.iter().zip(&single.0) {
            prop_assert_eq!(block, single);
        }
        prop_assert_eq!((blocks.1, blocks.2), (single.1, single.2));
    }

    #[test]
    fn detector_conditioner_and_resampler_give_the_same_in_blocks_of_any_length(
        seed in any::<u64>(),
        fs in prop_oneof![Just(200.0), Just(250.0), Just(360.0), Just(500.0)],
        length in prop_oneof![2usize..70, Just(64usize), Just(5000usize)],
    ) {
        let mut noise = Noise::new(seed);
        let x: Vec<f64> = (0..20_000).map(|n| heart(f64::from(n) / fs, 0.7) + 0.1 * noise.normal()).collect();

        let (mut single, mut blocks) = (QrsDetector::new(Hertz(fs)), QrsDetector::new(Hertz(fs)));
        let mut beats: [Vec<Detection>; 2] = Default::default();
        x.iter().for_each(|&x| single.push(x, &mut |beat| beats[0].push(beat)));
        x.chunks(length).for_each(|block| blocks.push_block(block, &mut |beat| beats[1].push(beat)));
        prop_assert!(beats[0].len() > 20);
        prop_assert_eq!(&beats[0], &beats[1]);

        let mut conditioner = Conditioner::new(Hertz(fs), Mains::Hz60).expect("legal");
        let single: Vec<f64> = x.iter().map(|&x| conditioner.run(x)).collect();
        let mut conditioner = Conditioner::new(Hertz(fs), Mains::Hz60).expect("legal");
        let (mut notched, mut conditioned) = (x.clone(), vec![0.0; x.len()]);
        for (notched, conditioned) in notched.chunks_mut(length).zip(conditioned.chunks_mut(length)) {
            conditioner.run_block(notched, conditioned);
        }
        prop_assert_eq!(conditioned, single);

        let mut outputs: [Vec<f64>; 2] = Default::default();
        let mut resampler = Resampler::new(Hertz(fs), Hertz(250.0)).expect("legal");
        x.iter().for_each(|&x| resampler.push(x, &mut |y| outputs[0].push(y)));
        let mut resampler = Resampler::new(Hertz(fs), Hertz(250.0)).expect("legal");
        x.chunks(length).for_each(|block| resampler.push_block(block, &mut |y| outputs[1].push(y)));
        prop_assert_eq!(&outputs[0], &outputs[1]);
    }
}
