//! What an enrolment asks for. Must not know how it is collected.

/// How long, how often, and with what patience. Times in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct EnrolmentConfig {
    /// Placements of the electrodes.
    pub placements: usize,
    /// Good heartbeats in all, seconds; the placements share them evenly.
    pub seconds: f64,
    /// The enrolment is given up after so much time, whatever has been collected.
    pub give_up_after_s: f64,
    /// After so much time in which the electrodes were not seen to be taken off, the person is told what else to do.
    pub patience_s: f64,
    /// What the result must fulfil.
    pub requirements: Requirements,
}

/// What placements must fulfil to make a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Requirements {
    /// Good beats in all; fewer are no more than one average of five and its neighbours.
    pub min_beats: usize,
    /// Most that may be refused of a placement's beats, 0…1.
    pub max_refused_share: f64,
    /// Cosine that any two placements, and the halves of each, must reach.
    pub consistency: f64,
}

impl EnrolmentConfig {
    /// Seconds of good heartbeats that each placement needs.
    #[must_use]
    pub fn placement_s(&self) -> f64 {
        self.seconds / self.placements.max(1) as f64
    }
}

impl Default for EnrolmentConfig {
    /// Three placements of 16 s: 45 to 60 s are what people bear, and more than 15 s of one placement add little (the
    /// beats of a placement are far from independent).
    fn default() -> Self {
        Self {
            placements: 3,
            seconds: 48.0,
            give_up_after_s: 300.0,
            patience_s: 15.0,
            requirements: Requirements::default(),
        }
    }
}

impl Default for Requirements {
    /// Two placements of one person on one day are far more alike than two persons, so the consistency asked for is well
    /// below the threshold of a decision: it refuses 3 to 7 % of honest enrolments and finds 98 to 99 % of those in which one
    /// placement is another person's (ADR 16). Of plain cosines: no placement is a template, so none has an offset.
    fn default() -> Self {
        Self { min_beats: 12, max_refused_share: 1.0 / 3.0, consistency: 0.56 }
    }
}
