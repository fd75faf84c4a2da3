//! The protocol of an identity evaluation: templates from the enrol records, one score for each probe and reference.
//!
//! A template is the unit mean embedding of an enrol record. A person with several has as many templates, and the best
//! one counts, as in the daemon with its placements. A probe window starts with a cold signal path, as if the electrodes
//! had just been put on. It computes scores and no rate.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::Context;
use ecg_data::{Adc, Entry};
use ecg_identity::rates::Comparison;
use ecg_identity::{Reference, Template, mean_direction, mean_unit};
use ecg_signal::Mains;
use ecg_wire::Format;

use super::cepstra::{Centre, Scorer};
use super::work::for_each;
use crate::inference::Model;
use crate::recording::{Recording, Stream, through_board};

/// Embeddings below which a probe window, or an enrol record, is refused: the quality gate let too little through.
pub const MIN_EMBEDDINGS: usize = 3;

/// What is fixed before the first record is read.
#[derive(Debug, Clone)]
pub struct Protocol {
    /// Length of a probe window, seconds.
    pub seconds: f64,
    /// Which signal of each record.
    pub signal: usize,
    /// What made the codes of text records.
    pub adc: Adc,
    /// What the notch removes.
    pub mains: Mains,
    /// The board through which enrol records go; `None`: as recorded.
    pub enrol_front_end: Option<Format>,
    /// The board through which probes go; `None`: as recorded.
    pub probe_front_end: Option<Format>,
    /// Share of the cepstrum in the score, 0…1; 0: the network alone.
    pub mfcc: f64,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Every probe against every reference.
    pub comparisons: Vec<Comparison>,
    /// Persons whose enrol records held too few good beats.
    pub not_enrolled: Vec<String>,
    /// Probes of persons without a reference of their own, which count as strangers only.
    pub probes_without_reference: usize,
    /// Embeddings of the probes that were not refused: smallest, median, largest.
    pub embeddings: [usize; 3],
    /// The templates; one for each enrol record of a person.
    pub references: Vec<Reference>,
    /// The probes.
    pub probes: Vec<Probe>,
}

/// One window of a probe record.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The record, and the number of the window where it has several.
    pub name: String,
    /// Whose it is.
    pub subject: String,
    /// Mean of the embeddings; empty where refused.
    pub embedding: Vec<f32>,
    /// How many there are; 0 where refused.
    pub embeddings: usize,
}

impl Protocol {
    /// Enrols and probes.
    ///
    /// # Errors
    /// A record that cannot be read or analysed: a protocol with records left out is another protocol.
    pub fn run(&self, model: &Model, enrol: &[Entry], probe: &[Entry]) -> anyhow::Result<Trial> {
        let mut scorer = Scorer::new(model.clone());
        if self.mfcc > 0.0 {
            let centre = self.centre(&scorer, enrol)?;
            scorer = scorer.with_cepstra(self.mfcc, centre);
        }
        let templates = self.enrol_with(&scorer, enrol)?;
        let probes = for_each("probing", probe, || scorer.clone(), |scorer, entry| self.probe(scorer, entry));
        let probes: Vec<Probe> =
            probes.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect();
        let (enrolled, not_enrolled): (BTreeMap<_, _>, BTreeMap<_, _>) =
            templates.into_iter().partition(|(_, templates)| !templates.is_empty());
        let compare = |probe: &Probe| {
            let score = |template: &Template| match probe.embedding.as_slice() {
                [] => f64::NEG_INFINITY,
                embedding => template.score(embedding),
            };
            let comparison = |(subject, templates): (&String, &Vec<Template>)| Comparison {
                probe_record: probe.name.clone(),
                probe_subject: probe.subject.clone(),
                reference_subject: subject.clone(),
                score: templates.iter().map(score).fold(f64::NEG_INFINITY, f64::max),
            };
            enrolled.iter().map(comparison).collect::<Vec<_>>()
        };
        let comparisons = probes.iter().flat_map(compare).collect();
        let references: Vec<Reference> = enrolled.into_iter().flat_map(references_of).collect();
        let has_reference = |p: &&Probe| references.iter().any(|r| r.subject == p.subject);
        let mut counts: Vec<usize> = probes.iter().map(|p| p.embeddings).filter(|&n| n > 0).collect();
        counts.sort_unstable();
        let at = |q: usize| counts.get((counts.len().max(1) - 1) * q / 2).copied().unwrap_or(0);
        Ok(Trial {
            comparisons,
            not_enrolled: not_enrolled.into_keys().collect(),
            probes_without_reference: probes.len() - probes.iter().filter(has_reference).count(),
            embeddings: [at(0), at(1), at(2)],
            references,
            probes,
        })
    }

    /// The templates of each person by the network alone, one for each record that was good enough.
    pub(super) fn enrol(&self, model: &Model, entries: &[Entry]) -> anyhow::Result<BTreeMap<String, Vec<Template>>> {
        self.enrol_with(&Scorer::new(model.clone()), entries)
    }

    fn enrol_with(&self, scorer: &Scorer, entries: &[Entry]) -> anyhow::Result<BTreeMap<String, Vec<Template>>> {
        let embed = |scorer: &mut Scorer, entry: &Entry| -> anyhow::Result<Vec<f32>> {
            let stream = self.open(entry, self.enrol_front_end)?;
            let embeddings = self.embed(scorer, &stream, 0..stream.samples.len())?;
            Ok(mean_unit(embeddings.iter().map(Vec::as_slice)))
        };
        let records = for_each("enrolling", entries, || scorer.clone(), embed);
        let mut of_subject: BTreeMap<String, Vec<Template>> = BTreeMap::new();
        for (entry, embedding) in entries.iter().zip(records) {
            let all = of_subject.entry(entry.subject.clone()).or_default();
            let embedding = Some(embedding?).filter(|e| !e.is_empty());
            all.extend(embedding.map(|embedding| Template::of(embedding, scorer.cohort())));
        }
        Ok(of_subject)
    }

    /// What the cepstra of the enrolled records have in common.
    fn centre(&self, scorer: &Scorer, entries: &[Entry]) -> anyhow::Result<Centre> {
        let cepstrum = |scorer: &mut Scorer, entry: &Entry| -> anyhow::Result<_> {
            let stream = self.open(entry, self.enrol_front_end)?;
            Ok(scorer.cepstrum(&stream.pass(0..stream.samples.len(), self.mains)?.beats))
        };
        let cepstra = for_each("cepstra", entries, || scorer.clone(), cepstrum);
        let cepstra: Vec<_> = cepstra.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect();
        Centre::of(&cepstra).context("--mfcc needs at least two enrolled records with good beats")
    }

    /// The windows of one probe record.
    fn probe(&self, scorer: &mut Scorer, entry: &Entry) -> anyhow::Result<Vec<Probe>> {
        let stream = self.open(entry, self.probe_front_end)?;
        let windows = windows(stream.samples.len(), stream.fs.0 * self.seconds);
        let several = windows.len() > 1;
        let probe = |(n, window): (usize, Range<usize>)| {
            let embeddings = self.embed(scorer, &stream, window)?;
            let name = if several { format!("{}#{n}", entry.record) } else { entry.record.clone() };
            Ok(Probe {
                name,
                subject: entry.subject.clone(),
                embedding: mean_direction(embeddings.iter().map(Vec::as_slice)),
                embeddings: embeddings.len(),
            })
        };
        windows.into_iter().enumerate().map(probe).collect()
    }

    fn open(&self, entry: &Entry, board: Option<Format>) -> anyhow::Result<Stream> {
        let stream = Recording::open_with(&entry.path, self.signal, self.adc)?.stream;
        match board {
            Some(format) => through_board(&stream, format, None).with_context(|| entry.record.clone()),
            None => Ok(stream),
        }
    }

    /// Embeddings of a part; none where the gate let too little through.
    fn embed(&self, scorer: &mut Scorer, stream: &Stream, part: Range<usize>) -> anyhow::Result<Vec<Vec<f32>>> {
        let embeddings = scorer.embed_beats(&stream.pass(part, self.mains)?.beats)?;
        Ok(if embeddings.len() < MIN_EMBEDDINGS { Vec::new() } else { embeddings })
    }
}

/// References of one person, numbered as the records.
fn references_of((subject, templates): (String, Vec<Template>)) -> impl Iterator<Item = Reference> {
    let reference = move |(revision, template)| Reference { subject: subject.clone(), revision, template };
    (1..).zip(templates).map(reference)
}

/// Consecutive windows of `length` samples; a rest that is shorter is left out, a record that is shorter is one window.
fn windows(samples: usize, length: f64) -> Vec<Range<usize>> {
    let length = (length.round() as usize).max(1);
    let whole = (samples / length).max(1);
    (0..whole).map(|i| i * length..((i + 1) * length).min(samples)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_cut_into_whole_windows_and_a_short_one_is_one_window() {
        let ends = |samples| windows(samples, 3750.0).iter().map(|w| w.end).collect::<Vec<_>>();
        assert_eq!(ends(5000), [3750]);
        assert_eq!(ends(3749), [3749]);
        assert_eq!(ends(8000), [3750, 7500]);
    }
}
