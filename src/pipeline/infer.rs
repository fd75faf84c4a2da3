//! The inference stage: beats in, embeddings out; everything else passes through in its place.
//!
//! The network runs on the blocking pool, one beat at a time, never on an async thread. It knows no identity.

use ecg_signal::{BeatAverager, ModelInput, Preparation};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::PipelineError;
use super::signal::Observation;

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
}

/// What the decision rests on, in the order of the samples.
#[derive(Debug, Clone)]
pub enum Evidence {
    /// One embedding.
    Embedding {
        /// R peak of its newest beat, source samples since start.
        r_peak: f64,
        /// Unit length.
        embedding: Vec<f32>,
    },
    /// All that is not a beat.
    Other(Observation),
}

/// Runs until the signal stage has dropped its end.
pub(super) async fn run<E: Embedder>(
    mut input: mpsc::Receiver<Observation>,
    output: mpsc::Sender<Evidence>,
    mut model: E,
) -> Result<(), PipelineError> {
    let mut averager = BeatAverager::new(&model.preparation());
    while let Some(observation) = input.recv().await {
        let evidence = match observation {
            Observation::Beat(beat) => {
                let Some(input) = averager.push(&beat) else { continue };
                let r_peak = input.r_peak;
                let (back, embedding) = spawn_blocking(move || {
                    let embedding = model.embed(&input);
                    (model, embedding)
                })
                .await
                .map_err(|panic| PipelineError::Inference(panic.to_string()))?;
                model = back;
                match embedding {
                    Ok(embedding) => Evidence::Embedding { r_peak, embedding },
                    Err(problem) => {
                        tracing::warn!("a beat gives no embedding: {problem}");
                        continue;
                    }
                }
            }
            other => {
                // Beats on both sides of a break are never averaged together.
                let unusable = matches!(other, Observation::Second { unusable: Some(_), .. });
                let broken =
                    matches!(other, Observation::Gap { .. } | Observation::Unusable { .. } | Observation::Lost { .. });
                if unusable || broken {
                    averager.reset();
                }
                Evidence::Other(other)
            }
        };
        if output.send(evidence).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
