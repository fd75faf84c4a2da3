//! Figures of closed-set classifiers: a published matrix with its published figures, paper, properties.

use ecg_identity::rates::{ConfusionMatrix, UnknownClass};
use proptest::prelude::*;

fn matrix(rows: &[&[u64]]) -> ConfusionMatrix {
    let mut matrix = ConfusionMatrix::new(rows.len());
    for (truth, row) in rows.iter().enumerate() {
        for (answer, &count) in row.iter().enumerate() {
            (0..count).for_each(|_| matrix.add(truth, answer).unwrap());
        }
    }
    matrix
}

/// The six subjects of Marways7/ECG_IdentificationX, whose README prints both the matrix and the figures.
#[test]
fn the_published_matrix_of_six_subjects_gives_its_published_figures() {
    let published = matrix(&[
        &[72, 0, 1, 0, 0, 0],
        &[0, 104, 0, 0, 0, 1],
        &[2, 0, 103, 0, 0, 0],
        &[0, 0, 1, 78, 0, 1],
        &[0, 0, 1, 0, 72, 0],
        &[0, 1, 0, 0, 0, 75],
    ]);
    let figures = published.figures(200, 1).unwrap();
    assert_eq!((figures.right, figures.beats), (504, 512));
    let per_cent = |value: f64| (value * 1e4).round() / 100.0;
    let mean = figures.weighted_mean;
    assert_eq!(per_cent(figures.accuracy.value), 98.44);
    assert_eq!([mean.precision, mean.recall, mean.f1].map(per_cent), [98.45, 98.44, 98.44]);
    assert_eq!(per_cent(figures.macro_mean.specificity), 99.68);
    let recalls: Vec<f64> = figures.classes.iter().map(|class| (class.recall.unwrap() * 1e3).round() / 10.0).collect();
    assert_eq!(recalls, [98.6, 99.0, 98.1, 97.5, 98.6, 98.7]);
    assert!(figures.accuracy.low < figures.accuracy.value && figures.accuracy.value < figures.accuracy.high);
}

#[test]
fn a_class_that_is_never_answered_has_no_precision_and_counts_as_zero_in_the_mean() {
    // By hand: precision 1/2 and none; recall 1 and 0; F1 2/3 and 0; specificity 0 and 1.
    let figures = matrix(&[&[1, 0], &[1, 0]]).figures(0, 1).unwrap();
    let [a, b] = figures.classes[..] else { unreachable!() };
    assert_eq!((a.precision, a.recall, a.specificity), (Some(0.5), Some(1.0), Some(0.0)));
    assert_eq!((b.precision, b.recall, b.f1, b.specificity), (None, Some(0.0), Some(0.0), Some(1.0)));
    assert_eq!(figures.macro_mean.precision, 0.25);
    assert!((figures.macro_mean.f1 - 1.0 / 3.0).abs() < 1e-15);
    assert!(figures.accuracy.low.is_nan());
}

#[test]
fn a_class_that_does_not_occur_changes_no_mean() {
    let with = matrix(&[&[3, 1, 0], &[0, 4, 0], &[0, 0, 0]]).figures(0, 1).unwrap();
    let without = matrix(&[&[3, 1], &[0, 4]]).figures(0, 1).unwrap();
    assert_eq!((with.macro_mean, with.weighted_mean), (without.macro_mean, without.weighted_mean));
    assert_eq!(ConfusionMatrix::new(3).figures(0, 1), None);
}

#[test]
fn an_outcome_of_a_class_that_does_not_exist_is_refused_and_not_counted() {
    let mut matrix = ConfusionMatrix::new(2);
    assert_eq!(matrix.add(0, 2), Err(UnknownClass { class: 2, classes: 2 }));
    assert_eq!(matrix.figures(0, 1), None);
    assert_eq!(matrix.count(7, 7), 0);
}

proptest! {
    #[test]
    fn figures_are_rates_and_the_weighted_recall_is_the_accuracy(
        outcomes in prop::collection::vec((0_usize..5, 0_usize..5), 1..200),
    ) {
        let mut matrix = ConfusionMatrix::new(5);
        outcomes.iter().for_each(|&(truth, answer)| matrix.add(truth, answer).unwrap());
        let figures = matrix.figures(50, 3).unwrap();
        prop_assert!((figures.weighted_mean.recall - figures.accuracy.value).abs() < 1e-12);
        prop_assert_eq!(figures.beats as usize, outcomes.len());
        for mean in [figures.macro_mean, figures.weighted_mean] {
            for rate in [mean.precision, mean.recall, mean.f1, mean.specificity] {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&rate));
            }
        }
        prop_assert!(figures.accuracy.low <= figures.accuracy.high);
        for class in figures.classes {
            let parts = [class.precision, class.recall, class.f1, class.specificity];
            prop_assert!(parts.into_iter().flatten().all(|rate| (0.0..=1.0).contains(&rate)));
        }
    }
}
