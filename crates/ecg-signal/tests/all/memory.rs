//! Memory: nothing is allocated per sample, and a day takes no more of it than its first minutes.

use allocation_counter::measure;
use ecg_signal::hrv::HrvWindow;
use ecg_signal::{Conditioner, Hertz, Mains, PathConfig, PathInput, QrsDetector, Resampler, SignalPath};

use crate::wave::{Noise, heart};

/// Seconds of a heart at 75 a minute with noise that swells and fades, a jump of the electrode and a second at the rail.
fn signal(fs: f64, seconds: f64) -> Vec<PathInput> {
    let mut noise = Noise::new(9);
    (0..(seconds * fs) as usize)
        .map(|n| {
            let t = n as f64 / fs;
            let size = if t % 50.0 < 40.0 { 0.02 } else { 0.3 };
            let millivolts = heart(t, 0.8) + size * noise.normal() + if t % 120.0 < 60.0 { 0.0 } else { 150.0 };
            PathInput { millivolts, clipped: (200.0..201.0).contains(&t), lead_off: None }
        })
        .collect()
}

#[test]
fn an_allocation_would_be_counted() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1u8; 100]))).count_total, 1);
}

#[test]
fn nothing_is_allocated_once_a_kernel_is_built() {
    let x: Vec<f64> = signal(250.0, 300.0).iter().map(|input| input.millivolts).collect();
    let mut detector = QrsDetector::new(Hertz(250.0));
    let mut conditioner = Conditioner::new(Hertz(250.0), Mains::Hz50).expect("legal");
    let mut resampler = Resampler::new(Hertz(360.0), Hertz(250.0)).expect("legal");
    let (mut notched, mut conditioned, mut beats, mut resampled) = (x.clone(), x.clone(), 0, 0.0);
    let counted = measure(|| {
        detector.push_block(&x, &mut |_| beats += 1);
        conditioner.run_block(&mut notched, &mut conditioned);
        resampler.push_block(&x, &mut |y| resampled += y);
        x[..1000].iter().for_each(|&x| {
            detector.push(x, &mut |_| beats += 1);
            conditioner.run(x);
            resampler.push(x, &mut |y| resampled += y);
        });
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
    assert!(beats > 300 && resampled != 0.0 && conditioned != x);
}

#[test]
fn the_path_allocates_nothing_per_sample() {
    for fs in [100.0, 250.0, 360.0, 2000.0] {
        let inputs = signal(fs, 300.0);
        let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("legal");
        let mut beats = 0;
        let counted = measure(|| {
            path.push_block(&inputs, &mut |_| beats += 1);
            inputs[..5000].iter().for_each(|&input| path.push(input, &mut |_| beats += 1));
        });
        assert_eq!(counted.count_total, 0, "{fs} Hz: {counted:?}");
        assert!(beats > 250, "{fs} Hz: {beats} beats");
    }
}

#[test]
fn a_day_takes_no_more_memory_than_its_first_minutes() {
    let minutes = signal(250.0, 600.0);
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(250.0), mains: Mains::Hz50 }).expect("legal");
    let (mut beats, mut last) = (0u64, 0.0);
    let mut hear = |path: &mut SignalPath| {
        minutes.chunks(250).for_each(|second| {
            path.push_block(second, &mut |beat| {
                beats += 1;
                last = beat.r_peak;
            });
        });
        // Lost samples happen, too.
        path.gap(0, &mut |_| ());
    };
    hear(&mut path);
    let counted = measure(|| (1..6 * 24).for_each(|_| hear(&mut path)));
    println!("{} samples: {counted:?}, {beats} beats", path.index());
    assert_eq!(path.index(), 24 * 3600 * 250);
    assert_eq!((counted.bytes_current, counted.count_current), (0, 0), "{counted:?}");
    assert!(counted.bytes_total < 1 << 20, "{counted:?}");
    assert!(beats > 24 * 60 * 60 && last > (24.0 * 3600.0 - 3.0) * 250.0, "{beats} beats, the last at {last}");
}

#[test]
fn figures_of_variability_hold_no_more_after_three_days_than_after_one() {
    let mut window = HrvWindow::corrected(300.0);
    let mut beats = (1..).map(|n: u32| f64::from(n) * 0.8 + 0.02 * (f64::from(n) * 0.4).sin());
    let mut days = |count: usize| beats.by_ref().take(count * 108_000).for_each(|at_s| window.push(at_s, true));
    days(1);
    let counted = measure(|| days(2));
    assert!(counted.bytes_current <= 4096, "{counted:?}");
    assert!(window.day(3.0 * 86_400.0).clean_s > 86_000.0);
}
