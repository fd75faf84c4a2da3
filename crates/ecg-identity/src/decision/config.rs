//! The settings of a decision.

/// How a decision is made. Times in seconds of the stream, scores on the cosine scale.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionConfig {
    /// Score from which a comparison counts as a match; from the model card.
    pub threshold: f64,
    /// Hysteresis: below `threshold − margin` a match is lost, and a stranger is a stranger.
    pub margin: f64,
    /// How far ahead of the second subject the first must be to be verified.
    pub lead: f64,
    /// Length of the evidence, seconds.
    pub window_s: f64,
    /// The part of it that must speak for the same person by itself, seconds; bounds how long a change goes unseen.
    pub recent_s: f64,
    /// A pause without embeddings that ends all evidence, seconds.
    pub max_pause_s: f64,
    /// Embeddings below which nothing is decided. Each may already be an average of several beats.
    pub min_embeddings: usize,
    /// Updates in a row that make a state.
    pub enter_updates: usize,
    /// Updates in a row that end `Verified` or `Unknown`.
    pub exit_updates: usize,
}

impl Default for DecisionConfig {
    /// Twelve seconds of evidence, verified from the fifth embedding on at the earliest, lost within two bad ones.
    fn default() -> Self {
        Self {
            threshold: 0.6,
            margin: 0.08,
            lead: 0.02,
            window_s: 12.0,
            recent_s: 3.0,
            max_pause_s: 5.0,
            min_embeddings: 3,
            enter_updates: 3,
            exit_updates: 2,
        }
    }
}
