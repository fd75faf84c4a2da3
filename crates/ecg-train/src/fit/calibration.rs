//! The table of what scores are worth by the number of heartbeats, from comparisons of persons not trained on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecg_identity::Calibration;
use ecg_identity::calibration::{Fitted, Observation, Row};
use ecg_identity::rates::Comparison;

use crate::card::CalibrationRow;
use crate::measure::{Embedded, Protocol, compare_contacts};

/// Heartbeats since contact for which there is a row; records of 15 seconds hold about 18.
const BEATS: [usize; 7] = [1, 2, 3, 5, 8, 12, 16];
/// Fewest persons of a collection that are worth a table.
const PERSONS: usize = 10;
/// Digits that a card can bear.
const DIGITS: f64 = 1e4;

/// Comparisons after contact, by collection and number of heartbeats.
#[derive(Debug, Default)]
pub(super) struct Contacts(BTreeMap<String, BTreeMap<usize, Vec<Comparison>>>);

impl Contacts {
    /// Adds the comparisons of one network's embeddings.
    pub(super) fn add(&mut self, embedded: &[Embedded<'_>]) {
        for beats in BEATS {
            for comparison in compare_contacts(embedded, Protocol::Records, beats) {
                let collection = comparison.probe_subject.split(':').next().unwrap_or_default().to_owned();
                self.0.entry(collection).or_default().entry(beats).or_default().push(comparison);
            }
        }
    }

    /// The table; empty where too few persons were measured.
    ///
    /// Log likelihood ratios rest on all collections together. Thresholds are those of the collection that needs the
    /// higher one: persons measured with one device do not tell what another device's strangers reach. A number of
    /// heartbeats that hardly anybody reached has no row.
    pub(super) fn table(&self) -> anyhow::Result<Table> {
        let worth = |(_, numbers): &(&String, &BTreeMap<usize, Vec<Comparison>>)| {
            let all = numbers.values().flatten().map(|comparison| comparison.probe_subject.as_str());
            all.collect::<BTreeSet<_>>().len() >= PERSONS
        };
        let collections: Vec<_> = self.0.iter().filter(worth).collect();
        let mut table = Table::default();
        let (mut all, mut each) = (Vec::new(), Vec::new());
        for (name, numbers) in collections {
            let observations = observations(numbers);
            let fitted = Calibration::fit(&observations).with_context(|| format!("calibrating scores of {name}"))?;
            each.extend(table.take(name, fitted));
            all.extend(observations);
        }
        let together = Calibration::fit(&all).context("calibrating scores")?;
        let together = table.take("all collections together", together);
        for row in together.iter().flat_map(Calibration::rows) {
            match strictest(row, &each) {
                Some(row) => table.rows.push(row),
                None => table.left_out.push(format!("beats {}: no collection states two thresholds", row.beats)),
            }
        }
        Ok(table)
    }
}

/// The rows, and what was not enough for one.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) rows: Vec<CalibrationRow>,
    /// In words: whose scores, by what number of heartbeats, and why.
    pub(super) left_out: Vec<String>,
}

impl Table {
    /// The calibration of `whose` scores, where there is one; what they are not enough for is noted.
    fn take(&mut self, whose: &str, fitted: Fitted) -> Option<Calibration> {
        self.left_out.extend(fitted.left_out.iter().map(|why| format!("{whose}, {why}")));
        fitted.calibration
    }
}

fn observations(numbers: &BTreeMap<usize, Vec<Comparison>>) -> Vec<Observation<'_>> {
    let mut observations = Vec::new();
    for (&beats, comparisons) in numbers {
        observations.extend(comparisons.iter().map(|comparison| Observation {
            beats,
            score: comparison.score,
            mated: comparison.probe_subject == comparison.reference_subject,
            person: comparison.probe_subject.as_str(),
        }));
    }
    observations
}

/// The row with the highest threshold that any collection needs at each rate that one of them can state; `None` where
/// none states two.
fn strictest(row: &Row, each: &[Calibration]) -> Option<CalibrationRow> {
    let mut thresholds: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let stated = each.iter().flat_map(Calibration::rows).filter(|other| other.beats == row.beats);
    for &(rate, score) in stated.flat_map(|other| &other.thresholds) {
        // Rates are positive, so that their bits are in their order.
        let known = thresholds.entry(rate.to_bits()).or_insert((rate, score));
        known.1 = known.1.max(score);
    }
    let mut highest = f64::NEG_INFINITY;
    let mut rising = Vec::new();
    for (rate, score) in thresholds.into_values().rev() {
        // One collection states finer rates than another; its threshold must not fall below a coarser one's.
        highest = f64::max((score * DIGITS).ceil(), highest + 1.0);
        rising.push((rate, highest / DIGITS));
    }
    let rounded = |x: f64| (x * DIGITS).round() / DIGITS;
    (rising.len() > 1).then(|| CalibrationRow {
        beats: row.beats,
        slope: rounded(row.slope),
        intercept: rounded(row.intercept),
        thresholds: rising,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many of ten persons with probes of so many heartbeats; strangers take turns with `scores`.
    fn add(contacts: &mut Contacts, collection: &str, beats: usize, persons: usize, scores: &[f64]) {
        let person = |number: usize| format!("{collection}:p{number}");
        for (probe, reference) in (0..persons).flat_map(|probe| (0..10).map(move |reference| (probe, reference))) {
            let score = if probe == reference { 0.9 } else { scores[(10 * probe + reference) % scores.len()] };
            let (probe_subject, reference_subject) = (person(probe), person(reference));
            let comparison = Comparison { probe_record: "r".to_owned(), probe_subject, reference_subject, score };
            contacts.0.entry(collection.to_owned()).or_default().entry(beats).or_default().push(comparison);
        }
    }

    #[test]
    fn a_number_of_heartbeats_that_few_reach_or_that_states_one_threshold_is_left_out_and_said() {
        let mut contacts = Contacts::default();
        let spread: Vec<f64> = (0..97).map(|i| f64::from(i) * 0.008).collect();
        add(&mut contacts, "mine", 5, 10, &spread);
        add(&mut contacts, "mine", 8, 10, &[0.5]);
        add(&mut contacts, "mine", 12, 4, &spread);
        // Too few for a table: its four persons move nothing.
        add(&mut contacts, "other", 5, 4, &[0.99]);
        let Table { rows, left_out } = contacts.table().unwrap();
        assert_eq!(rows.iter().map(|row| row.beats).collect::<Vec<_>>(), [5]);
        assert!(rows[0].thresholds.iter().all(|(_, score)| *score < 0.9), "{rows:?}");
        assert_eq!(left_out.len(), 4);
        assert!(left_out[0].contains("mine, beats 8") && left_out[0].contains("two thresholds"), "{left_out:?}");
        assert!(left_out[1].contains("mine, beats 12") && left_out[1].contains("at least 5"), "{left_out:?}");
    }

    #[test]
    fn a_row_of_all_collections_together_that_none_of_them_states_is_left_out() {
        let mut contacts = Contacts::default();
        let spread: Vec<f64> = (0..97).map(|i| f64::from(i) * 0.008).collect();
        for (collection, score) in [("a", 0.4), ("b", 0.6)] {
            add(&mut contacts, collection, 1, 10, &spread);
            add(&mut contacts, collection, 2, 10, &[score]);
        }
        let Table { rows, left_out } = contacts.table().unwrap();
        assert_eq!(rows.iter().map(|row| row.beats).collect::<Vec<_>>(), [1]);
        assert!(left_out.iter().any(|why| why.contains("beats 2")), "{left_out:?}");
        assert!(Contacts::default().table().unwrap().rows.is_empty());
    }
}
