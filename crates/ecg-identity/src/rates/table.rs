//! Comparisons in the order of their scores, with subjects as numbers: what the figures are computed on.
//!
//! It must not know the generator of the bootstrap: a draw comes in as one weight for each subject.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Comparison, Counts, ScoresError};

/// The false match rates at which the false non-match rate is asked for.
const FMR_LEVELS: [f64; 2] = [0.01, 0.001];

/// One comparison.
#[derive(Debug)]
struct Pair {
    probe: usize,
    reference: usize,
    mated: bool,
    /// The last of equal scores: only here can a threshold stand.
    threshold: bool,
}

/// The rank-1 outcome of one probe.
#[derive(Debug)]
struct Outcome {
    subject: usize,
    hit: bool,
}

/// Comparisons sorted by score, ascending.
#[derive(Debug)]
pub(super) struct Table {
    pairs: Vec<Pair>,
    outcomes: Vec<Outcome>,
    /// For each subject, whether it has a probe.
    probed: Vec<bool>,
    counts: Counts,
}

impl Table {
    pub(super) fn new(comparisons: &[Comparison]) -> Result<Self, ScoresError> {
        check(comparisons)?;
        let names: BTreeSet<&str> =
            comparisons.iter().flat_map(|c| [c.probe_subject.as_str(), c.reference_subject.as_str()]).collect();
        let number: BTreeMap<&str, usize> = names.into_iter().zip(0..).collect();
        let mut sorted: Vec<&Comparison> = comparisons.iter().collect();
        sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
        let pairs = (0..sorted.len())
            .map(|i| Pair {
                probe: number[sorted[i].probe_subject.as_str()],
                reference: number[sorted[i].reference_subject.as_str()],
                mated: sorted[i].probe_subject == sorted[i].reference_subject,
                threshold: sorted.get(i + 1).is_none_or(|next| next.score > sorted[i].score),
            })
            .collect();
        let mut probed = vec![false; number.len()];
        comparisons.iter().for_each(|c| probed[number[c.probe_subject.as_str()]] = true);
        Ok(Self { pairs, outcomes: outcomes(comparisons, &number), probed, counts: count(comparisons) })
    }

    pub(super) fn subjects(&self) -> usize {
        self.probed.len()
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Numbers of the subjects with probes, and of those without.
    pub(super) fn groups(&self) -> [Vec<usize>; 2] {
        let (with, without) = (0..self.probed.len()).partition(|&s| self.probed[s]);
        [with, without]
    }

    /// EER, FNMR at the two levels, rank-1. NaN where the weights leave no genuine or no impostor comparison.
    pub(super) fn metrics(&self, weight: &[f64]) -> [f64; 4] {
        let rank1 = self.rank1(weight);
        let (mut genuine, mut impostor) = (0.0, 0.0);
        for pair in &self.pairs {
            if pair.mated {
                genuine += weight[pair.probe];
            } else {
                impostor += weight[pair.probe] * weight[pair.reference];
            }
        }
        if genuine == 0.0 || impostor == 0.0 {
            return [f64::NAN, f64::NAN, f64::NAN, rank1];
        }
        let (mut eer, mut at_level) = (None, [None; 2]);
        let (mut missed, mut rejected, mut fnmr, mut gap) = (0.0, 0.0, 0.0, -1.0);
        for pair in &self.pairs {
            if pair.mated {
                missed += weight[pair.probe];
            } else {
                rejected += weight[pair.probe] * weight[pair.reference];
            }
            if !pair.threshold {
                continue;
            }
            let (next_fnmr, fmr) = (missed / genuine, 1.0 - rejected / impostor);
            let next_gap = next_fnmr - fmr;
            if eer.is_none() && next_gap >= 0.0 {
                eer = Some(next_fnmr - next_gap * (next_fnmr - fnmr) / (next_gap - gap));
            }
            for (found, level) in at_level.iter_mut().zip(FMR_LEVELS) {
                if found.is_none() && fmr <= level + 1e-12 {
                    *found = Some(next_fnmr);
                }
            }
            (fnmr, gap) = (next_fnmr, next_gap);
        }
        // At the last threshold FNMR is 1 and FMR 0, so each has been found.
        [eer.unwrap_or(f64::NAN), at_level[0].unwrap_or(f64::NAN), at_level[1].unwrap_or(f64::NAN), rank1]
    }

    fn rank1(&self, weight: &[f64]) -> f64 {
        let (mut hits, mut all) = (0.0, 0.0);
        for outcome in &self.outcomes {
            all += weight[outcome.subject];
            hits += weight[outcome.subject] * f64::from(u8::from(outcome.hit));
        }
        hits / all
    }
}

pub(super) fn check(comparisons: &[Comparison]) -> Result<(), ScoresError> {
    let mut pairs = HashSet::new();
    let mut subject_of = BTreeMap::new();
    for c in comparisons {
        let probe = || c.probe_record.clone();
        if c.score.is_nan() {
            return Err(ScoresError::NotANumber { probe: probe() });
        }
        if !pairs.insert((&c.probe_record, &c.reference_subject)) {
            return Err(ScoresError::ComparedTwice { probe: probe(), reference: c.reference_subject.clone() });
        }
        if subject_of.insert(&c.probe_record, &c.probe_subject).is_some_and(|s| *s != c.probe_subject) {
            return Err(ScoresError::TwoSubjects { probe: probe() });
        }
    }
    let genuine = comparisons.iter().filter(|c| c.probe_subject == c.reference_subject).count();
    let impostor = comparisons.len() - genuine;
    if genuine == 0 || impostor == 0 {
        return Err(ScoresError::OneSided { genuine, impostor });
    }
    Ok(())
}

fn count(comparisons: &[Comparison]) -> Counts {
    let mated = || comparisons.iter().filter(|c| c.probe_subject == c.reference_subject);
    let probes: HashSet<_> = comparisons.iter().map(|c| &c.probe_record).collect();
    let taken = comparisons.iter().filter(|c| c.score > f64::NEG_INFINITY);
    let taken: HashSet<_> = taken.map(|c| &c.probe_record).collect();
    Counts {
        subjects: mated().map(|c| &c.probe_subject).collect::<HashSet<_>>().len(),
        references: comparisons.iter().map(|c| &c.reference_subject).collect::<HashSet<_>>().len(),
        probes: probes.len(),
        refused_probes: probes.len() - taken.len(),
        genuine: mated().count(),
        impostor: comparisons.len() - mated().count(),
    }
}

/// One outcome for each probe that is compared with a reference of its own.
fn outcomes(comparisons: &[Comparison], number: &BTreeMap<&str, usize>) -> Vec<Outcome> {
    struct Best {
        subject: usize,
        own: Option<f64>,
        other: f64,
    }
    let mut probes: BTreeMap<&str, Best> = BTreeMap::new();
    for c in comparisons {
        let subject = number[c.probe_subject.as_str()];
        let best = probes.entry(&c.probe_record).or_insert(Best { subject, own: None, other: f64::NEG_INFINITY });
        if c.probe_subject == c.reference_subject {
            best.own = Some(c.score);
        } else {
            best.other = best.other.max(c.score);
        }
    }
    let with_own = probes.into_values().filter_map(|b| b.own.map(|own| (b.subject, own, b.other)));
    with_own.map(|(subject, own, other)| Outcome { subject, hit: own > other }).collect()
}
