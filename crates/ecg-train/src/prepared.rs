//! Recordings through the signal path: as they are, and as imitated front ends would have delivered them.
//!
//! Each variant of a record runs through the whole path again, so that R is found anew in it. The path is the daemon's
//! own; nothing here filters, detects or cuts.

use std::collections::VecDeque;

use anyhow::Context;
use ecg_signal::{
    Beat, BeatAverager, Hertz, Mains, PathConfig, PathInput, Preparation, PreparedBeat, SEGMENT_SAMPLES, SignalPath,
};

use crate::front_end::FrontEnd;
use crate::random::stream;
use crate::recordings::Recording;
use crate::split::Person;

/// Accepted beats between the moments at which somebody is imagined to touch the electrodes.
const CONTACT_STEP: usize = 5;
/// Accepted beats that are followed after such a moment.
const FOLLOWED: usize = 20;

/// An accepted beat, as little of it as training needs.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Conditioned millivolts, R at index 62.
    pub segment: [f32; SEGMENT_SAMPLES],
    /// Median RR of the accepted beats up to this one, in seconds; `None` where there was no interval yet.
    pub median_rr_s: Option<f64>,
}

/// A record ready for training and measuring.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Whose heart.
    pub person: Person,
    /// Name of the record within its collection.
    pub record: String,
    /// Session it belongs to.
    pub session: String,
    /// Sampling frequency of the recording.
    pub fs: Hertz,
    /// Accepted beats: of the record as it is, then of each variant. Beats of a take follow each other in time.
    pub takes: Vec<Vec<Cut>>,
    /// Model inputs of the record as it is, as the daemon would have made them.
    pub inputs: Vec<PreparedBeat>,
    /// The same from the first beat on for several moments at which somebody is imagined to touch the electrodes: averages of
    /// one beat, of two, … and then full ones.
    pub contacts: Vec<Vec<PreparedBeat>>,
    /// Model inputs behind each of [`FrontEnd::unseen`], for measuring only. Empty inside where no R was found.
    pub on_boards: Vec<Vec<PreparedBeat>>,
    /// Beats that the path found in the record as it is, accepted or not.
    pub beats_found: usize,
}

/// How recordings are prepared.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Mains of the place where the recordings were made.
    pub mains: Mains,
    /// Imitated front ends a record.
    pub variants: usize,
    /// How beats become model input.
    pub preparation: Preparation,
    /// Seed of the variants.
    pub seed: u64,
    /// Threads.
    pub threads: usize,
}

/// Prepares every recording, in order; `progress` is called once for each, from any thread.
///
/// # Errors
/// A sampling frequency that the path refuses.
pub fn prepare(
    recordings: Vec<Recording>,
    settings: &Settings,
    progress: &(impl Fn() + Sync),
) -> anyhow::Result<Vec<Prepared>> {
    let indexed: VecDeque<(usize, Recording)> = recordings.into_iter().enumerate().collect();
    let count = indexed.len();
    let work = std::sync::Mutex::new(indexed);
    let worker = || -> anyhow::Result<Vec<(usize, Prepared)>> {
        let mut done = Vec::new();
        loop {
            let next = work.lock().map_or(None, |mut work| work.pop_front());
            let Some((index, recording)) = next else { return Ok(done) };
            let name = format!("{}:{}", recording.person.collection, recording.record);
            let prepared = prepare_one(recording, index, settings).with_context(|| format!("preparing {name}"))?;
            done.push((index, prepared));
            progress();
        }
    };
    let results = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..settings.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| anyhow::bail!("a worker panicked")))
            .collect::<Vec<_>>()
    });
    let mut prepared = Vec::with_capacity(count);
    for result in results {
        prepared.extend(result?);
    }
    prepared.sort_by_key(|(index, _)| *index);
    Ok(prepared.into_iter().map(|(_, prepared)| prepared).collect())
}

fn prepare_one(recording: Recording, index: usize, settings: &Settings) -> anyhow::Result<Prepared> {
    let Recording { person, record, session, fs, millivolts, clipped } = recording;
    let beats = run_path(&millivolts, &clipped, fs, settings.mains)?;
    let mut takes = vec![cuts(&beats, &settings.preparation)];
    let mut rng = stream(settings.seed, index as u64);
    if let Some(amplitude) = r_amplitude(&beats) {
        for _ in 0..settings.variants {
            let front_end = FrontEnd::draw(&mut rng);
            let delivered = front_end.apply(&millivolts, fs, amplitude, &mut rng)?;
            let beats = run_path(&delivered.millivolts, &[], delivered.fs, delivered.mains)?;
            takes.push(cuts(&beats, &settings.preparation));
        }
    }
    let mut on_boards = Vec::new();
    for board in FrontEnd::unseen() {
        let delivered = board.apply(&millivolts, fs, r_amplitude(&beats).unwrap_or(1.0), &mut rng)?;
        let beats = run_path(&delivered.millivolts, &[], delivered.fs, delivered.mains)?;
        on_boards.push(inputs(&beats, &settings.preparation));
    }
    let inputs = inputs(&beats, &settings.preparation);
    let contacts = contacts(&beats, &settings.preparation);
    Ok(Prepared { person, record, session, fs, takes, inputs, contacts, on_boards, beats_found: beats.len() })
}

/// What the daemon would give to the network.
fn inputs(beats: &[Beat], preparation: &Preparation) -> Vec<PreparedBeat> {
    let mut averager = BeatAverager::new(preparation);
    beats.iter().filter_map(|beat| averager.push(beat)).map(|input| input.beat).collect()
}

/// What the daemon would give to the network after each of several moments of contact: nothing from before is known.
fn contacts(beats: &[Beat], preparation: &Preparation) -> Vec<Vec<PreparedBeat>> {
    let accepted = |&index: &usize| beats[index].quality.verdict.is_accepted();
    let starts = (0..beats.len()).filter(accepted).step_by(CONTACT_STEP);
    starts
        .map(|start| {
            let mut averager = BeatAverager::from_first_beat(preparation);
            let first = Beat { rr_ms: None, ..beats[start].clone() };
            let since = std::iter::once(&first).chain(&beats[start + 1..]);
            since.filter_map(|beat| averager.push(beat)).map(|input| input.beat).take(FOLLOWED).collect()
        })
        .collect()
}

/// Every beat that the signal path finds, in order, accepted or not.
fn run_path(millivolts: &[f64], clipped: &[bool], fs: Hertz, mains: Mains) -> anyhow::Result<Vec<Beat>> {
    let mut path = SignalPath::new(&PathConfig { fs, mains })?;
    let mut beats = Vec::new();
    let mut sink = |beat| beats.push(beat);
    for (index, &millivolts) in millivolts.iter().enumerate() {
        let clipped = clipped.get(index).copied().unwrap_or(false);
        path.push(PathInput { millivolts, clipped, lead_off: None }, &mut sink);
    }
    path.flush(&mut sink);
    Ok(beats)
}

fn cuts(beats: &[Beat], preparation: &Preparation) -> Vec<Cut> {
    // Only its running median of RR is used here: training averages another number of beats each time.
    let mut averager = BeatAverager::new(preparation);
    let mut cuts = Vec::new();
    for beat in beats {
        averager.push(beat);
        if beat.quality.verdict.is_accepted() {
            cuts.push(Cut { segment: beat.segment.map(|x| x as f32), median_rr_s: averager.median_rr_s() });
        }
    }
    cuts
}

/// Model input of consecutive beats, corrected for the heart rate at the last of them.
pub fn average(cuts: &[Cut], preparation: &Preparation) -> PreparedBeat {
    let segments: Vec<_> = cuts.iter().map(|cut| cut.segment.map(f64::from)).collect();
    let rr = cuts.iter().rev().find_map(|cut| cut.median_rr_s).unwrap_or(preparation.qt_reference_rr_s);
    ecg_signal::prepare(&segments, rr, preparation)
}

/// Mean shape and mean size (mV) of model inputs.
pub type MeanBeat = ([f64; SEGMENT_SAMPLES], f64);

/// The mean of model inputs; `None` of none.
pub fn mean(inputs: &[PreparedBeat]) -> Option<MeanBeat> {
    let mean = |of: &dyn Fn(&PreparedBeat) -> f64| inputs.iter().map(of).sum::<f64>() / inputs.len() as f64;
    let shape = || std::array::from_fn(|i| mean(&|input| f64::from(input.values[i])));
    (!inputs.is_empty()).then(|| (shape(), mean(&|input| input.amplitude_mv)))
}

/// Median height of R over the accepted beats, mV; `None` without any.
fn r_amplitude(beats: &[Beat]) -> Option<f64> {
    let accepted = beats.iter().filter(|beat| beat.quality.verdict.is_accepted());
    let mut heights: Vec<f64> = accepted.map(|beat| beat.amplitude_mv.abs()).collect();
    heights.sort_by(f64::total_cmp);
    heights.get(heights.len() / 2).copied().filter(|height| *height > 0.0)
}
