//! The cepstrum of a beat as a part of its embedding: for measuring what it adds to a network, never for the daemon.
//!
//! Mel-frequency cepstral coefficients of all beats point almost the same way: cosines of two persons are 0.97 in the
//! mean. Each coefficient is therefore standardised over the records that are enrolled ([`Centre`]), as speech does over
//! an utterance (O. Viikki and K. Laurila, *Speech Communication* 25 (1998) 133–147); over persons and not over the five
//! frames of a beat, where it would take the person away with the channel. It must not know protocols or rates.

use std::sync::Arc;

use ecg_identity::{Cohort, joined, unit};
use ecg_signal::mfcc::{COEFFICIENTS, FRAMES};
use ecg_signal::{Beat, BeatAverager, Mfcc, ModelInput};

use crate::inference::{EmbedError, Model};

/// Coefficients of all frames of a segment.
const LENGTH: usize = COEFFICIENTS * FRAMES;

/// The cepstrum of a prepared beat, frame by frame.
type Cepstrum = [f64; LENGTH];

/// Mean and standard deviation of each coefficient over enrolled records.
#[derive(Debug, Clone)]
pub struct Centre {
    mean: Cepstrum,
    deviation: Cepstrum,
}

impl Centre {
    /// From the mean cepstrum of each record; `None` for fewer than two, which have no deviation.
    #[must_use]
    pub fn of(records: &[Cepstrum]) -> Option<Self> {
        if records.len() < 2 {
            return None;
        }
        let mean = mean(records);
        let variance = |k: usize| records.iter().map(|r| (r[k] - mean[k]).powi(2)).sum::<f64>() / records.len() as f64;
        // A coefficient that is the same for everybody says nothing, and must not divide by zero.
        let deviation = std::array::from_fn(|k| variance(k).sqrt().max(f64::MIN_POSITIVE.sqrt()));
        Some(Self { mean, deviation })
    }

    /// What is special about one cepstrum: unit length; all zero where nothing is.
    fn direction(&self, cepstrum: &Cepstrum) -> Vec<f32> {
        let standardised: Vec<f32> =
            (0..LENGTH).map(|k| ((cepstrum[k] - self.mean[k]) / self.deviation[k]) as f32).collect();
        unit(&standardised).unwrap_or_else(|| vec![0.0; LENGTH])
    }
}

/// Beats to embeddings: the network's, or with the cepstrum beside it. A clone can go to another thread.
#[derive(Debug, Clone)]
pub struct Scorer {
    model: Model,
    kernel: Mfcc,
    beside: Option<(f64, Centre)>,
}

impl Scorer {
    /// The network alone.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self { model, kernel: Mfcc::new(), beside: None }
    }

    /// With the cepstrum in the embedding: the cosine of two of them is 1 − `share` of the network's and `share` (0…1) of
    /// the cepstrum's, as between the branches of the network (ADR 19). In a mean of beats a part counts for less that
    /// differs more from beat to beat.
    #[must_use]
    pub fn with_cepstra(self, share: f64, centre: Centre) -> Self {
        Self { beside: Some((share.clamp(0.0, 1.0), centre)), ..self }
    }

    /// The embeddings of consecutive beats as [`Model::embed_beats`] has them, with the cepstrum where it is asked for.
    ///
    /// # Errors
    /// The network's answer is no embedding.
    pub fn embed_beats(&mut self, beats: &[Beat]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut averager = BeatAverager::new(&self.model.preparation());
        beats.iter().filter_map(|beat| averager.push(beat)).map(|input| self.embed(&input)).collect()
    }

    /// The strangers that scores are normalised by; none with cepstra, which strangers have not got.
    pub fn cohort(&self) -> Option<&Cohort> {
        self.model.cohort().map(Arc::as_ref).filter(|_| self.beside.is_none())
    }

    /// The mean cepstrum of consecutive beats, of the same averages as their embeddings; `None` without one.
    pub fn cepstrum(&mut self, beats: &[Beat]) -> Option<Cepstrum> {
        let mut averager = BeatAverager::new(&self.model.preparation());
        let inputs = beats.iter().filter_map(|beat| averager.push(beat));
        let cepstra: Vec<Cepstrum> = inputs.map(|input| cepstrum(&mut self.kernel, &input)).collect();
        (!cepstra.is_empty()).then(|| mean(&cepstra))
    }

    fn embed(&mut self, input: &ModelInput) -> Result<Vec<f32>, EmbedError> {
        let network = self.model.embed(input)?.values;
        Ok(match &self.beside {
            None => network,
            Some((share, centre)) => joined(&network, &centre.direction(&cepstrum(&mut self.kernel, input)), *share),
        })
    }
}

fn cepstrum(kernel: &mut Mfcc, input: &ModelInput) -> Cepstrum {
    let frames = kernel.segment(&input.beat.values.map(f64::from));
    std::array::from_fn(|k| frames[k / COEFFICIENTS][k % COEFFICIENTS])
}

fn mean(cepstra: &[Cepstrum]) -> Cepstrum {
    std::array::from_fn(|k| cepstra.iter().map(|c| c[k]).sum::<f64>() / cepstra.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use ecg_identity::cosine;

    use super::*;

    #[test]
    fn what_everybody_shares_is_taken_off_and_coefficients_weigh_alike() {
        let record = |sign: f64| std::array::from_fn(|k| 50.0 + if k < 2 { sign * [100.0, 0.01][k] } else { 0.0 });
        assert!(Centre::of(&[record(1.0)]).is_none());
        let centre = Centre::of(&[record(1.0), record(-1.0)]).unwrap();
        let found = centre.direction(&record(1.0));
        let expected = 0.5_f32.sqrt();
        assert!((found[0] - expected).abs() < 1e-6 && (found[1] - expected).abs() < 1e-6, "{found:?}");
        assert!(found[2..].iter().all(|x| *x == 0.0));
        assert!((cosine(&found, &centre.direction(&record(-1.0))) + 1.0).abs() < 1e-6);
        assert!(centre.direction(&record(0.0)).iter().all(|x| *x == 0.0), "nothing special has no direction");
    }
}
