//! The embeddings that a decision rests on, and the parts of them that must agree.
//!
//! It must not know references or states.

use std::collections::VecDeque;

use super::DecisionConfig;
use crate::compare::{mean_unit, unit};

/// Embeddings of the last seconds, oldest first, unit length.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    window_s: f64,
    recent_s: f64,
    max_pause_s: f64,
    items: VecDeque<(f64, Vec<f32>)>,
}

/// More embeddings than a heart can deliver in any sensible window; bounds the memory whatever time is passed in.
const MOST: usize = 512;

impl Evidence {
    pub(super) fn new(config: &DecisionConfig) -> Self {
        let DecisionConfig { window_s, recent_s, max_pause_s, .. } = *config;
        Self { window_s, recent_s, max_pause_s, items: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn clear(&mut self) {
        self.items.clear();
    }

    /// Takes an embedding in; false where it is not usable. Older ones than the window are dropped.
    pub(super) fn push(&mut self, at_s: f64, embedding: &[f32]) -> bool {
        let Some(embedding) = unit(embedding) else { return false };
        let fits = self.items.front().is_none_or(|(_, first)| first.len() == embedding.len());
        if !at_s.is_finite() || !fits {
            return false;
        }
        self.items.push_back((at_s, embedding));
        while self.items.len() > MOST || self.items.front().is_some_and(|(t, _)| *t < at_s - self.window_s) {
            self.items.pop_front();
        }
        true
    }

    /// No embedding for longer than the pause that is allowed, or time has run backwards.
    pub(super) fn paused_at(&self, at_s: f64) -> bool {
        self.items.back().is_some_and(|(newest, _)| !(0.0..=self.max_pause_s).contains(&(at_s - newest)))
    }

    pub(super) fn mean(&self) -> Vec<f32> {
        self.part(0, self.items.len())
    }

    /// The newest embeddings alone; never empty while there is evidence.
    pub(super) fn recent(&self) -> Vec<f32> {
        self.part(self.recent_start(), self.items.len())
    }

    /// What came before the newest embeddings; `None` where there is nothing.
    pub(super) fn older(&self) -> Option<Vec<f32>> {
        let end = self.recent_start();
        (end > 0).then(|| self.part(0, end))
    }

    /// The older and the newer half.
    pub(super) fn halves(&self) -> [Vec<f32>; 2] {
        let middle = self.items.len() / 2;
        [self.part(0, middle.max(1)), self.part(middle, self.items.len())]
    }

    pub(super) fn keep_recent(&mut self) {
        self.items.drain(..self.recent_start());
    }

    fn recent_start(&self) -> usize {
        let Some((newest, _)) = self.items.back() else { return 0 };
        let start = self.items.partition_point(|(t, _)| *t < newest - self.recent_s);
        start.min(self.items.len() - 1)
    }

    fn part(&self, from: usize, to: usize) -> Vec<f32> {
        mean_unit(self.items.range(from..to.min(self.items.len())).map(|(_, e)| e.as_slice()))
    }
}
