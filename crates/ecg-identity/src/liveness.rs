//! Is this heart beating now? Recognises earlier beats that are played again, and rhythms that no heart keeps.
//!
//! ```text
//! Heartbeat ─▶ interval, ShapeChange ─▶ against every earlier beat: gains ─▶ Alignments ─▶ replay?
//!                     └────────────────▶ spread of the newest intervals ──────────────────▶ too regular?
//! ```
//!
//! Two keys open it. *Intervals*: located to a few tenths of a millisecond, they do not come again in the same order;
//! how much it says that one does is judged by the rhythm itself ([`chance`]). *Shapes*: how a beat differs from the
//! one before (breath, muscles, electrodes) comes again in a replay and in no other stretch ([`shape`]), also where a
//! pacemaker makes all intervals alike. Both are blind to gain, offset, phase of sampling and a slightly wrong clock.
//!
//! The history is [`LivenessConfig::history_beats`] long and lives in memory alone: intervals and shapes of a day are
//! biometric data, and say more of a person's health than a door may keep. After a restart it is empty.
//!
//! What it cannot know: a stretch that it never heard, a live relay, a generated ECG whose rhythm and beats vary. It
//! must not know identities, samples or clocks.

mod alignment;
mod chance;
mod shape;

use alignment::{Alignments, Gains, Sum};
use chance::{Chance, LATELY, RECENT, UNITS_PER_MS, density_per_ms, spread_ms};
use shape::{ShapeChange, ShapeWatch};

/// Sum of gains over the logarithm of the history's length from which a replay is suspected. A stretch of chance
/// reaches it in one of e^13 = 440,000 beats if the gains are true likelihoods; the highest of 55,000 recorded beats is 10,
/// in ventricular trigeminy (`docs/liveness.md`).
const SUSPECTED: f32 = 13.0;
/// So many intervals, and the distance between the shortest and the longest of them, milliseconds, below which a rhythm is
/// too regular. Fitted to the development recordings, in which no heart comes below them (`docs/liveness.md`); a played
/// metronome does, also with noise. Before seven are known nobody is verified whose intervals have not varied
/// ([`VARIED_S`]).
const TOO_REGULAR: [(usize, f64); 3] = [(7, 1.5), (12, 4.0), (20, 6.0)];
/// What the intervals must have varied by before anybody is verified, seconds: that of the first row, while there are fewer.
pub const VARIED_S: f64 = 1e-3 * TOO_REGULAR[0].1;
/// Beats without a sign after which a suspicion is dropped. It outlives a lifted electrode: otherwise a player need
/// only break off every few seconds once it has been suspected.
const HELD: u32 = 20;
/// A beat lost or added on the way: one of twenty.
const SKIP: f32 = 3.0;
/// Bytes that a beat of the history takes: interval, shape and two sums.
pub const BYTES_PER_BEAT: usize = size_of::<u16>() + size_of::<ShapeChange>() + 2 * size_of::<Sum>();

/// How beats are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivenessConfig {
    /// Beats that are remembered, at least 64; 100,000 are a day at 70 a minute. Memory: [`BYTES_PER_BEAT`] each.
    pub history_beats: usize,
    /// Also a rhythm without any variation is taken for a heart: for wearers of pacemakers. A played metronome is then
    /// refused only if its beats come from the history.
    pub allow_even_rhythm: bool,
}

impl Default for LivenessConfig {
    fn default() -> Self {
        Self { history_beats: 100_000, allow_even_rhythm: false }
    }
}

/// One beat.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heartbeat<'a> {
    /// Time since the beat before, milliseconds; `None` where something lies between: a gap, a lost contact.
    pub interval_ms: Option<f64>,
    /// Samples at 250 Hz, in any unit.
    pub segment: &'a [f64],
    /// Where R lies in it, fractional.
    pub r_index: f64,
}

/// Why a heart is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suspicion {
    /// The newest beats are earlier ones played again.
    Replay,
    /// The intervals do not vary.
    TooRegular,
}

/// Judges beat after beat.
#[derive(Debug, Clone)]
pub struct Liveness {
    config: LivenessConfig,
    intervals: Vec<u16>,
    shapes: Vec<ShapeChange>,
    alignments: Alignments,
    shape: ShapeWatch,
    /// Beats since something lay between.
    run: usize,
    evidence: f32,
    suspicion: Option<(Suspicion, u32)>,
}

impl Liveness {
    /// Without a history.
    #[must_use]
    pub fn new(config: LivenessConfig) -> Self {
        Self {
            config,
            intervals: Vec::new(),
            shapes: Vec::new(),
            alignments: Alignments::default(),
            shape: ShapeWatch::default(),
            run: 0,
            evidence: 0.0,
            suspicion: None,
        }
    }

    /// Takes the next beat; what is suspected now.
    pub fn push(&mut self, beat: &Heartbeat<'_>) -> Option<Suspicion> {
        let newest = beat.interval_ms.map_or(0, units);
        if newest == 0 {
            self.interrupt();
        }
        self.run += 1;
        let change = self.shape.push(beat.segment, beat.r_index);
        self.evidence = self.compare(newest, &change);
        self.remember(newest, change);
        let sign = self.sign();
        self.suspicion = match (sign, self.suspicion) {
            (Some(sign), _) => Some((sign, HELD)),
            (None, Some((before, left))) if left > 1 => Some((before, left - 1)),
            _ => None,
        };
        self.suspicion()
    }

    /// What is suspected.
    #[must_use]
    pub fn suspicion(&self) -> Option<Suspicion> {
        self.suspicion.map(|(suspicion, _)| suspicion)
    }

    /// How much speaks for the best matching stretch of the history, over what the length of the history explains; a
    /// replay is suspected from 13 on.
    #[must_use]
    pub fn evidence(&self) -> f64 {
        f64::from(self.evidence)
    }

    /// How beats are judged.
    #[must_use]
    pub fn config(&self) -> &LivenessConfig {
        &self.config
    }

    /// Beats remembered.
    #[must_use]
    pub fn history(&self) -> usize {
        self.intervals.len()
    }

    /// What follows does not continue what was before. History and suspicion stay.
    pub fn interrupt(&mut self) {
        self.alignments.interrupt();
        self.shape.interrupt();
        self.run = 0;
    }

    fn sign(&self) -> Option<Suspicion> {
        // Of a metronome everything repeats: the plainer reason first.
        if !self.config.allow_even_rhythm && self.is_even() {
            return Some(Suspicion::TooRegular);
        }
        (self.evidence >= SUSPECTED).then_some(Suspicion::Replay)
    }

    /// The rhythm does not vary. Distances tell it where successive differences do not: a fast heart may change by
    /// little from beat to beat, but then it drifts.
    fn is_even(&self) -> bool {
        let recent = self.recent();
        TOO_REGULAR.iter().any(|(count, most_ms)| {
            let Some(newest) = recent.len().checked_sub(*count).map(|from| &recent[from..]) else { return false };
            let (shortest, longest) = (newest.iter().min(), newest.iter().max());
            let distance = shortest.zip(longest).map_or(0, |(shortest, longest)| longest - shortest);
            f64::from(distance) < most_ms * UNITS_PER_MS
        })
    }

    /// The newest intervals that follow each other.
    fn recent(&self) -> &[u16] {
        let known = self.run.saturating_sub(1).min(RECENT).min(self.intervals.len());
        &self.intervals[self.intervals.len() - known..]
    }

    fn compare(&mut self, newest: u16, change: &ShapeChange) -> f32 {
        let lately = &self.intervals[self.intervals.len().saturating_sub(LATELY)..];
        let spread = spread_ms(self.recent()).unwrap_or(0.0);
        let chance = Chance::new(spread, density_per_ms(lately, newest));
        let against = Against {
            intervals: &self.intervals,
            shapes: &self.shapes,
            newest,
            before: if self.run > 1 { self.intervals.last().copied().unwrap_or(0) } else { 0 },
            change,
            chance: &chance,
        };
        let largest = self.alignments.advance(&against, self.intervals.len());
        // Every earlier beat is one more chance to be alike.
        largest - (self.intervals.len().max(1) as f32).ln()
    }

    fn remember(&mut self, newest: u16, change: ShapeChange) {
        self.intervals.push(newest);
        self.shapes.push(change);
        let most = self.config.history_beats.max(64);
        if self.intervals.len() > most {
            // An eighth at once: moving the rest costs nothing then, beat by beat.
            let oldest = most / 8;
            self.intervals.drain(..oldest);
            self.shapes.drain(..oldest);
            self.alignments.forget(oldest);
        }
    }
}

/// The interval in units, at least one; what is no interval is 0.
fn units(ms: f64) -> u16 {
    let units = (ms * UNITS_PER_MS).round();
    if (1.0..=f64::from(u16::MAX)).contains(&units) { units as u16 } else { 0 }
}

/// The newest beat, ready to be held against earlier ones.
struct Against<'a> {
    intervals: &'a [u16],
    shapes: &'a [ShapeChange],
    newest: u16,
    before: u16,
    change: &'a ShapeChange,
    chance: &'a Chance,
}

impl Against<'_> {
    /// Of intervals, or sums of two: none where one of them is missing.
    fn gain(&self, newest: [u16; 2], earlier: [u16; 2]) -> f32 {
        let sum = |pair: [u16; 2]| u32::from(pair[0]) + u32::from(pair[1]);
        self.chance.gain(sum(newest).abs_diff(sum(earlier)))
    }
}

impl Gains for Against<'_> {
    fn same(&self, at: usize) -> f32 {
        let earlier = self.intervals[at];
        if earlier == 0 || self.newest == 0 {
            return f32::NEG_INFINITY;
        }
        let gain = self.gain([self.newest, 0], [earlier, 0]);
        // Where the interval speaks against it, the shape is not looked at: most earlier beats.
        if gain < 0.0 { gain } else { gain + self.change.gain(&self.shapes[at]) }
    }

    fn beat_lost(&self, at: usize) -> f32 {
        let earlier = [self.intervals[at], at.checked_sub(1).map_or(0, |before| self.intervals[before])];
        if earlier.contains(&0) || self.newest == 0 {
            return f32::NEG_INFINITY;
        }
        self.gain([self.newest, 0], earlier) - SKIP
    }

    fn beat_more(&self, at: usize) -> f32 {
        let earlier = self.intervals[at];
        if earlier == 0 || self.newest == 0 || self.before == 0 {
            return f32::NEG_INFINITY;
        }
        self.gain([self.newest, self.before], [earlier, 0]) - SKIP
    }
}
