//! The embeddings that a decision rests on, and the parts of them that must agree.
//!
//! It must not know references or states.

use std::collections::VecDeque;

use super::DecisionConfig;
use crate::calibration::evidence_beats;
use crate::compare::{mean_direction, unit};

/// Embeddings of the last seconds, oldest first, unit length.
///
/// Those of fewer than a full average's heartbeats hold nothing that the next one does not hold too: while there is
/// nothing else the newest of them is all the evidence, and the first full one supersedes them.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    window_s: f64,
    recent_s: f64,
    max_pause_s: f64,
    beats_averaged: usize,
    items: VecDeque<Item>,
    /// How many of the items, the oldest, are superseded.
    superseded: usize,
    /// When the first embedding of the contact came; what was cleared since counts.
    began_s: Option<f64>,
}

#[derive(Debug, Clone)]
struct Item {
    at_s: f64,
    beats: usize,
    embedding: Vec<f32>,
}

/// A part of the evidence as one: the mean direction, as long as it is, and the heartbeats in it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) embedding: Vec<f32>,
    pub(super) beats: usize,
}

/// What a decision rests on after the averages since contact, oldest first, of one heartbeat, of two, … of `full` and of
/// `full` from then on: the newest while it is not a full one, else the mean direction of the full ones. Empty of none.
///
/// This is the statistic to calibrate.
#[must_use]
pub fn since_contact(averages: &[Vec<f32>], full: usize) -> Vec<f32> {
    let superseded = full.max(1).min(averages.len()).saturating_sub(1);
    mean_direction(averages[superseded..].iter().map(Vec::as_slice))
}

/// More embeddings than a heart can deliver in any sensible window; bounds the memory whatever time is passed in.
const MOST: usize = 512;

impl Evidence {
    pub(super) fn new(config: &DecisionConfig) -> Self {
        let DecisionConfig { window_s, recent_s, max_pause_s, .. } = *config;
        let beats_averaged = config.beats_averaged();
        Self { window_s, recent_s, max_pause_s, beats_averaged, items: VecDeque::new(), superseded: 0, began_s: None }
    }

    /// Embeddings taken in, superseded ones included.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
        self.superseded = 0;
    }

    /// The next embedding is the first of a contact.
    pub(super) fn begin_contact(&mut self) {
        self.began_s = None;
    }

    /// Takes the embedding of an average of so many beats in; false where it is not usable. Older ones than the window
    /// are dropped.
    pub(super) fn push(&mut self, at_s: f64, beats: usize, embedding: &[f32]) -> bool {
        let Some(embedding) = unit(embedding) else { return false };
        let fits = self.items.front().is_none_or(|first| first.embedding.len() == embedding.len());
        if !at_s.is_finite() || !fits {
            return false;
        }
        let beats = beats.clamp(1, self.beats_averaged);
        let partial = |item: &Item| item.beats < self.beats_averaged;
        if self.items.back().is_some_and(partial) || beats < self.beats_averaged {
            self.superseded = self.items.len();
        }
        self.began_s.get_or_insert(at_s);
        self.items.push_back(Item { at_s, beats, embedding });
        while self.items.len() > MOST || self.items.front().is_some_and(|item| item.at_s < at_s - self.window_s) {
            self.items.pop_front();
            self.superseded = self.superseded.saturating_sub(1);
        }
        true
    }

    /// No embedding for longer than the pause that is allowed, or time has run backwards.
    pub(super) fn paused_at(&self, at_s: f64) -> bool {
        self.items.back().is_some_and(|newest| !(0.0..=self.max_pause_s).contains(&(at_s - newest.at_s)))
    }

    /// The contact lasts for longer than the window: what it holds now is one more look at the same person.
    pub(super) fn is_late(&self) -> bool {
        let newest = self.items.back().map(|newest| newest.at_s);
        newest.zip(self.began_s).is_some_and(|(newest, began)| newest - began > self.window_s)
    }

    /// The intervals between the embeddings differ by more than this: the heart is none that beats like a metronome. There
    /// have to be two. A refused beat has no embedding: one that spans such beats counts as so many equal ones as it holds
    /// the shortest.
    pub(super) fn varies(&self, by_s: f64) -> bool {
        let times = || self.items.iter().map(|item| item.at_s);
        let intervals = || times().skip(1).zip(times()).map(|(later, earlier)| later - earlier);
        let beat = intervals().fold(f64::INFINITY, f64::min);
        let single = intervals().map(|interval| interval / (interval / beat).round().max(1.0));
        let (shortest, longest) =
            single.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        by_s <= 0.0 || longest - shortest >= by_s
    }

    pub(super) fn whole(&self) -> Part {
        self.part(self.superseded, self.items.len())
    }

    /// The newest embeddings alone; never empty while there is evidence.
    pub(super) fn recent(&self) -> Part {
        self.part(self.recent_start(), self.items.len())
    }

    /// What came before the newest embeddings; `None` where there is nothing.
    pub(super) fn older(&self) -> Option<Part> {
        let end = self.recent_start();
        (end > self.superseded).then(|| self.part(self.superseded, end))
    }

    /// The older and the newer half.
    pub(super) fn halves(&self) -> [Part; 2] {
        let middle = (self.superseded + self.items.len()) / 2;
        [self.part(self.superseded, middle.max(self.superseded + 1)), self.part(middle, self.items.len())]
    }

    pub(super) fn keep_recent(&mut self) {
        self.items.drain(..self.recent_start());
        self.superseded = 0;
    }

    fn recent_start(&self) -> usize {
        let Some(newest) = self.items.back() else { return 0 };
        let start = self.items.partition_point(|item| item.at_s < newest.at_s - self.recent_s);
        start.max(self.superseded).min(self.items.len() - 1)
    }

    fn part(&self, from: usize, to: usize) -> Part {
        let items = || self.items.range(from..to.min(self.items.len()));
        let averaged = items().next().map_or(0, |first| first.beats);
        Part {
            embedding: mean_direction(items().map(|item| item.embedding.as_slice())),
            beats: evidence_beats(averaged, items().len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_calibrated_is_what_a_decision_rests_on() {
        let full = 5;
        let averages: Vec<Vec<f32>> = (0..12_u8).map(|i| vec![1.0, f32::from(i) / 9.0, f32::from(i % 3)]).collect();
        let mut evidence = Evidence { beats_averaged: full, ..Evidence::new(&DecisionConfig::default()) };
        for heard in 1..=averages.len() {
            evidence.push(0.8 * heard as f64, heard.min(full), &averages[heard - 1]);
            let whole = evidence.whole();
            assert_eq!(whole.beats, heard);
            let calibrated = since_contact(&averages[..heard], full);
            let apart = 1.0 - crate::compare::cosine(&whole.embedding, &calibrated);
            assert!(apart.abs() < 1e-6, "{heard} heartbeats: {apart}");
            let length = |embedding: &[f32]| embedding.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!((length(&whole.embedding) - length(&calibrated)).abs() < 1e-6, "{heard} heartbeats");
        }
        assert!(since_contact(&[], full).is_empty());
    }
}
