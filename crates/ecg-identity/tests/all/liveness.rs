//! Liveness on made-up beats: what is played again is recognised, what is not is left alone.

use ecg_identity::{
    Decider, DecisionConfig, Heartbeat, Liveness, LivenessConfig, Lost, Reference, State, Suspicion, Why,
};
use proptest::prelude::*;

/// Numbers without a pattern (SplitMix64).
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as f64 / u64::MAX as f64
    }

    /// About normal, standard deviation 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[derive(Clone)]
struct Made {
    interval_ms: f64,
    segment: Vec<f64>,
    middle: Option<f64>,
}

/// A heart at 75 a minute whose intervals vary by `spread_ms` and whose beats vary a little in every sample.
fn heart(beats: usize, spread_ms: f64, seed: u64) -> Vec<Made> {
    let mut random = Random(seed);
    let mut slow = 0.0;
    let beat = |_| {
        slow = 0.8 * slow + 0.6 * random.normal();
        let wave = |n: usize, at: f64, width: f64| (-0.5 * ((n as f64 - at) / width).powi(2)).exp();
        let breath = 1.0 + 0.03 * slow;
        let segment =
            (0..175).map(|n| breath * (wave(n, 62.0, 2.5) + 0.3 * wave(n, 130.0, 10.0)) + 0.02 * random.normal());
        Made { interval_ms: 800.0 + spread_ms * slow, segment: segment.collect(), middle: None }
    };
    (0..beats).map(beat).collect()
}

/// As it comes back through another amplifier: R 1 ms off, some noise, another gain and offset.
fn played(beats: &[Made]) -> Vec<Made> {
    let mut random = Random(99);
    let again = |beat: &Made| Made {
        interval_ms: beat.interval_ms * 1.0001 + random.normal(),
        segment: beat.segment.iter().map(|x| 1.7 * x + 0.4 + 0.01 * random.normal()).collect(),
        middle: None,
    };
    beats.iter().map(again).collect()
}

fn hear(liveness: &mut Liveness, beats: &[Made]) -> Vec<Option<Suspicion>> {
    let beat = |made: &Made| {
        let (interval_ms, middle) = (Some(made.interval_ms), made.middle);
        liveness.push(&Heartbeat { interval_ms, segment: &made.segment, r_index: 62.0, middle })
    };
    beats.iter().map(beat).collect()
}

#[test]
fn a_replay_of_hours_ago_is_suspected_within_twelve_beats_and_a_heart_never() {
    let (before, after) = (heart(6000, 30.0, 1), heart(3000, 30.0, 2));
    let mut liveness = Liveness::new(LivenessConfig::default());
    assert!(hear(&mut liveness, &before).iter().chain(&hear(&mut liveness, &after)).all(Option::is_none));
    let again = hear(&mut liveness, &played(&before[1234..1252]));
    let first = again.iter().position(Option::is_some).unwrap();
    assert!((4..12).contains(&first), "beat {first}");
    assert!(again[first..].iter().all(|suspicion| *suspicion == Some(Suspicion::Replay)));
}

#[test]
fn a_beat_that_is_lost_on_the_way_does_not_hide_a_replay() {
    let before = heart(500, 30.0, 3);
    let mut again = played(&before[100..120]);
    let lost = again.remove(4);
    again[4].interval_ms += lost.interval_ms;
    let mut liveness = Liveness::new(LivenessConfig::default());
    hear(&mut liveness, &before);
    assert!(hear(&mut liveness, &again).contains(&Some(Suspicion::Replay)));
}

/// A complex of three deflections that vary one by one: how R is found on another of them is up to the detector.
fn split(beats: usize, seed: u64) -> Vec<Made> {
    let mut random = Random(seed);
    let beat = |_| {
        let wave = |n: usize, at: f64, width: f64| (-0.5 * ((n as f64 - at) / width).powi(2)).exp();
        let sizes = [0.0; 3].map(|_: f64| 1.0 + 0.05 * random.normal());
        let slow = random.normal();
        let segment = (0..175).map(|n| {
            0.7 * sizes[0] * wave(n, 56.0, 2.5) - sizes[1] * wave(n, 62.0, 2.5)
                + 0.8 * sizes[2] * wave(n, 68.0, 2.5)
                + 0.3 * wave(n, 130.0, 10.0)
        });
        Made { interval_ms: 800.0 + 30.0 * slow, segment: segment.collect(), middle: Some(62.0) }
    };
    (0..beats).map(beat).collect()
}

#[test]
fn a_replay_in_which_r_lies_on_another_deflection_now_and_then_is_suspected() {
    let before = split(2000, 21);
    // R 6 samples earlier or later in some of the beats: the segment is cut elsewhere, and the intervals beside it change.
    let places = [0.0, 6.0, 0.0, 0.0, -6.0, -6.0, 0.0, 6.0, 6.0, -6.0];
    let mut again: Vec<Made> = before[700..720].to_vec();
    let mut earlier = 0.0;
    for (beat, place) in again.iter_mut().zip(places.iter().cycle()) {
        beat.interval_ms += 4.0 * (place - std::mem::replace(&mut earlier, *place));
        let cut: Vec<f64> = (0..175i32).map(|n| beat.segment[(n + *place as i32).clamp(0, 174) as usize]).collect();
        beat.segment = cut;
        beat.middle = Some(62.0 - place);
    }
    let mut liveness = Liveness::new(LivenessConfig::default());
    assert!(hear(&mut liveness, &before).iter().all(Option::is_none));
    assert!(hear(&mut liveness, &split(60, 22)).iter().all(Option::is_none));
    let heard = hear(&mut liveness, &again);
    assert!(heard.contains(&Some(Suspicion::Replay)), "evidence {}", liveness.evidence());
}

#[test]
fn a_loop_is_suspected_with_its_second_and_third_turn() {
    for beats in [4, 7, 40] {
        let mut liveness = Liveness::new(LivenessConfig::default());
        let turn = heart(beats, 30.0, 4);
        let turns: Vec<Made> = turn.iter().cycle().take(beats + 14).cloned().collect();
        let heard = hear(&mut liveness, &turns);
        assert!(heard[..beats].iter().all(Option::is_none), "{beats}");
        assert!(heard.last().unwrap().is_some(), "{beats}");
    }
}

#[test]
fn a_metronome_is_too_regular_unless_paced_hearts_are_allowed() {
    let metronome = vec![Made { interval_ms: 800.0, segment: heart(1, 0.0, 5).remove(0).segment, middle: None }; 60];
    let mut strict = Liveness::new(LivenessConfig::default());
    assert_eq!(hear(&mut strict, &metronome)[20], Some(Suspicion::TooRegular));
    let allowed = LivenessConfig { allow_even_rhythm: true, ..LivenessConfig::default() };
    let mut paced = Liveness::new(allowed.clone());
    assert!(hear(&mut paced, &heart(600, 0.3, 6)).iter().all(Option::is_none), "a paced heart");
    // Its beats still tell a replay from it.
    let before = heart(600, 0.3, 7);
    let mut paced = Liveness::new(allowed);
    hear(&mut paced, &before);
    assert!(hear(&mut paced, &played(&before[200..240])).contains(&Some(Suspicion::Replay)));
}

#[test]
fn a_suspicion_outlives_a_lifted_electrode_and_ends_after_twenty_beats_of_a_heart() {
    let before = heart(300, 30.0, 8);
    let mut liveness = Liveness::new(LivenessConfig::default());
    hear(&mut liveness, &before);
    hear(&mut liveness, &played(&before[50..70]));
    liveness.interrupt();
    assert_eq!(liveness.suspicion(), Some(Suspicion::Replay));
    let alive = hear(&mut liveness, &heart(40, 30.0, 9));
    assert!(alive[10].is_some() && alive.last().unwrap().is_none());
}

#[test]
fn the_history_is_bounded_and_what_it_has_forgotten_is_news() {
    let before = heart(400, 30.0, 10);
    let mut liveness = Liveness::new(LivenessConfig { history_beats: 128, ..LivenessConfig::default() });
    hear(&mut liveness, &before);
    assert!(liveness.history() <= 128);
    assert!(hear(&mut liveness, &played(&before[20..40])).iter().all(Option::is_none));
    assert!(hear(&mut liveness, &played(&before[360..380])).contains(&Some(Suspicion::Replay)));
}

#[test]
fn nobody_is_verified_while_the_heart_is_doubted_and_what_came_meanwhile_is_no_evidence() {
    let anna = Reference { subject: "anna".to_owned(), revision: 1, template: vec![1.0].into() };
    let mut decider = Decider::new(DecisionConfig::default(), vec![anna]);
    let mut at_s = 0.0;
    let mut beats = |decider: &mut Decider, count: usize| {
        for _ in 0..count {
            at_s += 1.0;
            decider.push(at_s, &[1.0]);
        }
        decider.decision().state
    };
    assert_eq!(beats(&mut decider, 10), State::Verified);
    let doubted = decider.doubt(Some(Suspicion::Replay));
    assert_eq!((doubted.state, doubted.why), (State::Uncertain, Why::NotAlive(Suspicion::Replay)));
    assert_eq!(beats(&mut decider, 20), State::Uncertain);
    decider.no_signal(Lost::Gap);
    assert_eq!(decider.signal().state, State::Uncertain, "a gap does not clear it");
    assert_eq!(decider.doubt(None).state, State::Acquiring);
    assert_eq!(beats(&mut decider, 2), State::Acquiring);
    assert_eq!(beats(&mut decider, 8), State::Verified);
}

proptest! {
    #[test]
    fn whatever_comes_in_the_evidence_is_a_number(
        beats in prop::collection::vec(
            (prop::option::of(any::<f64>()), any::<f64>(), any::<f64>(), prop::option::of(any::<f64>())),
            0..200,
        )
    ) {
        let mut liveness = Liveness::new(LivenessConfig { history_beats: 70, allow_even_rhythm: false });
        for (interval_ms, value, r_index, middle) in beats {
            liveness.push(&Heartbeat { interval_ms, segment: &[value; 175], r_index, middle });
            prop_assert!(liveness.evidence().is_finite());
        }
        prop_assert!(liveness.history() <= 71);
    }
}
