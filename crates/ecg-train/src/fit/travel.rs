//! How far a threshold travels: set on some persons, what it does to others, behind another board, in a collection that
//! nobody was trained on.
//!
//! Error rates at thresholds of their own say nothing of this: a network can rank the strangers of another board well and
//! still accept several times as many of them as were asked for. Here the threshold comes from the home protocol of the
//! *other* folds, each with its own network, and is held against this fold's persons and against the foreign collections.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecg_identity::rates::{Comparison, Interval, det_curve, over_mated, over_pairs};
use serde::Serialize;

use super::figures::{REPLICATES, SEED, file, two_sided};
use crate::card::{ends, rounded};
use crate::measure::{Embedded, Protocol, compare_records};

/// False match rates that are asked for.
const RATES: [f64; 2] = [0.01, 0.001];

/// Protocol and collection.
type Key = (Protocol, String);

/// Record comparisons of each fold's network.
#[derive(Debug, Default)]
pub(super) struct Travel(Vec<BTreeMap<Key, Vec<Comparison>>>);

/// What a threshold that was set at home does somewhere, as fractions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Travelled {
    /// Where the threshold was set: protocol and collection.
    pub home: String,
    /// False match rate that it was set for there.
    pub asked: f64,
    /// What was enrolled, what was compared with it.
    pub protocol: String,
    /// Whose records.
    pub collection: String,
    /// Persons with non-mated comparisons.
    pub n_subjects: usize,
    /// Non-mated comparisons, those of every network.
    pub n_impostor: usize,
    /// False match rate that came of it.
    pub fmr: f64,
    /// Its interval, by bootstrap over persons.
    pub fmr_95: [f64; 2],
    /// False non-match rate there.
    pub fnmr: f64,
    /// Its interval.
    pub fnmr_95: [f64; 2],
}

impl Travel {
    /// Adds one fold: persons whom its network was not trained on, at home and of foreign collections.
    pub(super) fn add(&mut self, embedded: &[Embedded<'_>]) {
        let mut fold: BTreeMap<Key, Vec<Comparison>> = BTreeMap::new();
        for protocol in Protocol::ALL {
            file(&mut fold, protocol, compare_records(embedded, protocol));
        }
        self.0.push(fold);
    }

    /// The table, the rates asked for one after the other; empty with fewer than two folds. `at_home` tells the
    /// collections that were trained on.
    pub(super) fn table(&self, at_home: impl Fn(&str) -> bool) -> anyhow::Result<Vec<Travelled>> {
        let Some(home) = self.home(at_home).filter(|_| self.0.len() > 1) else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for asked in RATES {
            let thresholds = self.thresholds(&home, asked)?;
            let mut keys: Vec<&Key> = self.0.iter().flat_map(BTreeMap::keys).collect();
            keys.sort();
            keys.dedup();
            rows.extend(keys.into_iter().filter_map(|key| self.row(&home, asked, &thresholds, key)));
        }
        Ok(rows)
    }

    /// The protocol of another day, or of other records where there is none, in the collection with the most
    /// comparisons.
    fn home(&self, at_home: impl Fn(&str) -> bool) -> Option<Key> {
        [Protocol::SecondSession, Protocol::Records].into_iter().find_map(|protocol| {
            let all = self.0.iter().flatten();
            let usable = all.filter(|((p, c), comparisons)| *p == protocol && at_home(c) && two_sided(comparisons));
            let mut sizes: BTreeMap<&Key, usize> = BTreeMap::new();
            usable.for_each(|(key, comparisons)| *sizes.entry(key).or_default() += comparisons.len());
            sizes.into_iter().max_by_key(|(_, size)| *size).map(|(key, _)| key.clone())
        })
    }

    /// For each fold the lowest threshold that the home comparisons of the other folds do not exceed the rate at; `None`
    /// where those say nothing: too few persons.
    fn thresholds(&self, home: &Key, asked: f64) -> anyhow::Result<Vec<Option<f64>>> {
        let of_others = |fold: usize| {
            let others = self.0.iter().enumerate().filter(move |(other, _)| *other != fold);
            let comparisons: Vec<Comparison> = others.filter_map(|(_, all)| all.get(home)).flatten().cloned().collect();
            if !two_sided(&comparisons) {
                return Ok(None);
            }
            let curve = det_curve(&comparisons).context("setting a threshold on the other folds")?;
            let found = curve.iter().find(|point| point.fmr <= asked);
            Ok(Some(found.map_or(f64::INFINITY, |point| point.threshold)))
        };
        (0..self.0.len()).map(of_others).collect()
    }

    fn row(&self, home: &Key, asked: f64, thresholds: &[Option<f64>], key: &Key) -> Option<Travelled> {
        let here = || {
            let folds = self.0.iter().zip(thresholds).filter_map(|(fold, at)| Some((fold.get(key)?, (*at)?)));
            folds.flat_map(|(comparisons, at)| comparisons.iter().map(move |c| (c, c.score >= at)))
        };
        let (own, strangers): (Vec<_>, Vec<_>) = here().partition(|(c, _)| c.probe_subject == c.reference_subject);
        if strangers.is_empty() || own.is_empty() {
            return None;
        }
        let missed = own.iter().map(|(c, accepted)| (&*c.probe_subject, !accepted));
        let fnmr: Interval = over_mated(missed, REPLICATES, SEED);
        let pairs = strangers.iter().map(|(c, accepted)| (&*c.probe_subject, &*c.reference_subject, *accepted));
        let fmr: Interval = over_pairs(pairs, REPLICATES, SEED);
        let probes: BTreeSet<&str> = strangers.iter().map(|(c, _)| c.probe_subject.as_str()).collect();
        Some(Travelled {
            home: format!("{}, {}", home.1, home.0.name()),
            asked,
            protocol: key.0.name().to_owned(),
            collection: key.1.clone(),
            n_subjects: probes.len(),
            n_impostor: strangers.len(),
            fmr: rounded(fmr.value),
            fmr_95: ends(&fmr),
            fnmr: rounded(fnmr.value),
            fnmr_95: ends(&fnmr),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fold of two persons of each collection, whose strangers score `strangers` there.
    fn fold(strangers: &[(&str, f64)]) -> BTreeMap<Key, Vec<Comparison>> {
        let mut fold = BTreeMap::new();
        for (collection, score) in strangers {
            let comparison = |probe: usize, reference: usize| Comparison {
                probe_record: format!("r{probe}"),
                probe_subject: format!("{collection}:p{probe}"),
                reference_subject: format!("{collection}:p{reference}"),
                score: if probe == reference { 0.9 } else { score + probe as f64 / 100.0 },
            };
            let all = (0..2).flat_map(|probe| (0..2).map(move |reference| (probe, reference)));
            let comparisons = all.map(|(probe, reference)| comparison(probe, reference)).collect();
            fold.insert((Protocol::Records, (*collection).to_owned()), comparisons);
        }
        fold
    }

    #[test]
    fn a_threshold_is_that_of_the_other_folds_and_is_held_against_this_one() {
        let travel = Travel(vec![fold(&[("home", 0.2), ("away", 0.5)]), fold(&[("home", 0.95), ("away", 0.3)])]);
        let rows = travel.table(|collection| collection == "home").unwrap();
        let at_1_pct: Vec<_> = rows.iter().filter(|row| row.asked == 0.01).collect();
        let [away, home] = at_1_pct[..] else { panic!("{rows:?}") };
        // Strangers of fold 2 score above everybody: nobody matches in fold 1. Those of fold 1 do not reach 0.9, which is
        // then the threshold of fold 2, whose strangers all match there.
        assert_eq!((home.fmr, home.fnmr), (0.5, 0.5));
        assert_eq!((away.fmr, away.fnmr), (0.0, 0.5));
        assert_eq!((home.n_subjects, home.n_impostor, away.home.as_str()), (2, 4, "home, first record, other records"));
    }

    #[test]
    fn strangers_who_score_higher_elsewhere_are_counted_there() {
        let travel = Travel(vec![fold(&[("home", 0.2), ("away", 0.95)]), fold(&[("home", 0.2), ("away", 0.3)])]);
        let rows = travel.table(|collection| collection == "home").unwrap();
        let away = rows.iter().find(|row| row.collection == "away").unwrap();
        assert_eq!((away.fmr, away.fmr_95), (0.5, [0.5, 0.5]));
    }

    #[test]
    fn one_fold_has_no_others() {
        assert_eq!(Travel(vec![fold(&[("home", 0.2)])]).table(|_| true).unwrap(), Vec::new());
    }
}
