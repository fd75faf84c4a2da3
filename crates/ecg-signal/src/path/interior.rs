//! The part of the path that runs at 250 Hz: detector and conditioner side by side, joined again beat by beat.
//!
//! The filters take a block at once; what happens in it is then met in order of time, so that a beat sees the samples up
//! to the one that made it ready and no later one, whatever the length of a block. Must not know the rate of the source or
//! gaps; positions are samples at 250 Hz since the last reset.

use std::collections::VecDeque;

use crate::conditioner::Conditioner;
use crate::filter::design::DesignError;
use crate::filter::notch::Mains;
use crate::kernel::Kernel;
use crate::line::BLOCK;
use crate::qrs::{Detection, Polarity, QrsDetector};
use crate::quality::{BeatQuality, Mark, MarkBits, Marker, QualityGate, SpanMarks};
use crate::ring::Ring;
use crate::segment::{Cut, Segment, Segmenter};
use crate::{FS, SEGMENT_R_INDEX, SEGMENT_SAMPLES};

/// Marks held: as many samples as the segmenter holds.
const MARKS: usize = 4096;
/// Marks this near to the segment count for it: the resampler moves them by up to this much, and the filters spread
/// what happened at a marked sample.
const MARK_MARGIN: i64 = 25;

/// A beat with its position at 250 Hz; [`Interior::segment`] has its segment until the next one is asked for.
#[derive(Clone, Debug)]
pub(super) struct RawBeat {
    pub(super) r_peak: f64,
    pub(super) polarity: Polarity,
    pub(super) quality: BeatQuality,
    /// Samples from `r_peak` to the R of the segment.
    pub(super) realigned_by: i64,
    /// Contact was lost, or there was flutter, between the beat before and this one: no interval.
    pub(super) interrupted: bool,
    /// The lead has been turned upside down with the beat before.
    pub(super) turned: bool,
}

/// What comes next in a block.
pub(super) enum Step<'a> {
    /// Samples with these marks.
    Samples(&'a [Mark]),
    /// A beat that the sample before made ready.
    Beat(RawBeat),
    /// The block is at its end.
    Done,
}

/// The newest block, filtered, and how much of it has been met.
#[derive(Clone, Debug)]
struct Block {
    notched: [f64; BLOCK],
    conditioned: [f64; BLOCK],
    marks: [Mark; BLOCK],
    length: usize,
    met: usize,
}

/// The newest stretch in which nothing of a heart could be seen.
#[derive(Clone, Copy, Debug, Default)]
struct Blind {
    /// Its first and its newest sample, and how many of those between were blind.
    first: u64,
    newest: u64,
    count: u64,
}

impl Blind {
    /// So long a stretch, and whoever comes behind it may be somebody else: electrodes are on another person in a second.
    const LONG: u64 = FS.0 as u64;

    /// Takes the marks of the samples from `start` on.
    fn take(&mut self, marks: &[Mark], start: u64) {
        for (at, _) in (start..).zip(marks).filter(|(_, mark)| mark.is_blind()) {
            if self.count == 0 || at > self.newest + Self::LONG {
                (self.first, self.count) = (at, 0);
            }
            self.newest = at;
            self.count += 1;
        }
    }

    /// Whether it is long, and began before the beat at `r_peak` and ended behind the one at `previous`.
    fn lies_between(&self, previous: f64, r_peak: f64) -> bool {
        self.count >= Self::LONG && r_peak > self.first as f64 && previous < self.newest as f64
    }
}

#[derive(Clone, Debug)]
pub(super) struct Interior {
    conditioner: Conditioner,
    detector: QrsDetector,
    segmenter: Segmenter,
    marker: Marker,
    marks: Ring<Mark>,
    gate: QualityGate,
    block: Box<Block>,
    /// Found by the detector in the part of the block that has not been met, with the offset of the sample that decided.
    found: VecDeque<(usize, Detection)>,
    /// Found by the detector, waiting for the last samples of their segment.
    waiting: VecDeque<Detection>,
    /// How far from R the segment of the first that waits is cut; `None` until that is known.
    realigned_by: Option<i64>,
    /// The newest segment that was cut.
    segment: Segment,
    ended: bool,
    /// Newest sample without contact, and where the beat before was.
    lost_at: Option<u64>,
    previous_r: f64,
    blind: Blind,
}

impl Interior {
    pub(super) fn new(mains: Mains) -> Result<Self, DesignError> {
        let conditioner = Conditioner::new(FS, mains)?;
        Ok(Self {
            segmenter: Segmenter::new(conditioner.delay_samples()),
            conditioner,
            detector: QrsDetector::new(FS),
            marker: Marker::default(),
            marks: Ring::new(MARKS),
            gate: QualityGate::new(),
            block: Box::new(Block {
                notched: [0.0; BLOCK],
                conditioned: [0.0; BLOCK],
                marks: [Mark::default(); BLOCK],
                length: 0,
                met: 0,
            }),
            found: VecDeque::with_capacity(64),
            waiting: VecDeque::with_capacity(64),
            realigned_by: None,
            segment: [0.0; SEGMENT_SAMPLES],
            ended: false,
            lost_at: None,
            previous_r: 0.0,
            blind: Blind::default(),
        })
    }

    /// Filters a block of at most [`BLOCK`] samples, the first with the bits `first` and the others with `rest`. What
    /// happens in it comes out of [`Interior::step`] and must be taken up to [`Step::Done`] before the next block.
    pub(super) fn begin(&mut self, x: &[f64], first: MarkBits, rest: MarkBits) {
        let n = x.len();
        let Block { notched, conditioned, marks, length, met } = &mut *self.block;
        self.marker.run_block(x, first, rest, &mut marks[..n]);
        notched[..n].copy_from_slice(x);
        let beside = self.conditioner.begin_block(&mut notched[..n], &mut conditioned[..n]);
        let found = &mut self.found;
        let mut sink = |offset, detection| found.push_back((offset, detection));
        self.detector.run_block(&notched[..n], Some(beside), &mut sink);
        self.gate.run_ahead(&notched[..n]);
        (*length, *met) = (n, 0);
    }

    /// The next thing that happens in the block.
    #[inline]
    pub(super) fn step(&mut self) -> Step<'_> {
        if let Some(beat) = self.next_beat() {
            return Step::Beat(beat);
        }
        let (met, length) = (self.block.met, self.block.length);
        if met == length {
            return Step::Done;
        }
        let decided = self.found.front().map_or(length, |(offset, _)| offset + 1);
        let ready = self.first_place().map_or(length, |place| met + self.segmenter.samples_until(place));
        let end = length.min(decided).min(ready);
        self.meet(met, end);
        Step::Samples(&self.block.marks[met..end])
    }

    /// Takes the samples of the block from `from` to before `end` into what beats are made of.
    fn meet(&mut self, from: usize, end: usize) {
        let Block { notched, conditioned, marks, .. } = &mut *self.block;
        let marks = &mut marks[from..end];
        self.gate.run_block(&notched[from..end], &conditioned[from..end], marks);
        if Mark::any(marks).is_lead_off()
            && let Some(newest) = marks.iter().rposition(|mark| mark.is_lead_off())
        {
            self.lost_at = Some(self.marks.end() + newest as u64);
        }
        if Mark::any(marks).is_blind() {
            self.blind.take(marks, self.marks.end());
        }
        self.marks.extend(marks);
        self.segmenter.extend(&conditioned[from..end]);
        while let Some((_, detection)) = self.found.front().copied().filter(|(offset, _)| *offset < end) {
            self.found.pop_front();
            self.waiting.push_back(detection);
        }
        self.block.met = end;
    }

    /// Samples met since the last reset.
    pub(super) fn samples(&self) -> u64 {
        self.marks.end()
    }

    /// Ends the signal: every beat becomes ready. What is known of the lead is left.
    pub(super) fn finish(&mut self) {
        while let Some(conditioned) = self.conditioner.flush() {
            self.segmenter.extend(&[conditioned]);
        }
        let waiting = &mut self.waiting;
        self.detector.gap(&mut |detection| waiting.push_back(detection));
        self.ended = true;
    }

    /// The next beat that is ready.
    #[inline]
    pub(super) fn next_beat(&mut self) -> Option<RawBeat> {
        let mut whole = self.cut_first()?;
        if self.realigned_by.is_none() {
            let misaligned_by = if whole { self.gate.misalignment(&self.segment) } else { 0 };
            self.realigned_by = Some(misaligned_by);
            if misaligned_by != 0 {
                whole = self.cut_first()?;
            }
        }
        let place = self.first_place()?;
        let detection = self.waiting.pop_front()?;
        let realigned_by = self.realigned_by.take().unwrap_or(0);
        let behind = self.waiting.front().filter(|_| self.gate.wants_company());
        let behind = behind.and_then(|next| match self.segmenter.cut(next.r_peak) {
            Cut::Whole(segment) => Some(segment),
            _ => None,
        });
        let marks = self.span_marks(place);
        if self.blind.lies_between(self.previous_r, detection.r_peak) {
            self.gate.forget_heart();
        }
        let quality = self.gate.judge(&detection, &self.segment, whole, behind.as_ref(), marks);
        let interrupted = detection.flutter || self.lost_between(detection.r_peak);
        let turned = self.gate.has_turned();
        self.previous_r = detection.r_peak;
        let Detection { r_peak, polarity, .. } = detection;
        Some(RawBeat { r_peak, polarity, quality, realigned_by, interrupted, turned })
    }

    /// Where the R of the next segment lies.
    fn first_place(&self) -> Option<f64> {
        self.waiting.front().map(|detection| detection.r_peak + self.realigned_by.unwrap_or(0) as f64)
    }

    /// Cuts the segment of the first beat that waits; gives whether no sample of it is missing, `None` while it is early.
    fn cut_first(&mut self) -> Option<bool> {
        let place = self.first_place()?;
        self.segmenter.cut_into(place, self.ended, &mut self.segment)
    }

    /// The segment of the newest beat that was ready.
    pub(super) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(super) fn segmenter(&self) -> &Segmenter {
        &self.segmenter
    }

    pub(super) fn conditioner_delay(&self) -> usize {
        self.conditioner.delay_samples()
    }

    pub(super) fn decision_delay(&self) -> usize {
        self.detector.decision_delay()
    }

    /// As new.
    pub(super) fn reset(&mut self) {
        self.interrupt();
        self.detector.reset();
    }

    /// Forgets the samples; what is known of the lead is left.
    pub(super) fn interrupt(&mut self) {
        self.conditioner.reset();
        self.segmenter.reset();
        self.marker.reset();
        self.marks.clear();
        self.gate.reset();
        self.found.clear();
        self.waiting.clear();
        self.realigned_by = None;
        self.ended = false;
        self.lost_at = None;
        self.previous_r = 0.0;
        self.blind = Blind::default();
    }

    pub(super) fn gate(&self) -> &QualityGate {
        &self.gate
    }

    fn span_marks(&self, r_peak: f64) -> SpanMarks {
        let first = r_peak.round() as i64 - SEGMENT_R_INDEX as i64;
        let mut marks = SpanMarks::default();
        let reach = first - MARK_MARGIN..first + SEGMENT_SAMPLES as i64 + MARK_MARGIN;
        self.marks.held(reach).into_iter().for_each(|part| marks.add(part));
        marks
    }

    /// Whether some sample between the beat before and `r_peak` had no contact.
    fn lost_between(&self, r_peak: f64) -> bool {
        let Some(newest) = self.lost_at else { return false };
        if (newest as f64) < self.previous_r {
            return false;
        }
        let between = self.previous_r.max(0.0) as u64..r_peak.max(0.0) as u64;
        let held_from = self.marks.end().saturating_sub(MARKS as u64);
        // A stretch longer than what is held cannot be an interval between beats anyway.
        between.start < held_from || between.into_iter().any(|p| self.marks.get(p).is_some_and(Mark::is_lead_off))
    }
}
