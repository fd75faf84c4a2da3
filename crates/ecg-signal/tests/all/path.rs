//! The whole path: positions, delay, gaps, and input that no board should send.

use ecg_signal::path::Contact;
use ecg_signal::{
    Alignment, Beat, BeatAverager, Hertz, Mains, PathConfig, PathDelay, PathError, PathInput, Preparation, Refusal,
    SignalPath, Verdict, prepare,
};

use crate::wave::{Noise, heart};

fn path(fs: f64) -> SignalPath {
    SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("a legal configuration")
}

/// A heart with a little noise, so that nothing is exactly flat.
fn heart_input(n: u64, fs: f64, rr_s: f64, noise: &mut Noise) -> PathInput {
    PathInput::of(heart(n as f64 / fs, rr_s) + 0.01 * noise.normal())
}

fn push_heart(path: &mut SignalPath, samples: std::ops::Range<u64>, fs: f64, rr_s: f64) -> Vec<Beat> {
    let mut noise = Noise::new(3);
    let mut beats = Vec::new();
    samples.for_each(|n| path.push(heart_input(n, fs, rr_s, &mut noise), &mut |beat| beats.push(beat)));
    beats
}

#[test]
fn r_peaks_come_in_source_samples_at_every_rate() {
    for fs in [100.0, 125.0, 250.0, 1000.0 / 3.0, 360.0, 500.0, 1000.0, 2000.0] {
        let mut path = path(fs);
        let mut beats = push_heart(&mut path, 0..(60.0 * fs) as u64, fs, 0.8);
        path.flush(&mut |beat| beats.push(beat));
        assert!((73..=75).contains(&beats.len()), "{fs} Hz: {} beats", beats.len());
        for beat in &beats {
            let seconds = beat.r_peak / fs;
            let off_ms = (seconds - (seconds / 0.8).round() * 0.8) * 1000.0;
            assert!(off_ms.abs() < 4.0, "{fs} Hz: {off_ms:.1} ms off at {seconds:.2} s");
        }
        let accepted = beats.iter().filter(|beat| beat.quality.verdict.is_accepted()).count();
        assert!(accepted >= beats.len() - 3, "{fs} Hz: {accepted} of {}", beats.len());
        let rr: Vec<f64> = beats.iter().filter_map(|beat| beat.rr_ms).collect();
        assert_eq!(rr.len(), beats.len() - 1);
        assert!(rr.iter().all(|rr| (rr - 800.0).abs() < 5.0), "{fs} Hz");
    }
}

#[test]
fn a_segment_has_its_r_at_its_index() {
    let mut path = path(250.0);
    let beats = push_heart(&mut path, 0..15_000, 250.0, 0.8);
    for beat in beats.iter().filter(|beat| beat.quality.verdict.is_accepted()) {
        let top = (0..175).max_by(|&a, &b| beat.segment[a].total_cmp(&beat.segment[b])).unwrap();
        assert!(top.abs_diff(62) <= 1, "R at {top}");
        assert!((beat.segment[top] - 1.2).abs() < 0.15 && beat.amplitude_mv > 1.0, "{}", beat.segment[top]);
    }
}

/// Milliseconds from R to the sample with which the finished segment came, the latest of the beats after learning.
fn latest_ms(fs: f64) -> (f64, PathDelay) {
    let mut path = path(fs);
    let beats = push_heart(&mut path, 0..(60.0 * fs) as u64, fs, 0.8);
    let late = beats[6..].iter().map(|beat| (beat.decided_at as f64 - beat.r_peak) * 1000.0 / fs);
    (late.fold(0.0, f64::max), path.delay())
}

#[test]
fn a_beat_is_out_as_late_as_stated_and_within_800_ms() {
    let within = [250.0, 256.0, 360.0, 500.0, 1000.0, 2000.0].map(|fs| (fs, 800.0));
    // Of samples 8 ms long the limiter of jumps waits for two and the resampler too; of those of 10 ms for one and four.
    for (fs, limit) in within.into_iter().chain([(200.0, 800.0), (128.0, 800.0), (125.0, 800.0), (100.0, 814.0)]) {
        let (latest, stated) = latest_ms(fs);
        println!("{fs} Hz: measured {latest:.1} ms, {stated:?}");
        // A beat comes with a whole sample of the source.
        assert!((latest - stated.r_to_segment_ms).abs() <= 8.0 + 1000.0 / fs, "{fs} Hz: {latest} ms, {stated:?}");
        assert!(stated.r_to_segment_ms <= limit, "{fs} Hz: {stated:?}");
        let parts =
            stated.slew_ms + stated.resampler_ms + stated.detector_ms.max(stated.segment_ms + stated.conditioner_ms);
        assert!((stated.r_to_segment_ms - parts).abs() < 1e-9);
    }
}

#[test]
fn a_gap_is_counted_in_positions_and_breaks_the_interval() {
    let mut path = path(250.0);
    let mut beats = push_heart(&mut path, 0..5000, 250.0, 0.8);
    path.gap(1100, &mut |beat| beats.push(beat));
    let before = beats.len();
    assert!(beats.last().is_some_and(|beat| beat.r_peak > 4600.0), "what was owed came out");
    beats.extend(push_heart(&mut path, 6100..12_100, 250.0, 0.8));
    assert_eq!(path.index(), 12_100);
    assert_eq!(beats[before].rr_ms, None);
    assert!(beats[before].r_peak > 6100.0);
    for beat in &beats {
        assert!((beat.r_peak / 200.0 - (beat.r_peak / 200.0).round()).abs() < 0.01, "R at {}", beat.r_peak);
    }
    assert!(beats.windows(2).all(|pair| pair[0].r_peak < pair[1].r_peak));
}

#[test]
fn nothing_that_touches_a_lost_contact_or_the_rail_is_accepted() {
    type Damage = fn(&mut PathInput);
    let damages: [(Refusal, Damage); 4] = [
        (Refusal::LeadOff, |input| input.lead_off = Some(true)),
        (Refusal::LeadOff, |input| input.millivolts = f64::NAN),
        (Refusal::LeadOff, |input| input.millivolts = f64::INFINITY),
        (Refusal::Clipping, |input| input.clipped = true),
    ];
    for (reason, damage) in damages {
        let mut path = path(500.0);
        let mut noise = Noise::new(5);
        let mut beats = Vec::new();
        for n in 0..30_000 {
            let mut input = heart_input(n, 500.0, 0.8, &mut noise);
            if (12_300..12_310).contains(&n) {
                damage(&mut input);
            }
            path.push(input, &mut |beat| beats.push(beat));
        }
        let touched = |beat: &Beat| (12_300.0 - 225.0..12_310.0 + 125.0).contains(&beat.r_peak);
        assert!(beats.iter().any(touched));
        for beat in &beats {
            if touched(beat) {
                assert_eq!(beat.quality.verdict, Verdict::Refused(reason));
            }
            assert!(beat.segment.iter().all(|v| v.is_finite()));
        }
    }
}

#[test]
fn a_path_after_flush_is_like_a_new_one() {
    let mut used = path(360.0);
    push_heart(&mut used, 0..20_000, 360.0, 0.7);
    used.flush(&mut |_| ());
    let again = push_heart(&mut used, 0..20_000, 360.0, 0.9);
    let fresh = push_heart(&mut path(360.0), 0..20_000, 360.0, 0.9);
    assert_eq!(again.len(), fresh.len());
    for (a, b) in again.iter().zip(&fresh) {
        assert!((a.r_peak - 20_000.0 - b.r_peak).abs() < 1e-6);
        assert_eq!((a.rr_ms.is_none(), a.quality, a.segment), (b.rr_ms.is_none(), b.quality, b.segment));
    }
}

#[test]
fn wild_input_neither_panics_nor_leaves_a_number_that_is_none() {
    let mut noise = Noise::new(11);
    let mut path = path(250.0);
    let mut beats = 0;
    for n in 0..200_000u32 {
        let value = match (noise.uniform() * 400.0) as u32 {
            0 => f64::NAN,
            1 => f64::INFINITY,
            2 => -1e300,
            3 => 807.0,
            _ => 300.0 * f64::from(n / 5000 % 2) + noise.normal(),
        };
        let input = PathInput { millivolts: value, clipped: noise.uniform() < 0.001, lead_off: None };
        path.push(input, &mut |beat| {
            assert!(beat.r_peak.is_finite() && beat.segment.iter().all(|v| v.is_finite()));
            assert!(beat.quality.score.is_finite());
            beats += 1;
        });
        if noise.uniform() < 0.0005 {
            path.gap((noise.uniform() * 1000.0) as u64, &mut |_| ());
        }
    }
    assert!(path.unusable_samples() > 0);
    let mut accepted = 0;
    for n in 0..5000 {
        path.push(heart_input(n, 250.0, 0.8, &mut noise), &mut |beat| {
            accepted += u32::from(beat.quality.verdict.is_accepted());
        });
    }
    assert!(accepted >= 12, "{accepted} beats after all that");
}

#[test]
fn the_state_says_what_is_wrong_with_the_signal() {
    let mut path = path(250.0);
    assert_eq!(path.signal_state().contact, Contact::Unknown);
    push_heart(&mut path, 0..5000, 250.0, 0.8);
    let state = path.signal_state();
    assert_eq!(state.contact, Contact::Good);
    assert!((state.heart_rate_bpm.expect("a rate") - 75.0).abs() < 0.5);
    assert!(state.accepted_share > 0.8);
    (0..500).for_each(|_| path.push(PathInput::of(120.0), &mut |_| ()));
    assert_eq!(path.signal_state().contact, Contact::FlatLine);
    let off = PathInput { millivolts: 403.0, clipped: true, lead_off: Some(true) };
    (0..250).for_each(|_| path.push(off, &mut |_| ()));
    assert_eq!(path.signal_state().contact, Contact::LeadOff);
    (0..2500).for_each(|_| path.push(PathInput::of(120.0), &mut |_| ()));
    assert_eq!(path.signal_state().heart_rate_bpm, None);
}

#[test]
fn impossible_rates_are_refused_and_the_chain_names_itself() {
    for fs in [50.0, 2001.0, f64::NAN] {
        let refused = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::None });
        assert!(matches!(refused, Err(PathError::SourceRate(_))), "{fs}");
    }
    assert_eq!(path(360.0).chain_id(), "ecgid-chain-2 250Hz notch50 bp0.5-40 db6");
}

#[test]
fn five_accepted_beats_make_one_model_input_and_every_further_beat_another() {
    let mut averager = BeatAverager::new(&Preparation::default());
    let mut path = path(250.0);
    let beats = push_heart(&mut path, 0..10_000, 250.0, 0.8);
    let mut accepted = 0;
    for beat in &beats {
        accepted += usize::from(beat.quality.verdict.is_accepted());
        let input = averager.push(beat);
        assert_eq!(input.is_some(), accepted >= 5 && beat.quality.verdict.is_accepted());
        let Some(input) = input else { continue };
        assert_eq!(input.r_peak, beat.r_peak);
        let values = input.beat.values.map(f64::from);
        let mean = values.iter().sum::<f64>() / 175.0;
        let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 175.0).sqrt();
        assert!(mean.abs() < 1e-5 && (deviation - 1.0).abs() < 1e-5);
    }
    assert!(accepted > 40);
}

#[test]
fn a_beat_is_the_same_input_on_whichever_deflection_r_lies() {
    let wave = |at: f64, centre: f64, width: f64| (-0.5 * ((at - centre) / width).powi(2)).exp();
    let heart = |at: f64| {
        -0.6 * wave(at, 55.0, 2.0) + wave(at, 62.0, 2.5) - 0.8 * wave(at, 69.0, 2.2)
            + 0.15 * wave(at, 25.0, 6.0)
            + 0.3 * wave(at, 125.0, 11.0)
    };
    let cut = |r: f64| std::array::from_fn(|i| heart(i as f64 + r - 62.0));
    let difference = |alignment, rr_s, r: f64| {
        let preparation = Preparation { alignment, ..Preparation::default() };
        let [one, other] = [62.0, r].map(|r| prepare(&[cut(r)], rr_s, &preparation).values);
        one.iter().zip(&other).map(|(a, b)| f64::from(a - b).abs()).fold(0.0, f64::max)
    };
    for (rr_s, r) in [(0.8, 55.0), (0.8, 69.0), (0.6, 69.0), (1.1, 55.3)] {
        let (by_middle, by_r) = (difference(Alignment::QrsMiddle, rr_s, r), difference(Alignment::R, rr_s, r));
        assert!(by_middle < 0.05 && by_r > 2.0, "R at {r}, RR {rr_s} s: {by_middle} and, by R, {by_r} deviations");
    }
}

#[test]
fn a_beat_of_another_size_keeps_its_shape_and_says_its_size_however_many_are_averaged() {
    let segment = |scale: f64| std::array::from_fn(|i| scale * (-((i as f64 - 62.0) / 4.0).powi(2)).exp() + 0.3);
    let preparation = Preparation::default();
    let one = prepare(&[segment(1.0)], 0.8, &preparation);
    let values = segment(1.0);
    let mean = values.iter().sum::<f64>() / 175.0;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 175.0).sqrt();
    assert!((one.amplitude_mv - deviation).abs() < 1e-12, "{} mV instead of {deviation}", one.amplitude_mv);
    let twice = prepare(&[segment(2.0); 5], 0.8, &preparation);
    assert!((twice.amplitude_mv - 2.0 * deviation).abs() < 1e-12, "{} mV", twice.amplitude_mv);
    assert!(one.values.iter().zip(&twice.values).all(|(a, b)| (a - b).abs() < 1e-5));
    assert_eq!(prepare(&[[0.7; 175]; 3], 0.8, &preparation).amplitude_mv, 0.0, "a constant");
    assert_eq!(prepare(&[], 0.8, &preparation).amplitude_mv, 0.0);
}

#[test]
fn an_interval_next_to_a_refused_beat_is_no_heart_rate() {
    let beats = push_heart(&mut path(250.0), 0..10_000, 250.0, 0.8);
    let mut averager = BeatAverager::from_first_beat(&Preparation::default());
    let mut shown = |rr_ms: Option<f64>, verdict: Verdict| {
        let mut beat = beats[10].clone();
        (beat.rr_ms, beat.quality.verdict) = (rr_ms, verdict);
        averager.push(&beat);
        averager.median_rr_s()
    };
    assert_eq!(shown(None, Verdict::Accepted), None);
    assert_eq!(shown(Some(800.0), Verdict::Accepted), Some(0.8));
    for _ in 0..9 {
        // An extrasystole and the pause behind it.
        assert_eq!(shown(Some(450.0), Verdict::Refused(Refusal::Shape)), Some(0.8));
        assert_eq!(shown(Some(1100.0), Verdict::Accepted), Some(0.8));
    }
    assert_eq!(shown(Some(820.0), Verdict::Accepted), Some(0.81));
}

#[test]
fn who_cannot_wait_gets_averages_of_fewer_beats_first_and_the_same_full_ones_then() {
    let (mut full, mut growing) =
        (BeatAverager::new(&Preparation::default()), BeatAverager::from_first_beat(&Preparation::default()));
    let beats = push_heart(&mut path(250.0), 0..10_000, 250.0, 0.8);
    let mut since = 0;
    for beat in &beats {
        let (waited, at_once) = (full.push(beat), growing.push(beat));
        since = if beat.rr_ms.is_none() { 0 } else { since };
        since += usize::from(beat.quality.verdict.is_accepted());
        assert_eq!(at_once.is_some(), beat.quality.verdict.is_accepted());
        let Some(at_once) = at_once else { continue };
        assert_eq!(at_once.beats, since.min(5));
        if since < 5 {
            assert_eq!(waited, None);
        } else {
            assert_eq!(waited.as_ref(), Some(&at_once));
        }
        if since == 1 {
            assert_eq!(growing.newest_alone(), Some(at_once.beat), "one beat is its own average");
        }
    }
    assert!(since > 40);
    growing.keep_newest();
    assert_eq!((growing.segments().count(), growing.median_rr_s()), (1, None));
    growing.reset();
    assert_eq!(growing.newest_alone(), None);
}
