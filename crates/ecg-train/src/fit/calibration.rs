//! The table of what scores are worth by the number of heartbeats, from comparisons of persons not trained on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecg_identity::Calibration;
use ecg_identity::calibration::{Observation, Row};
use ecg_identity::rates::Comparison;

use crate::card::CalibrationRow;
use crate::measure::{Embedded, Protocol, compare_contacts};

/// Heartbeats since contact for which there is a row; records of 15 seconds hold about 18.
const BEATS: [usize; 7] = [1, 2, 3, 5, 8, 12, 16];
/// Fewest persons of a collection that are worth a table.
const PERSONS: usize = 10;
/// Fewest persons of a collection that are worth a row of it.
const ROW: usize = 5;
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
    /// higher one: persons measured with one device do not tell what another device's strangers reach.
    pub(super) fn table(&self) -> anyhow::Result<Vec<CalibrationRow>> {
        let worth = |numbers: &&BTreeMap<usize, Vec<Comparison>>| {
            let all = numbers.values().flatten().map(|comparison| comparison.probe_subject.as_str());
            all.collect::<BTreeSet<_>>().len() >= PERSONS
        };
        let collections: Vec<_> = self.0.values().filter(worth).collect();
        if collections.is_empty() {
            return Ok(Vec::new());
        }
        // A number of heartbeats that hardly anybody reached in a collection has no row there.
        let each: Vec<Vec<Observation<'_>>> = collections.iter().map(|numbers| observations(numbers)).collect();
        let each: Vec<_> = each.into_iter().filter(|observations| !observations.is_empty()).collect();
        if each.is_empty() {
            return Ok(Vec::new());
        }
        let together = Calibration::fit(&each.concat()).context("calibrating scores")?;
        let each = each.iter().map(|observations| Calibration::fit(observations));
        let each: Vec<Calibration> = each.collect::<Result<_, _>>().context("calibrating scores of one collection")?;
        Ok(together.rows().iter().map(|row| strictest(row, &each)).collect())
    }
}

fn observations(numbers: &BTreeMap<usize, Vec<Comparison>>) -> Vec<Observation<'_>> {
    numbers
        .iter()
        .filter(|(_, all)| are_enough(all))
        .flat_map(|(&beats, all)| all.iter().map(move |comparison| (beats, comparison)))
        .map(|(beats, comparison)| Observation {
            beats,
            score: comparison.score,
            mated: comparison.probe_subject == comparison.reference_subject,
            person: comparison.probe_subject.as_str(),
        })
        .collect()
}

/// Persons enough on both sides for a row of their own.
fn are_enough(all: &[Comparison]) -> bool {
    let persons = |mated: bool| {
        let of_side = all.iter().filter(|c| (c.probe_subject == c.reference_subject) == mated);
        of_side.map(|c| c.probe_subject.as_str()).collect::<BTreeSet<_>>().len()
    };
    persons(true) >= ROW && persons(false) >= ROW
}

/// The row with the highest threshold that any collection needs at each rate that one of them can state.
fn strictest(row: &Row, each: &[Calibration]) -> CalibrationRow {
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
    CalibrationRow {
        beats: row.beats,
        slope: rounded(row.slope),
        intercept: rounded(row.intercept),
        thresholds: rising,
    }
}
