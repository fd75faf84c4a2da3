//! What an identity evaluation says, for people and for machines.

use std::collections::BTreeSet;
use std::fmt;

use ecg_data::Entry;
use ecg_identity::rates::{ErrorRates, Interval, RatesAt};
use serde::Serialize;

use super::protocol::Trial;
use crate::inference::Model;

/// Non-mated comparisons that a false match rate of 1 % needs: with fewer, not one of them is let through.
const FEWEST_AT_ONE_PERCENT: usize = 100;

/// Whether the network knows the persons that it is measured on.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Persons of this evaluation whose beats trained the network.
    persons_seen_in_training: Vec<String>,
    /// The card says nothing about a collection of this name.
    collection_unknown_to_card: bool,
    #[serde(skip)]
    collection: String,
    #[serde(skip)]
    persons: usize,
}

impl Seen {
    /// Holds the persons of an evaluation against the model card.
    pub fn new<'a>(model: &Model, collection: &str, entries: impl Iterator<Item = &'a Entry>) -> Self {
        let persons: BTreeSet<&String> = entries.map(|e| &e.subject).collect();
        let seen = model.card().persons_seen(collection);
        let known = |person: &&&String| seen.is_some_and(|seen| seen.contains(**person));
        Self {
            persons_seen_in_training: persons.iter().filter(known).map(|p| (*p).clone()).collect(),
            collection_unknown_to_card: seen.is_none(),
            collection: collection.to_owned(),
            persons: persons.len(),
        }
    }

    /// What to know before believing the figures; `None` where the card shows the persons to be new to the network.
    #[must_use]
    pub fn warning(&self, model: &str) -> Option<String> {
        let (seen, all) = (self.persons_seen_in_training.len(), self.persons);
        if seen > 0 {
            return Some(format!(
                "the network {model} was trained on {seen} of these {all} persons: the figures are not those of new \
                 persons; use --held-out-only, or a model that was trained without them"
            ));
        }
        self.collection_unknown_to_card.then(|| {
            format!(
                "the card of {model} does not mention a collection named {}: whether the network has seen these \
                 persons is not known",
                self.collection
            )
        })
    }
}

/// A rate with its interval, fractions.
#[derive(Debug, Clone, Copy, Serialize)]
struct Rate {
    value: f64,
    low: f64,
    high: f64,
}

impl From<Interval> for Rate {
    fn from(i: Interval) -> Self {
        Self { value: i.value, low: i.low, high: i.high }
    }
}

/// The whole result. Rates are fractions.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    collection: String,
    enrol: String,
    probe: String,
    model: String,
    seconds: f64,
    mains: &'static str,
    /// Share of the cepstrum in every score.
    mfcc_share: f64,
    /// Persons with probes and a reference.
    subjects: usize,
    /// Persons with a reference.
    references: usize,
    probes: usize,
    /// Probes that the quality gate refused; they count as errors.
    refused_probes: usize,
    genuine: usize,
    impostor: usize,
    /// Persons who could not be enrolled, and are in no figure.
    not_enrolled: Vec<String>,
    probes_without_reference: usize,
    /// Embeddings a probe: smallest, median, largest.
    embeddings_per_probe: [usize; 3],
    eer: Rate,
    fnmr_at_fmr_1pct: Rate,
    #[serde(rename = "fnmr_at_fmr_0.1pct")]
    fnmr_at_fmr_01pct: Rate,
    rank1: Rate,
    /// What the decision's threshold does to single comparisons here.
    at_threshold: AtThreshold,
    #[serde(flatten)]
    seen: Seen,
    warning: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct AtThreshold {
    threshold: f64,
    fmr: Rate,
    fnmr: Rate,
}

impl Report {
    /// Puts the figures together; `what` is collection, enrol and probe selection, `how` window length, mains and the share of
    /// the cepstrum.
    #[must_use]
    pub fn new(
        what: [String; 3],
        model: String,
        how: (f64, &'static str, f64),
        trial: &Trial,
        seen: Seen,
        rates: ErrorRates,
        at: RatesAt,
    ) -> Self {
        let ([collection, enrol, probe], (seconds, mains, mfcc_share), counts) = (what, how, rates.counts);
        Self {
            collection,
            enrol,
            probe,
            warning: seen.warning(&model),
            model,
            seconds,
            mains,
            mfcc_share,
            subjects: counts.subjects,
            references: counts.references,
            probes: counts.probes,
            refused_probes: counts.refused_probes,
            genuine: counts.genuine,
            impostor: counts.impostor,
            not_enrolled: trial.not_enrolled.clone(),
            probes_without_reference: trial.probes_without_reference,
            embeddings_per_probe: trial.embeddings,
            eer: rates.eer.into(),
            fnmr_at_fmr_1pct: rates.fnmr_at_fmr_1pct.into(),
            fnmr_at_fmr_01pct: rates.fnmr_at_fmr_01pct.into(),
            rank1: rates.rank1.into(),
            at_threshold: AtThreshold { threshold: at.threshold, fmr: at.fmr.into(), fnmr: at.fnmr.into() },
            seen,
        }
    }

    /// One line, for a plot.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{}: {} persons, {} mated, {} non-mated comparisons; EER {:.1} % [{:.1}–{:.1}]",
            self.model,
            self.subjects,
            self.genuine,
            self.impostor,
            100.0 * self.eer.value,
            100.0 * self.eer.low,
            100.0 * self.eer.high
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: enrol {}, probe {} ({} s)", self.collection, self.enrol, self.probe, self.seconds)?;
        writeln!(f, "model                {}", self.model)?;
        if self.mfcc_share > 0.0 {
            writeln!(f, "share of cepstrum    {}: thresholds are the model's and do not fit", self.mfcc_share)?;
        }
        let [least, usual, most] = self.embeddings_per_probe;
        writeln!(f, "persons              {} of {} references", self.subjects, self.references)?;
        writeln!(
            f,
            "probes               {}, {} refused ({least}/{usual}/{most} embeddings)",
            self.probes, self.refused_probes
        )?;
        writeln!(f, "comparisons          {} mated, {} non-mated", self.genuine, self.impostor)?;
        if !self.not_enrolled.is_empty() {
            writeln!(f, "not enrolled         {}", self.not_enrolled.join(", "))?;
        }
        for (name, rate) in [
            ("EER", self.eer),
            ("FNMR at FMR 1 %", self.fnmr_at_fmr_1pct),
            ("FNMR at FMR 0.1 %", self.fnmr_at_fmr_01pct),
            ("rank-1", self.rank1),
        ] {
            let [value, low, high] = [rate.value, rate.low, rate.high].map(|x| 100.0 * x);
            writeln!(f, "{name:20} {value:6.2} %  [{low:.2} – {high:.2}]")?;
        }
        let at = self.at_threshold;
        for (name, rate) in [("FMR", at.fmr), ("FNMR", at.fnmr)] {
            let [value, low, high] = [rate.value, rate.low, rate.high].map(|x| 100.0 * x);
            writeln!(f, "{:20} {value:6.2} %  [{low:.2} – {high:.2}]", format!("{name} at {:.3}", at.threshold))?;
        }
        if self.impostor < FEWEST_AT_ONE_PERCENT {
            writeln!(
                f,
                "note: {} non-mated comparisons say nothing of EER and of FNMR at FMR 1 %: {FEWEST_AT_ONE_PERCENT} are needed",
                self.impostor
            )?;
        } else if self.impostor < 10_000 {
            writeln!(f, "note: FMR 0.1 % rests on {} non-mated comparisons", self.impostor / 1000)?;
        }
        writeln!(f, "intervals: 95 %, bootstrap over persons")
    }
}
