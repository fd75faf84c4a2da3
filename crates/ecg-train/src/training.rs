//! The optimiser loop: batches in, a trained network and its history out.
//!
//! Knows neither recordings nor files. What is measured after an epoch is the caller's affair.

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};
use ecg_signal::SEGMENT_SAMPLES;
use serde::Serialize;

use crate::loss::{ArcFace, LossKind, cross_entropy};
use crate::network::weights::floats;
use crate::network::{Network, NetworkKind};
use crate::random::stream;
use crate::sampler::{Batch, Draw};
use crate::schedule::{OneCycle, margin};

/// What can be chosen about a run. Written into the model card as it is.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    /// Which trunk.
    pub network: NetworkKind,
    /// What is minimised.
    pub loss: LossKind,
    /// Epochs; the learning rate falls to nearly nothing at the end of the last.
    pub epochs: usize,
    /// Batches an epoch. Beats are drawn at random, so an epoch is a count and not a pass over the data.
    pub steps_per_epoch: usize,
    /// Beats a batch.
    pub batch_size: usize,
    /// Highest learning rate of the cycle.
    pub learning_rate: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// ArcFace: additive margin in radians.
    pub margin: f64,
    /// ArcFace: inverse temperature.
    pub scale: f64,
    /// Epochs without a better validation EER after which training stops; 0 never stops and keeps the last epoch.
    pub patience: usize,
    /// Seed of initial weights, dropout and batches.
    pub seed: u64,
}

/// One epoch of the history.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Epoch {
    /// Mean training loss of its steps.
    pub loss: f64,
    /// What the caller measured after it, as a fraction.
    pub eer: Option<f64>,
}

/// What training leaves behind.
#[derive(Debug)]
pub struct Trained {
    /// The network, ready for inference.
    pub network: Network,
    /// Epoch by epoch.
    pub history: Vec<Epoch>,
    /// Which epoch the network is of, counted from 1.
    pub epoch: usize,
}

/// What training tells while it runs.
pub trait Observer {
    /// After each step, with its loss.
    fn step(&mut self, loss: f64);
    /// After each epoch: measures the network (in inference form); early stopping acts on the EER it gives.
    fn epoch(&mut self, network: &Network) -> Option<f64>;
}

/// Network and loss: everything the optimiser moves.
#[derive(Module, Debug)]
struct Learner {
    network: Network,
    arcface: Option<ArcFace>,
}

impl Learner {
    fn new(settings: &Settings, classes: usize, device: &Device) -> Self {
        match settings.loss {
            LossKind::Arcface => Self {
                network: Network::new(settings.network, None, device),
                arcface: Some(ArcFace::new(classes, settings.scale, device)),
            },
            LossKind::Softmax => Self { network: Network::new(settings.network, Some(classes), device), arcface: None },
        }
    }

    fn loss(&self, batch: Batch, margin: f64, device: &Device) -> Tensor<1> {
        let count = batch.classes.len();
        let beats = Tensor::<3>::from_data(TensorData::new(batch.beats, [count, 1, SEGMENT_SAMPLES]), device);
        let classes = Tensor::<1, Int>::from_data(TensorData::new(batch.classes, [count]), device);
        let output = self.network.forward(beats);
        match (&self.arcface, output.logits) {
            (None, Some(logits)) => cross_entropy(logits, classes.unsqueeze_dim::<2>(1)),
            (Some(arcface), _) => arcface.forward(output.embedding, classes, margin),
            (None, None) => unreachable!("a learner without ArcFace has a classifier"),
        }
    }
}

/// Trains a network on what `sampler` draws.
pub fn train(sampler: &impl Draw, settings: &Settings, observer: &mut impl Observer) -> Trained {
    let device = Device::flex().autodiff();
    device.seed(settings.seed);
    let mut rng = stream(settings.seed, 0);
    let mut learner = Learner::new(settings, sampler.class_count(), &device);
    let mut optimizer = optimizer(settings);
    let steps = settings.epochs * settings.steps_per_epoch;
    let cycle = OneCycle { peak: settings.learning_rate, steps };
    let mut history: Vec<Epoch> = Vec::new();
    let mut best: Option<(f64, usize, Network)> = None;
    for epoch in 0..settings.epochs {
        let mut sum = 0.0;
        for step in epoch * settings.steps_per_epoch..(epoch + 1) * settings.steps_per_epoch {
            let batch = sampler.batch(settings.batch_size, &mut rng);
            let loss = learner.loss(batch, margin(settings.margin, step, steps), &device);
            let value = f64::from(floats(loss.clone().into_data()).first().copied().unwrap_or(f32::NAN));
            let gradients = GradientsParams::from_grads(loss.backward(), &learner);
            learner = optimizer.step(cycle.learning_rate(step), learner, gradients);
            observer.step(value);
            sum += value;
        }
        let network = learner.network.valid();
        let eer = observer.epoch(&network);
        history.push(Epoch { loss: sum / settings.steps_per_epoch as f64, eer });
        if settings.patience > 0 && eer.is_some_and(|eer| best.as_ref().is_none_or(|(least, ..)| eer < *least)) {
            best = eer.map(|eer| (eer, epoch, network));
        }
        if best.as_ref().is_some_and(|(_, found, _)| epoch - found >= settings.patience) {
            break;
        }
    }
    let last = history.len();
    match best {
        Some((_, epoch, network)) => Trained { network, history, epoch: epoch + 1 },
        None => Trained { network: learner.network.valid(), history, epoch: last },
    }
}

fn optimizer(settings: &Settings) -> ModuleOptimizer {
    AdamWConfig::new().with_weight_decay(settings.weight_decay as f32).with_epsilon(1e-8).init()
}
