//! What a closed-set classifier is worth: its confusion matrix on beats it was not shown, and how well the embedding
//! refuses persons who are none of its classes.

use std::collections::BTreeMap;

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};
use ecg_identity::rates::{Comparison, ConfusionMatrix, DetPoint, Interval, det_curve, over_persons, rates_at};
use ecg_identity::{Reference, mean_unit, rank};
use ecg_signal::SEGMENT_SAMPLES;

use super::split::Labelled;
use crate::fit::figures::{REPLICATES, SEED};
use crate::measure::WINDOW;
use crate::network::Network;
use crate::parity::rows;
use crate::prepared::Prepared;
use crate::split::Person;

/// Inputs at once.
const CHUNK: usize = 512;

/// What the network says about one beat.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Unit embedding.
    pub(super) embedding: Vec<f32>,
    /// Class scores as probabilities.
    pub(super) probabilities: Vec<f32>,
}

impl Answer {
    /// The class with the highest score.
    pub(super) fn class(&self) -> usize {
        highest(&self.probabilities)
    }
}

/// Index of the highest value, the first of equals.
fn highest(values: &[f32]) -> usize {
    let at = |best: usize, index: usize| if values[index] > values[best] { index } else { best };
    (0..values.len()).fold(0, at)
}

/// The network's answers, in order.
pub(super) fn answers<'a>(network: &Network, inputs: impl Iterator<Item = &'a [f32; SEGMENT_SAMPLES]>) -> Vec<Answer> {
    let inputs: Vec<_> = inputs.collect();
    let device = Device::flex();
    let mut answers = Vec::with_capacity(inputs.len());
    for chunk in inputs.chunks(CHUNK) {
        let values: Vec<f32> = chunk.iter().flat_map(|input| input.iter().copied()).collect();
        let beats = Tensor::from_data(TensorData::new(values, [chunk.len(), 1, SEGMENT_SAMPLES]), &device);
        let output = network.forward(beats);
        let probabilities = output.logits.map(|logits| rows(softmax(logits, 1))).unwrap_or_default();
        let both = rows(output.embedding).into_iter().zip(probabilities);
        answers.extend(both.map(|(embedding, probabilities)| Answer { embedding, probabilities }));
    }
    answers
}

/// Beat by beat, the class of the highest score against the truth.
pub(super) fn confusion(network: &Network, beats: &[Labelled<'_>], classes: usize) -> anyhow::Result<ConfusionMatrix> {
    let mut matrix = ConfusionMatrix::new(classes);
    for (beat, answer) in beats.iter().zip(answers(network, beats.iter().map(|beat| beat.input))) {
        matrix.add(beat.class, answer.class())?;
    }
    Ok(matrix)
}

/// Mean embedding of each class over its training beats: what a probe is accepted or refused by.
pub(super) fn references(network: &Network, beats: &[Labelled<'_>], classes: &[Person]) -> Vec<Reference> {
    let answers = answers(network, beats.iter().map(|beat| beat.input));
    let of = |class: usize| {
        let own = beats.iter().zip(&answers).filter(move |(beat, _)| beat.class == class);
        own.map(|(_, answer)| answer.embedding.as_slice())
    };
    let reference = |(class, person): (usize, &Person)| Reference {
        subject: person.to_string(),
        revision: 1,
        template: mean_unit(of(class)).into(),
    };
    classes.iter().enumerate().map(reference).collect()
}

/// The threshold and what it does, on decision windows of [`WINDOW`] beats.
#[derive(Clone, Debug)]
pub(in crate::fit) struct Rejection {
    /// Cosine from which a window matches the reference of a class.
    pub(in crate::fit) threshold: f64,
    /// On what it was set.
    pub(in crate::fit) source: String,
    /// Windows of the classes' own test beats, and the share of them below the threshold.
    pub(in crate::fit) own: (usize, Interval),
    /// Persons who are no class, their windows, and the share that was taken for somebody.
    pub(in crate::fit) strangers: Option<Strangers>,
    /// All comparisons, for the report.
    pub(in crate::fit) comparisons: Vec<Comparison>,
}

/// Persons who are no class. Intervals are over draws of them.
#[derive(Clone, Copy, Debug)]
pub(in crate::fit) struct Strangers {
    pub(in crate::fit) persons: usize,
    pub(in crate::fit) windows: usize,
    /// Share of windows that reach the threshold with some class.
    pub(in crate::fit) accepted: Interval,
    /// The same where the class of the highest score must be that of the best reference, as the daemon asks.
    pub(in crate::fit) accepted_agreeing: Interval,
    /// Share of windows whose mean probability of some class exceeds one half: what softmax alone would have accepted.
    pub(in crate::fit) confident: Interval,
}

/// One decision window: its name, whose it is, mean embedding and mean probabilities.
struct Probe {
    name: String,
    subject: String,
    embedding: Vec<f32>,
    probabilities: Vec<f32>,
}

impl Probe {
    fn new(subject: &str, number: usize, answers: &[&Answer]) -> Self {
        let mut probabilities = vec![0.0; answers.first().map_or(0, |answer| answer.probabilities.len())];
        for answer in answers {
            probabilities.iter_mut().zip(&answer.probabilities).for_each(|(sum, p)| *sum += p / answers.len() as f32);
        }
        let embedding = mean_unit(answers.iter().map(|answer| answer.embedding.as_slice()));
        Self { name: format!("{subject}#{number}"), subject: subject.to_owned(), embedding, probabilities }
    }

    fn against<'r>(&'r self, references: &'r [Reference]) -> impl Iterator<Item = Comparison> + 'r {
        references.iter().map(|reference| Comparison {
            probe_record: self.name.clone(),
            probe_subject: self.subject.clone(),
            reference_subject: reference.subject.clone(),
            score: reference.template.score(&self.embedding),
        })
    }
}

/// Sets the threshold at `target_fmr` on the windows of `strangers`; without any, on those of the classes against each
/// other, which is optimistic.
pub(super) fn rejection(
    network: &Network,
    references: &[Reference],
    test: &[Labelled<'_>],
    strangers: &[&Prepared],
    target_fmr: f64,
) -> anyhow::Result<Rejection> {
    let own = own_windows(network, references, test);
    let foreign = foreign_windows(network, strangers);
    let mut comparisons: Vec<Comparison> = own.iter().flat_map(|probe| probe.against(references)).collect();
    let mated = |comparison: &Comparison| comparison.probe_subject == comparison.reference_subject;
    let deciding: Vec<Comparison> = if foreign.is_empty() {
        comparisons.clone()
    } else {
        let non_mated = foreign.iter().flat_map(|probe| probe.against(references));
        comparisons.iter().filter(|comparison| mated(comparison)).cloned().chain(non_mated).collect()
    };
    let curve = det_curve(&deciding)?;
    let threshold = middle_of_gap(&curve, target_fmr);
    let mut persons: Vec<&str> = foreign.iter().map(|probe| probe.subject.as_str()).collect();
    persons.sort_unstable();
    persons.dedup();
    let whose = match persons.len() {
        0 => "the classes' own test beats against other classes (optimistic: nobody was held out)".to_owned(),
        1 => "one person held out as a stranger".to_owned(),
        count => format!("{count} persons held out as strangers"),
    };
    let rate = 100.0 * target_fmr;
    let source = format!("leaky split; false match rate {rate} % of windows of {WINDOW} beats: {whose}");
    let own_rates = rates_at(&deciding, threshold, REPLICATES, SEED)?;
    let strangers = (!foreign.is_empty()).then(|| {
        let share = |accepted: &dyn Fn(&Probe) -> bool| {
            let bits = foreign.iter().map(|probe| (probe.subject.as_str(), accepted(probe)));
            share_by_person(bits)
        };
        let best =
            |probe: &Probe| rank(references, &probe.embedding).first().map(|m| (m.score, m.reference.subject.clone()));
        let reaches = |probe: &Probe| best(probe).is_some_and(|(score, _)| score >= threshold);
        let agrees = |probe: &Probe| {
            let named = references.get(highest(&probe.probabilities)).map(|reference| reference.subject.as_str());
            best(probe).is_some_and(|(_, subject)| Some(subject.as_str()) == named)
        };
        Strangers {
            persons: persons.len(),
            windows: foreign.len(),
            accepted: share(&reaches),
            accepted_agreeing: share(&|probe| reaches(probe) && agrees(probe)),
            confident: share(&|probe| probe.probabilities.iter().any(|p| *p > 0.5)),
        }
    });
    comparisons.extend(foreign.iter().flat_map(|probe| probe.against(references)));
    Ok(Rejection { threshold, source, own: (own.len(), own_rates.fnmr), strangers, comparisons })
}

/// Share of windows that are so, with its interval: all windows of a person are drawn together.
fn share_by_person<'a>(windows: impl Iterator<Item = (&'a str, bool)>) -> Interval {
    let mut persons: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for (person, is_so) in windows {
        let [some, all] = persons.entry(person).or_default();
        *some += usize::from(is_so);
        *all += 1;
    }
    let persons: Vec<_> = persons.into_values().collect();
    over_persons(&persons, REPLICATES, SEED, |drawn| {
        let sum = |part: usize| drawn.iter().map(|person| person[part]).sum::<usize>() as f64;
        sum(0) / sum(1)
    })
}

/// The threshold for a false match rate: in the middle between the highest score that must be refused and the next one
/// that was seen. With few strangers the gap is wide, and either end of it would favour one side.
fn middle_of_gap(curve: &[DetPoint], target_fmr: f64) -> f64 {
    let first = curve.iter().position(|point| point.fmr <= target_fmr && point.threshold.is_finite());
    let Some(first) = first else { return 1.0 };
    let refused = first.checked_sub(1).map_or(curve[first].threshold, |before| curve[before].threshold);
    ((refused + curve[first].threshold) / 2.0 * 1e4).round() / 1e4
}

/// Windows of test beats of one class. Their order is random, as the split is.
fn own_windows(network: &Network, references: &[Reference], test: &[Labelled<'_>]) -> Vec<Probe> {
    let answers = answers(network, test.iter().map(|beat| beat.input));
    let mut windows = Vec::new();
    for (class, reference) in references.iter().enumerate() {
        let own: Vec<&Answer> =
            test.iter().zip(&answers).filter(|(beat, _)| beat.class == class).map(|(_, answer)| answer).collect();
        let whole = own.chunks_exact(WINDOW);
        // A person with fewer test beats than a window still gets one, of all of them.
        let few = whole.len() == 0 && !own.is_empty();
        let chunks = whole.chain(few.then_some(own.as_slice()));
        windows.extend(chunks.enumerate().map(|(number, chunk)| Probe::new(&reference.subject, number, chunk)));
    }
    windows
}

/// Windows of consecutive beats of persons who are no class.
fn foreign_windows(network: &Network, strangers: &[&Prepared]) -> Vec<Probe> {
    let mut windows: Vec<Probe> = Vec::new();
    for record in strangers {
        let answers = answers(network, record.inputs.iter().map(|input| &input.values));
        let answers: Vec<&Answer> = answers.iter().collect();
        let subject = record.person.to_string();
        for chunk in answers.chunks_exact(WINDOW) {
            windows.push(Probe::new(&subject, windows.len(), chunk));
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_one_person_are_drawn_together() {
        let windows = [("a", true), ("a", true), ("a", true), ("b", false)];
        let share = share_by_person(windows.into_iter());
        assert_eq!((share.value, share.low, share.high), (0.75, 0.0, 1.0));
    }

    #[test]
    fn the_threshold_stands_in_the_middle_of_the_gap_between_strangers_and_the_classes() {
        let point = |threshold, fmr| DetPoint { threshold, fmr, fnmr: 0.0 };
        let curve = [point(0.1, 1.0), point(0.6, 0.5), point(0.9, 0.0), point(f64::INFINITY, 0.0)];
        assert_eq!(middle_of_gap(&curve, 0.001), 0.75);
        assert_eq!(middle_of_gap(&curve, 0.5), 0.35);
        assert_eq!(middle_of_gap(&curve[..2], 0.001), 1.0);
    }
}
