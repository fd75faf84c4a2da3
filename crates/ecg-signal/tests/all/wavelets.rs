//! The wavelet against PyWavelets, and what the denoiser is worth.

use ecg_signal::filter::SosFilter;
use ecg_signal::filter::design;
use ecg_signal::wavelet::denoise::Denoiser;
use ecg_signal::wavelet::stationary::{Analysis, Synthesis, level_delay};
use ecg_signal::wavelet::worth::{self, Worth};
use ecg_signal::wavelet::{self, decompose, reconstruct};
use ecg_signal::{Hertz, Kernel};

use crate::golden::{dsp, largest_difference, numbers};
use crate::wave::{Noise, heart_record};

const FS: Hertz = Hertz(250.0);

#[test]
fn filters_equal_pywavelets() {
    let golden = dsp();
    let db6 = &golden["db6"];
    for (name, taps) in [
        ("dec_lo", wavelet::decomposition_low()),
        ("dec_hi", wavelet::decomposition_high()),
        ("rec_lo", wavelet::RECONSTRUCTION_LOW),
        ("rec_hi", wavelet::reconstruction_high()),
    ] {
        assert!(largest_difference(&taps, &numbers(&db6[name])) <= 1e-15, "{name}");
    }
}

#[test]
fn decimated_transform_equals_pywavelets_and_inverts() {
    let golden = dsp();
    let x = numbers(&golden["x"]);
    let ours = decompose(&x, 4);
    let theirs: Vec<Vec<f64>> = golden["db6"]["wavedec_l4"].as_array().expect("legal").iter().map(numbers).collect();
    assert!(largest_difference(&ours.approximation, &theirs[0]) <= 1e-10);
    for (level, detail) in ours.details.iter().rev().enumerate() {
        assert!(largest_difference(detail, &theirs[1 + level]) <= 1e-10, "cD{}", 4 - level);
    }
    assert!(largest_difference(&reconstruct(&ours), &x) <= 1e-10);

    let mut denoised = decompose(&x, 4);
    let threshold = golden["db6"]["universal_threshold"].as_f64().expect("legal");
    for detail in &mut denoised.details {
        detail.iter_mut().for_each(|d| *d = d.signum() * (d.abs() - threshold).max(0.0));
    }
    let theirs = numbers(&golden["db6"]["denoise_soft_all_details"]);
    assert!(largest_difference(&reconstruct(&denoised), &theirs) <= 1e-10);
}

#[test]
fn streaming_analysis_equals_pywavelets_on_the_interior() {
    let golden = dsp();
    let x = numbers(&golden["x"]);
    let theirs: Vec<Vec<f64>> = golden["db6"]["wavedec_l4"].as_array().expect("legal").iter().map(numbers).collect();
    let mut approximation = x.clone();
    for level in 1..=4usize {
        let mut analysis = Analysis::new(level);
        let outputs: Vec<(f64, f64)> = approximation.iter().map(|&a| analysis.push(a)).collect();
        let mut detail = vec![0.0; approximation.len()];
        Analysis::new(level).run_block(&mut approximation, &mut detail);
        assert!(outputs.iter().copied().eq(approximation.iter().copied().zip(detail)), "blocks, level {level}");
        let decimated = &theirs[5 - level];
        let mut compared = 0;
        for (i, coefficient) in decimated.iter().enumerate() {
            let at = (i << level) + (1 << level) - 1;
            if at < 11 * ((1 << level) - 1) || at >= x.len() {
                continue;
            }
            let ours = outputs[at].1 * 2f64.powf(level as f64 / 2.0);
            assert!((ours - coefficient).abs() <= 1e-10, "level {level}, coefficient {i}");
            compared += 1;
        }
        assert!(compared > 1024 / (1 << level) - 16, "{compared} of level {level}");
    }
}

#[test]
fn one_level_of_analysis_and_synthesis_is_a_pure_delay() {
    for level in 1..=4 {
        let (mut analysis, mut synthesis) = (Analysis::new(level), Synthesis::new(level));
        let mut noise = Noise::new(1);
        let x: Vec<f64> = (0..600).map(|_| noise.normal()).collect();
        for n in 0..x.len() {
            let (a, d) = analysis.push(x[n]);
            let y = synthesis.push(a, d);
            let expected = n.checked_sub(level_delay(level)).map_or(0.0, |m| x[m]);
            assert!((y - expected).abs() < 1e-12, "level {level} at {n}");
        }
    }
}

/// EMG: noise of 20 to 110 Hz that swells and fades with a random envelope of about a second.
fn emg(samples: usize, noise: &mut Noise) -> Vec<f64> {
    let mut band = SosFilter::new(&design::band_pass(4, Hertz(20.0), Hertz(110.0), FS).expect("legal"));
    let mut envelope = 1.0;
    let raw = (0..samples).map(|n| {
        if n % 250 == 0 {
            envelope = 0.4 - noise.uniform().max(1e-9).ln();
        }
        envelope * band.run(noise.normal())
    });
    raw.collect()
}

fn white(samples: usize, noise: &mut Noise) -> Vec<f64> {
    (0..samples).map(|_| noise.normal()).collect()
}

fn shipped(x: &[f64]) -> Vec<f64> {
    worth::shipped_chain(x).expect("legal")
}

/// A heart of two minutes that beats every 0.8 s, and where its R peaks are.
fn resting_heart() -> (Vec<f64>, impl Iterator<Item = f64>) {
    (heart_record(250.0, 120.0, 0.8), (1..150).map(|beat| f64::from(beat) * 200.0))
}

#[test]
fn denoiser_gains_at_least_2_db_beyond_the_band_pass_and_keeps_the_qrs() {
    let (heart, r_peaks) = resting_heart();
    let clean = worth::Clean::new(&heart, r_peaks).expect("legal");
    let mut random = Noise::new(7);
    for (name, noise) in [("white", white(heart.len(), &mut random)), ("EMG", emg(heart.len(), &mut random))] {
        for snr_db in [18.0, 12.0, 6.0, 0.0] {
            let Worth { gain_db, qrs_kept } =
                clean.worth(&noise, snr_db, worth::shipped_delay(), shipped).expect("legal");
            println!("{name} at {snr_db} dB: gain {gain_db:.2} dB, QRS height {qrs_kept:.3}");
            if snr_db == 12.0 || snr_db == 6.0 {
                assert!(gain_db >= 2.0, "{name} at {snr_db} dB: {gain_db:.2} dB");
                assert!(qrs_kept >= 0.97, "{name} at {snr_db} dB: {qrs_kept:.3}");
            }
        }
    }
}

#[test]
fn denoiser_leaves_a_clean_signal_as_it_was() {
    let (heart, r_peaks) = resting_heart();
    let clean = worth::Clean::new(&heart, r_peaks).expect("legal");
    let change = clean.change_db(worth::shipped_delay(), shipped);
    println!("change of a clean signal: {change:.1} dB");
    assert!(change <= -30.0, "{change:.1} dB");
    assert_eq!(clean.beats(), 136, "those of the first ten seconds and of the last one do not count");
}

#[test]
fn what_takes_nothing_gains_nothing_and_a_shift_costs_the_qrs() {
    let (heart, r_peaks) = resting_heart();
    let clean = worth::Clean::new(&heart, r_peaks).expect("legal");
    let noise = white(heart.len(), &mut Noise::new(3));
    let alone = |x: &[f64]| worth::band_pass_alone(x).expect("legal");
    let Worth { gain_db, qrs_kept } = clean.worth(&noise, 12.0, 0, alone).expect("legal");
    assert!(gain_db.abs() < 1e-9 && (qrs_kept - 1.0).abs() < 0.01, "{gain_db} dB, {qrs_kept}");
    assert_eq!(clean.change_db(0, alone), f64::NEG_INFINITY);
    let shifted = clean.worth(&noise, 12.0, 5, alone).expect("legal");
    assert!(shifted.qrs_kept < 0.5 && shifted.gain_db < -5.0, "{shifted:?}");
}

#[test]
fn denoiser_passes_a_pulse_after_its_delay_at_any_rate() {
    for fs in [125.0, 250.0, 500.0, 1000.0] {
        let mut denoiser = Denoiser::new(Hertz(fs));
        let x = heart_record(fs, 4.0, 2.5);
        let y: Vec<f64> = x.iter().map(|&v| denoiser.run(v)).collect();
        let top = |s: &[f64]| s.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(n, _)| n).expect("legal");
        assert_eq!(top(&y), top(&x[..x.len() - denoiser.delay_samples()]) + denoiser.delay_samples(), "at {fs} Hz");
        assert_eq!(denoiser.delay(), denoiser.delay_samples() as f64);
    }
}
