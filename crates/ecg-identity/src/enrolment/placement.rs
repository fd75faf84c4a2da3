//! What one placement of the electrodes has given: beats, refusals, embeddings. Must not know what is enough.

use super::config::Requirements;
use super::verdict::EnrolmentRefusal;
use crate::Suspicion;
use crate::compare::{mean_direction, mean_unit};

/// Embeddings that a placement needs to count at all.
const MIN_EMBEDDINGS: usize = 3;
/// Newest intervals that the heart rate is the median of.
const INTERVALS: usize = 64;
/// Newest beats that say how it goes just now.
const RECENT: u32 = 8;

/// Why a beat was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// It looks like noise.
    Noise,
    /// It does not look like the other beats.
    Shape,
    /// The converter was at its limit.
    Clipping,
    /// An electrode was off.
    LeadOff,
    /// The signal does not move.
    FlatLine,
    /// Samples are missing.
    Incomplete,
    /// The heart was not believed to beat now, however good the beat.
    Doubted(Suspicion),
}

impl Fault {
    /// A word for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Shape => "shape",
            Self::Clipping => "clipping",
            Self::LeadOff => "lead_off",
            Self::FlatLine => "flat_line",
            Self::Incomplete => "incomplete",
            Self::Doubted(Suspicion::Replay) => "replay_suspected",
            Self::Doubted(Suspicion::TooRegular) => "rhythm_too_regular",
        }
    }

    /// It says something of how well the signal is received, and not only that electrodes came or went, or whose it is.
    fn is_poor_signal(self) -> bool {
        !matches!(self, Self::LeadOff | Self::Incomplete | Self::Doubted(_))
    }
}

/// One placement of the electrodes, or one recording.
#[derive(Debug, Clone, Default)]
pub struct Placement {
    beats: usize,
    seconds: f64,
    intervals_s: Vec<f64>,
    faults: Vec<(Fault, usize)>,
    /// Newest in bit 0; set where the beat was refused.
    newest: u32,
    newest_fault: Option<Fault>,
    doubt: Option<Suspicion>,
    embeddings: Vec<Vec<f32>>,
}

impl Placement {
    /// A good beat, `rr_s` after the one before where that is known.
    pub fn accepted(&mut self, rr_s: Option<f64>) {
        self.beats += 1;
        self.newest <<= 1;
        let Some(rr_s) = rr_s.filter(|rr| rr.is_finite() && *rr > 0.0) else { return };
        self.seconds += rr_s;
        if self.intervals_s.len() == INTERVALS {
            self.intervals_s.remove(0);
        }
        self.intervals_s.push(rr_s);
    }

    /// A beat that does not count.
    pub fn refused(&mut self, fault: Fault) {
        self.newest = self.newest << 1 | 1;
        self.newest_fault = Some(fault);
        match self.faults.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, count)) => *count += 1,
            None => self.faults.push((fault, 1)),
        }
    }

    /// A beat while the heart was not believed to beat now, and why it would not have counted anyway.
    pub fn doubted(&mut self, suspicion: Suspicion, fault: Option<Fault>) {
        self.doubt = Some(suspicion);
        self.refused(fault.unwrap_or(Fault::Doubted(suspicion)));
    }

    /// An embedding of the newest beats; one without a direction does not count.
    pub fn embedding(&mut self, embedding: &[f32]) {
        if crate::compare::unit(embedding).is_some() {
            self.embeddings.push(embedding.to_vec());
        }
    }

    /// Good beats.
    #[must_use]
    pub fn beats(&self) -> usize {
        self.beats
    }

    /// Time that good beats cover, seconds.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Refused beats, of every reason.
    #[must_use]
    pub fn refused_beats(&self) -> usize {
        self.faults.iter().map(|(_, count)| count).sum()
    }

    /// Refused beats by reason, the most frequent first.
    #[must_use]
    pub fn faults(&self) -> Vec<(Fault, usize)> {
        let mut faults = self.faults.clone();
        faults.sort_by_key(|&(fault, count)| (std::cmp::Reverse(count), fault));
        faults
    }

    /// Share of beats that were refused for a poor signal, 0…1. Those in which electrodes came or went do not count.
    #[must_use]
    pub fn refused_share(&self) -> f64 {
        let poor: usize = self.faults.iter().filter(|(fault, _)| fault.is_poor_signal()).map(|(_, count)| count).sum();
        poor as f64 / (poor + self.beats).max(1) as f64
    }

    /// Median heart rate, beats a minute; `None` until three intervals are known.
    #[must_use]
    pub fn heart_rate_bpm(&self) -> Option<f64> {
        let mut sorted = self.intervals_s.clone();
        sorted.sort_by(f64::total_cmp);
        (sorted.len() >= 3).then(|| 60.0 / sorted[sorted.len() / 2])
    }

    /// Long enough to count as a placement.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.embeddings.len() >= MIN_EMBEDDINGS
    }

    /// Mean direction, as long as it is ([`mean_direction`]); empty without embeddings.
    #[must_use]
    pub fn mean(&self) -> Vec<f32> {
        mean_direction(self.embeddings.iter().map(Vec::as_slice))
    }

    /// Mean directions of the older and the newer half.
    #[must_use]
    pub fn halves(&self) -> [Vec<f32>; 2] {
        let (older, newer) = self.embeddings.split_at(self.embeddings.len() / 2);
        [older, newer].map(|half| mean_unit(half.iter().map(Vec::as_slice)))
    }

    /// Why the heart was not believed in some part of it, where that is what speaks against it: it is long enough to
    /// count, or most of what it refused was refused for that. Noise may repeat itself too.
    #[must_use]
    pub fn doubt(&self) -> Option<Suspicion> {
        let mostly = matches!(self.faults().first(), Some((Fault::Doubted(_), _)));
        self.doubt.filter(|_| mostly || self.counts())
    }

    /// What spoils the beats just now: more than half of the newest were refused, the last of them for this.
    pub(super) fn spoils_now(&self) -> Option<Fault> {
        let refused = (self.newest & ((1 << RECENT) - 1)).count_ones();
        self.newest_fault.filter(|_| refused > RECENT / 2)
    }

    /// Too many beats were refused, as placement `number`.
    pub(super) fn spoilt(&self, number: usize, requirements: &Requirements) -> Option<EnrolmentRefusal> {
        let (share, limit) = (self.refused_share(), requirements.max_refused_share);
        let mostly = self.faults().into_iter().find(|(fault, _)| fault.is_poor_signal())?.0;
        (share > limit).then_some(EnrolmentRefusal::PoorSignal { placement: number, share, limit, mostly })
    }
}
