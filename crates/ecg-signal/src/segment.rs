//! Cuts a segment of real samples round an R peak out of the conditioned signal.
//!
//! Keeps the newest seconds of the signal and addresses them by the position that a sample had at the *input* of the
//! conditioner, so that R positions need no correction. Must not know how R was found or whether the beat is good.

use crate::ring::Ring;
use crate::{SEGMENT_R_INDEX, SEGMENT_SAMPLES};

/// The samples of one segment in millivolts, R at [`SEGMENT_R_INDEX`].
pub type Segment = [f64; SEGMENT_SAMPLES];

/// Samples held: more than 16 s at 250 Hz. A beat found by search-back is up to some seconds old, and a block more must
/// not make it too old.
const HELD: usize = 4096;

/// Whether a segment can be cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// All samples are there.
    Whole(Segment),
    /// The last samples have not come yet.
    Early,
    /// Some samples lie before the start of the signal or are no longer held; they are zero here.
    Incomplete(Segment),
}

/// The newest conditioned samples, ready to be cut.
#[derive(Clone, Debug)]
pub struct Segmenter {
    samples: Ring<f64>,
    delay: usize,
    skipped: usize,
}

impl Segmenter {
    /// A segmenter for a conditioned signal that is `delay` samples late.
    pub fn new(delay: usize) -> Self {
        Self { samples: Ring::new(HELD), delay, skipped: 0 }
    }

    /// Takes the next conditioned samples.
    #[inline]
    pub fn extend(&mut self, conditioned: &[f64]) {
        // The first outputs of the conditioner stand for moments before the signal began.
        let skip = (self.delay - self.skipped).min(conditioned.len());
        self.skipped += skip;
        self.samples.extend(&conditioned[skip..]);
    }

    /// How many samples must still come until the segment round `r_peak` (input position) is not early.
    pub fn samples_until(&self, r_peak: f64) -> usize {
        let end = r_peak.round() as i64 - SEGMENT_R_INDEX as i64 + SEGMENT_SAMPLES as i64;
        let missing = (end - self.samples.end() as i64).max(0) as usize;
        if missing == 0 { 0 } else { missing + self.delay - self.skipped }
    }

    /// The segment round the sample nearest to `r_peak` (input position).
    pub fn cut(&self, r_peak: f64) -> Cut {
        let mut segment = [0.0; SEGMENT_SAMPLES];
        match self.cut_into(r_peak, false, &mut segment) {
            None => Cut::Early,
            Some(true) => Cut::Whole(segment),
            Some(false) => Cut::Incomplete(segment),
        }
    }

    /// Puts the segment into `segment`; gives whether all samples are there, `None` while some have not come and the signal
    /// has not `ended`.
    pub(crate) fn cut_into(&self, r_peak: f64, ended: bool, segment: &mut Segment) -> Option<bool> {
        let first = r_peak.round() as i64 - SEGMENT_R_INDEX as i64;
        if !ended && first + SEGMENT_SAMPLES as i64 > self.samples.end() as i64 {
            return None;
        }
        let [now, later] = self.samples.held(first..first + SEGMENT_SAMPLES as i64);
        let whole = now.len() + later.len() == SEGMENT_SAMPLES;
        if whole {
            segment[..now.len()].copy_from_slice(now);
            segment[now.len()..].copy_from_slice(later);
        } else {
            for (offset, sample) in segment.iter_mut().enumerate() {
                let position = u64::try_from(first + offset as i64).ok();
                *sample = position.and_then(|position| self.samples.get(position)).unwrap_or(0.0);
            }
        }
        Some(whole)
    }

    /// Positions that may still be held: the newest and what the ring keeps before it.
    pub fn held(&self) -> std::ops::Range<u64> {
        self.samples.end().saturating_sub(HELD as u64)..self.samples.end()
    }

    /// The conditioned sample at a position; `None` before it has come and after it was forgotten.
    pub fn sample(&self, position: u64) -> Option<f64> {
        self.samples.get(position)
    }

    /// Forgets all samples.
    pub fn reset(&mut self) {
        self.samples.clear();
        self.skipped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_lies_at_its_index_and_missing_samples_are_said() {
        let mut segmenter = Segmenter::new(3);
        (0..503).for_each(|n| segmenter.extend(&[f64::from(n) - 3.0]));
        let Cut::Whole(segment) = segmenter.cut(100.4) else { panic!("all samples are there") };
        assert_eq!(segment[SEGMENT_R_INDEX], 100.0);
        assert_eq!(segment[SEGMENT_SAMPLES - 1], 212.0);
        assert!(matches!(segmenter.cut(61.0), Cut::Incomplete(_)));
        assert_eq!(segmenter.cut(400.0), Cut::Early);
        assert_eq!(segmenter.cut_into(400.0, true, &mut [0.0; SEGMENT_SAMPLES]), Some(false));
        assert!(matches!(segmenter.cut(387.0), Cut::Whole(_)));
        assert_eq!((segmenter.samples_until(387.0), segmenter.samples_until(390.0)), (0, 3));
        assert_eq!(Segmenter::new(3).samples_until(62.0), 178);
        segmenter.extend(&[0.0; 5000]);
        assert!(matches!(segmenter.cut(100.0), Cut::Incomplete(_)), "too old");
    }
}
