//! The inference stage: beats in, embeddings out; everything else passes through in its place.
//!
//! The network runs on the blocking pool, one beat at a time, never on an async thread. It knows no identity: whether
//! the wearer has changed it sees from beats alone, because beats of two persons must not be averaged together.

use ecg_identity::ChangeWatch;
use ecg_signal::{Beat, BeatAverager, ModelInput, Preparation};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::PipelineError;
use super::classes::ClassReference;
use super::signal::Observation;
use super::tap::Tap;

/// A network, as the pipeline sees it.
pub trait Embedder: Send + 'static {
    /// What tells it from every other, for events and templates.
    fn id(&self) -> &str;

    /// How beats become its input.
    fn preparation(&self) -> Preparation;

    /// The embedding of one input.
    ///
    /// # Errors
    /// In words: the answer is no embedding. The input is then no evidence.
    fn embed(&mut self, input: &ModelInput) -> Result<Vec<f32>, String>;

    /// The classes of a closed-set model as references; none for any other model.
    fn class_references(&self) -> Vec<ClassReference> {
        Vec::new()
    }

    /// Subject of the class with the highest score at the newest embedding; `None` for a model without classes.
    fn class(&self) -> Option<String> {
        None
    }
}

/// What the decision rests on, in the order of the samples.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// One embedding.
    Embedding {
        /// R peak of its newest beat, source samples since start.
        r_peak: f64,
        /// Source samples that had come when that beat was decided.
        decided_at: u64,
        /// Heartbeats averaged.
        beats: usize,
        /// Unit length.
        embedding: Vec<f32>,
        /// What a closed-set model calls it.
        class: Option<String>,
    },
    /// The heartbeats before this one are not those of the person who is on the electrodes now.
    PersonChanged {
        /// Source samples that had come when that was seen.
        decided_at: u64,
    },
    /// All that is not a beat.
    Other(Observation),
}

/// Runs until the signal stage has dropped its end. With a `change_floor` it says something from the first beat on and
/// watches for a change of the person; without one it waits for full averages. What passes is offered to `tap`.
pub(super) async fn run<E: Embedder>(
    mut input: mpsc::Receiver<Observation>,
    output: mpsc::Sender<Evidence>,
    model: E,
    change_floor: Option<f64>,
    tap: Tap,
) -> Result<(), PipelineError> {
    let full = model.preparation().beats.max(1);
    let mut beats = Some(Beats::new(model, change_floor));
    while let Some(observation) = input.recv().await {
        tap.offer(&observation);
        let (back, found) = match observation {
            Observation::Beat(beat) => {
                let Some(mut lent) = beats.take() else { return Ok(()) };
                let work = spawn_blocking(move || {
                    let found = lent.take(&beat);
                    (lent, found)
                });
                work.await.map_err(|panic| PipelineError::Inference(panic.to_string()))?
            }
            other => {
                let Some(mut beats) = beats.take() else { return Ok(()) };
                beats.meet(&other);
                (beats, vec![Evidence::Other(other)])
            }
        };
        beats = Some(back);
        tap.offer_found(&found, full);
        for evidence in found {
            if output.send(evidence).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The beats since the last break, and the network.
struct Beats<E> {
    model: E,
    averager: BeatAverager,
    watch: Option<ChangeWatch>,
}

impl<E: Embedder> Beats<E> {
    fn new(model: E, change_floor: Option<f64>) -> Self {
        let preparation = model.preparation();
        let averager = match change_floor {
            Some(_) => BeatAverager::from_first_beat(&preparation),
            None => BeatAverager::new(&preparation),
        };
        Self { model, averager, watch: change_floor.map(ChangeWatch::new) }
    }

    /// Beats on both sides of a break are never averaged together, nor are doubted ones with others.
    fn meet(&mut self, other: &Observation) {
        let unusable = matches!(other, Observation::Second { unusable: Some(_), .. });
        let broken = matches!(other, Observation::Gap { .. } | Observation::Unusable { .. } | Observation::Lost { .. });
        if unusable || broken {
            self.averager.reset();
            self.watch.iter_mut().for_each(ChangeWatch::reset);
        }
        if matches!(other, Observation::Liveness { .. }) {
            self.averager.reset();
        }
    }

    fn take(&mut self, beat: &Beat) -> Vec<Evidence> {
        if beat.rr_ms.is_none() {
            self.watch.iter_mut().for_each(ChangeWatch::reset);
        }
        let input = self.averager.push(beat);
        let mut found = Vec::new();
        let input = match self.sees_a_change(beat) {
            false => input,
            true => {
                found.push(Evidence::PersonChanged { decided_at: beat.decided_at });
                if beat.quality.verdict.is_accepted() {
                    self.averager.keep_newest();
                    self.averager.newest_alone().map(|alone| ModelInput { beat: alone, r_peak: beat.r_peak, beats: 1 })
                } else {
                    self.averager.reset();
                    None
                }
            }
        };
        let Some(input) = input else { return found };
        match self.model.embed(&input) {
            Ok(embedding) => found.push(Evidence::Embedding {
                r_peak: input.r_peak,
                decided_at: beat.decided_at,
                beats: input.beats,
                embedding,
                class: self.model.class(),
            }),
            Err(problem) => tracing::warn!("a beat gives no embedding: {problem}"),
        }
        found
    }

    /// Shows the watch the beat that has just gone into the averager, alone.
    fn sees_a_change(&mut self, beat: &Beat) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        if !beat.quality.verdict.is_accepted() {
            return watch.refused();
        }
        let Some(alone) = self.averager.newest_alone() else { return false };
        match self.model.embed(&ModelInput { beat: alone, r_peak: beat.r_peak, beats: 1 }) {
            Ok(embedding) => watch.push(&embedding),
            Err(_) => watch.refused(),
        }
    }
}
