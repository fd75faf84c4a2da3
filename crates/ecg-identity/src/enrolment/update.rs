//! The update of a template by later beats: explicit, only where they match clearly, and never far from what was
//! enrolled.
//!
//! A template that learns from whatever it accepts can be led away step by step by somebody who nearly matches. So the
//! enrolled original stays as the anchor, and every update is held against it. Must not know where templates are kept.

use crate::compare::{Template, cosine, unit};

/// A template never gets further from its anchor than this cosine.
pub const MAX_DRIFT_COSINE: f64 = 0.8;

/// When and how much a template is updated.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdateRule {
    /// Score from which a comparison counts as a match, as for a decision.
    pub threshold: f64,
    /// How far above it the new beats must score, with the template and with its anchor.
    pub margin: f64,
    /// Weight of the new beats in the updated template, 0…1.
    pub weight: f64,
}

impl UpdateRule {
    /// The rule for a model's threshold.
    #[must_use]
    pub fn at(threshold: f64) -> Self {
        Self { threshold, margin: 0.05, weight: 0.5 }
    }

    /// The score that new beats need.
    #[must_use]
    pub fn needed(&self) -> f64 {
        self.threshold + self.margin
    }
}

/// An updated template.
#[derive(Debug, Clone, PartialEq)]
pub struct Blend {
    /// Unit length.
    pub embedding: Vec<f32>,
    /// Score of the new beats, the lower one of those with the template and with its anchor.
    pub score: f64,
    /// Cosine of the updated template with its anchor, at least [`MAX_DRIFT_COSINE`].
    pub to_anchor: f64,
}

/// Why a template is not updated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum UpdateRefusal {
    /// The new beats do not match clearly enough.
    NotClear {
        /// Their score.
        score: f64,
        /// What is needed.
        needed: f64,
    },
    /// The template has come as far from the enrolled original as it may.
    DriftedFar {
        /// Cosine that the updated template would have with the original.
        to_anchor: f64,
    },
}

/// Blends `fresh` into `template`, which came from `anchor` (the two are equal where it was never updated).
///
/// # Errors
/// [`UpdateRefusal`]. Embeddings that cannot be compared match nothing, hence [`UpdateRefusal::NotClear`].
pub fn blend(anchor: &Template, template: &Template, fresh: &[f32], rule: &UpdateRule) -> Result<Blend, UpdateRefusal> {
    let score = template.score(fresh).min(anchor.score(fresh));
    let not_clear = UpdateRefusal::NotClear { score, needed: rule.needed() };
    let (Some(old), Some(new)) = (unit(&template.embedding), unit(fresh)) else { return Err(not_clear) };
    if score < rule.needed() || rule.needed().is_nan() {
        return Err(not_clear);
    }
    let weight = rule.weight.clamp(0.0, 1.0) as f32;
    let mixed: Vec<f32> = old.iter().zip(&new).map(|(old, new)| old * (1.0 - weight) + new * weight).collect();
    let embedding = unit(&mixed).ok_or(not_clear)?;
    let to_anchor = cosine(&anchor.embedding, &embedding);
    if to_anchor < MAX_DRIFT_COSINE {
        return Err(UpdateRefusal::DriftedFar { to_anchor });
    }
    Ok(Blend { embedding, score, to_anchor })
}
