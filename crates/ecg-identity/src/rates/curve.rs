//! The whole trade-off: FMR and FNMR at every threshold, for the DET plot and for setting a threshold.

use super::{Comparison, ScoresError, table};

/// One point of the detection-error trade-off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetPoint {
    /// A score that is at or above this matches. +∞ at the last point: nothing matches.
    pub threshold: f64,
    /// False match rate, a fraction.
    pub fmr: f64,
    /// False non-match rate, a fraction.
    pub fnmr: f64,
}

/// All points, from the threshold where everything but refused probes matches to the one where nothing does.
///
/// # Errors
/// [`ScoresError`] on scores that would make the curve wrong.
pub fn det_curve(comparisons: &[Comparison]) -> Result<Vec<DetPoint>, ScoresError> {
    table::check(comparisons)?;
    let mut scores: Vec<(f64, bool)> =
        comparisons.iter().map(|c| (c.score, c.probe_subject == c.reference_subject)).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let genuine = scores.iter().filter(|(_, mated)| *mated).count() as f64;
    let impostor = scores.len() as f64 - genuine;
    let (mut missed, mut accepted) = (0.0, impostor);
    let mut points = Vec::new();
    let mut previous = f64::NEG_INFINITY;
    for &(score, mated) in &scores {
        if score > previous {
            points.push(DetPoint { threshold: score, fmr: accepted / impostor, fnmr: missed / genuine });
            previous = score;
        }
        if mated {
            missed += 1.0;
        } else {
            accepted -= 1.0;
        }
    }
    points.push(DetPoint { threshold: f64::INFINITY, fmr: 0.0, fnmr: 1.0 });
    Ok(points)
}
