//! What every kernel promises: reset is as new, finite gives finite, the delay is the stated one.

use ecg_signal::conditioner::Conditioner;
use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::quality::half_rate::HalfRate;
use ecg_signal::slew::SlewLimiter;
use ecg_signal::wavelet::denoise::Denoiser;
use ecg_signal::{Hertz, Kernel, Mains};
use proptest::prelude::*;

use crate::wave::{Noise, heart_record};

const FS: Hertz = Hertz(250.0);

fn run<K: Kernel<Input = f64, Output = f64>>(kernel: &mut K, x: &[f64]) -> Vec<f64> {
    let mut y: Vec<f64> = x.iter().filter_map(|&v| kernel.push(v)).collect();
    while let Some(v) = kernel.flush() {
        y.push(v);
    }
    y
}

fn keeps_its_promises<K: Kernel<Input = f64, Output = f64> + Clone>(new: &K, x: &[f64]) -> Result<(), TestCaseError> {
    let mut used = new.clone();
    let first = run(&mut used, x);
    prop_assert!(first.iter().all(|v| v.is_finite()));
    used.reset();
    prop_assert_eq!(run(&mut used, x), first);
    prop_assert!(used.flush().is_none());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn kernels_reset_to_new_and_stay_finite(
        seed in any::<u64>(),
        scale in prop_oneof![Just(0.0), Just(1e-9), Just(1.0), Just(1e6)],
        offset in -400.0..400.0f64,
        length in 1usize..3000,
    ) {
        let mut noise = Noise::new(seed);
        let x: Vec<f64> = (0..length).map(|_| offset + scale * noise.normal()).collect();
        keeps_its_promises(&SosFilter::new(&design::band_pass(4, Hertz(0.5), Hertz(40.0), FS).unwrap()), &x)?;
        keeps_its_promises(&Denoiser::new(FS), &x)?;
        keeps_its_promises(&Conditioner::new(FS, Mains::Hz50).unwrap(), &x)?;
        keeps_its_promises(&SlewLimiter::new(FS), &x)?;
        keeps_its_promises(&SlewLimiter::new(Hertz(125.0)), &x)?;
        keeps_its_promises(&HalfRate::default(), &x)?;
        let both = SosFilter::new(&design::low_pass(2, Hertz(40.0), FS).unwrap()).then(Denoiser::new(FS));
        keeps_its_promises(&both, &x)?;
    }
}

#[test]
fn an_r_peak_comes_out_of_the_conditioner_at_its_delay() {
    for fs in [250.0, 360.0, 500.0, 1000.0] {
        for mains in [Mains::None, Mains::Hz50, Mains::Hz60] {
            let mut conditioner = Conditioner::new(Hertz(fs), mains).unwrap();
            let x = heart_record(fs, 12.0, 1.0);
            let y: Vec<f64> = x.iter().filter_map(|&v| conditioner.push(v)).collect();
            for beat in 5..10 {
                let r = (f64::from(beat) * fs) as usize;
                let near = r + conditioner.delay_samples() - 20..r + conditioner.delay_samples() + 20;
                let top = near.clone().max_by(|&a, &b| y[a].total_cmp(&y[b])).unwrap();
                let lag = top as f64 - r as f64;
                assert!((lag - conditioner.delay()).abs() <= (fs / 250.0).max(1.0), "{fs} Hz {mains:?}: {lag}");
            }
        }
    }
}

#[test]
fn the_conditioner_is_early_enough_for_the_decision() {
    // 800 ms from R are 200 samples; 112 lie in the segment behind R, and the resampler takes up to 7.
    let conditioner = Conditioner::new(FS, Mains::Hz50).unwrap();
    assert!(conditioner.delay_samples() <= 79, "{}", conditioner.delay_samples());
}

#[test]
fn kernels_in_a_row_add_their_delays() {
    let low = SosFilter::new(&design::low_pass(3, Hertz(40.0), FS).unwrap());
    let sum = low.delay() + Denoiser::new(FS).delay();
    assert_eq!(low.then(Denoiser::new(FS)).delay(), sum);
}
