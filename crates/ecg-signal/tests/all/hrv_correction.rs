//! Correction: made artefacts are found for what they are, both ways; a sound rhythm is left alone; fibrillation is named.

use ecg_signal::hrv::correction::Causal;
use ecg_signal::hrv::rhythm::irregular_percent;
use ecg_signal::hrv::{Analyser, Corrected, Correction, NnInterval, NnSeries, Withheld, two_sided};
use ecg_signal::{HrvWindow, RrInterval};
use serde_json::Value;

use crate::golden::numbers;

/// Moments of beats: breathing, a slow wave and jitter.
fn beats(count: usize) -> Vec<f64> {
    let (mut now, mut state) = (0.0, 7u64);
    (0..count)
        .map(|n| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let jitter = (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5;
            now += 0.85 + 0.03 * (n as f64 * 1.5).sin() + 0.03 * (n as f64 * 0.09).sin() + 0.02 * jitter;
            now
        })
        .collect()
}

fn intervals(beats: &[f64]) -> Vec<RrInterval> {
    let pairs = beats.windows(2).enumerate();
    pairs.map(|(k, p)| RrInterval { end_s: p[1], rr_ms: (p[1] - p[0]) * 1000.0, follows: k > 0 }).collect()
}

fn causal(intervals: &[RrInterval]) -> Vec<NnInterval> {
    let (mut corrector, mut all) = (Causal::new(), Vec::new());
    intervals.iter().for_each(|interval| corrector.push(interval, &mut |nn| all.push(nn)));
    corrector.finish(&mut |nn| all.push(nn));
    all
}

fn rmssd(nn: &[NnInterval]) -> f64 {
    Analyser::new().nn(&NnSeries::of_nn(nn)).rmssd_ms.expect("enough")
}

type Variant = (&'static str, fn(&[RrInterval]) -> Vec<NnInterval>);
const VARIANTS: [Variant; 2] = [("two-sided", two_sided), ("causal", causal)];

#[test]
fn a_sound_rhythm_is_left_as_it_is() {
    let sound = intervals(&beats(600));
    for (name, correct) in VARIANTS {
        let nn = correct(&sound);
        assert_eq!(Corrected::of(&nn).total(), 0, "{name}");
        assert!(nn.iter().zip(&sound).all(|(nn, rr)| nn.nn_ms == rr.rr_ms && nn.end_s == rr.end_s), "{name}");
    }
}

#[test]
fn each_kind_of_artefact_is_found_for_what_it_is_and_undone() {
    let sound = beats(600);
    let truth = rmssd(&intervals(&sound).iter().map(NnInterval::from).collect::<Vec<_>>());
    let places: Vec<usize> = (1..12).map(|k| k * 50).collect();
    let early = |shift: f64| {
        let mut beats = sound.clone();
        places.iter().for_each(|k| beats[*k] += shift);
        beats
    };
    let missed = sound.iter().enumerate().filter(|(k, _)| !places.contains(k)).map(|(_, beat)| *beat).collect();
    let mut extra = sound.clone();
    extra.extend(places.iter().map(|k| sound[*k] + 0.35));
    extra.sort_by(f64::total_cmp);
    type Kind = fn(&Corrected) -> usize;
    let made: [(&str, Vec<f64>, Kind); 4] = [
        ("early", early(-0.3), |corrected| corrected.ectopic),
        ("late", early(0.25), |corrected| corrected.ectopic),
        ("missed", missed, |corrected| corrected.missed),
        ("extra", extra, |corrected| corrected.extra),
    ];
    for (what, beats, kind) in made {
        let raw = intervals(&beats);
        let before = rmssd(&raw.iter().map(NnInterval::from).collect::<Vec<_>>());
        for (name, correct) in VARIANTS {
            let nn = correct(&raw);
            let after = rmssd(&nn);
            let corrected = Corrected::of(&nn);
            println!("{what:7} {name:9} RMSSD {truth:.1} made {before:.1} corrected {after:.1}: {corrected:?}");
            // One beat of 600 may be corrected that need not be.
            assert!(kind(&corrected) >= places.len(), "{what}, {name}: {corrected:?}");
            assert!(corrected.total() <= places.len() + 1, "{what}, {name}: {corrected:?}");
            assert!(before > 1.8 * truth && (after / truth - 1.0).abs() < 0.06, "{what}, {name}: {after} for {truth}");
        }
    }
}

#[test]
fn a_single_missed_beat_at_any_place_but_the_first_few_is_put_back() {
    let sound = beats(120);
    for place in 12..115 {
        let beats: Vec<f64> = sound.iter().enumerate().filter(|(k, _)| *k != place).map(|(_, beat)| *beat).collect();
        for (name, correct) in VARIANTS {
            let nn = correct(&intervals(&beats));
            assert_eq!(nn.len(), sound.len() - 1, "{name} at {place}: {:?}", Corrected::of(&nn));
        }
    }
}

#[test]
fn no_interval_is_lost_or_joined_across_a_break() {
    let mut row = intervals(&beats(300));
    (1..10).for_each(|k| row[k * 30].follows = false);
    for (name, correct) in VARIANTS {
        let nn = correct(&row);
        assert_eq!(nn.len(), row.len(), "{name}");
        assert_eq!(nn.iter().filter(|nn| !nn.follows).count(), 10, "{name}");
    }
}

#[test]
fn above_five_per_cent_of_corrected_beats_variability_is_withheld_and_the_rate_is_not() {
    let mut beats = beats(400);
    (1..30).for_each(|k| beats[k * 13] -= 0.3);
    let hrv = Analyser::new().corrected(&two_sided(&intervals(&beats)), Correction::TwoSided);
    assert!(hrv.corrected_percent > 5.0 && hrv.mean_hr_bpm.is_ok());
    for (name, figure) in hrv.figures().iter().skip(2) {
        assert!(matches!(figure, Err(Withheld::Corrected { .. })), "{name}: {figure:?}");
    }
}

#[test]
fn atrial_fibrillation_gives_a_rate_and_a_reason() {
    let golden: Value = serde_json::from_str(include_str!("../golden/hrv_full.json")).expect("valid JSON");
    let mut window = HrvWindow::corrected(300.0);
    let (mut now, mut row) = (0.0, Vec::new());
    for rr_ms in numbers(&golden["series"]["C_mitdb219_0_300s"]["rr_ms"]) {
        now += rr_ms / 1000.0;
        row.push(RrInterval { end_s: now, rr_ms, follows: !row.is_empty() });
        window.push_interval(row[row.len() - 1]);
    }
    for hrv in [window.summary(now), Analyser::new().corrected(&two_sided(&row), Correction::TwoSided)] {
        println!("{:?} {:?} {:.1} %", hrv.rmssd_ms, hrv.corrected, hrv.corrected_percent);
        assert!(hrv.mean_hr_bpm.is_ok());
        assert!(matches!(hrv.rmssd_ms, Err(Withheld::Irregular { .. })), "{:?}", hrv.rmssd_ms);
        assert!(hrv.figures().iter().skip(2).all(|(_, figure)| figure.is_err()));
    }
    for regular in ["A_mitdb100_0_300s", "B_synthetic_lf_hf"] {
        let series = NnSeries::of_run(&numbers(&golden["series"][regular]["rr_ms"]));
        assert_eq!(irregular_percent(&series), Some(0.0), "{regular}");
    }
}

/// Intervals of the annotated beats of a record, and the moments of the ectopic ones.
fn annotated(folder: &std::path::Path, name: &str) -> (Vec<RrInterval>, Vec<f64>) {
    let marks = ecg_data::annotations(&folder.join(name), "atr").expect("readable annotations");
    let (mut series, mut row, mut ectopic) = (ecg_signal::RrSeries::new(), Vec::new(), Vec::new());
    for mark in &marks.items {
        let at = mark.sample as f64 / marks.fs;
        if let ecg_data::AnnotationKind::Beat(symbol) = mark.kind {
            row.extend(series.push(at, true));
            if "AaJSVFejE".contains(symbol) {
                ectopic.push(at);
            }
        }
    }
    (row, ectopic)
}

#[test]
fn corrections_stand_at_annotated_ectopic_beats_and_hardly_elsewhere() {
    let Some(folder) = crate::recordings::data("mitdb") else { return };
    for ((name, correct), (least, most)) in VARIANTS.into_iter().zip([(83.0, 0.75), (93.0, 0.9)]) {
        let (mut found, mut all, mut needless, mut beats) = (0, 0, 0, 0);
        for record in
            ["101", "106", "108", "112", "114", "115", "116", "119", "122", "205", "209", "215", "220", "223", "230"]
        {
            let (row, ectopic) = annotated(&folder, record);
            let nn = correct(&row);
            let near = |a: f64, row: &[f64]| {
                let next = row.partition_point(|b| *b < a - 1.0);
                row.get(next).is_some_and(|b| *b <= a + 1.0)
            };
            let corrected: Vec<f64> = nn.iter().filter(|nn| nn.corrected.is_some()).map(|nn| nn.end_s).collect();
            let hit = ectopic.iter().filter(|at| near(**at, &corrected)).count();
            let idle = corrected.iter().filter(|at| !near(**at, &ectopic)).count();
            (found, all, needless, beats) = (found + hit, all + ectopic.len(), needless + idle, beats + row.len());
        }
        let (sensitivity, idle) = (100.0 * found as f64 / all as f64, 100.0 * needless as f64 / beats as f64);
        println!("{name}: {sensitivity:.1} % of {all} ectopic beats, {idle:.2} % of {beats} others");
        assert!(sensitivity >= least && idle <= most, "{name}: {sensitivity:.1} %, {idle:.2} %");
    }
}
