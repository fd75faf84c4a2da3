//! Records as the network sees them: the embeddings that a protocol compares.

use std::collections::BTreeSet;

use burn::tensor::{Device, Tensor, TensorData};
use ecg_identity::{Amplitude, Cohort, Template, mean_unit, since_contact};
use ecg_signal::{Preparation, PreparedBeat, SEGMENT_SAMPLES};

use crate::network::Network;
use crate::parity::rows;
use crate::prepared::Prepared;
use crate::split::Person;

/// Inputs embedded at once.
const CHUNK: usize = 512;
/// Model inputs overlap; while training is watched one in so many is used, so that each beat counts once.
const STRIDE: usize = 5;

/// One record's embeddings, unit length, in time.
#[derive(Clone, Debug)]
pub struct Embedded<'a> {
    /// The record.
    pub record: &'a Prepared,
    /// Of each model input of the record as it is.
    pub embeddings: Vec<Vec<f32>>,
    /// Of each model input behind each of the boards that training never draws.
    pub on_boards: Vec<Vec<Vec<f32>>>,
    /// What the daemon's decision rests on after one beat since contact, after two, …, for several moments of contact.
    pub contacts: Vec<Vec<Vec<f32>>>,
    /// The record as a template; `None` without an embedding.
    pub template: Option<Template>,
}

/// What makes embeddings: the network and, where it is a part of them, the size of the beat.
#[derive(Clone, Copy, Debug)]
pub struct Embedder<'n> {
    /// The network, with its branch.
    pub network: &'n Network,
    /// The size beside it.
    pub amplitude: Option<Amplitude>,
    /// The strangers that scores are normalised by.
    pub cohort: Option<&'n Cohort>,
}

/// Embeds everything that the protocols and the calibration need, for every record of `persons`.
pub fn embed<'a>(
    embedder: Embedder<'_>,
    records: &'a [Prepared],
    persons: &BTreeSet<Person>,
    preparation: &Preparation,
) -> Vec<Embedded<'a>> {
    chosen(records, persons)
        .map(|record| {
            let embeddings = embedder.run(&record.inputs);
            let of_contact = |inputs: &Vec<PreparedBeat>| growing(&embedder.run(inputs), preparation.beats);
            Embedded {
                record,
                template: embedder.template(&embeddings),
                embeddings,
                on_boards: record.on_boards.iter().map(|inputs| embedder.run(inputs)).collect(),
                contacts: record.contacts.iter().map(of_contact).collect(),
            }
        })
        .collect()
}

/// Embeds what a look at the progress needs: every fifth model input of each record of `persons`.
pub fn glance<'a>(embedder: Embedder<'_>, records: &'a [Prepared], persons: &BTreeSet<Person>) -> Vec<Embedded<'a>> {
    let chosen: Vec<&Prepared> = chosen(records, persons).collect();
    let inputs: Vec<PreparedBeat> =
        chosen.iter().flat_map(|record| record.inputs.iter().step_by(STRIDE).copied()).collect();
    let mut embeddings = embedder.run(&inputs).into_iter();
    chosen
        .into_iter()
        .map(|record| {
            let count = record.inputs.len().div_ceil(STRIDE);
            let embeddings: Vec<Vec<f32>> = embeddings.by_ref().take(count).collect();
            let template = embedder.template(&embeddings);
            Embedded { record, template, embeddings, on_boards: Vec::new(), contacts: Vec::new() }
        })
        .collect()
}

fn chosen<'a>(records: &'a [Prepared], persons: &BTreeSet<Person>) -> impl Iterator<Item = &'a Prepared> {
    records.iter().filter(|record| persons.contains(&record.person))
}

impl Embedder<'_> {
    /// The mean of these embeddings as a template; `None` of none.
    fn template(&self, embeddings: &[Vec<f32>]) -> Option<Template> {
        let mean = || mean_unit(embeddings.iter().map(Vec::as_slice));
        (!embeddings.is_empty()).then(|| Template::of(mean(), self.cohort))
    }

    /// The embeddings of `inputs`, in order.
    pub fn run(&self, inputs: &[PreparedBeat]) -> Vec<Vec<f32>> {
        let device = Device::flex();
        let shapes = inputs.chunks(CHUNK).flat_map(|chunk| {
            let values: Vec<f32> = chunk.iter().flat_map(|beat| beat.values).collect();
            let beats = Tensor::from_data(TensorData::new(values, [chunk.len(), 1, SEGMENT_SAMPLES]), &device);
            rows(self.network.forward(beats).embedding)
        });
        let whole = |(shape, beat): (Vec<f32>, &PreparedBeat)| match self.amplitude {
            Some(amplitude) => amplitude.beside(&shape, beat.amplitude_mv),
            None => shape,
        };
        shapes.zip(inputs).map(whole).collect()
    }
}

/// The evidence after each of the averages since contact, the first of one beat.
fn growing(averages: &[Vec<f32>], full: usize) -> Vec<Vec<f32>> {
    (1..=averages.len()).map(|heard| since_contact(&averages[..heard], full)).collect()
}
