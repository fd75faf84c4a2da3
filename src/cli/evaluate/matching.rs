//! Detections against annotations: one-to-one, nearest pair first.
//!
//! It knows only ascending times in seconds.

/// Half a microsecond and more: two times that are equal on paper stay within the limit in floating point.
const SLACK_S: f64 = 1e-6;

/// Pairs `(reference, detection)` of indices, nearest first; a pair further apart than `tolerance_s` is none.
///
/// Both lists ascend. Each entry is in at most one pair. Pairs of equal distance go in the order of the references,
/// then of the detections, so that the result does not depend on the sorting.
#[must_use]
pub fn match_beats(reference: &[f64], detected: &[f64], tolerance_s: f64) -> Vec<(usize, usize)> {
    let tolerance_s = tolerance_s + SLACK_S;
    let mut candidates = Vec::new();
    let mut first = 0;
    for (i, &r) in reference.iter().enumerate() {
        while detected.get(first).is_some_and(|&d| d < r - tolerance_s) {
            first += 1;
        }
        let near = detected[first..].iter().take_while(|&&d| d <= r + tolerance_s);
        candidates.extend(near.enumerate().map(|(k, &d)| ((d - r).abs(), i, first + k)));
    }
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut reference_taken = vec![false; reference.len()];
    let mut detected_taken = vec![false; detected.len()];
    let mut pairs = Vec::new();
    for (_, i, j) in candidates {
        if !reference_taken[i] && !detected_taken[j] {
            (reference_taken[i], detected_taken[j]) = (true, true);
            pairs.push((i, j));
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pair_goes_first_and_nobody_is_paired_twice() {
        // 1.10 is nearer to 1.12 than 1.00 is, so 1.00 must take 0.90.
        assert_eq!(match_beats(&[1.00, 1.12], &[0.90, 1.10], 0.15), [(1, 1), (0, 0)]);
        assert_eq!(match_beats(&[1.0], &[0.95, 1.01], 0.15), [(0, 1)]);
    }

    #[test]
    fn the_limit_is_inclusive_and_empty_lists_match_nothing() {
        assert_eq!(match_beats(&[1.0], &[1.15], 0.15).len(), 1);
        assert!(match_beats(&[1.0], &[1.1501], 0.15).is_empty());
        assert!(match_beats(&[], &[1.0], 0.15).is_empty() && match_beats(&[1.0], &[], 0.15).is_empty());
    }
}
