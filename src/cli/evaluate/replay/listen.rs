//! What liveness says of recordings: windows of hearts that beat, and attacks on them.
//!
//! It prints nothing.

use ecg_identity::{Heartbeat, Liveness, Suspicion};
use ecg_signal::{Beat, Mains};

use super::attack::Attack;
use crate::pipeline::liveness::heartbeat;
use crate::recording::{Recording, Stream};

/// Seconds of the same recording that the signal path hears before an attack, where there are so many: it is then
/// settled, as it is in a daemon that runs.
const LEAD_IN_S: f64 = 20.0;
/// Beats below which a window is none: too little to be verified on.
const FEWEST_BEATS: usize = 5;

/// What was heard of one recording.
#[derive(Debug)]
pub struct Heard {
    pub(super) beats: Vec<Beat>,
    pub(super) fs: f64,
}

/// Windows of one recording.
#[derive(Debug, Clone, Copy, Default)]
pub struct Windows {
    pub(super) count: usize,
    pub(super) replay: usize,
    pub(super) too_regular: usize,
    /// Highest evidence of a replay in any of them.
    pub(super) evidence: f64,
}

/// Runs a recording through the signal path.
///
/// # Errors
/// The path does not take its rate.
pub fn hear(stream: &Stream, mains: Mains) -> anyhow::Result<Heard> {
    let passage = stream.pass(0..stream.samples.len(), mains)?;
    Ok(Heard { beats: passage.beats, fs: stream.fs.0 })
}

/// Plays what was heard to `liveness` as the heart that it is.
pub fn genuine(liveness: &mut Liveness, heard: &Heard, seconds: f64) -> Windows {
    liveness.interrupt();
    let beats = heard.beats.iter().map(|beat| (beat.r_peak / heard.fs, heartbeat(beat, heard.fs)));
    windows(liveness, beats, seconds)
}

/// Windows of `seconds` of beats with their times.
pub fn windows<'a>(
    liveness: &mut Liveness,
    beats: impl Iterator<Item = (f64, Heartbeat<'a>)>,
    seconds: f64,
) -> Windows {
    let mut windows = Windows { evidence: f64::NEG_INFINITY, ..Windows::default() };
    let (mut number, mut count, mut replay, mut regular) = (0, 0, false, false);
    let mut close = |count: &mut usize, replay: &mut bool, regular: &mut bool| {
        let (beats, replay, regular) = (std::mem::take(count), std::mem::take(replay), std::mem::take(regular));
        if beats >= FEWEST_BEATS {
            windows.count += 1;
            windows.replay += usize::from(replay);
            windows.too_regular += usize::from(regular);
        }
    };
    let mut evidence = f64::NEG_INFINITY;
    for (at_s, beat) in beats {
        let now = (at_s / seconds) as usize;
        if now != number {
            close(&mut count, &mut replay, &mut regular);
            number = now;
        }
        match liveness.push(&beat) {
            Some(Suspicion::Replay) => replay = true,
            Some(Suspicion::TooRegular) => regular = true,
            None => {}
        }
        evidence = evidence.max(liveness.evidence());
        count += 1;
    }
    close(&mut count, &mut replay, &mut regular);
    Windows { evidence, ..windows }
}

/// How one attack ended.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// Seconds from where something is repeated to R of the beat that gives it away; `None` where none does.
    pub(super) betrayed_s: Option<f64>,
    /// The same to the moment at which the daemon knows of that beat.
    pub(super) known_s: Option<f64>,
    /// Beats that the signal path found in it.
    pub(super) beats: usize,
    /// Those of them that it did not refuse: without any, nobody is verified.
    pub(super) usable: usize,
}

/// Plays an attack from a place of `recording` to a copy of `history`; `None` where the recording is too short.
///
/// # Errors
/// The board or the path does not take the rate.
pub fn attack(
    history: &Liveness,
    recording: &Recording,
    heard: &Heard,
    attack: Attack,
    seconds: f64,
    mains: Mains,
    seed: u64,
) -> anyhow::Result<Option<Outcome>> {
    let stream = &recording.stream;
    let fs = stream.fs.0;
    let mut random = fastrand::Rng::with_seed(seed);
    let mut seconds = seconds;
    if let Attack::Replay(_) = attack {
        // A record of just that length is played whole, less what clocks and phases need.
        seconds = seconds.min(stream.duration_s() - 0.2);
    }
    let spare_s = stream.duration_s() - attack.needs_s(seconds);
    if spare_s < 0.0 || heard.beats.len() < FEWEST_BEATS {
        return Ok(None);
    }
    let from_s = spare_s * random.f64();
    let middle = &heard.beats[heard.beats.len() / 2];
    let played = attack.play(stream, (from_s * fs) as usize, middle.r_peak, seconds, seed)?;
    let lead_in = lead_in(stream, &played, from_s, attack.needs_s(seconds));
    let mut presented = lead_in.clone();
    presented.samples.extend(&played.samples);
    // The daemon knows of a beat when its segment has come, and the signal goes on until then.
    if let Some(&last) = presented.samples.last() {
        presented.samples.extend(std::iter::repeat_n(last, presented.fs.0.ceil() as usize));
    }
    let passage = presented.pass(0..presented.samples.len(), mains)?;
    let begin = lead_in.samples.len() as f64;
    let mut liveness = history.clone();
    liveness.interrupt();
    let mut outcome = Outcome { betrayed_s: None, known_s: None, beats: 0, usable: 0 };
    for beat in passage.beats.iter().filter(|beat| beat.r_peak >= begin) {
        outcome.beats += 1;
        outcome.usable += usize::from(beat.quality.verdict.is_accepted());
        let suspected = liveness.push(&heartbeat(beat, presented.fs.0)).is_some();
        if suspected && outcome.betrayed_s.is_none() {
            let since = |at: f64| (at - begin) / presented.fs.0 - attack.news_s();
            (outcome.betrayed_s, outcome.known_s) = (Some(since(beat.r_peak)), Some(since(beat.decided_at as f64)));
        }
    }
    Ok((outcome.beats >= FEWEST_BEATS).then_some(outcome))
}

/// Signal of the same recording outside of the stretch that is played, at the rate of what is played.
fn lead_in(stream: &Stream, played: &Stream, from_s: f64, length_s: f64) -> Stream {
    let fs = stream.fs.0;
    let empty = Stream { samples: Vec::new(), respiration: None, ..played.clone() };
    let before = from_s - LEAD_IN_S;
    let start_s = if before >= 0.0 { before } else { from_s + length_s };
    if start_s + LEAD_IN_S > stream.duration_s() || fs != played.fs.0 {
        return empty;
    }
    let part = (start_s * fs) as usize..((start_s + LEAD_IN_S) * fs) as usize;
    Stream { samples: stream.samples[part].to_vec(), ..empty }
}
