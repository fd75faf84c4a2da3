//! The synthetic heart: seeded, plausible, different for different persons, and right about its own R peaks.

use ecg_data::heart::{Contact, HeartParams, HeartSample, Noise, SyntheticHeart, Wave};
use proptest::prelude::*;

fn beat_on(params: &HeartParams, fs: f64, seed: u64, noise: Noise, seconds: f64) -> (Vec<HeartSample>, Vec<f64>) {
    let mut heart = SyntheticHeart::new(params, fs, seed).unwrap().with_noise(noise);
    let samples: Vec<HeartSample> = (0..(seconds * fs) as usize).map(|_| heart.step()).collect();
    let peaks = samples.iter().filter_map(|sample| sample.r_peak).collect();
    (samples, peaks)
}

fn mean_and_sd(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
    (mean, variance.sqrt())
}

/// The mean beat from 0.25 s before R to 0.45 s after at 250 Hz, of mean 0 and variance 1: what a network sees. All at
/// one rate, since the signal path takes the effect of the rate on T out.
fn mean_beat(params: &HeartParams, seed: u64) -> Vec<f64> {
    let (samples, peaks) = beat_on(&HeartParams { rate_bpm: 66.0, ..params.clone() }, 250.0, seed, Noise::none(), 20.0);
    let mut beat = vec![0.0; 175];
    for peak in peaks.iter().map(|peak| peak.round() as usize).filter(|peak| *peak > 500 && peak + 113 < samples.len())
    {
        beat.iter_mut().enumerate().for_each(|(index, mean)| *mean += samples[peak - 62 + index].millivolts);
    }
    let (mean, sd) = mean_and_sd(&beat);
    beat.iter().map(|value| (value - mean) / sd).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    (a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

#[test]
fn rr_intervals_have_the_mean_and_the_spread_that_were_asked_for() {
    for seed in 0..2 {
        let params = HeartParams { rate_bpm: 66.0, rr_sd_s: 0.05, ..HeartParams::from_seed(seed) };
        let (_, peaks) = beat_on(&params, 250.0, seed, Noise::none(), 3600.0);
        let rr: Vec<f64> = peaks.windows(2).map(|pair| (pair[1] - pair[0]) / 250.0).collect();
        let (mean, sd) = mean_and_sd(&rr);
        assert!((mean - 60.0 / 66.0).abs() < 0.005, "mean RR {mean}");
        assert!((sd - 0.05).abs() < 0.006, "SD of RR {sd}");
    }
}

#[test]
fn the_rate_of_sampling_does_not_change_the_heart() {
    let params = HeartParams::from_seed(11);
    let (slow, slow_peaks) = beat_on(&params, 250.0, 4, Noise::none(), 60.0);
    let (fast, fast_peaks) = beat_on(&params, 1000.0, 4, Noise::none(), 60.0);
    let apart = |(index, sample): (usize, &HeartSample)| (sample.millivolts - fast[4 * index].millivolts).abs();
    let farthest = slow.iter().enumerate().map(apart).fold(0.0, f64::max);
    assert!(farthest < 0.001, "{farthest} mV apart");
    let late = slow_peaks.iter().zip(&fast_peaks).map(|(a, b)| (a / 250.0 - b / 1000.0).abs()).fold(0.0, f64::max);
    assert!(late < 1e-4, "R peaks {late} s apart");
}

#[test]
fn without_variability_every_interval_is_the_same() {
    let params = HeartParams { rr_sd_s: 0.0, rate_bpm: 75.0, ..HeartParams::from_seed(3) };
    let (_, peaks) = beat_on(&params, 360.0, 1, Noise::none(), 60.0);
    assert!(peaks.windows(2).skip(3).all(|pair| ((pair[1] - pair[0]) / 360.0 - 0.8).abs() < 1e-4));
}

#[test]
fn the_heart_is_faster_while_breathing_in() {
    let params = HeartParams { rr_sd_s: 0.05, lf_hf_ratio: 0.2, ..HeartParams::from_seed(1) };
    let (samples, peaks) = beat_on(&params, 250.0, 1, Noise::none(), 300.0);
    let (mut together, mut rr_power, mut breath_power) = (0.0, 0.0, 0.0);
    for pair in peaks.windows(2) {
        let rr = (pair[1] - pair[0]) / 250.0 - params.mean_rr_s();
        let breath = samples[pair[0] as usize].respiration;
        together += rr * breath;
        rr_power += rr * rr;
        breath_power += breath * breath;
    }
    let correlation = together / (rr_power * breath_power).sqrt();
    assert!(correlation < -0.8, "correlation of RR with breathing {correlation}");
}

#[test]
fn the_beats_are_larger_while_breathing_in() {
    let params =
        HeartParams { respiration_size_share: 0.05, respiration_baseline_mv: 0.0, ..HeartParams::from_seed(1) };
    let (samples, peaks) = beat_on(&params, 250.0, 1, Noise::none(), 300.0);
    let pairs: Vec<(f64, f64)> = peaks
        .iter()
        .map(|peak| &samples[peak.round() as usize])
        .map(|sample| (sample.respiration, sample.millivolts))
        .collect();
    let (breaths, heights): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let ((breath, breath_sd), (height, _)) = (mean_and_sd(&breaths), mean_and_sd(&heights));
    let together = breaths.iter().zip(&heights).map(|(b, h)| (b - breath) * (h - height)).sum::<f64>();
    let slope = together / (breaths.len() - 1) as f64 / (breath_sd * breath_sd) / height;
    assert!((slope - 0.05).abs() < 0.005, "a unit of respiration makes R larger by {slope}");
}

#[test]
fn persons_differ_more_than_their_own_days() {
    let persons: Vec<HeartParams> = (0..24).map(HeartParams::from_seed).collect();
    let today: Vec<Vec<f64>> = persons.iter().map(|person| mean_beat(person, 1)).collect();
    let day_two = |(index, person): (usize, &HeartParams)| mean_beat(&person.in_session(100 + index as u64), 2);
    let later: Vec<Vec<f64>> = persons.iter().enumerate().map(day_two).collect();
    let own: Vec<f64> = today.iter().zip(&later).map(|(a, b)| distance(a, b)).collect();
    let pairs = || (0..24).flat_map(|a| (0..24).filter(move |b| *b != a).map(move |b| (a, b)));
    let others: Vec<f64> = pairs().map(|(a, b)| distance(&today[a], &later[b])).collect();
    let nearest = others.iter().copied().fold(f64::INFINITY, f64::min);
    let farthest = own.iter().copied().fold(0.0, f64::max);
    eprintln!(
        "own days: mean {:.3}, at most {farthest:.3}; others: mean {:.3}, at least {nearest:.3}",
        mean_and_sd(&own).0,
        mean_and_sd(&others).0
    );
    assert!(nearest > farthest, "the most alike persons {nearest}, the most changed one {farthest}");
    assert!(farthest > 0.01, "a session changes nothing");
}

#[test]
fn noise_is_as_strong_as_asked() {
    let strength = |noise: Noise| {
        let params = HeartParams::from_seed(5);
        let clean = SyntheticHeart::new(&params, 500.0, 9).unwrap();
        let noisy = SyntheticHeart::new(&params, 500.0, 9).unwrap().with_noise(noise);
        let difference: Vec<f64> = noisy.zip(clean).take(500 * 600).map(|(a, b)| a - b).collect();
        (difference.iter().map(|d| d * d).sum::<f64>() / difference.len() as f64).sqrt()
    };
    let none = Noise::none();
    let near = |got: f64, want: f64, tolerance: f64| assert!((got / want - 1.0).abs() < tolerance, "{got} for {want}");
    near(strength(Noise { baseline_wander_mv: 0.2, ..none }), 0.2, 0.15);
    near(strength(Noise { emg_mv: 0.05, ..none }), 0.05, 0.02);
    // A sine and its third harmonic.
    let powerline = Noise { powerline_mv: 0.1, powerline_hz: 60.0, ..none };
    near(strength(powerline), 0.1 * ((1.0 + 0.15f64.powi(2)) / 2.0).sqrt(), 0.01);
    let bursts = Noise { emg_burst_mv: 0.2, emg_bursts_per_min: 6.0, ..none };
    assert!((0.01..0.1).contains(&strength(bursts)));
    let motion = Noise { motion_mv: 2.0, motions_per_min: 6.0, ..none };
    assert!((0.02..0.6).contains(&strength(motion)));
}

#[test]
fn an_electrode_that_is_off_drives_the_input_away_and_comes_back() {
    let mut heart = SyntheticHeart::new(&HeartParams::from_seed(2), 250.0, 2).unwrap();
    let mut run = |contact: Contact, seconds: usize| {
        heart.set_contact(contact);
        (0..250 * seconds).map(|_| heart.step()).collect::<Vec<_>>()
    };
    assert!(run(Contact::On, 2).iter().all(|sample| !sample.lead_off && sample.millivolts.abs() < 3.0));
    let off = run(Contact::LeadOff, 2);
    assert!(off.iter().all(|sample| sample.lead_off) && off[100].millivolts > 403.4, "beyond the rail at gain 6");
    assert!(off.iter().any(|sample| sample.r_peak.is_some()), "the heart beats on");
    let back = run(Contact::On, 4);
    assert!(back[0].millivolts > 2.0 && back[999].millivolts.abs() < 3.0);
    assert!(run(Contact::Flat, 1).iter().all(|sample| sample.millivolts == 0.0 && !sample.lead_off));
}

#[test]
fn what_is_no_heart_is_refused() {
    let person = HeartParams::from_seed(1);
    let refused = |params: HeartParams, fs: f64| SyntheticHeart::new(&params, fs, 1).unwrap_err().to_string();
    assert!(refused(person.clone(), f64::NAN).contains("sampling frequency"));
    assert!(refused(HeartParams { rate_bpm: f64::NAN, ..person.clone() }, 250.0).contains("rate_bpm"));
    let wave = Wave { width_s: 0.0, ..person.p };
    assert!(refused(HeartParams { p: wave, ..person }, 250.0).contains("width_s"));
}

proptest! {
    #![proptest_config(super::cases(48))]

    #[test]
    fn equal_seeds_give_equal_samples(person in any::<u64>(), seed in any::<u64>()) {
        let run = |seed| beat_on(&HeartParams::from_seed(person), 250.0, seed, Noise::in_motion(), 4.0).0;
        prop_assert_eq!(run(seed), run(seed));
        prop_assert_ne!(run(seed), run(seed ^ 1));
    }

    #[test]
    fn every_person_is_plausible_and_right_about_its_r_peaks(
        person in any::<u64>(),
        session in any::<u64>(),
        fs in prop::sample::select(vec![125.0, 250.0, 360.0, 500.0, 1000.0]),
    ) {
        let params = HeartParams::from_seed(person).in_session(session);
        let (samples, peaks) = beat_on(&params, fs, session, Noise::none(), 20.0);
        prop_assert!(samples.iter().all(|sample| sample.millivolts.is_finite() && sample.respiration.is_finite()));
        prop_assert!((10..40).contains(&peaks.len()), "{} beats in 20 s", peaks.len());
        let height = |index: usize| samples[index].millivolts;
        for &peak in &peaks {
            let (from, to) = ((peak - 0.1 * fs).ceil().max(0.0) as usize, ((peak + 0.1 * fs) as usize).min(samples.len() - 1));
            let highest = (from..=to).max_by(|&a, &b| height(a).total_cmp(&height(b))).unwrap();
            prop_assert!((highest as f64 - peak).abs() <= 1.0, "R at {peak}, the highest sample at {highest}");
        }
        // After the first second, in which the baseline settles.
        let settled: Vec<f64> = samples[fs as usize..].iter().map(|sample| sample.millivolts).collect();
        let span = settled.iter().copied().fold(f64::MIN, f64::max) - settled.iter().copied().fold(f64::MAX, f64::min);
        prop_assert!((0.5..3.0).contains(&span), "{span} mV from lowest to highest");
    }
}

#[test]
fn electrodes_that_were_put_back_change_heights_a_little_and_no_times() {
    let person = HeartParams::from_seed(3);
    let placed = person.placed(1);
    assert_ne!(placed, person);
    assert_eq!(placed, person.placed(1), "the same placement is the same");
    assert_eq!(
        (placed.rate_bpm, placed.t_late.at_s, placed.r.width_s),
        (person.rate_bpm, person.t_late.at_s, person.r.width_s)
    );
    let ratio = placed.r.millivolts / person.r.millivolts;
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
}
