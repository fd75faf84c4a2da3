//! Whether placements make a template, and if not, which of them is to blame. Must not know how they were collected.

use super::config::Requirements;
use super::placement::{Fault, Placement};
use crate::Suspicion;
use crate::compare::{cosine, mean_unit};

/// What one placement contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Mean direction, as long as it is: held against others' templates it is a probe, as a decision would have it.
    pub embedding: Vec<f32>,
    /// Good beats in it.
    pub beats: usize,
    /// Median heart rate; `None` where too few intervals are known.
    pub heart_rate_bpm: Option<f64>,
}

/// An enrolment that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The placements that count.
    pub parts: Vec<Part>,
    /// Mean direction of the parts, unit length: every placement weighs the same.
    pub template: Vec<f32>,
    /// Refused beats of all placements, of every reason.
    pub refused_beats: usize,
    /// Cosine of the least alike: two placements, or the halves of one.
    pub consistency: f64,
}

impl Judged {
    /// Good beats in all.
    #[must_use]
    pub fn beats(&self) -> usize {
        self.parts.iter().map(|part| part.beats).sum()
    }

    /// Mean of the placements' heart rates; `None` where none is known.
    #[must_use]
    pub fn heart_rate_bpm(&self) -> Option<f64> {
        let known: Vec<f64> = self.parts.iter().filter_map(|part| part.heart_rate_bpm).collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }
}

/// Why placements make no template. Placements count from 1, in the order in which they were taken.
#[derive(Debug, Clone, PartialEq)]
pub enum EnrolmentRefusal {
    /// In a part of a placement the heart was not believed to beat now. A replay is known by beats that came before it
    /// was known, so no beat of the placement counts.
    Doubted {
        /// Which.
        placement: usize,
        /// Why.
        suspicion: Suspicion,
    },
    /// The quality gate let too little through.
    TooFewBeats {
        /// Good beats in placements that are long enough to count.
        good: usize,
        /// How many are needed.
        needed: usize,
        /// Refused beats by reason, the most frequent first.
        refused: Vec<(Fault, usize)>,
    },
    /// Too many beats of a placement were refused.
    PoorSignal {
        /// Which.
        placement: usize,
        /// Share of its beats, 0…1.
        share: f64,
        /// Most that may be.
        limit: f64,
        /// What most of them were refused for.
        mostly: Fault,
    },
    /// A placement changes from its first half to its second.
    Unsteady {
        /// Which.
        placement: usize,
        /// Cosine of its halves.
        cosine: f64,
        /// What is needed.
        needed: f64,
    },
    /// One placement is unlike the others, which agree with each other.
    OddPlacement {
        /// Which.
        placement: usize,
        /// Cosine with the one that it is least alike.
        cosine: f64,
        /// What is needed.
        needed: f64,
    },
    /// Placements differ, and none of them can be told to be the odd one.
    PlacementsDiffer {
        /// Cosine of the least alike two.
        cosine: f64,
        /// What is needed.
        needed: f64,
    },
}

impl EnrolmentRefusal {
    /// The placement that is to blame, from 1; `None` where it is not one alone.
    #[must_use]
    pub fn placement(&self) -> Option<usize> {
        match self {
            Self::Doubted { placement, .. }
            | Self::PoorSignal { placement, .. }
            | Self::Unsteady { placement, .. }
            | Self::OddPlacement { placement, .. } => Some(*placement),
            Self::TooFewBeats { .. } | Self::PlacementsDiffer { .. } => None,
        }
    }
}

/// The verdict on placements. One that is too short to count is left out; what it refused is still told, and a doubt in it
/// counts.
///
/// # Errors
/// [`EnrolmentRefusal`], the first that applies in the order of its variants.
pub fn judge(placements: &[Placement], requirements: &Requirements) -> Result<Judged, EnrolmentRefusal> {
    let mut numbered = placements.iter().zip(1..);
    if let Some((placement, suspicion)) = numbered.find_map(|(p, number)| Some((number, p.doubt()?))) {
        return Err(EnrolmentRefusal::Doubted { placement, suspicion });
    }
    let counted: Vec<(usize, &Placement)> =
        placements.iter().enumerate().filter(|(_, p)| p.counts()).map(|(n, p)| (n + 1, p)).collect();
    let good = counted.iter().map(|(_, p)| p.beats()).sum();
    if counted.is_empty() || good < requirements.min_beats {
        return Err(EnrolmentRefusal::TooFewBeats {
            good,
            needed: requirements.min_beats,
            refused: faults(placements),
        });
    }
    if let Some(refusal) = counted.iter().find_map(|(number, p)| p.spoilt(*number, requirements)) {
        return Err(refusal);
    }
    let needed = requirements.consistency;
    let mut consistency = 1.0_f64;
    for (placement, p) in &counted {
        let [older, newer] = p.halves();
        let cosine = cosine(&older, &newer);
        if cosine < needed {
            return Err(EnrolmentRefusal::Unsteady { placement: *placement, cosine, needed });
        }
        consistency = consistency.min(cosine);
    }
    let means: Vec<Vec<f32>> = counted.iter().map(|(_, p)| p.mean()).collect();
    let lowest = least_alike(&means, None);
    if lowest < needed {
        return Err(match odd_one(&means, needed) {
            Some((odd, cosine)) => EnrolmentRefusal::OddPlacement { placement: counted[odd].0, cosine, needed },
            None => EnrolmentRefusal::PlacementsDiffer { cosine: lowest, needed },
        });
    }
    let part = |((_, p), embedding): (&(usize, &Placement), &Vec<f32>)| Part {
        embedding: embedding.clone(),
        beats: p.beats(),
        heart_rate_bpm: p.heart_rate_bpm(),
    };
    Ok(Judged {
        parts: counted.iter().zip(&means).map(part).collect(),
        template: mean_unit(means.iter().map(Vec::as_slice)),
        refused_beats: placements.iter().map(Placement::refused_beats).sum(),
        consistency: consistency.min(lowest),
    })
}

/// Lowest cosine of any two, one of them left out; 1 where there are no two.
fn least_alike(means: &[Vec<f32>], without: Option<usize>) -> f64 {
    let kept = || means.iter().enumerate().filter(|(n, _)| Some(*n) != without);
    let pairs = kept().flat_map(|(n, a)| kept().filter(move |(m, _)| *m > n).map(move |(_, b)| cosine(a, b)));
    pairs.fold(1.0, f64::min)
}

/// The one without which all others agree, of three or more, and its lowest cosine with another.
fn odd_one(means: &[Vec<f32>], needed: f64) -> Option<(usize, f64)> {
    if means.len() < 3 {
        return None;
    }
    let rest = |n: usize| least_alike(means, Some(n));
    let odd = (0..means.len()).max_by(|&a, &b| rest(a).total_cmp(&rest(b)))?;
    let others = means.iter().enumerate().filter(|(m, _)| *m != odd).map(|(_, mean)| cosine(mean, &means[odd]));
    (rest(odd) >= needed).then(|| (odd, others.fold(1.0, f64::min)))
}

fn faults(placements: &[Placement]) -> Vec<(Fault, usize)> {
    let mut all: Vec<(Fault, usize)> = Vec::new();
    for (fault, count) in placements.iter().flat_map(Placement::faults) {
        match all.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, sum)) => *sum += count,
            None => all.push((fault, count)),
        }
    }
    all.sort_by_key(|&(fault, count)| (std::cmp::Reverse(count), fault));
    all
}
