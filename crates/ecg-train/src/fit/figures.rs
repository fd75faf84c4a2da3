//! Comparisons collected over networks, and the figures and the threshold that come of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use ecg_identity::DecisionConfig;
use ecg_identity::rates::{Comparison, RatesAt, det_curve, error_rates, rates_at};

use super::calibration::{Contacts, Table};
use super::page::Scores;
use crate::card::{DecisionPart, Measured};
use crate::measure::{Embedded, Protocol, WINDOW, compare_records, compare_windows, not_enrolled};

/// Bootstrap draws of every interval, and their seed.
pub(super) const REPLICATES: usize = 1000;
pub(super) const SEED: u64 = 1;
/// So far above all that was measured lies a threshold that nothing measured can state; the last digit of a card.
const ABOVE: f64 = 1e-4;

/// Comparisons by protocol and collection. Those of several folds can be put together: their persons differ.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Whole records as probes.
    records: BTreeMap<(Protocol, String), Vec<Comparison>>,
    /// Decision windows as probes.
    windows: BTreeMap<(Protocol, String), Vec<Comparison>>,
    /// Persons of whom no record to enrol was good enough.
    not_enrolled: BTreeMap<(Protocol, String), usize>,
    /// The first heartbeats after contact as probes.
    contacts: Contacts,
}

impl Pool {
    /// Adds all comparisons of one network's embeddings.
    pub(super) fn add(&mut self, embedded: &[Embedded<'_>]) {
        for protocol in Protocol::ALL {
            file(&mut self.records, protocol, compare_records(embedded, protocol));
            file(&mut self.windows, protocol, compare_windows(embedded, protocol));
            for (collection, persons) in not_enrolled(embedded, protocol) {
                *self.not_enrolled.entry((protocol, collection)).or_default() += persons;
            }
        }
        self.contacts.add(embedded);
    }

    /// Figures of every protocol and collection that has mated and non-mated comparisons.
    pub(super) fn measured(&self, persons: &str) -> anyhow::Result<Vec<Measured>> {
        let usable = self.records.iter().filter(|(_, comparisons)| two_sided(comparisons));
        usable
            .map(|(key, comparisons)| {
                let (protocol, collection) = key;
                let missing = self.not_enrolled.get(key).copied().unwrap_or(0);
                let rates = error_rates(comparisons, REPLICATES, SEED)
                    .with_context(|| format!("measuring {collection}, {}", protocol.name()))?;
                Ok(Measured::new(protocol.name(), collection, persons, &rates, missing))
            })
            .collect()
    }

    /// The comparisons themselves, for the report; `group` says who the persons are.
    pub(super) fn scores<'a>(&'a self, group: &'a str) -> Vec<Scores<'a>> {
        let usable = self.records.iter().filter(|(_, comparisons)| two_sided(comparisons));
        usable
            .map(|(key, records)| {
                let windows = self.windows.get(key).map_or(&[][..], Vec::as_slice);
                Scores { protocol: key.0.name(), collection: &key.1, group, records, windows }
            })
            .collect()
    }

    /// What a threshold does to decision windows: protocol, collection, rates.
    pub(super) fn at_threshold(&self, threshold: f64) -> Vec<(&'static str, &str, RatesAt)> {
        let usable = self.windows.iter().filter(|(_, comparisons)| two_sided(comparisons));
        usable
            .filter_map(|((protocol, collection), comparisons)| {
                Some((protocol.name(), collection.as_str(), rates_at(comparisons, threshold, REPLICATES, SEED).ok()?))
            })
            .collect()
    }

    /// Lowest threshold that no collection's windows exceed the false match rate at; above the highest of a collection that is
    /// too small to state the rate. Windows of all later records of a person: `first record, other records` has the most
    /// persons.
    fn threshold(&self, target_fmr: f64) -> anyhow::Result<Option<f64>> {
        let mut highest: Option<f64> = None;
        for ((protocol, collection), comparisons) in &self.windows {
            if *protocol != Protocol::Records || !two_sided(comparisons) {
                continue;
            }
            let curve = det_curve(comparisons).with_context(|| format!("setting the threshold on {collection}"))?;
            let finite = || curve.iter().filter(|point| point.threshold.is_finite());
            let stated = finite().find(|point| point.fmr <= target_fmr).map(|point| point.threshold);
            let beyond = || finite().map(|point| point.threshold).fold(f64::NEG_INFINITY, f64::max) + ABOVE;
            let threshold = stated.unwrap_or_else(beyond);
            highest = Some(highest.map_or(threshold, |other: f64| other.max(threshold)));
        }
        Ok(highest)
    }
}

/// Puts comparisons of one protocol where those of their collection are.
pub(super) fn file(
    into: &mut BTreeMap<(Protocol, String), Vec<Comparison>>,
    protocol: Protocol,
    comparisons: Vec<Comparison>,
) {
    for comparison in comparisons {
        let collection = comparison.probe_subject.split(':').next().unwrap_or_default().to_owned();
        into.entry((protocol, collection)).or_default().push(comparison);
    }
}

pub(super) fn two_sided(comparisons: &[Comparison]) -> bool {
    let mated = comparisons.iter().filter(|c| c.probe_subject == c.reference_subject).count();
    mated > 0 && mated < comparisons.len()
}

/// EER over all collections together, for the curve; `None` where there is nothing to compare.
pub(super) fn eer(comparisons: &[Comparison]) -> Option<f64> {
    if !two_sided(comparisons) {
        return None;
    }
    error_rates(comparisons, 0, SEED).ok().map(|rates| rates.eer.value)
}

/// The threshold from the first of `groups` (which come with a description of their persons) that can give one.
pub(super) fn decision(groups: &[(&Pool, String)], target_fmr: f64) -> anyhow::Result<DecisionPart> {
    for (pool, persons) in groups {
        if let Some(threshold) = pool.threshold(target_fmr)? {
            let subjects: BTreeSet<&str> =
                pool.windows.values().flatten().map(|comparison| comparison.probe_subject.as_str()).collect();
            let threshold_source = format!(
                "false match rate {} % of windows of {WINDOW} embeddings, the stricter of the collections; {} persons {persons}",
                100.0 * target_fmr,
                subjects.len()
            );
            let Table { rows: calibration, left_out } = pool.contacts.table()?;
            return Ok(DecisionPart {
                threshold: (threshold * 1e4).ceil() / 1e4,
                threshold_source,
                calibration,
                left_out,
            });
        }
    }
    Ok(DecisionPart {
        threshold: DecisionConfig::default().threshold,
        threshold_source: "not measured: nobody was left to measure it on; the program's default".to_owned(),
        calibration: Vec::new(),
        left_out: Vec::new(),
    })
}
