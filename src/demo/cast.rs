//! Who is on stage: three synthetic subjects who are enrolled, and a stranger.
//!
//! They are chosen among a dozen so that the network tells them apart: a demo of the machine, not of its error rates
//! (those stand in the model card). Enrolment goes through the same board, decoder, signal path and network as the
//! daemon's own, only faster.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use ecg_data::SimulatedBoard;
use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_identity::{Template, mean_direction, mean_unit};
use ecg_signal::{Beat, BeatAverager, Hertz, Mains, PathConfig, SignalPath};
use ecg_wire::Format;

use crate::config::Slug;
use crate::inference::Model;
use crate::pipeline::flow::{Flow, SourceItem};
use crate::pipeline::front_end::FrontEnd;
use crate::source::decode::{ByteDecoder, DecodeOptions};
use crate::store::{NewTemplate, Store};

/// What the board speaks.
pub(super) const FORMAT: Format = Format::CwxsBin;
/// Its rate.
pub(super) const FS: f64 = 250.0;
/// Seconds of ECG behind each template.
pub(super) const ENROLMENT_S: u64 = 30;
/// Persons enrolled, of the four.
pub(super) const ENROLLED: usize = 3;
/// Seconds on another day, to see whether a candidate is recognised.
const TRIAL_S: u64 = 15;
/// Synthetic subjects to choose from.
const CANDIDATES: usize = 9;
/// Their hearts beat at least so fast at enrolment: a decision takes beats, and the demo has little time.
const SLOWEST_BPM: f64 = 74.0;

/// One person on stage.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: &'static str,
    seed: u64,
}

impl Person {
    /// The heart of this person on a day that is not the day of enrolment.
    pub(super) fn heart(&self, day: u64) -> anyhow::Result<SyntheticHeart> {
        heart(self.seed, day + 1)
    }
}

/// The persons on stage.
#[derive(Debug)]
pub(super) struct Cast {
    /// Anna, Ben and Carla, who are enrolled, and the stranger.
    pub(super) persons: [Person; 4],
}

/// A subject before the choice.
struct Candidate {
    seed: u64,
    rate_bpm: f64,
    template: Template,
    beats: usize,
    trial: Vec<f32>,
}

impl Cast {
    /// Chooses the four and enrols three of them.
    ///
    /// # Errors
    /// The model fails, or it recognises too few of the candidates.
    pub(super) fn choose(
        seed: u64,
        mut model: Model,
        threshold: f64,
        mains: Mains,
        store: &Store,
    ) -> anyhow::Result<Self> {
        // A number of its own range: no subject of one demo is in another.
        let first = seed.wrapping_mul(1_000) % (1 << 40);
        let mut candidates = Vec::new();
        let mut chain = String::new();
        let fast = |seed: &u64| HeartParams::from_seed(*seed).rate_bpm >= SLOWEST_BPM;
        for seed in (first..).filter(fast).take(CANDIDATES) {
            let (template, chain_id) = embeddings(&mut model, &mut heart(seed, 0)?, ENROLMENT_S, mains)?;
            let (trial, _) = embeddings(&mut model, &mut heart(seed, 1)?, TRIAL_S, mains)?;
            chain = chain_id;
            if template.is_empty() || trial.is_empty() {
                continue;
            }
            candidates.push(Candidate {
                seed,
                rate_bpm: HeartParams::from_seed(seed).rate_bpm,
                beats: template.len(),
                template: Template::of(mean_unit(all(&template)), model.cohort().map(Arc::as_ref)),
                trial: mean_direction(all(&trial)),
            });
        }
        candidates.retain(|candidate| candidate.template.score(&candidate.trial) >= threshold);
        let mut chosen = most_different(&candidates).ok_or_else(|| {
            anyhow!("the model recognises too few of the synthetic subjects: try another --seed or --model")
        })?;
        // The fastest heart first: it is verified soonest.
        chosen.sort_by(|a, b| b.rate_bpm.total_cmp(&a.rate_bpm));
        let front_end = FrontEnd { format: FORMAT.name().to_owned(), fs_hz: FS, scale: 1.0 }.key(&chain, model.id());
        let names = ["anna", "ben", "carla", "a stranger"];
        for (name, candidate) in names.iter().zip(&chosen).take(ENROLLED) {
            let subject = Slug::subject(*name).context("the name of a demo subject")?;
            store.add_template(&NewTemplate {
                subject: &subject,
                front_end: &front_end,
                model: model.id(),
                beats: u32::try_from(candidate.beats).unwrap_or(u32::MAX),
                embedding: &candidate.template.embedding,
                replaces: true,
            })?;
        }
        let person = |n: usize| Person { name: names[n], seed: chosen[n].seed };
        Ok(Self { persons: [person(0), person(1), person(2), person(3)] })
    }

    /// Those who are enrolled.
    pub(super) fn enrolled(&self) -> &[Person] {
        &self.persons[..ENROLLED]
    }
}

/// A synthetic heart on one day.
fn heart(seed: u64, day: u64) -> anyhow::Result<SyntheticHeart> {
    let person = HeartParams::from_seed(seed).in_session(day);
    Ok(SyntheticHeart::new(&person, FS, seed ^ day << 32)?.with_noise(Noise::at_rest()))
}

/// Embeddings of the first `seconds` of a heart, and what the signal path calls itself.
fn embeddings(
    model: &mut Model,
    heart: &mut SyntheticHeart,
    seconds: u64,
    mains: Mains,
) -> anyhow::Result<(Vec<Vec<f32>>, String)> {
    let mut board = SimulatedBoard::new(FORMAT, FS, 0);
    let mut decoder = ByteDecoder::new(DecodeOptions { format: Some(FORMAT), ..DecodeOptions::default() });
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains })?;
    let (mut bytes, mut items) = (Vec::new(), Vec::new());
    for _ in 0..seconds * FS as u64 {
        board.push_heart(&heart.step(), &mut bytes);
    }
    decoder.push(&bytes, Duration::ZERO, &mut items);
    let mut beats: Vec<Beat> = Vec::new();
    for item in items {
        let SourceItem::Samples(Flow::Block(block)) = item else { continue };
        block.into_iter().for_each(|sample| path.push(sample.ecg, &mut |beat| beats.push(beat)));
    }
    let mut averager = BeatAverager::new(&model.preparation());
    let mut embeddings = Vec::new();
    for input in beats.iter().filter_map(|beat| averager.push(beat)) {
        embeddings.push(model.embed(&input).context("the network failed on a synthetic beat")?.values);
    }
    ensure!(embeddings.iter().all(|e| e.len() == embeddings[0].len()), "the network's output changes its length");
    Ok((embeddings, path.chain_id()))
}

fn all(embeddings: &[Vec<f32>]) -> impl Iterator<Item = &[f32]> {
    embeddings.iter().map(Vec::as_slice)
}

/// The four whose most alike pair is least alike.
fn most_different(candidates: &[Candidate]) -> Option<Vec<&Candidate>> {
    let n = candidates.len();
    let alike = |a: usize, b: usize| {
        let (a, b) = (&candidates[a], &candidates[b]);
        a.template.score(&b.trial).max(b.template.score(&a.trial))
    };
    let mut best: Option<(f64, [usize; 4])> = None;
    for a in 0..n {
        for b in a + 1..n {
            for c in b + 1..n {
                for d in c + 1..n {
                    let pairs = [(a, b), (a, c), (a, d), (b, c), (b, d), (c, d)];
                    let worst = pairs.iter().map(|&(x, y)| alike(x, y)).fold(-1.0, f64::max);
                    if best.is_none_or(|(score, _)| worst < score) {
                        best = Some((worst, [a, b, c, d]));
                    }
                }
            }
        }
    }
    best.map(|(_, chosen)| chosen.iter().map(|&at| &candidates[at]).collect())
}
