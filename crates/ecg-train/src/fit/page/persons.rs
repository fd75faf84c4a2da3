//! Person by person, the worst first: who is refused, whom others resemble.

use std::collections::BTreeMap;

use super::{Scores, Section, percent, subject, table};
use ecg_plot::escape;

/// What the windows of one person came to.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    person: String,
    windows: usize,
    refused: usize,
    lowest_mated: f64,
    highest_other: f64,
    resembles: String,
    accepted_others: usize,
    others: usize,
}

/// A table for each set of comparisons.
pub(in crate::fit) fn persons(scores: &[Scores<'_>], threshold: f64) -> Section {
    let mut body = String::new();
    for one in scores.iter().filter(|one| !one.windows.is_empty()) {
        let rows = rows(one, threshold);
        let caption = format!("{}, {}: {} persons {}", one.collection, one.protocol, rows.len(), one.group);
        let head = ["person", "windows", "FNMR %", "FMR %", "lowest mated", "highest other", "most like", "scores"];
        let cells: Vec<Vec<String>> = rows.iter().map(|row| row.cells(threshold)).collect();
        body.push_str(&format!("<h3>{}</h3>{}", escape(&caption), table(&head, &cells)));
    }
    Section {
        title: "Persons",
        note: format!(
            "Decision windows at the threshold of {threshold:.3}, worst first. FNMR: share of the person's windows that \
             are refused. FMR: share of their comparisons with others' references that match. The disc is the lowest \
             mated score, the square the highest of another person, the bar the threshold."
        ),
        body,
    }
}

/// One row a person with mated windows; most refused first, then the smallest distance to others.
fn rows(scores: &Scores<'_>, threshold: f64) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    for comparison in scores.windows {
        let row = rows.entry(&comparison.probe_subject).or_insert_with(|| Row {
            person: subject(&comparison.probe_subject).to_owned(),
            windows: 0,
            refused: 0,
            lowest_mated: f64::INFINITY,
            highest_other: f64::NEG_INFINITY,
            resembles: String::new(),
            accepted_others: 0,
            others: 0,
        });
        let matches = comparison.score >= threshold;
        if comparison.probe_subject == comparison.reference_subject {
            row.windows += 1;
            row.refused += usize::from(!matches);
            row.lowest_mated = row.lowest_mated.min(comparison.score);
        } else {
            row.others += 1;
            row.accepted_others += usize::from(matches);
            if comparison.score > row.highest_other {
                row.highest_other = comparison.score;
                subject(&comparison.reference_subject).clone_into(&mut row.resembles);
            }
        }
    }
    let mut rows: Vec<Row> = rows.into_values().filter(|row| row.windows > 0).collect();
    let badness = |row: &Row| (row.refused as f64 / row.windows as f64, row.highest_other - row.lowest_mated);
    rows.sort_by(|a, b| {
        let (a, b) = (badness(a), badness(b));
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    rows
}

impl Row {
    fn cells(&self, threshold: f64) -> Vec<String> {
        let rate = |part: usize, whole: usize| {
            let text = percent(part as f64 / whole.max(1) as f64, 1);
            if part > 0 { format!("<span class=\"bad\">{text}</span>") } else { text }
        };
        let score = |value: f64| if value.is_finite() { format!("{value:.3}") } else { "refused".to_owned() };
        vec![
            escape(&self.person),
            self.windows.to_string(),
            rate(self.refused, self.windows),
            rate(self.accepted_others, self.others),
            score(self.lowest_mated),
            score(self.highest_other),
            escape(&self.resembles),
            track(self.lowest_mated, self.highest_other, threshold),
        ]
    }
}

/// A strip from −0.2 to 1 with both scores and the threshold.
fn track(mated: f64, other: f64, threshold: f64) -> String {
    let place = |value: f64| 100.0 * ((value.clamp(-0.2, 1.0) + 0.2) / 1.2);
    let [mated, other, threshold] = [mated, other, threshold].map(place);
    format!(
        "<span class=\"track\"><u style=\"left:{threshold:.1}%\"></u><i class=\"other\" style=\"left:{other:.1}%\"></i>\
         <i style=\"left:{mated:.1}%\"></i></span>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecg_identity::rates::Comparison;

    #[test]
    fn the_person_who_is_refused_most_stands_first() {
        let one = |probe: &str, person: &str, reference: &str, score| Comparison {
            probe_record: probe.into(),
            probe_subject: format!("c:{person}"),
            reference_subject: format!("c:{reference}"),
            score,
        };
        let windows = [
            one("1", "a", "a", 0.9),
            one("1", "a", "b", 0.2),
            one("2", "b", "b", 0.3),
            one("2", "b", "a", 0.8),
            one("3", "b", "b", 0.9),
        ];
        let scores = Scores { protocol: "p", collection: "c", group: "g", records: &[], windows: &windows };
        let rows = rows(&scores, 0.7);
        assert_eq!([rows[0].person.as_str(), rows[1].person.as_str()], ["b", "a"]);
        assert_eq!((rows[0].windows, rows[0].refused, rows[0].accepted_others), (2, 1, 1));
        assert_eq!((rows[0].lowest_mated, rows[0].highest_other, rows[0].resembles.as_str()), (0.3, 0.8, "a"));
    }
}
