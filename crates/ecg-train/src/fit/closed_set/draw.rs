//! Batches of single beats for a closed-set classifier.

use std::collections::BTreeMap;

use ecg_signal::SEGMENT_SAMPLES;

use super::split::Labelled;
use crate::augment::augment;
use crate::random::chance;
use crate::sampler::{Batch, Draw};

/// Probability that a beat is averaged with another training beat of its record: a beat that the person might have had,
/// with less noise. It widens the sixty beats that a person of a short collection has.
const AVERAGED: f64 = 0.5;
/// Probability that a beat is shifted, stretched and made to drift; else it is shown as it is, as it is tested.
const CHANGED: f64 = 0.5;

/// Draws training beats with replacement, every beat as likely as every other.
#[derive(Debug)]
pub(super) struct BeatDraw<'a> {
    beats: &'a [Labelled<'a>],
    of_record: BTreeMap<usize, Vec<&'a [f32; SEGMENT_SAMPLES]>>,
    classes: usize,
}

impl<'a> BeatDraw<'a> {
    /// Draws from `beats` of `classes` persons.
    pub(super) fn new(beats: &'a [Labelled<'a>], classes: usize) -> Self {
        let mut of_record: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for beat in beats {
            of_record.entry(beat.record).or_default().push(beat.input);
        }
        Self { beats, of_record, classes }
    }

    fn input(&self, beat: &Labelled<'_>, rng: &mut fastrand::Rng) -> [f32; SEGMENT_SAMPLES] {
        let mut input = *beat.input;
        if let Some(others) = self.of_record.get(&beat.record).filter(|_| chance(rng, AVERAGED)) {
            // Both are z-scored and alike, so that their mean nearly is.
            let other = others[rng.usize(..others.len())];
            let share = rng.f32();
            input.iter_mut().zip(other).for_each(|(x, y)| *x += share * (y - *x));
        }
        if chance(rng, CHANGED) { augment(&input, rng) } else { input }
    }
}

impl Draw for BeatDraw<'_> {
    fn class_count(&self) -> usize {
        self.classes
    }

    fn batch(&self, size: usize, rng: &mut fastrand::Rng) -> Batch {
        let mut batch = Batch { beats: Vec::with_capacity(size * SEGMENT_SAMPLES), classes: Vec::with_capacity(size) };
        for _ in 0..size {
            let beat = &self.beats[rng.usize(..self.beats.len())];
            batch.beats.extend_from_slice(&self.input(beat, rng));
            batch.classes.push(beat.class as i64);
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_mixed_with_beats_of_its_own_record_only() {
        // Two shapes: whatever is made of one record's beats resembles its own shape and not the other record's.
        let shape = |at: f32| std::array::from_fn(|i| 4.0 * (-((i as f32 - at) / 6.0).powi(2)).exp() - 0.3);
        let inputs: [[f32; SEGMENT_SAMPLES]; 3] = [shape(60.0), shape(62.0), shape(130.0)];
        let label = |class, record, input| Labelled { class, record, input };
        let beats = [label(0, 0, &inputs[0]), label(0, 0, &inputs[1]), label(1, 1, &inputs[2])];
        let draw = BeatDraw::new(&beats, 2);
        let mut rng = crate::random::stream(1, 1);
        for _ in 0..200 {
            let drawn = draw.input(&beats[0], &mut rng);
            assert!(drawn[61] > 2.0 && drawn[130] < 1.0, "{} {}", drawn[61], drawn[130]);
        }
        let batch = draw.batch(64, &mut rng);
        assert_eq!(batch.beats.len(), 64 * SEGMENT_SAMPLES);
        assert!(batch.classes.contains(&0) && batch.classes.contains(&1));
    }
}
