//! The watch over single heartbeats: what is a change of the person, and what is not.

use ecg_identity::ChangeWatch;
use proptest::prelude::*;

const ANN: [f32; 3] = [1.0, 0.1, 0.0];
const BOB: [f32; 3] = [0.0, 0.1, 1.0];

fn worn(n: usize) -> ChangeWatch {
    let mut watch = ChangeWatch::new(0.4);
    assert!((0..n).all(|_| !watch.push(&ANN)));
    watch
}

#[test]
fn the_second_beat_of_another_person_is_a_change_and_the_new_person_is_then_the_usual_one() {
    let mut watch = worn(10);
    assert!(!watch.push(&BOB));
    assert!(watch.push(&BOB));
    assert!((0..20).all(|_| !watch.push(&BOB)));
    assert!(!watch.push(&ANN));
    assert!(watch.push(&ANN));
}

#[test]
fn a_single_odd_beat_is_none_however_often_it_comes() {
    let mut watch = worn(10);
    assert!((0..40).all(|i| !watch.push(if i % 2 == 0 { &BOB } else { &ANN })));
}

#[test]
fn beats_that_nobody_can_judge_count_as_those_of_somebody_else() {
    let mut watch = worn(10);
    assert!(!watch.refused());
    assert!(watch.refused());
    let mut watch = worn(10);
    assert!(!watch.push(&BOB));
    assert!(watch.refused());
    let mut watch = worn(10);
    assert!(!watch.refused());
    assert!(!watch.push(&ANN));
    assert!(!watch.refused(), "one that can be judged in between");
}

#[test]
fn without_enough_beats_before_and_after_a_reset_nothing_is_a_change() {
    let mut watch = worn(2);
    assert!(!watch.refused() && !watch.refused() && !watch.push(&BOB));
    let mut watch = worn(10);
    watch.reset();
    assert!((0..2).all(|_| !watch.push(&BOB)));
}

proptest! {
    #[test]
    fn a_change_takes_three_beats_and_two_in_a_row_that_differ(kinds in prop::collection::vec(0_u8..3, 0..80)) {
        let mut watch = ChangeWatch::new(0.4);
        let mut since = 0;
        for kind in kinds {
            since += 1;
            let changed = match kind {
                0 => watch.push(&ANN),
                1 => watch.push(&BOB),
                _ => watch.refused(),
            };
            if changed {
                prop_assert!(since >= 3, "after {since} beats");
                since = 0;
            }
        }
    }
}
