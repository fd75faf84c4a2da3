//! The figures as tables: error rates with intervals and numbers of persons, means of a closed-set model.

use ecg_identity::rates::{ClosedSetFigures, Interval};

use super::{Section, percent, table};
use crate::card::Measured;
use crate::fit::Travelled;
use crate::fit::closed_set::Rejection;
use ecg_plot::escape;

/// Error rates of every protocol, as the card has them.
pub(in crate::fit) fn figures(measured: &[Measured]) -> Section {
    let cell = |value: f64, ends: [f64; 2]| {
        format!("{} <small>{}–{}</small>", percent(value, 2), percent(ends[0], 1), percent(ends[1], 1))
    };
    let head =
        ["collection", "n", "not enrolled", "mated", "non-mated", "EER %", "FNMR at FMR 1 %", "at 0.1 %", "rank 1 %"];
    let mut body = String::new();
    for group in measured.chunk_by(|a, b| a.persons == b.persons) {
        let rows: Vec<Vec<String>> = group
            .iter()
            .map(|row| {
                vec![
                    format!("{}<br><small>{}</small>", escape(&row.collection), escape(&row.protocol)),
                    row.n_subjects.to_string(),
                    row.n_not_enrolled.to_string(),
                    row.n_genuine.to_string(),
                    row.n_impostor.to_string(),
                    cell(row.eer, row.eer_95),
                    cell(row.fnmr_at_fmr_1pct, row.fnmr_at_fmr_1pct_95),
                    cell(row.fnmr_at_fmr_01pct, row.fnmr_at_fmr_01pct_95),
                    percent(row.rank1, 1),
                ]
            })
            .collect();
        let persons = group.first().map_or("", |row| row.persons.as_str());
        body.push_str(&format!("<h3>Persons {}</h3>{}", escape(persons), table(&head, &rows)));
    }
    Section {
        title: "Error rates",
        note: "Records as probes, each against every reference of its collection. Small: 95 % intervals by bootstrap over \
               persons; n counts persons with mated comparisons. Who is not enrolled had no record to enrol that was good \
               enough, and is in no rate."
            .into(),
        body,
    }
}

/// What thresholds that were set at home do elsewhere.
pub(in crate::fit) fn travel(travelled: &[Travelled]) -> Section {
    let head = ["collection", "n", "non-mated", "FMR %", "FNMR %"];
    let mut body = String::new();
    for group in travelled.chunk_by(|a, b| a.asked == b.asked) {
        let rows: Vec<Vec<String>> = group
            .iter()
            .map(|row| {
                let [low, high] = row.fmr_95.map(|end| percent(end, 2));
                let [least, most] = row.fnmr_95.map(|end| percent(end, 1));
                vec![
                    format!("{}<br><small>{}</small>", escape(&row.collection), escape(&row.protocol)),
                    row.n_subjects.to_string(),
                    row.n_impostor.to_string(),
                    format!("{} <small>{low}–{high}</small>", percent(row.fmr, 2)),
                    format!("{} <small>{least}–{most}</small>", percent(row.fnmr, 1)),
                ]
            })
            .collect();
        let asked = percent(group[0].asked, 1);
        let home = escape(&group[0].home);
        body.push_str(&format!("<h3>Set at FMR {asked} % by {home}</h3>{}", table(&head, &rows)));
    }
    Section {
        title: "How far a threshold travels",
        note: "Each fold's persons, and foreign collections, at the threshold of the other folds. A rate above the one it \
               was set for is what strangers of another board gain."
            .into(),
        body,
    }
}

/// What the threshold of a closed-set model refuses.
pub(in crate::fit) fn refusals(rejection: &Rejection) -> Section {
    let row = |what: &str, windows: usize, share: &Interval| {
        let ends = format!("{}–{}", percent(share.low, 2), percent(share.high, 2));
        vec![what.to_owned(), windows.to_string(), format!("{} <small>{ends}</small>", percent(share.value, 2))]
    };
    let (windows, refused) = &rejection.own;
    let mut rows = vec![row("windows of the classes' test beats that are refused", *windows, refused)];
    let mut whose = "Nobody was held out: what strangers would do is not known.".to_owned();
    if let Some(strangers) = &rejection.strangers {
        let n = strangers.windows;
        rows.push(row("windows of strangers that are taken for somebody", n, &strangers.accepted));
        rows.push(row("… where class and reference must agree", n, &strangers.accepted_agreeing));
        rows.push(row("windows of strangers with a softmax above one half", n, &strangers.confident));
        whose = format!("Strangers are {} persons who were held out.", strangers.persons);
    }
    Section {
        title: "What the threshold refuses",
        note: format!("{whose} Small: 95 % intervals by bootstrap over persons."),
        body: table(&["", "windows", "share %"], &rows),
    }
}

/// Means over classes and over beats.
pub(in crate::fit) fn means(figures: &ClosedSetFigures, warning: &str) -> Section {
    let row = |name: &str, mean: ecg_identity::rates::MeanFigures| {
        let values = [mean.precision, mean.recall, mean.f1, mean.specificity].map(|value| percent(value, 2));
        std::iter::once(name.to_owned()).chain(values).collect::<Vec<_>>()
    };
    let rows = [row("over persons", figures.macro_mean), row("over beats", figures.weighted_mean)];
    let accuracy = &figures.accuracy;
    Section {
        title: "Accuracy on test beats",
        note: format!(
            "{} % of {} single beats of {} persons (95 % interval {} to {} %, by persons). {warning}.",
            percent(accuracy.value, 2),
            figures.beats,
            figures.classes.len(),
            percent(accuracy.low, 2),
            percent(accuracy.high, 2)
        ),
        body: table(&["mean", "precision %", "recall %", "F1 %", "specificity %"], &rows),
    }
}
