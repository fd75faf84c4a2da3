//! Is this heart beating now? Recognises earlier beats that are played again, and rhythms that no heart keeps.
//!
//! ```text
//! Heartbeat ─┬─ by R ─────────────▶ Track: against every earlier beat ─┬─▶ the larger evidence ─▶ replay?
//!            ├─ by QRS middle ────▶ Track: likewise ──────────────────┘
//!            └─ intervals of R ───▶ spread of the newest ────────────────────────────────────▶ too regular?
//! ```
//!
//! Two keys open it. *Intervals*: located to a few tenths of a millisecond, they do not come again in the same order;
//! how much it says that one does is judged by the rhythm itself ([`chance`]). *Shapes*: how a beat differs from the
//! one before (breath, muscles, electrodes) comes again in a replay and in no other stretch ([`shape`]), also where a
//! pacemaker makes all intervals alike. Both are blind to gain, offset, phase of sampling and a slightly wrong clock.
//!
//! Both are taken twice, because a beat is where one says it is: at R, which noise moves least, and at the middle of its
//! QRS complex ([`Heartbeat::middle`]), which stays where it is when the detector calls another deflection R.
//!
//! The history is [`LivenessConfig::history_beats`] long and lives in memory alone: intervals and shapes of a day are
//! biometric data, and say more of a person's health than a door may keep. After a restart it is empty.
//!
//! What it cannot know: a stretch that it never heard, a live relay, a generated ECG whose rhythm and beats vary. It
//! must not know identities, samples or clocks.

mod alignment;
mod chance;
mod shape;
mod track;

use chance::UNITS_PER_MS;
use track::Track;

/// A sample of a segment, milliseconds.
const SAMPLE_MS: f64 = 4.0;

/// Sum of gains over the logarithm of the history's length from which a replay is suspected. A stretch of chance
/// reaches it in one of e^13 = 440,000 beats, by either place, if the gains are true likelihoods; the highest of 55,000
/// recorded beats is 10, in ventricular trigeminy (`docs/liveness.md`).
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
/// Bytes that a beat of the history takes, by R and by its middle.
pub const BYTES_PER_BEAT: usize = 2 * track::BYTES_PER_BEAT;

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
    /// Where the middle of its QRS complex lies in it, fractional; `None` where nobody knows: it is placed at R then.
    pub middle: Option<f64>,
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
    by_r: Track,
    by_middle: Track,
    /// Samples from R of the newest beat to its middle.
    middle: f64,
    evidence: f32,
    suspicion: Option<(Suspicion, u32)>,
}

impl Liveness {
    /// Without a history.
    #[must_use]
    pub fn new(config: LivenessConfig) -> Self {
        Self {
            config,
            by_r: Track::default(),
            by_middle: Track::default(),
            middle: 0.0,
            evidence: 0.0,
            suspicion: None,
        }
    }

    /// Takes the next beat; what is suspected now.
    pub fn push(&mut self, beat: &Heartbeat<'_>) -> Option<Suspicion> {
        let middle = beat.middle.map(|middle| middle - beat.r_index).filter(|away| away.is_finite()).unwrap_or(0.0);
        let longer_ms = SAMPLE_MS * (middle - std::mem::replace(&mut self.middle, middle));
        let between_middles = beat.interval_ms.map(|ms| ms + longer_ms);
        let most = self.config.history_beats.max(64);
        let by_r = self.by_r.push(beat.interval_ms, beat.segment, beat.r_index, most);
        let by_middle = self.by_middle.push(between_middles, beat.segment, beat.r_index + middle, most);
        self.evidence = by_r.max(by_middle);
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
        self.by_r.history()
    }

    /// What follows does not continue what was before. History and suspicion stay.
    pub fn interrupt(&mut self) {
        self.by_r.interrupt();
        self.by_middle.interrupt();
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
        let recent = self.by_r.recent();
        TOO_REGULAR.iter().any(|(count, most_ms)| {
            let Some(newest) = recent.len().checked_sub(*count).map(|from| &recent[from..]) else { return false };
            let (shortest, longest) = (newest.iter().min(), newest.iter().max());
            let distance = shortest.zip(longest).map_or(0, |(shortest, longest)| longest - shortest);
            f64::from(distance) < most_ms * UNITS_PER_MS
        })
    }
}
