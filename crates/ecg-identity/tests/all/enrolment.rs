//! Enrolment: what is asked for in which order, what is refused, and how far a template may be led.

use ecg_identity::enrolment::{
    Advice, Contact, Enrolment, EnrolmentConfig, EnrolmentRefusal, Fault, MAX_DRIFT_COSINE, Placement, Requirements,
    Step, UpdateRefusal, UpdateRule, blend, days, heart_rates_apart, judge, resemblances,
};
use ecg_identity::{Reference, Suspicion, Template, cosine, unit};
use proptest::prelude::*;

const LENGTH: usize = 16;
const RR_S: f64 = 0.8;

/// An embedding near axis `person`; `n` moves it a little.
fn embedding(person: usize, n: usize) -> Vec<f32> {
    let mut e = vec![0.0; LENGTH];
    e[person] = 1.0;
    e[8 + n % 8] += 0.2;
    unit(&e).unwrap()
}

/// So many good beats, one every 0.8 s, an embedding each.
fn wear(enrolment: &mut Enrolment, person: usize, beats: usize) {
    for n in 0..beats {
        enrolment.elapsed(RR_S);
        enrolment.accepted(Some(RR_S));
        enrolment.embedding(&embedding(person, n));
    }
}

fn take_off_and_put_back(enrolment: &mut Enrolment) {
    enrolment.contact(Contact::Off(Fault::LeadOff));
    enrolment.elapsed(2.0);
    enrolment.contact(Contact::On);
}

fn placement(person: usize, good: usize, refused: usize) -> Placement {
    let mut placement = Placement::default();
    for n in 0..good {
        placement.accepted(Some(RR_S));
        placement.embedding(&embedding(person, n));
    }
    (0..refused).for_each(|_| placement.refused(Fault::Noise));
    placement
}

#[test]
fn three_placements_are_asked_for_one_after_the_other() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    assert_eq!(enrolment.status().advice, Advice::PutOn);
    wear(&mut enrolment, 0, 5);
    assert_eq!(enrolment.status().good_beats, 0, "beats count from contact on");
    enrolment.contact(Contact::On);
    for number in 1..=3 {
        assert_eq!((enrolment.status().step, enrolment.status().placement), (Step::Collect, number));
        wear(&mut enrolment, 0, 19);
        assert_eq!(enrolment.status().step, Step::Collect, "16 s are 20 beats");
        wear(&mut enrolment, 0, 3);
        if number < 3 {
            assert_eq!((enrolment.status().step, enrolment.status().advice), (Step::TakeOff, Advice::TakeOff));
            take_off_and_put_back(&mut enrolment);
        }
    }
    let status = enrolment.status();
    assert_eq!((status.step, status.placement, status.placements), (Step::Done, 3, 3));
    assert_eq!((status.good_s, status.needed_s), (48.0, 48.0));
    assert_eq!((status.good_beats, status.needed_beats), (60, 60));
    assert_eq!(status.heart_rate_bpm.map(f64::round), Some(75.0));
    let judged = enrolment.finish().unwrap();
    assert_eq!((judged.parts.len(), judged.beats()), (3, 60));
    assert!(cosine(&judged.template, &embedding(0, 0)) > 0.95);
}

#[test]
fn where_little_time_is_asked_for_the_least_number_of_beats_is_waited_for() {
    let mut enrolment = Enrolment::new(EnrolmentConfig { placements: 1, seconds: 5.0, ..EnrolmentConfig::default() });
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 11);
    assert_eq!((enrolment.status().step, enrolment.status().needed_beats), (Step::Collect, 12));
    wear(&mut enrolment, 0, 1);
    assert_eq!(enrolment.status().step, Step::Done);
    assert!(enrolment.finish().is_ok());
}

#[test]
fn a_lost_contact_within_a_placement_costs_nothing_but_time_and_says_what_to_do() {
    let mut enrolment = Enrolment::new(EnrolmentConfig { placements: 1, seconds: 16.0, ..EnrolmentConfig::default() });
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 10);
    enrolment.contact(Contact::Off(Fault::LeadOff));
    let status = enrolment.status();
    assert_eq!((status.step, status.advice, status.good_beats), (Step::Collect, Advice::PressBoth, 10));
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 10);
    assert_eq!(enrolment.status().step, Step::Done);
}

#[test]
fn a_change_of_placement_that_is_not_noticed_is_asked_for_otherwise_and_may_be_told() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    enrolment.moved();
    assert_eq!(enrolment.status().step, Step::PutOn, "it is heard only while it is asked for");
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 20);
    wear(&mut enrolment, 0, 30);
    assert_eq!((enrolment.status().step, enrolment.status().advice), (Step::TakeOff, Advice::TakeOffLonger));
    assert_eq!(enrolment.status().good_beats, 20, "nothing is collected meanwhile");
    enrolment.moved();
    assert_eq!((enrolment.status().step, enrolment.status().placement), (Step::Collect, 2));
}

#[test]
fn a_placement_with_too_many_refused_beats_is_taken_again() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 10);
    for _ in 0..12 {
        enrolment.refused(Fault::Noise);
    }
    assert_eq!(enrolment.status().advice, Advice::Relax);
    wear(&mut enrolment, 0, 10);
    let status = enrolment.status();
    assert_eq!((status.step, status.placement, status.good_beats), (Step::Collect, 1, 0));
    assert!(matches!(
        status.again,
        Some(EnrolmentRefusal::PoorSignal { placement: 1, mostly: Fault::Noise, share, .. }) if share > 0.36
    ));
    wear(&mut enrolment, 0, 20);
    assert_eq!((enrolment.status().step, enrolment.status().again), (Step::TakeOff, None));
}

#[test]
fn beats_of_a_heart_that_is_not_believed_do_not_count_and_take_their_placement_with_them() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 12);
    for n in 0..20 {
        enrolment.doubted(Suspicion::Replay, None);
        enrolment.embedding(&embedding(0, n));
    }
    let status = enrolment.status();
    assert_eq!((status.step, status.placement, status.good_beats, status.good_s), (Step::Collect, 1, 0, 0.0));
    assert_eq!((status.doubted_beats, status.refused_share), (20, 0.0), "the signal was not poor");
    assert_eq!(status.advice, Advice::ReplaySuspected);
    let doubted = EnrolmentRefusal::Doubted { placement: 1, suspicion: Suspicion::Replay };
    assert_eq!((status.again, enrolment.finish()), (Some(doubted.clone()), Err(doubted.clone())));
    enrolment.doubted(Suspicion::TooRegular, None);
    assert_eq!(enrolment.status().advice, Advice::RhythmTooRegular);
    enrolment.doubted(Suspicion::Replay, None);

    wear(&mut enrolment, 0, 19);
    let status = enrolment.status();
    assert_eq!((status.step, status.good_beats, status.advice), (Step::Collect, 19, Advice::KeepStill));
    assert_eq!((status.again, status.doubted_beats), (Some(doubted), 22));
    wear(&mut enrolment, 0, 1);
    assert_eq!((enrolment.status().step, enrolment.status().again), (Step::TakeOff, None));
    assert_eq!(enrolment.finish().unwrap().beats(), 20);
}

#[test]
fn a_doubt_takes_back_a_placement_that_has_just_been_completed_and_leaves_older_ones() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    enrolment.contact(Contact::On);
    wear(&mut enrolment, 0, 20);
    take_off_and_put_back(&mut enrolment);
    wear(&mut enrolment, 0, 20);
    assert_eq!((enrolment.status().step, enrolment.status().placement), (Step::TakeOff, 3));
    let mut later = enrolment.clone();

    enrolment.elapsed(1.0);
    enrolment.doubted(Suspicion::Replay, None);
    let status = enrolment.status();
    // The first was complete 19 s ago.
    assert_eq!((status.step, status.placement, status.good_beats), (Step::TakeOff, 1, 0));
    assert_eq!(status.again.and_then(|why| why.placement()), Some(1));
    later.elapsed(3.0);
    later.doubted(Suspicion::Replay, None);
    let status = later.status();
    assert_eq!((status.step, status.placement, status.good_beats), (Step::TakeOff, 2, 20));

    take_off_and_put_back(&mut later);
    wear(&mut later, 0, 20);
    take_off_and_put_back(&mut later);
    later.elapsed(30.0);
    later.doubted(Suspicion::Replay, None);
    assert_eq!((later.status().placement, later.status().good_beats), (3, 40), "what is older is kept");
    wear(&mut later, 0, 20);
    assert_eq!(later.finish().unwrap().parts.len(), 3);
    later.doubted(Suspicion::Replay, None);
    assert_eq!((later.status().step, later.status().good_beats), (Step::Done, 60), "an end is an end");
}

#[test]
fn a_recording_with_doubted_beats_is_refused_whatever_else_is_good() {
    let mut doubted = placement(0, 20, 0);
    doubted.doubted(Suspicion::TooRegular, None);
    let found = judge(&[placement(0, 20, 0), doubted], &Requirements::default());
    assert_eq!(found, Err(EnrolmentRefusal::Doubted { placement: 2, suspicion: Suspicion::TooRegular }));
    let mut noise = Placement::default();
    (0..20).for_each(|_| noise.doubted(Suspicion::Replay, Some(Fault::Noise)));
    let refused = vec![(Fault::Noise, 20)];
    let found = judge(&[noise], &Requirements::default());
    assert_eq!(found, Err(EnrolmentRefusal::TooFewBeats { good: 0, needed: 12, refused }), "noise may repeat itself");
}

#[test]
fn an_odd_placement_is_taken_again_once_and_named_when_it_stays_odd() {
    let mut enrolment = Enrolment::new(EnrolmentConfig::default());
    for (number, person) in [0, 3, 0].into_iter().enumerate() {
        if number > 0 {
            take_off_and_put_back(&mut enrolment);
        }
        enrolment.contact(Contact::On);
        wear(&mut enrolment, person, 20);
    }
    let status = enrolment.status();
    assert_eq!((status.step, status.placement), (Step::TakeOff, 3));
    assert!(matches!(status.again, Some(EnrolmentRefusal::OddPlacement { placement: 2, .. })));
    let mut mended = enrolment.clone();
    take_off_and_put_back(&mut mended);
    wear(&mut mended, 0, 20);
    assert_eq!(mended.status().step, Step::Done);
    assert!(mended.finish().is_ok());
    take_off_and_put_back(&mut enrolment);
    wear(&mut enrolment, 3, 20);
    assert_eq!(enrolment.status().step, Step::Done);
    assert!(matches!(enrolment.finish(), Err(EnrolmentRefusal::OddPlacement { placement: 3, .. })));
}

#[test]
fn it_is_given_up_in_time_and_says_why_there_is_no_template() {
    let mut enrolment = Enrolment::new(EnrolmentConfig { give_up_after_s: 20.0, ..EnrolmentConfig::default() });
    enrolment.contact(Contact::On);
    enrolment.refused(Fault::Clipping);
    wear(&mut enrolment, 0, 2);
    enrolment.elapsed(f64::NAN);
    enrolment.elapsed(-5.0);
    assert!(!enrolment.ended());
    enrolment.elapsed(19.0);
    assert_eq!(enrolment.status().step, Step::GaveUp);
    let refused = vec![(Fault::Clipping, 1)];
    assert_eq!(enrolment.finish(), Err(EnrolmentRefusal::TooFewBeats { good: 0, needed: 12, refused }));
}

#[test]
fn two_placements_that_differ_are_refused_without_blaming_one() {
    let requirements = Requirements::default();
    let found = judge(&[placement(0, 20, 0), placement(1, 20, 0)], &requirements);
    assert!(matches!(found, Err(EnrolmentRefusal::PlacementsDiffer { .. })));
    let mut swapped = placement(0, 15, 0);
    (0..15).for_each(|n| swapped.embedding(&embedding(1, n)));
    let found = judge(&[placement(0, 20, 0), swapped], &requirements);
    assert!(matches!(found, Err(EnrolmentRefusal::Unsteady { placement: 2, .. })), "another person in mid-placement");
    let found = judge(&[placement(0, 20, 0), placement(0, 20, 11)], &requirements);
    assert!(matches!(found, Err(EnrolmentRefusal::PoorSignal { placement: 2, .. })));
}

#[test]
fn an_enrolment_resembles_whoever_one_of_its_parts_resembles() {
    let judged = judge(&[placement(0, 20, 0), placement(0, 20, 0)], &Requirements::default()).unwrap();
    let reference =
        |name: &str, person| Reference { subject: name.into(), revision: 1, template: embedding(person, 1).into() };
    let found = resemblances(&[reference("ben", 4), reference("ann", 0), reference("ann", 5)], &judged);
    assert_eq!(found.iter().map(|r| r.subject.as_str()).collect::<Vec<_>>(), ["ann", "ben"]);
    assert!(found[0].score > 0.9 && found[1].score < 0.2);
    // As a decision would score it: what its mean lacks of unit length is allowed for.
    let length = judged.parts[0].embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
    let allowing =
        Reference { template: Template { scatter: 1.0, ..reference("ann", 5).template }, ..reference("ann", 5) };
    let plain = resemblances(&[reference("ann", 5)], &judged)[0].score;
    let allowed = resemblances(&[allowing], &judged)[0].score;
    assert!(length < 0.999 && (allowed - plain - f64::from(1.0 - length)).abs() < 1e-6, "{plain} {allowed} {length}");
}

#[test]
fn days_are_counted_by_the_time_between_them_and_rates_far_apart_are_noticed() {
    let hour = 3600.0;
    assert_eq!(days(&[]), 0);
    assert_eq!(days(&[0.0, 60.0, 11.0 * hour]), 1);
    assert_eq!(days(&[30.0 * hour, 0.0, 24.0 * hour]), 2);
    assert_eq!(heart_rates_apart(&[60.0, 79.0, f64::NAN]), None);
    assert_eq!(heart_rates_apart(&[60.0, 84.0]), Some((60.0, 84.0)));
    assert_eq!(heart_rates_apart(&[]), None);
}

#[test]
fn an_update_needs_a_clear_match_with_the_template_and_with_its_anchor() {
    let rule = UpdateRule::at(0.7);
    let anchor = Template::from(embedding(0, 0));
    let updated = blend(&anchor, &anchor, &embedding(0, 1), &rule).unwrap();
    assert!(updated.to_anchor > 0.98 && updated.score > 0.9);
    assert!(matches!(blend(&anchor, &anchor, &embedding(1, 0), &rule), Err(UpdateRefusal::NotClear { .. })));
    let led_away = Template::from(embedding(1, 0));
    assert!(blend(&anchor, &led_away, &embedding(1, 1), &rule).is_err(), "the anchor has a say");
    for unusable in [&[][..], &[f32::NAN; LENGTH], &[0.0; LENGTH]] {
        assert!(matches!(blend(&anchor, &anchor, unusable, &rule), Err(UpdateRefusal::NotClear { .. })));
    }
}

fn any_embedding() -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-1.0_f32..1.0, 4).prop_filter("a direction", |e| unit(e).is_some())
}

proptest! {
    #[test]
    fn however_often_a_template_is_updated_it_stays_near_its_anchor(
        anchor in any_embedding(),
        fresh in proptest::collection::vec(any_embedding(), 1..40),
        threshold in -1.0_f64..1.0,
        weight in 0.0_f64..1.0,
    ) {
        let rule = UpdateRule { threshold, margin: 0.0, weight };
        let anchor = Template::from(anchor);
        let mut template = anchor.clone();
        for new in &fresh {
            if let Ok(updated) = blend(&anchor, &template, new, &rule) {
                prop_assert!(updated.score >= threshold);
                template = updated.embedding.into();
            }
            prop_assert!(cosine(&anchor.embedding, &template.embedding) >= MAX_DRIFT_COSINE - 1e-6);
        }
    }

    #[test]
    fn the_person_led_towards_step_by_step_is_never_reached(steps in 1_usize..200) {
        // Two persons at a cosine of 0.5; every step the new beats lie as near to the other as the rule lets through.
        let (anchor, other) = (Template::from(vec![1.0, 0.0]), vec![0.5, 0.866_025_4]);
        let rule = UpdateRule::at(0.6);
        let mut template = anchor.clone();
        for _ in 0..steps {
            let reach = (0..=90).rev().map(|degrees| f64::from(degrees).to_radians());
            let next = reach
                .map(|angle| vec![angle.cos() as f32, angle.sin() as f32])
                .find_map(|fresh| blend(&anchor, &template, &fresh, &rule).ok());
            let Some(next) = next else { break };
            template = next.embedding.into();
        }
        prop_assert!(cosine(&template.embedding, &anchor.embedding) >= MAX_DRIFT_COSINE - 1e-6);
        prop_assert!(cosine(&template.embedding, &other) < 0.95);
    }

    #[test]
    fn whatever_happens_the_status_is_in_range_and_a_judged_enrolment_fulfils_what_is_required(
        events in proptest::collection::vec((0_u8..9, 0_usize..4, 0.0_f64..3.0), 0..400),
        placements in 0_usize..4,
    ) {
        let config = EnrolmentConfig { placements, seconds: 12.0, give_up_after_s: 250.0, ..EnrolmentConfig::default() };
        let mut enrolment = Enrolment::new(config.clone());
        for (kind, person, value) in events {
            let before = enrolment.status();
            match kind {
                0 => enrolment.refused([Fault::Noise, Fault::LeadOff, Fault::Shape, Fault::Incomplete][person]),
                1 => enrolment.contact(Contact::Off(Fault::FlatLine)),
                2 => enrolment.contact(Contact::On),
                3 => enrolment.elapsed(value),
                4 => enrolment.moved(),
                5 => enrolment.doubted(if person == 0 { Suspicion::TooRegular } else { Suspicion::Replay }, (person > 1).then_some(Fault::Noise)),
                _ => {
                    enrolment.accepted((value > 0.5).then_some(value));
                    enrolment.embedding(&embedding(if person == 3 { 1 } else { 0 }, person));
                }
            }
            let status = enrolment.status();
            prop_assert!(status.placement >= 1 && status.placement <= status.placements);
            prop_assert!((0.0..=status.needed_s).contains(&status.good_s));
            prop_assert!(status.good_beats <= status.needed_beats);
            prop_assert!((0.0..=1.0).contains(&status.refused_share));
            prop_assert!(status.doubted_beats >= before.doubted_beats);
            if kind == 5 && !matches!(before.step, Step::Done | Step::GaveUp) {
                // Nothing of the placement at hand is left; complete ones may be.
                prop_assert!(enrolment.finish().is_err() || status.placement > 1);
            }
            if matches!(before.step, Step::Done | Step::GaveUp) {
                prop_assert_eq!(before.step, status.step, "an end is an end");
                prop_assert_eq!(before.good_beats, status.good_beats);
            }
        }
        if let Ok(judged) = enrolment.finish() {
            prop_assert!(judged.consistency >= config.requirements.consistency);
            prop_assert!(judged.beats() >= config.requirements.min_beats);
            prop_assert!(unit(&judged.template).is_some());
        }
    }
}
