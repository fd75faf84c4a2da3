//! Another person on the electrodes, seen from single heartbeats: the one change that no lead-off announces.
//!
//! The decision rests on averages, in which a new wearer shows only beat by beat. Here each beat's own embedding is
//! held against those before it. It must not know references: whether the persons are enrolled does not matter.

use std::collections::VecDeque;

use crate::compare::{cosine, mean_unit};

/// Beats that a new one is held against: those of some seconds, so that slow changes of posture and heart rate are none.
const EARLIER: usize = 8;
/// …and how many there must be: below, one bad beat would decide.
const LEAST: usize = 3;
/// Beats in a row that are not those of the person before. One is too often an extrasystole; the second comes within
/// 3 s of the change down to about 50 beats a minute.
const IN_A_ROW: usize = 2;

/// Watches the embeddings of single beats, in the order of time.
#[derive(Debug, Clone)]
pub struct ChangeWatch {
    floor: f64,
    earlier: VecDeque<Vec<f32>>,
    unlike: Vec<Vec<f32>>,
    in_a_row: usize,
}

impl ChangeWatch {
    /// Below `floor` a beat is not one of the person before: the score that single beats of other persons rarely exceed.
    #[must_use]
    pub fn new(floor: f64) -> Self {
        Self { floor, earlier: VecDeque::with_capacity(EARLIER), unlike: Vec::with_capacity(IN_A_ROW), in_a_row: 0 }
    }

    /// The embedding of one accepted beat; true where it shows that the beats before belong to somebody else. From then
    /// on only the beats that differed count.
    pub fn push(&mut self, embedding: &[f32]) -> bool {
        if self.earlier.len() < LEAST || cosine(&self.mean(), embedding) >= self.floor {
            self.keep(embedding.to_vec());
            self.unlike.clear();
            self.in_a_row = 0;
            return false;
        }
        self.unlike.push(embedding.to_vec());
        self.count()
    }

    /// A beat that the quality gate refused: nobody can say whose it is. True where too many are in a row.
    pub fn refused(&mut self) -> bool {
        self.earlier.len() >= LEAST && self.count()
    }

    /// Forgets all beats: contact was lost, or time is missing.
    pub fn reset(&mut self) {
        self.earlier.clear();
        self.unlike.clear();
        self.in_a_row = 0;
    }

    fn count(&mut self) -> bool {
        self.in_a_row += 1;
        let changed = self.in_a_row >= IN_A_ROW;
        if changed {
            self.earlier.clear();
            self.in_a_row = 0;
            std::mem::take(&mut self.unlike).into_iter().for_each(|embedding| self.keep(embedding));
        }
        changed
    }

    fn mean(&self) -> Vec<f32> {
        mean_unit(self.earlier.iter().map(Vec::as_slice))
    }

    fn keep(&mut self, embedding: Vec<f32>) {
        if self.earlier.len() == EARLIER {
            self.earlier.pop_front();
        }
        self.earlier.push_back(embedding);
    }
}
