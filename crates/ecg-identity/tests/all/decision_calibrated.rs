//! The decision with thresholds by heartbeats and persons enrolled: growing averages, and what may never happen.

use ecg_identity::calibration::{Calibration, Row};
use ecg_identity::{Calibrated, Decider, DecisionConfig, Lost, Reference, State, Why, comparisons, unit};
use proptest::prelude::*;

const FULL: usize = 5;

/// One heartbeat needs more than twelve for the same rate.
fn config(false_positive_rate: f64) -> DecisionConfig {
    let row = |beats, higher: f64| Row {
        beats,
        slope: 9.0,
        intercept: -4.0,
        thresholds: vec![(0.1, 0.3 + higher), (0.01, 0.5 + higher), (0.001, 0.65 + higher)],
    };
    let calibration = Calibration::new(vec![row(1, 0.15), row(FULL, 0.05), row(12, 0.0)]).unwrap();
    let calibrated = Some(Calibrated { calibration, false_positive_rate, beats_averaged: FULL });
    DecisionConfig { calibrated, ..DecisionConfig::default() }
}

/// An embedding whose score with "ann" is `score`.
fn like_ann(score: f32) -> Vec<f32> {
    vec![score, (1.0 - score * score).max(0.0).sqrt(), 0.0]
}

fn household(persons: usize) -> Vec<Reference> {
    let other = |i: usize| Reference {
        subject: format!("p{i}"),
        revision: 1,
        template: vec![0.0, -1.0, i as f32 * 0.01].into(),
    };
    let ann = Reference { subject: "ann".into(), revision: 7, template: vec![1.0, 0.0, 0.0].into() };
    std::iter::once(ann).chain((1..persons).map(other)).collect()
}

/// Contact: averages of 1, 2, 3 and 4 beats, then full ones; the state after each.
fn contact(decider: &mut Decider, score: f32, from_s: f64, n: usize) -> Vec<State> {
    let at = |i: usize| from_s + 0.8 * i as f64;
    (0..n).map(|i| decider.push_average(at(i), (i + 1).min(FULL), &like_ann(score)).state).collect()
}

/// A score that twelve beats must have in the first window of a contact with a household of two, and later no more.
fn enough_early_on() -> f32 {
    let (config, score) = (config(0.02), config(0.02).threshold(12, 2) + 0.01);
    assert!(score < config.late_threshold(12, 2));
    score as f32
}

#[test]
fn a_gallery_asks_of_one_comparison_what_looks_templates_and_patience_leave_of_the_rate() {
    let config = config(0.02);
    let asked = |references: &[Reference]| config.asked(12, references).map(|asked| asked.false_match_rate.unwrap());
    let single = household(5);
    let thrice: Vec<Reference> = [&single[..]; 3].concat();
    // 1 − (1 − 0.02 / 2.5)^(1/5), and of ten comparisons.
    let [first, later] = asked(&single);
    assert!((first - 0.001_605).abs() < 1e-6 && (later - first / 10.0).abs() < 1e-9, "{first} {later}");
    assert!((asked(&thrice)[0] - 0.000_803).abs() < 1e-6, "who has three templates counts twice");
    let [first, later] = config.asked(12, &thrice).map(|asked| asked.threshold);
    assert_eq!((first, later), (config.threshold(12, 10), config.late_threshold(12, 10)));
    assert_eq!(
        Decider::new(config.clone(), thrice.clone()).decision().threshold,
        config.asked(0, &thrice)[0].threshold
    );
    assert_eq!(DecisionConfig::default().asked(12, &thrice)[1].false_match_rate, None);
}

#[test]
fn a_good_match_is_verified_before_the_first_full_average() {
    let mut decider = Decider::new(config(0.02), household(3));
    let states = contact(&mut decider, 0.95, 0.0, 5);
    assert_eq!(states.iter().position(|s| *s == State::Verified), Some(3));
    let fast = DecisionConfig { min_embeddings: 1, ..config(0.02) };
    let states = contact(&mut Decider::new(fast, household(3)), 0.95, 0.0, 5);
    assert_eq!(states.iter().position(|s| *s == State::Verified), Some(1));
}

#[test]
fn a_match_that_few_beats_do_not_carry_is_verified_once_there_are_enough() {
    let config = config(0.02);
    let (few, many) = (config.threshold(FULL, 2), config.threshold(12, 2));
    let mut decider = Decider::new(config, household(2));
    let states = contact(&mut decider, (0.2 * few + 0.8 * many) as f32, 0.0, 16);
    let first = states.iter().position(|s| *s == State::Verified).expect("verified in the end");
    assert!((6..14).contains(&first), "after {} beats", first + 1);
    let decision = decider.decision();
    assert!(decision.score.unwrap() >= decision.threshold);
}

#[test]
fn the_score_that_is_asked_for_rises_with_the_household_and_as_the_rate_falls() {
    for beats in [1, 3, 5, 9, 30] {
        let of = |rate, persons| config(rate).threshold(beats, persons);
        assert!(of(0.02, 5) > of(0.02, 1) && of(0.02, 20) > of(0.02, 5));
        assert!(of(0.01, 5) > of(0.02, 5));
        assert!(config(0.02).floor(beats, 5) < of(0.02, 5));
        assert!(config(0.02).late_threshold(beats, 5) > of(0.02, 5));
    }
    assert_eq!(Decider::new(config(0.02), household(5)).decision().threshold, config(0.02).threshold(0, 5));
}

#[test]
fn a_person_counts_once_more_for_every_threefold_number_of_templates() {
    let mut references = household(2);
    for (templates, worth) in [(1, 2), (2, 3), (3, 3), (4, 3), (6, 4), (9, 4), (27, 5)] {
        references.resize(1 + templates, references[0].clone());
        assert_eq!(comparisons(&references), worth, "{templates}");
        let decider = Decider::new(config(0.02), references.clone());
        assert_eq!(decider.decision().threshold, config(0.02).threshold(0, worth));
    }
    assert_eq!(comparisons(&[]), 0);
}

#[test]
fn a_stranger_who_stays_does_not_become_somebody_by_patience() {
    let mut decider = Decider::new(config(0.02), household(2));
    contact(&mut decider, 0.2, 0.0, 20);
    assert_eq!(decider.decision().state, State::Unknown);
    for i in 20..80 {
        assert_ne!(decider.push(0.8 * f64::from(i), &like_ann(enough_early_on())).state, State::Verified);
    }
}

#[test]
fn who_fidgets_or_loses_samples_gets_no_further_first_window() {
    let mut decider = Decider::new(config(0.02), household(2));
    contact(&mut decider, 0.2, 0.0, 18);
    for fidget in 1..9 {
        if fidget % 2 == 0 {
            decider.person_changed()
        } else {
            decider.interrupted()
        };
        assert_eq!(decider.decision().state, State::Acquiring);
        let states = contact(&mut decider, enough_early_on(), 15.0 * f64::from(fidget), 14);
        assert!(!states.contains(&State::Verified), "{states:?}");
    }
    decider.no_signal(Lost::LeadOff);
    decider.signal();
    assert!(contact(&mut decider, enough_early_on(), 200.0, 14).contains(&State::Verified), "a new contact");
}

#[test]
fn who_was_verified_in_this_contact_comes_back_as_easily() {
    let mut decider = Decider::new(config(0.02), household(2));
    contact(&mut decider, 0.95, 0.0, 20);
    assert_eq!(decider.decision().subject.as_deref(), Some("ann"));
    for twitch in 2..5 {
        decider.person_changed();
        let states = contact(&mut decider, enough_early_on(), 15.0 * f64::from(twitch), 14);
        assert!(states.contains(&State::Verified), "{states:?}");
        assert!(decider.decision().score.unwrap() >= decider.decision().threshold);
    }
}

#[test]
fn a_change_that_single_beats_show_ends_verified_at_once_and_the_evidence_with_it() {
    let mut decider = Decider::new(config(0.02), household(2));
    contact(&mut decider, 0.95, 0.0, 10);
    assert_eq!(decider.decision().state, State::Verified);
    let decision = decider.person_changed();
    assert_eq!((decision.state, decision.why, decision.embeddings), (State::Acquiring, Why::PersonChanged, 0));
    decider.no_signal(Lost::LeadOff);
    assert_eq!(decider.person_changed().state, State::NoSignal, "there is nobody to change");
}

#[test]
fn without_calibration_the_one_threshold_holds_and_single_beats_are_not_watched() {
    let config = DecisionConfig::default();
    assert_eq!((config.threshold(1, 9), config.late_threshold(1, 9)), (config.threshold, config.threshold));
    assert!((config.floor(1, 9) - (config.threshold - config.margin)).abs() < 1e-15);
    assert_eq!(config.change_floor(), None);
}

proptest! {
    #[test]
    fn whatever_comes_nobody_is_verified_below_the_threshold_nor_on_fewer_updates_than_asked(
        acts in prop::collection::vec((0_u8..12, 1_usize..7, -1.0_f32..1.0, 0.0_f64..4.0), 0..150),
    ) {
        let config = config(0.02);
        let mut decider = Decider::new(config.clone(), household(3));
        let (mut now_s, mut updates, mut before) = (0.0, 0, State::NoSignal);
        for (act, beats, score, step_s) in acts {
            now_s += step_s;
            match act {
                0 => { decider.no_signal(Lost::Gap); updates = 0; }
                1 => { decider.person_changed(); updates = 0; }
                2 => { decider.set_references(household(2)); updates = 0; }
                3 => { decider.tick(now_s); }
                _ => {
                    let embedding = unit(&like_ann(if act > 5 { 0.9 } else { score })).unwrap();
                    decider.push_average(now_s, beats, &embedding);
                    updates += 1;
                }
            }
            let decision = decider.decision();
            prop_assert!(decision.threshold.is_finite());
            prop_assert!(decision.embeddings <= updates);
            if decision.state == State::Verified {
                prop_assert!(updates >= config.min_embeddings + config.enter_updates - 1);
                if before != State::Verified {
                    prop_assert!(decision.score.unwrap() >= decision.threshold);
                }
            }
            before = decision.state;
        }
    }
}
