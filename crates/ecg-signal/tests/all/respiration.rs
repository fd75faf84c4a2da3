//! Respiration on made signals: known rates are found to half a breath a minute, what carries no rate gives none and
//! says why, and the two ways of seeing a breath agree where they see the same one.

use std::f64::consts::TAU;

use ecg_signal::{
    Breathing, Hertz, Mains, NoRate, PathConfig, PathInput, RespirationMonitor, RespirationRate, SignalPath,
};
use proptest::prelude::*;

use crate::wave::{Noise, heart};

/// A breath of period 1: in faster than out.
pub(crate) fn breath(phase: f64) -> f64 {
    let angle = TAU * phase;
    angle.sin() + 0.25 * (2.0 * angle).sin() + 0.1 * (3.0 * angle + 0.4).sin()
}

pub(crate) fn monitor(fs: f64) -> RespirationMonitor {
    RespirationMonitor::new(Hertz(fs)).expect("a legal rate")
}

/// The estimates over an impedance, a function of seconds.
fn by_impedance(fs: f64, seconds: f64, mut impedance: impl FnMut(f64) -> Option<f64>) -> Vec<Breathing> {
    let mut monitor = monitor(fs);
    (0..(fs * seconds) as usize).filter_map(|n| monitor.push(impedance(n as f64 / fs))).collect()
}

/// The estimates over an ECG in millivolts and an impedance, functions of seconds.
pub(crate) fn by_both(fs: f64, seconds: f64, mut sample: impl FnMut(f64) -> (f64, Option<f64>)) -> Vec<Breathing> {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(fs), mains: Mains::Hz50 }).expect("a legal rate");
    let (mut monitor, mut found) = (monitor(fs), Vec::new());
    for n in 0..(fs * seconds) as usize {
        let (millivolts, impedance) = sample(n as f64 / fs);
        path.push(PathInput::of(millivolts), &mut |beat| monitor.push_beat(&beat));
        found.extend(monitor.push(impedance));
    }
    found
}

/// Errors of the windows that gave a rate, in breaths a minute.
#[derive(Default)]
pub(crate) struct Errors {
    windows: usize,
    errors: Vec<f64>,
}

impl Errors {
    /// Windows without enough signal yet are left out.
    pub(crate) fn add(&mut self, rate: Result<RespirationRate, NoRate>, truth_per_min: f64) {
        self.windows += usize::from(rate != Err(NoRate::Collecting));
        self.errors.extend(rate.ok().map(|rate| (rate.per_min - truth_per_min).abs()));
    }

    /// Share of the windows that gave a rate, 0 … 1.
    pub(crate) fn answered(&self) -> f64 {
        self.errors.len() as f64 / self.windows as f64
    }

    /// The error that this share of the answers does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.errors.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get((share * (sorted.len().max(1) - 1) as f64) as usize).copied().unwrap_or(0.0)
    }

    /// Share of the answers within `limit`, 0 … 1.
    pub(crate) fn within(&self, limit: f64) -> f64 {
        self.errors.iter().filter(|error| **error <= limit).count() as f64 / self.errors.len() as f64
    }

    pub(crate) fn worst(&self) -> f64 {
        self.quantile(1.0)
    }

    pub(crate) fn line(&self) -> String {
        let [median, p95, worst] = [0.5, 0.95, 1.0].map(|share| self.quantile(share));
        let answered = 100.0 * self.answered();
        format!(
            "{} windows, {answered:.1} % answered, error {median:.2}, 95 % {p95:.2}, worst {worst:.2}",
            self.windows
        )
    }
}

#[test]
fn rates_of_the_impedance_are_right_to_half_a_breath_a_minute() {
    for fs in [125.0, 250.0, 500.0] {
        for per_min in [4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 20.0, 24.0, 28.0, 30.0, 36.0, 40.0] {
            let (mut noise, mut drift, mut errors) = (Noise::new(7 + per_min as u64), 0.0, Errors::default());
            let found = by_impedance(fs, 300.0, |t| {
                // Within a minute the drift is as large as the breath; the heart is seen, and the converter's noise.
                drift += 0.1 / fs.sqrt() * noise.normal();
                let heart = 0.15 * (TAU * 1.2 * t).sin();
                Some(1000.0 * (breath(per_min / 60.0 * t) + heart + drift + 0.5 * noise.normal()))
            });
            found.iter().for_each(|breathing| errors.add(breathing.impedance, per_min));
            println!("impedance at {fs} Hz, {per_min}/min: {}", errors.line());
            assert!(errors.worst() <= 0.5, "{fs} Hz, {per_min}/min: {}", errors.line());
            assert!(errors.answered() >= 0.95, "{fs} Hz, {per_min}/min: {}", errors.line());
        }
    }
}

#[test]
fn rates_of_the_ecg_are_right_to_half_a_breath_a_minute_up_to_half_the_heart_rate() {
    for per_min in [4.0, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 20.0, 24.0, 28.0, 30.0, 36.0] {
        let (mut noise, mut errors) = (Noise::new(7 + per_min as u64), Errors::default());
        let found = by_both(250.0, 200.0, |t| {
            let wander = 0.2 * (0.7 * t).sin();
            (heart(t, 0.72) * (1.0 + 0.06 * breath(per_min / 60.0 * t)) + wander + 0.02 * noise.normal(), None)
        });
        for breathing in &found {
            errors.add(breathing.ecg, per_min);
            assert_eq!(breathing.impedance, Err(NoRate::Absent));
        }
        println!("ECG, {per_min}/min: {}", errors.line());
        assert!(errors.worst() <= 0.5, "{per_min}/min: {}", errors.line());
        // A breath of 15 s is looked for from 45 s on, not from 30.
        let floor = if per_min < 6.0 { 0.85 } else { 0.97 };
        assert!(errors.answered() >= floor, "{per_min}/min: {}", errors.line());
    }
}

#[test]
fn noise_has_no_rate() {
    let (mut white, mut brown, mut beats) = (Errors::default(), Errors::default(), Errors::default());
    for seed in 0..20 {
        let mut noise = Noise::new(seed);
        let found = by_impedance(125.0, 600.0, |_| Some(noise.normal()));
        found.iter().for_each(|breathing| white.add(breathing.impedance, 0.0));
        let mut level = 0.0;
        let found = by_impedance(125.0, 600.0, |_| {
            level += noise.normal();
            Some(level)
        });
        found.iter().for_each(|breathing| brown.add(breathing.impedance, 0.0));
    }
    for seed in 100..104 {
        let mut noise = Noise::new(seed);
        let found = by_both(250.0, 600.0, |t| (heart(t, 0.72) + 0.02 * noise.normal(), None));
        found.iter().for_each(|breathing| beats.add(breathing.ecg, 0.0));
    }
    println!("white: {}\nbrown: {}\nbeats: {}", white.line(), brown.line(), beats.line());
    for (name, errors) in [("white", white), ("brown", brown), ("beats", beats)] {
        assert!(errors.answered() <= 0.015, "{name}: {}", errors.line());
    }
}

#[test]
fn a_paced_heart_that_falls_on_the_samples_in_a_pattern_is_no_breath() {
    for rr_s in [0.8, 0.7507, 0.8333, 0.9091, 1.0013, 0.667] {
        let found = by_both(250.0, 120.0, |t| (heart(t, rr_s), None));
        for breathing in found.iter().filter(|breathing| breathing.index > 250 * 36) {
            assert_eq!(breathing.ecg, Err(NoRate::Still), "an interval of {rr_s} s");
        }
    }
}

#[test]
fn a_channel_that_does_not_move_or_is_not_there_says_so() {
    let of = |value: Option<f64>| by_impedance(250.0, 60.0, |_| value).last().map(|breathing| breathing.impedance);
    assert_eq!(of(None), Some(Err(NoRate::Absent)));
    assert_eq!(of(Some(f64::NAN)), Some(Err(NoRate::Absent)));
    assert_eq!(of(Some(-8_388_608.0)), Some(Err(NoRate::Still)));
}

#[test]
fn a_step_of_the_electrodes_leaves_the_rate_and_much_movement_takes_it() {
    let truth = 14.0;
    let mut noise = Noise::new(3);
    let mut errors = Errors::default();
    let step = by_impedance(250.0, 240.0, |t| {
        let offset = if t > 61.0 { 300.0 } else { 0.0 } - if t > 143.0 { 500.0 } else { 0.0 };
        Some(breath(truth / 60.0 * t) + offset + 0.2 * noise.normal())
    });
    step.iter().for_each(|breathing| errors.add(breathing.impedance, truth));
    assert!(errors.answered() >= 0.95 && errors.worst() <= 0.5, "{}", errors.line());
    let mut level = 0.0;
    let movement = by_impedance(250.0, 240.0, |t| {
        // Two of every six seconds.
        if t.rem_euclid(6.0) < 2.0 {
            level += 1.5 * noise.normal();
        }
        Some(breath(truth / 60.0 * t) + level)
    });
    let hidden = movement.iter().filter(|breathing| breathing.impedance == Err(NoRate::Motion)).count();
    assert!(hidden > movement.len() / 2, "{hidden} of {}", movement.len());
    let mut errors = Errors::default();
    movement.iter().for_each(|breathing| errors.add(breathing.impedance, truth));
    assert!(errors.answered() < 0.1, "{}", errors.line());
}

#[test]
fn a_gap_ends_the_evidence_and_a_few_missing_samples_do_not() {
    let fs = 250.0;
    let run = |missing_s: f64, as_gap: bool| {
        let mut monitor = monitor(fs);
        let mut found = Vec::new();
        let mut n = 0;
        while n < (150.0 * fs) as u64 {
            let t = n as f64 / fs;
            let hole = (80.0..80.0 + missing_s).contains(&t);
            if hole && as_gap {
                monitor.gap((missing_s * fs) as u64);
                n += (missing_s * fs) as u64;
                continue;
            }
            found.extend(monitor.push((!hole).then(|| breath(0.25 * t))));
            n += 1;
        }
        found
    };
    for (missing_s, as_gap) in [(0.3, false), (2.0, false), (2.0, true), (0.004, true)] {
        let bridged = missing_s == 0.3;
        for breathing in run(missing_s, as_gap) {
            let t = breathing.index as f64 / fs;
            let since = if bridged || t < 80.5 { t } else { t - 80.0 - missing_s };
            let what = format!("{missing_s} s, gap: {as_gap}, at {t} s: {:?}", breathing.impedance);
            match breathing.impedance {
                Err(NoRate::Collecting) => assert!(since < 31.0, "{what}"),
                Ok(rate) => assert!(since > 29.9 && (rate.per_min - 15.0).abs() < 0.3, "{what}"),
                Err(_) => panic!("{what}"),
            }
        }
    }
}

#[test]
fn a_new_rate_is_followed_within_a_minute() {
    let found =
        by_impedance(250.0, 240.0, |t| Some(if t < 120.0 { breath(0.2 * t) } else { breath(0.3 * (t - 120.0)) }));
    for breathing in found {
        let t = breathing.index as f64 / 250.0;
        let truth = if t < 121.0 { 12.0 } else { 18.0 };
        if (32.0..120.0).contains(&t) || t > 181.0 {
            assert!(
                breathing.impedance.is_ok_and(|rate| (rate.per_min - truth).abs() < 0.3),
                "at {t} s: {breathing:?}"
            );
        }
    }
}

#[test]
fn a_held_breath_shows_no_rate_though_the_heart_moves_the_impedance() {
    // 42 beats a minute lie at the edge of the band of breathing.
    let rr_s = 60.0 / 42.0;
    let mut noise = Noise::new(9);
    let found = by_both(250.0, 180.0, |t| {
        (heart(t, rr_s) + 0.01 * noise.normal(), Some((TAU * t / rr_s).sin() + 0.1 * noise.normal()))
    });
    for breathing in found.iter().filter(|breathing| breathing.index > 250 * 40) {
        assert_eq!(breathing.impedance, Err(NoRate::Irregular));
    }
}

#[test]
fn impedance_and_ecg_agree_on_one_breath_and_not_on_two() {
    let mut noise = Noise::new(5);
    let mut of = |by_impedance: f64, by_ecg: f64| {
        let found = by_both(250.0, 180.0, |t| {
            let ecg = heart(t, 0.8) * (1.0 - 0.05 * breath(by_ecg / 60.0 * t)) + 0.02 * noise.normal();
            (ecg, Some(breath(by_impedance / 60.0 * t + 0.1) + 0.3 * noise.normal()))
        });
        let settled: Vec<_> = found.into_iter().filter(|breathing| breathing.index > 250 * 70).collect();
        assert!(settled.len() > 15);
        settled.into_iter().map(|breathing| breathing.agreement.expect("both have a rate")).collect::<Vec<_>>()
    };
    for agreement in of(13.0, 13.0) {
        assert!(agreement.difference_per_min.abs() < 0.3 && agreement.similarity > 0.85, "{agreement:?}");
    }
    for agreement in of(13.0, 17.0) {
        assert!((agreement.difference_per_min + 4.0).abs() < 0.5 && agreement.similarity < 0.4, "{agreement:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_comes_a_reset_monitor_is_as_new_and_says_finite_things(
        seed in any::<u64>(),
        scale in prop_oneof![Just(0.0), Just(1e-9), Just(1.0), Just(1e6), Just(1e300)],
        odd in 0.0..0.01f64,
    ) {
        let run = |monitor: &mut RespirationMonitor| {
            let mut noise = Noise::new(seed);
            let mut path = SignalPath::new(&PathConfig { fs: Hertz(125.0), mains: Mains::Hz50 }).expect("legal");
            let mut found = Vec::new();
            for n in 0..10_000 {
                let t = f64::from(n) / 125.0;
                let millivolts = heart(t, 0.7) * (1.0 + 0.1 * breath(0.2 * t));
                path.push(PathInput::of(millivolts), &mut |beat| monitor.push_beat(&beat));
                let value = scale * (breath(0.2 * t) + 0.3 * noise.normal());
                found.extend(monitor.push(match noise.uniform() {
                    u if u < odd => None,
                    u if u < 2.0 * odd => Some(f64::NAN),
                    u if u < 2.1 * odd => Some(f64::INFINITY),
                    _ => Some(value),
                }));
                if noise.uniform() < 1e-4 {
                    monitor.gap((1000.0 * noise.uniform()) as u64);
                    path.gap(17, &mut |beat| monitor.push_beat(&beat));
                }
            }
            found
        };
        let new = monitor(125.0);
        let mut used = new.clone();
        let first = run(&mut used);
        for breathing in &first {
            for rate in [breathing.impedance, breathing.ecg].into_iter().flatten() {
                prop_assert!((4.0..=40.0).contains(&rate.per_min) && (0.0..=1.0).contains(&rate.periodicity));
                prop_assert!((30.0..=60.0).contains(&rate.window_s));
            }
            if let Some(agreement) = breathing.agreement {
                prop_assert!(agreement.difference_per_min.is_finite() && (0.0..=1.0).contains(&agreement.similarity));
            }
        }
        used.reset();
        prop_assert_eq!(run(&mut used), first);
    }
}
