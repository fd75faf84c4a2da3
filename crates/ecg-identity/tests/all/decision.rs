//! The decision over time: the table of states, and what may never happen.

use ecg_identity::{Decider, DecisionConfig, Lost, Reference, State, Suspicion, Why, unit};
use proptest::prelude::*;

const LENGTH: usize = 16;

/// An embedding near axis `person`, `spread` away from it in a direction that `n` chooses.
fn beat(person: usize, n: usize, spread: f32) -> Vec<f32> {
    let mut e = vec![0.0; LENGTH];
    e[person] = 1.0;
    e[8 + n % 8] += if n.is_multiple_of(3) { spread } else { -spread };
    unit(&e).unwrap()
}

fn reference(subject: &str, person: usize) -> Reference {
    Reference { subject: subject.into(), revision: 3, template: beat(person, 0, 0.0).into() }
}

fn household() -> Decider {
    Decider::new(DecisionConfig::default(), vec![reference("ann", 0), reference("bob", 1)])
}

/// Pushes `n` beats of a person, one each 0.8 s from `from_s` on; returns the states and the time after the last.
fn wear(decider: &mut Decider, person: usize, from_s: f64, n: usize) -> (Vec<State>, f64) {
    let states = (0..n).map(|i| decider.push(from_s + 0.8 * i as f64, &beat(person, i, 0.3)).state).collect();
    (states, from_s + 0.8 * n as f64)
}

#[test]
fn an_enrolled_person_is_acquired_then_verified() {
    let mut decider = household();
    assert_eq!(decider.decision().state, State::NoSignal);
    let (states, _) = wear(&mut decider, 0, 0.0, 8);
    assert_eq!(&states[..3], &[State::Acquiring; 3]);
    assert_eq!(&states[3..], &[State::Verified; 5]);
    let decision = decider.decision();
    assert_eq!((decision.subject.as_deref(), decision.revision), (Some("ann"), Some(3)));
    assert!(decision.score.unwrap() >= decision.threshold);
    assert_eq!(decision.why, Why::ScoreAboveThreshold);
}

#[test]
fn a_stranger_is_unknown_and_so_is_everybody_where_nobody_is_enrolled() {
    let mut decider = household();
    let (states, _) = wear(&mut decider, 5, 0.0, 10);
    assert_eq!(states.last(), Some(&State::Unknown));
    assert!(!states.contains(&State::Verified));
    assert_eq!(decider.decision().why, Why::NoReferenceMatches);
    let mut empty = Decider::new(DecisionConfig::default(), Vec::new());
    wear(&mut empty, 0, 0.0, 10);
    assert_eq!((empty.decision().state, empty.decision().why), (State::Unknown, Why::NobodyEnrolled));
    assert_eq!(empty.decision().score, None);
}

#[test]
fn a_change_of_person_ends_verified_within_three_seconds_and_leads_to_the_other() {
    let mut decider = household();
    let (_, swap_s) = wear(&mut decider, 0, 0.0, 20);
    let mut subjects = vec![decider.decision().subject.clone()];
    for i in 0..20 {
        subjects.push(decider.push(swap_s + 0.8 * i as f64, &beat(1, i, 0.3)).subject.clone());
    }
    let ended = subjects.iter().position(Option::is_none).unwrap() - 1;
    assert!(0.8 * ended as f64 <= 3.0, "after {ended} beats");
    assert_eq!(subjects.last().unwrap().as_deref(), Some("bob"));
    let own_beats = subjects.iter().position(|subject| subject.as_deref() == Some("bob")).unwrap();
    assert!(own_beats > DecisionConfig::default().min_embeddings, "after {own_beats} beats of his own");
    let straight = subjects.windows(2).any(|pair| pair[0].is_some() && pair[1].is_some() && pair[0] != pair[1]);
    assert!(!straight, "never straight from one to the other: {subjects:?}");
}

#[test]
fn a_stranger_who_takes_over_does_not_stay_verified() {
    let mut decider = household();
    let (_, swap_s) = wear(&mut decider, 0, 0.0, 20);
    let (states, _) = wear(&mut decider, 6, swap_s, 20);
    assert!(states[4..].iter().all(|s| *s != State::Verified));
    assert_eq!(states.last(), Some(&State::Unknown));
}

#[test]
fn two_persons_beat_by_beat_are_never_verified() {
    let mut decider = household();
    for i in 0..60 {
        let decision = decider.push(0.8 * i as f64, &beat(i % 2, i, 0.1));
        assert_ne!(decision.state, State::Verified);
    }
}

#[test]
fn a_person_enrolled_under_two_names_is_uncertain() {
    let mut decider = Decider::new(DecisionConfig::default(), vec![reference("ann", 0), reference("anne", 0)]);
    wear(&mut decider, 0, 0.0, 20);
    assert_eq!((decider.decision().state, decider.decision().why), (State::Uncertain, Why::TwoReferencesMatch));
}

#[test]
fn a_pause_a_new_gallery_and_a_lost_signal_each_clear_the_evidence() {
    let mut decider = household();
    let (_, end) = wear(&mut decider, 0, 0.0, 10);
    assert_eq!(decider.tick(end + 2.0).state, State::Verified);
    let decision = decider.tick(end + 6.0);
    assert_eq!((decision.state, decision.why, decision.embeddings), (State::Acquiring, Why::Paused, 0));
    wear(&mut decider, 0, 100.0, 10);
    let decision = decider.set_references(vec![reference("bob", 1)]);
    assert_eq!((decision.state, decision.why, decision.embeddings), (State::Acquiring, Why::GalleryChanged, 0));
    let (states, _) = wear(&mut decider, 0, 108.0, 10);
    assert_eq!(states.last(), Some(&State::Unknown));
    let decision = decider.no_signal(Lost::LeadOff);
    assert_eq!((decision.state, decision.why, decision.embeddings), (State::NoSignal, Why::Lost(Lost::LeadOff), 0));
    assert_eq!(decider.signal().state, State::Acquiring);
}

#[test]
fn heartbeats_from_before_an_electrode_was_lifted_neither_bring_the_signal_back_nor_count() {
    for lost in [Lost::LeadOff, Lost::FlatLine, Lost::Clipping, Lost::Noise] {
        let mut decider = household();
        wear(&mut decider, 0, 0.0, 10);
        decider.no_signal(lost);
        let (states, end) = wear(&mut decider, 0, 8.0, 3);
        assert_eq!(states, [State::NoSignal; 3], "{lost:?}");
        assert_eq!(decider.signal().embeddings, 0);
        let (states, _) = wear(&mut decider, 1, end, 4);
        assert_eq!(states[3], State::Verified);
        assert_eq!(decider.decision().subject.as_deref(), Some("bob"));
    }
    // After a loss of samples the first heartbeat tells that there is a signal.
    let mut decider = household();
    decider.no_signal(Lost::Gap);
    assert_eq!(decider.push(0.0, &beat(0, 0, 0.1)).state, State::Acquiring);
}

#[test]
fn verified_ends_where_another_subject_fits_better() {
    let sister = unit(&[0.8, 0.6]).unwrap();
    let pad = |e: &[f32]| e.iter().copied().chain(std::iter::repeat(0.0)).take(LENGTH).collect::<Vec<f32>>();
    let known =
        vec![reference("ann", 0), Reference { subject: "eva".into(), revision: 1, template: pad(&sister).into() }];
    let mut decider = Decider::new(DecisionConfig::default(), known);
    wear(&mut decider, 0, 0.0, 20);
    assert_eq!(decider.decision().subject.as_deref(), Some("ann"));
    // She scores 0.8 with ann, far above the threshold.
    let seen: Vec<Option<String>> =
        (20..40).map(|i| decider.push(0.8 * f64::from(i), &pad(&sister)).subject.clone()).collect();
    let ended = seen.iter().position(Option::is_none).expect("verified ends");
    assert!(ended as f64 * 0.8 <= 3.0, "after {ended} heartbeats");
    assert_eq!(seen.last().unwrap().as_deref(), Some("eva"));
}

#[test]
fn nobody_is_verified_before_the_rhythm_has_varied() {
    let config = || DecisionConfig { varied_s: 0.0015, ..DecisionConfig::default() };
    let known = || vec![reference("ann", 0), reference("bob", 1)];
    let mut decider = Decider::new(config(), known());
    let (states, end) = wear(&mut decider, 0, 0.0, 12);
    assert!(!states.contains(&State::Verified), "{states:?}");
    assert_eq!(decider.decision().why, Why::NotAlive(Suspicion::TooRegular));
    assert_eq!(decider.push(end + 0.01, &beat(0, 0, 0.3)).state, State::Verified);
    for refused in 1..9 {
        let mut decider = Decider::new(config(), known());
        for i in (0..12).filter(|&i| i != refused && i != refused + 2) {
            let state = decider.push(0.8 * i as f64, &beat(0, i, 0.3)).state;
            assert_ne!(state, State::Verified, "beats that were refused are no variation: {refused}");
        }
    }
    let mut heart = Decider::new(config(), known());
    let at = |i: usize| 0.8 * i as f64 + 0.01 * (i % 3) as f64;
    let states: Vec<State> = (0..8).map(|i| heart.push(at(i), &beat(0, i, 0.3)).state).collect();
    assert_eq!(states.iter().position(|state| *state == State::Verified), Some(3), "no later than without");
}

#[test]
fn time_that_runs_backwards_is_no_evidence_for_what_came_before() {
    let mut decider = household();
    wear(&mut decider, 0, 50.0, 10);
    assert_eq!(decider.push(10.0, &beat(0, 1, 0.1)).state, State::Acquiring);
    assert_eq!(decider.decision().embeddings, 1);
}

#[test]
fn a_score_between_the_thresholds_neither_makes_nor_breaks_verified() {
    // cos = 0.56: between 0.52 and 0.60.
    let near = unit(&[0.56, 0.0, (1.0_f32 - 0.56 * 0.56).sqrt()]).unwrap();
    let ann = Reference { subject: "ann".into(), revision: 1, template: vec![1.0, 0.0, 0.0].into() };
    let mut decider = Decider::new(DecisionConfig::default(), vec![ann]);
    for i in 0..20 {
        assert_ne!(decider.push(0.8 * f64::from(i), &near).state, State::Verified);
    }
    assert_eq!((decider.decision().state, decider.decision().why), (State::Uncertain, Why::ScoreNearThreshold));
}

/// What may be done to a decider.
#[derive(Debug, Clone)]
enum Act {
    Push { person: usize, n: usize, spread: f32, step_s: f64 },
    Garbage(Vec<f32>),
    Lose,
    Interrupt,
    Signal,
    Tick(f64),
    Gallery(bool),
    Reset,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let push = (0_usize..4, 0_usize..24, 0.0_f32..1.2, -0.1_f64..3.0);
    let push = push.prop_map(|(person, n, spread, step_s)| Act::Push { person, n, spread, step_s });
    let person = (0_usize..4, 1_usize..20).prop_map(|(person, n)| Act::Push { person, n, spread: 0.2, step_s: 0.8 });
    let garbage = prop::collection::vec(prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(0.0), Just(1e38)], 0..20);
    let one = prop_oneof![
        6 => push,
        12 => person,
        1 => garbage.prop_map(Act::Garbage),
        1 => Just(Act::Lose),
        1 => Just(Act::Interrupt),
        1 => Just(Act::Signal),
        1 => (0.0_f64..8.0).prop_map(Act::Tick),
        1 => any::<bool>().prop_map(Act::Gallery),
        1 => Just(Act::Reset),
    ];
    prop::collection::vec(one, 0..150)
}

fn apply(decider: &mut Decider, act: &Act, now_s: &mut f64) {
    match act {
        Act::Push { person, n, spread, step_s } => {
            *now_s += step_s;
            decider.push(*now_s, &beat(*person, *n, *spread));
        }
        Act::Garbage(embedding) => {
            decider.push(*now_s, embedding);
        }
        Act::Lose => {
            decider.no_signal(Lost::Gap);
        }
        Act::Interrupt => {
            decider.interrupted();
        }
        Act::Signal => {
            decider.signal();
        }
        Act::Tick(step_s) => {
            *now_s += step_s;
            decider.tick(*now_s);
        }
        Act::Gallery(both) => {
            let mut references = vec![reference("ann", 0)];
            references.extend(both.then(|| reference("bob", 1)));
            decider.set_references(references);
        }
        Act::Reset => decider.reset(),
    }
}

proptest! {
    #[test]
    fn whatever_happens_verified_rests_on_evidence_since_the_last_loss(acts in acts()) {
        let config = DecisionConfig::default();
        let (mut decider, mut now_s) = (household(), 0.0);
        let (mut since_loss, mut before) = (0_usize, decider.decision().clone());
        for act in &acts {
            apply(&mut decider, act, &mut now_s);
            let d = decider.decision().clone();
            since_loss = match act {
                Act::Push { .. } | Act::Garbage(_) => since_loss + 1,
                Act::Lose | Act::Interrupt | Act::Gallery(_) | Act::Reset => 0,
                Act::Signal | Act::Tick(_) => since_loss,
            };
            prop_assert_eq!(d.subject.is_some(), d.state == State::Verified);
            prop_assert_eq!(d.revision.is_some(), d.state == State::Verified);
            prop_assert!(d.score.is_none_or(|s| (-1.0..=1.0).contains(&s)));
            prop_assert!(d.embeddings <= since_loss);
            if d.state == State::Verified {
                prop_assert!(d.embeddings >= config.min_embeddings);
                prop_assert!(since_loss >= config.min_embeddings + config.enter_updates - 1);
                prop_assert!(before.state != State::Verified || before.subject == d.subject);
                if before.state != State::Verified {
                    prop_assert!(d.score.unwrap() >= config.threshold);
                }
            }
            if matches!(act, Act::Lose) {
                prop_assert_eq!(d.state, State::NoSignal);
            }
            before = d;
        }
    }

    #[test]
    fn the_same_input_gives_the_same_output_and_reset_is_as_new(first in acts(), acts in acts()) {
        let (mut used, mut now_s) = (household(), 0.0);
        first.iter().filter(|a| !matches!(a, Act::Gallery(_))).for_each(|a| apply(&mut used, a, &mut now_s));
        used.reset();
        let (mut new, mut a_s, mut b_s) = (household(), 0.0, 0.0);
        for act in &acts {
            apply(&mut used, act, &mut a_s);
            apply(&mut new, act, &mut b_s);
            prop_assert_eq!(used.decision(), new.decision());
        }
    }
}
