//! The calibration: what it says of scores it was made from, and what holds for any table and any score.

use ecg_identity::Template;
use ecg_identity::calibration::{
    Calibration, CalibrationError, Fitted, LARGEST_LLR, Observation, Row, SMALLEST_RATE, each_template, evidence_beats,
    per_comparison,
};
use proptest::prelude::*;

/// The normal quantile function, by bisection of a rational approximation of the error function (Abramowitz and Stegun
/// 7.1.26, error below 1.5e-7).
fn quantile(p: f64) -> f64 {
    let below = |x: f64| {
        let t = 1.0 / (1.0 + 0.327_591_1 * (x.abs() / 2.0_f64.sqrt()));
        let poly = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
        let erf = 1.0 - poly.iter().fold(0.0, |sum, c| (sum + c) * t) * (-x * x / 2.0).exp();
        0.5 * (1.0 + erf.copysign(x))
    };
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if below(middle) < p { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

const PERSONS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];

/// Scores on a grid of normal quantiles: non-mated around 0, mated so many deviations above, both with deviation 0.1.
fn gaussian(beats: usize, mean: f64, each: usize) -> Vec<Observation<'static>> {
    let n = each * PERSONS.len();
    let score = |i: usize| quantile((i as f64 + 0.5) / n as f64);
    let one = |i: usize, mated: bool| Observation {
        beats,
        score: 0.1 * (score(i) + if mated { mean } else { 0.0 }),
        mated,
        person: PERSONS[i % PERSONS.len()],
    };
    (0..n).flat_map(|i| [one(i, true), one(i, false)]).collect()
}

/// The table of observations that are enough for every row.
fn fitted(observations: &[Observation<'_>]) -> Calibration {
    let Fitted { calibration, left_out } = Calibration::fit(observations).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    calibration.unwrap()
}

#[test]
fn two_normal_classes_give_their_known_log_likelihood_ratio_and_quantiles() {
    // With equal deviations s and a distance of m·s the log likelihood ratio is m·x/s − m²/2.
    let calibration = fitted(&gaussian(5, 2.0, 1000));
    let row = &calibration.rows()[0];
    assert!((row.slope - 20.0).abs() < 0.1 && (row.intercept + 2.0).abs() < 0.01, "{row:?}");
    for (fmr, score) in [(0.1, 0.12816), (0.01, 0.23263), (0.001, 0.30902)] {
        assert!((calibration.threshold(fmr, 5) - score).abs() < 0.002, "{fmr} {row:?}");
    }
    assert!(calibration.resolves(0.001, 5) && !calibration.resolves(0.0005, 5));
    // The normal tail falls faster than the curve that continues it: the threshold is rather too high.
    assert!((0.42649..0.45).contains(&calibration.threshold(1e-5, 5)));
}

#[test]
fn no_rate_asks_for_more_than_a_cosine_can_be() {
    // Five persons state 10 and 5 %; ten comparisons at 0.8 % ask for 0.08 % each, and later for a tenth of that.
    let row = |thresholds| Row { beats: 5, slope: 1.0, intercept: 0.0, thresholds };
    let coarse = Calibration::new(vec![row(vec![(0.1, 0.5), (0.05, 0.62)])]).unwrap();
    let asked: Vec<f64> = [0.05, 0.01, 8e-4, 8e-5, SMALLEST_RATE].map(|fmr| coarse.threshold(fmr, 5)).into();
    assert!(asked.windows(2).all(|pair| pair[0] < pair[1]) && asked[4] < 1.0, "{asked:?}");
    // It sets out as steeply as the line between the stated rates.
    let (near, line) = (coarse.threshold(0.049, 5), 0.62 + 0.12 * (0.05_f64 / 0.049).log2());
    assert!((near - line).abs() < 1e-4, "{near} {line}");
    assert!(Calibration::new(vec![row(vec![(0.1, 0.5), (0.05, 1.1)])]).is_err(), "no cosine");
}

#[test]
fn a_rate_that_few_scores_or_few_persons_decide_is_not_stated() {
    let finest =
        |observations: &[Observation<'_>]| fitted(observations).rows()[0].thresholds.last().copied().unwrap().0;
    assert_eq!(finest(&gaussian(1, 2.0, 100)), 0.01);
    let mut lopsided = gaussian(1, 2.0, 1000);
    // All of the tail belongs to one person.
    lopsided.iter_mut().filter(|o| !o.mated && o.score > 0.18).for_each(|o| o.person = "a");
    assert!(finest(&lopsided) >= 0.05);
}

#[test]
fn every_person_weighs_the_same_however_many_comparisons_it_has() {
    let once = gaussian(3, 2.0, 200);
    let mut crowded = once.clone();
    let of_a: Vec<_> = once.iter().filter(|o| o.person == "a").copied().collect();
    (0..9).for_each(|_| crowded.extend(&of_a));
    let (once, crowded) = (fitted(&once), fitted(&crowded));
    assert!((once.rows()[0].slope - crowded.rows()[0].slope).abs() < 0.1);
    assert!((once.threshold(0.05, 3) - crowded.threshold(0.05, 3)).abs() < 0.001);
}

#[test]
fn classes_that_do_not_overlap_give_a_finite_map_and_a_useless_score_gives_zero() {
    let apart = fitted(&gaussian(1, 50.0, 50));
    assert!(apart.rows()[0].slope.is_finite() && apart.rows()[0].slope > 0.0);
    assert!(apart.llr(5.0, 1) > 2.0 && apart.llr(0.0, 1) < -2.0);
    let upside_down = fitted(&gaussian(1, -2.0, 50));
    assert_eq!((upside_down.rows()[0].slope, upside_down.rows()[0].intercept), (0.0, 0.0));
}

#[test]
fn a_row_that_few_persons_decide_or_that_states_one_threshold_is_left_out_and_the_others_stay() {
    let mut all = gaussian(4, 2.0, 10);
    all.extend(gaussian(8, 2.0, 10).into_iter().filter(|o| !o.mated || o.person < "e"));
    all.extend(gaussian(12, 2.0, 10).into_iter().filter(|o| o.mated || o.person < "e"));
    all.extend(gaussian(16, 2.0, 10).into_iter().map(|o| Observation { score: 0.5, ..o }));
    let Fitted { calibration, left_out } = Calibration::fit(&all).unwrap();
    assert_eq!(calibration.unwrap().rows(), fitted(&gaussian(4, 2.0, 10)).rows());
    let few = |beats, mated, non_mated| CalibrationError::Persons { beats, mated, non_mated };
    assert_eq!(left_out, [few(8, 4, 10), few(12, 10, 4), CalibrationError::Thresholds { beats: 16 }]);
    let Fitted { calibration, left_out } = Calibration::fit(&all[200..]).unwrap();
    assert_eq!((calibration, left_out.len()), (None, 3));
}

#[test]
fn each_template_of_a_person_is_an_observation_of_its_own() {
    let templates = [vec![1.0, 0.0], vec![0.0, 1.0]].map(Template::from);
    assert_eq!(each_template(&templates, &[1.0, 0.0]).collect::<Vec<_>>(), [1.0, 0.0]);
}

#[test]
fn what_cannot_be_calibrated_is_refused_with_the_row() {
    assert_eq!(Calibration::fit(&[]), Ok(Fitted { calibration: None, left_out: Vec::new() }));
    let mut bad = gaussian(4, 2.0, 10);
    bad[0].score = f64::NAN;
    assert_eq!(Calibration::fit(&bad), Err(CalibrationError::Score { beats: 4 }));
    let row = |beats, thresholds| Row { beats, slope: 1.0, intercept: 0.0, thresholds };
    let good = vec![(0.1, 0.2), (0.01, 0.4)];
    assert_eq!(Calibration::new(Vec::new()), Err(CalibrationError::Empty));
    assert_eq!(
        Calibration::new(vec![row(2, good.clone()), row(2, good.clone())]),
        Err(CalibrationError::Beats { beats: 2 })
    );
    for thresholds in [vec![(0.1, 0.2)], vec![(0.1, 0.4), (0.01, 0.2)], vec![(0.01, 0.2), (0.1, 0.4)]] {
        assert_eq!(Calibration::new(vec![row(1, thresholds)]), Err(CalibrationError::Thresholds { beats: 1 }));
    }
    assert!(
        Calibration::new(vec![Row { slope: -1.0, ..row(1, good.clone()) }]).unwrap_err().to_string().contains("slope")
    );
    assert!(Calibration::new(vec![row(1, good)]).is_ok());
}

#[test]
fn one_comparison_is_made_as_strictly_as_the_household_is_large() {
    assert!((per_comparison(0.05, 1) - 0.05).abs() < 1e-15);
    assert!((per_comparison(0.01, 5) - 0.002_008_05).abs() < 1e-8);
    assert!((per_comparison(1e-12, 3) / (1e-12 / 3.0) - 1.0).abs() < 1e-9, "no digits are lost");
    assert_eq!(per_comparison(0.01, 0), per_comparison(0.01, 1), "nobody enrolled: nothing to divide by");
    assert_eq!((per_comparison(f64::NAN, 2), per_comparison(7.0, 2)), (0.0, 1.0));
}

#[test]
fn beats_of_evidence_are_those_of_the_first_average_and_one_for_each_further_embedding() {
    assert_eq!(evidence_beats(1, 1), 1);
    assert_eq!(evidence_beats(5, 1), 5);
    assert_eq!(evidence_beats(5, 8), 12);
}

fn tables() -> impl Strategy<Value = Calibration> {
    let steps = prop::collection::vec((1e-3_f64..0.9, 1e-4_f64..0.15), 2..6);
    let row = (1_usize..5, 0.0_f64..60.0, -40.0_f64..10.0, -0.9_f64..0.2, steps);
    prop::collection::vec(row, 1..5).prop_map(|rows| {
        let mut beats = 0;
        let made = rows.into_iter().map(|(more, slope, intercept, start, steps)| {
            beats += more;
            let (mut fmr, mut score) = (1.0, start);
            let mut thresholds = Vec::new();
            for (factor, rise) in steps {
                (fmr, score) = (fmr * factor.max(0.01), score + rise);
                thresholds.push((fmr, score));
            }
            Row { beats, slope, intercept, thresholds }
        });
        Calibration::new(made.collect()).unwrap()
    })
}

proptest! {
    #[test]
    fn a_threshold_and_its_rate_lead_back_to_each_other(
        table in tables(), exponent in -8.9_f64..0.0, beats in 0_usize..30,
    ) {
        let fmr = 10_f64.powf(exponent).max(SMALLEST_RATE);
        let score = table.threshold(fmr, beats);
        // So near to 1 scores are too close together to tell rates apart.
        prop_assume!(score < 1.0 - 1e-6);
        prop_assert!((table.fmr(score, beats).ln() - fmr.ln()).abs() < 1e-6);
    }

    #[test]
    fn a_smaller_rate_never_has_a_lower_threshold_and_a_higher_score_never_a_higher_rate_or_a_lower_ratio(
        table in tables(), a in 0.0_f64..1.0, b in 0.0_f64..1.0, low in -3.0_f64..3.0, more in 0.0_f64..3.0,
        beats in 0_usize..30,
    ) {
        prop_assert!(table.threshold(a.min(b), beats) >= table.threshold(a.max(b), beats));
        prop_assert!(table.fmr(low + more, beats) <= table.fmr(low, beats));
        prop_assert!(table.llr(low + more, beats) >= table.llr(low, beats));
    }

    #[test]
    fn any_number_gives_a_finite_answer(
        table in tables(), beats in any::<usize>(),
        x in prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(f64::MAX)],
    ) {
        prop_assert!((SMALLEST_RATE..=1.0).contains(&table.fmr(x, beats)));
        prop_assert!((-LARGEST_LLR..=LARGEST_LLR).contains(&table.llr(x, beats)));
        prop_assert!(table.threshold(x, beats).is_finite());
        let shared = per_comparison(x, beats);
        prop_assert!((0.0..=1.0).contains(&shared));
    }

    #[test]
    fn whatever_is_observed_gives_a_table_that_holds_or_none(
        scores in prop::collection::vec((1_usize..4, -1.0_f64..1.0, any::<bool>(), 0_usize..10), 0..500),
    ) {
        let observation = |&(beats, score, mated, person): &(usize, f64, bool, usize)| {
            Observation { beats, score, mated, person: PERSONS[person] }
        };
        let observations: Vec<_> = scores.iter().map(observation).collect();
        let table = Calibration::fit(&observations).unwrap().calibration;
        prop_assert!(table.is_some() || observations.len() < 400, "so many give a table");
        if let Some(table) = table {
            prop_assert_eq!(Calibration::new(table.rows().to_vec()), Ok(table));
        }
    }
}
