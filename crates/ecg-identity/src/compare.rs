//! Comparison of embeddings: cosine, means on the unit sphere, the ranking of a gallery.
//!
//! It must not know where an embedding comes from, nor what score is good enough: that is the decision's business.

use crate::cohort::Cohort;

/// What was enrolled for a subject: one template. A subject may have several (one for each day or placement).
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Pseudonymous slug of the subject.
    pub subject: String,
    /// Revision of the subject's template; travels with every decision so that a listener can tell old from new.
    pub revision: u32,
    /// From the same front end and model as the probes.
    pub template: Template,
}

/// What probes are compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// Unit length.
    pub embedding: Vec<f32>,
    /// What is taken off every score ([`crate::Cohort::offset`]); 0 where there is no cohort.
    pub offset: f64,
    /// The most that is added for what a probe lacks of unit length ([`crate::CohortRule::scatter`]); 0 where there is no
    /// cohort.
    pub scatter: f64,
}

impl Template {
    /// Comparison score of a probe, −1…1, higher means more alike: cosine less the offset, and for a probe that is the mean
    /// of several embeddings ([`mean_direction`]) more what it lacks of unit length, as far as that is allowed for. An
    /// embedding that cannot be compared scores −1.
    #[must_use]
    pub fn score(&self, probe: &[f32]) -> f64 {
        match cosine(&self.embedding, probe) {
            apart if apart <= -1.0 => -1.0,
            cosine => {
                let lacking = (1.0 - length(probe)).min(self.scatter).max(0.0);
                (cosine - self.offset + lacking).clamp(-1.0, 1.0)
            }
        }
    }

    /// A template with the offset that a cohort gives it, and the cohort's allowance for scatter.
    #[must_use]
    pub fn of(embedding: Vec<f32>, cohort: Option<&Cohort>) -> Self {
        let (offset, scatter) = cohort.map_or((0.0, 0.0), |cohort| (cohort.offset(&embedding), cohort.rule().scatter));
        Self { embedding, offset, scatter }
    }
}

impl From<Vec<f32>> for Template {
    /// A template whose scores are plain cosines.
    fn from(embedding: Vec<f32>) -> Self {
        Self { embedding, offset: 0.0, scatter: 0.0 }
    }
}

/// A subject of the gallery and how much a probe is like it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match<'a> {
    /// The subject's best template.
    pub reference: &'a Reference,
    /// Comparison score, −1…1, higher means more alike.
    pub score: f64,
}

/// Cosine of the angle between two embeddings, −1…1.
///
/// Embeddings that cannot be compared (another length, no length, not finite) score −1: they match nobody.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    if a.len() != b.len() {
        return -1.0;
    }
    let (mut dot, mut norm_a, mut norm_b) = (0.0, 0.0, 0.0);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x), f64::from(y));
        dot += x * y;
        norm_a += x * x;
        norm_b += y * y;
    }
    let scale = (norm_a * norm_b).sqrt();
    if scale.is_finite() && scale > 0.0 { (dot / scale).clamp(-1.0, 1.0) } else { -1.0 }
}

/// Euclidean length of an embedding.
fn length(embedding: &[f32]) -> f64 {
    embedding.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

/// The embedding brought to unit length; `None` where it has no direction (zero, empty or not finite).
#[must_use]
pub fn unit(embedding: &[f32]) -> Option<Vec<f32>> {
    let norm = length(embedding);
    (norm.is_finite() && norm > 1e-12).then(|| embedding.iter().map(|&x| (f64::from(x) / norm) as f32).collect())
}

/// Two directions in one, of unit length where both are: its cosine with another is 1 − `share` of that of the firsts and
/// `share` (0…1) of that of the seconds.
#[must_use]
pub fn joined(first: &[f32], second: &[f32], share: f64) -> Vec<f32> {
    let (of_first, of_second) = ((1.0 - share).sqrt() as f32, share.sqrt() as f32);
    first.iter().map(|x| of_first * x).chain(second.iter().map(|x| of_second * x)).collect()
}

/// Mean direction: every embedding is brought to unit length, averaged, and the mean brought to unit length. What a
/// template is.
///
/// Embeddings without a direction, and those of another length than the first usable one, are left out.
/// Empty where nothing is left, or where the embeddings cancel out: an empty embedding matches nobody.
#[must_use]
pub fn mean_unit<'a>(embeddings: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
    unit(&mean_direction(embeddings)).unwrap_or_default()
}

/// As [`mean_unit`], but as long as the mean of the unit embeddings is: 1 where all of them agree, shorter the more they
/// scatter. What a probe is: [`Template::score`] looks at its length.
#[must_use]
pub fn mean_direction<'a>(embeddings: impl IntoIterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut sum: Vec<f64> = Vec::new();
    let mut count = 0.0;
    for embedding in embeddings.into_iter().filter_map(unit) {
        if sum.is_empty() {
            sum.resize(embedding.len(), 0.0);
        }
        if embedding.len() == sum.len() {
            sum.iter_mut().zip(&embedding).for_each(|(s, &x)| *s += f64::from(x));
            count += 1.0;
        }
    }
    let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
    if norm > 1e-9 { sum.iter().map(|x| (x / count) as f32).collect() } else { Vec::new() }
}

/// The subjects of a gallery, the most alike first, each with its best template. Equal scores stand in gallery order.
#[must_use]
pub fn rank<'a>(references: &'a [Reference], embedding: &[f32]) -> Vec<Match<'a>> {
    let mut best: Vec<Match<'a>> = Vec::new();
    for reference in references {
        let score = reference.template.score(embedding);
        match best.iter_mut().find(|m| m.reference.subject == reference.subject) {
            Some(known) if score > known.score => *known = Match { reference, score },
            Some(_) => {}
            None => best.push(Match { reference, score }),
        }
    }
    best.sort_by(|a, b| b.score.total_cmp(&a.score));
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(subject: &str, revision: u32, embedding: &[f32]) -> Reference {
        Reference { subject: subject.into(), revision, template: embedding.to_vec().into() }
    }

    #[test]
    fn cosine_is_one_for_the_same_direction_and_minus_one_for_what_cannot_be_compared() {
        assert!((cosine(&[3.0, 4.0], &[6.0, 8.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[1.0, 0.0], &[0.0, 1.0]).abs() < 1e-12);
        for (a, b) in [(&[][..], &[][..]), (&[0.0, 0.0], &[1.0, 0.0]), (&[f32::NAN, 1.0], &[1.0, 0.0])] {
            assert_eq!(cosine(a, b), -1.0);
        }
        assert_eq!(cosine(&[1.0], &[1.0, 0.0]), -1.0);
    }

    #[test]
    fn an_offset_is_taken_off_and_scores_stay_cosines() {
        let score =
            |offset: f64, probe: &[f32]| Template { embedding: vec![1.0, 0.0], offset, scatter: 0.0 }.score(probe);
        assert!((score(0.1, &[0.6, 0.8]) - 0.5).abs() < 1e-6 && (score(-0.1, &[0.6, 0.8]) - 0.7).abs() < 1e-6);
        assert_eq!((score(-0.1, &[1.0, 0.0]), score(0.3, &[-0.9, 0.1])), (1.0, -1.0));
        assert_eq!((score(-0.5, &[]), score(-0.5, &[f32::NAN, 1.0])), (-1.0, -1.0));
    }

    #[test]
    fn what_a_mean_lacks_of_unit_length_is_added_to_its_score_up_to_what_is_allowed() {
        let template = Template { embedding: vec![1.0, 0.0], offset: 0.2, scatter: 0.1 };
        let turned = |sine: f32| [(1.0 - sine * sine).sqrt(), sine];
        let mean = |sine: f32| mean_direction([&turned(sine)[..], &turned(-sine)]);
        // The mean of two that differ by as much either way is the template's direction, and short by 1 − cos.
        for (sine, added) in [(0.0, 0.0), (0.28, 0.04), (0.8, 0.1), (0.96, 0.1)] {
            let (mean, alone) = (mean(sine), turned(sine));
            assert!((template.score(&mean) - (1.0 - 0.2 + added)).abs() < 1e-6, "{sine}");
            assert!(
                (template.score(&alone) - (f64::from(alone[0]) - 0.2)).abs() < 1e-6,
                "a single one has unit length"
            );
            // Cosines, templates and plain scores know no length.
            assert!((cosine(&template.embedding, &mean) - 1.0).abs() < 1e-6);
            assert!((Template::from(vec![1.0, 0.0]).score(&mean) - 1.0).abs() < 1e-6);
        }
        // Longer than a unit is nothing to take off, and the highest score is 1.
        assert!((template.score(&[3.0, 4.0]) - 0.4).abs() < 1e-6);
        assert_eq!(Template { offset: -0.2, ..template }.score(&mean(0.8)), 1.0);
    }

    #[test]
    fn the_cosine_of_what_is_joined_is_the_weighted_sum_of_both() {
        let direction = |seed: usize, length: usize| {
            unit(&(0..length).map(|k| ((seed * 31 + k * 17) % 13) as f32 - 6.0).collect::<Vec<_>>()).unwrap()
        };
        let (a, b) = (direction(1, 88), direction(2, 88));
        let (c, d) = (direction(3, 65), direction(4, 65));
        for share in [0.0, 0.1, 0.3, 1.0] {
            let whole = cosine(&joined(&a, &c, share), &joined(&b, &d, share));
            let sum = (1.0 - share) * cosine(&a, &b) + share * cosine(&c, &d);
            assert!((whole - sum).abs() < 1e-6, "{share}: {whole} instead of {sum}");
            let length: f32 = joined(&a, &c, share).iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{share}: {length}");
        }
    }

    #[test]
    fn mean_unit_weighs_directions_not_lengths_and_leaves_out_the_unusable() {
        let mean = mean_unit([&[10.0, 0.0][..], &[0.0, 0.1], &[0.0, 0.0], &[f32::NAN, 1.0], &[1.0, 1.0, 1.0]]);
        assert!((mean[0] - mean[1]).abs() < 1e-6);
        assert!((mean[0] - 0.5_f32.sqrt()).abs() < 1e-6);
        assert!(mean_unit([&[1.0, 0.0][..], &[-1.0, 0.0]]).is_empty());
        assert!(mean_unit([]).is_empty());
    }

    #[test]
    fn a_subject_is_ranked_by_its_best_template() {
        let gallery = [reference("a", 1, &[0.0, 1.0]), reference("b", 1, &[0.6, 0.8]), reference("a", 2, &[1.0, 0.0])];
        let ranking = rank(&gallery, &[1.0, 0.1]);
        assert_eq!(ranking.len(), 2);
        assert_eq!((ranking[0].reference.subject.as_str(), ranking[0].reference.revision), ("a", 2));
        assert_eq!(ranking[1].reference.subject, "b");
    }
}
