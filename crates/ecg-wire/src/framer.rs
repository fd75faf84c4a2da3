//! Finds frames of one fixed length in a stream of bytes, in any chunks, and says what lay between them.
//!
//! The same for every binary format; a [`Layout`] brings what differs. What it says is a function of the bytes
//! alone, never of how they were cut into chunks. It holds less than [`CAPACITY`] bytes and allocates once.
//!
//! Must not know what the fields mean.

use crate::adc_code;
use crate::continuity::{Continuity, Step};
use crate::outlier::OutlierGate;
use crate::sample::{Decoded, Refusal, Sample};

/// Bytes held at most: a few frames of the longest format, so that a push of any size is worked off in pieces.
const CAPACITY: usize = 1024;

/// The longest run of unreadable bytes, in frames, whose length is taken for a number of lost frames.
/// Beyond it the bytes are rather boot text or a wrong line speed, and the caller's rate tells better.
const MAX_INFERRED: usize = 16;

/// What one binary format is.
pub(crate) trait Layout {
    /// Bytes of a frame.
    fn frame_len(&self) -> usize;

    /// Whether `bytes`, one or more and fewer than a frame or as many, can be the beginning of a frame.
    /// With more bytes the answer may only turn from yes to no.
    fn begins(&self, bytes: &[u8]) -> bool;

    /// Whether a whole frame, whose beginning is good, is intact as far as it can prove it.
    fn check(&self, frame: &[u8]) -> Result<(), Refusal>;

    /// Takes a checked frame apart.
    fn read(&self, frame: &[u8]) -> Fields;

    /// Bytes of the next frame that must be good too before the first frame after a loss of sync is believed.
    fn confirmation(&self) -> usize {
        0
    }

    /// Whether a frame proves itself by a checksum; if not, its samples pass the outlier gate.
    fn is_checksummed(&self) -> bool {
        false
    }
}

/// The content of one frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) counter: Option<u32>,
    pub(crate) ecg: i32,
    pub(crate) other: Option<i32>,
    pub(crate) lead_off: Option<bool>,
}

/// What stands at a place in the bytes.
enum Look {
    Frame,
    No(Refusal),
    More,
}

/// See the head of the file.
#[derive(Debug, Clone)]
pub(crate) struct Framer<L> {
    layout: L,
    code_shift: u32,
    gate: Option<OutlierGate>,
    held: Vec<u8>,
    continuity: Continuity,
    /// The byte before this one ended a good frame.
    in_sync: bool,
    /// A frame was accepted since the start: what is skipped from here on lies between frames.
    started: bool,
    /// Bytes skipped since the last good frame.
    skipped: usize,
    /// Of them, those since the last refusal was said.
    unreported: usize,
}

impl<L: Layout> Framer<L> {
    /// `gate` is `None` where the caller wants every sample; a checksummed layout never uses it.
    pub(crate) fn new(layout: L, code_shift: u32, gate: Option<OutlierGate>) -> Self {
        let gate = gate.filter(|_| !layout.is_checksummed());
        Self {
            layout,
            code_shift,
            gate,
            held: Vec::with_capacity(CAPACITY),
            continuity: Continuity::default(),
            in_sync: false,
            started: false,
            skipped: 0,
            unreported: 0,
        }
    }

    /// As new.
    pub(crate) fn reset(&mut self) {
        self.held.clear();
        self.continuity = Continuity::default();
        self.in_sync = false;
        self.started = false;
        self.skipped = 0;
        self.unreported = 0;
        self.reset_gate();
    }

    pub(crate) fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Decoded)) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CAPACITY - self.held.len()));
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(now);
            let used = self.scan(&held, sink);
            held.drain(..used);
            self.held = held;
            bytes = later;
        }
    }

    /// Works off `bytes` as far as they can be judged; returns how far.
    fn scan(&mut self, bytes: &[u8], sink: &mut impl FnMut(Decoded)) -> usize {
        let frame_len = self.layout.frame_len();
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            match self.look(rest) {
                Look::More => return at,
                Look::No(reason) => {
                    self.skip(reason, sink);
                    at += 1;
                }
                Look::Frame => {
                    self.accept(&rest[..frame_len], sink);
                    at += frame_len;
                }
            }
        }
    }

    fn look(&self, rest: &[u8]) -> Look {
        let frame_len = self.layout.frame_len();
        let needed = if self.in_sync { frame_len } else { frame_len + self.layout.confirmation() };
        if rest.is_empty() {
            return Look::More;
        }
        if !self.layout.begins(&rest[..rest.len().min(frame_len)]) {
            return Look::No(Refusal::Garbage);
        }
        if rest.len() < needed {
            return Look::More;
        }
        if needed > frame_len && !self.layout.begins(&rest[frame_len..needed]) {
            return Look::No(Refusal::Garbage);
        }
        match self.layout.check(&rest[..frame_len]) {
            Ok(()) => Look::Frame,
            Err(reason) => Look::No(reason),
        }
    }

    /// Gives up one byte. Says so at the first of a run, and then at most once a frame length, when a frame that
    /// looked like one turns out bad: a long noise is not a flood of reports.
    fn skip(&mut self, reason: Refusal, sink: &mut impl FnMut(Decoded)) {
        let first = self.skipped == 0;
        let another = reason != Refusal::Garbage && self.unreported >= self.layout.frame_len();
        if first || another {
            self.unreported = 0;
            sink(Decoded::Refused(reason));
        }
        self.in_sync = false;
        self.skipped = self.skipped.saturating_add(1);
        self.unreported = self.unreported.saturating_add(1);
    }

    fn accept(&mut self, frame: &[u8], sink: &mut impl FnMut(Decoded)) {
        let fields = self.layout.read(frame);
        match fields.counter {
            Some(counter) => self.follow(counter, sink),
            None => self.infer_missing(sink),
        }
        self.in_sync = true;
        self.started = true;
        self.skipped = 0;
        self.unreported = 0;
        self.give(fields, sink);
    }

    fn follow(&mut self, counter: u32, sink: &mut impl FnMut(Decoded)) {
        match self.continuity.step(counter) {
            Step::Next => return,
            Step::Missing(frames) => sink(Decoded::Missing { frames: u64::from(frames) }),
            Step::Restart => sink(Decoded::Refused(Refusal::CounterReset)),
        }
        self.reset_gate();
    }

    /// Without a counter: so many bytes were unreadable between two frames, so many frames they were.
    fn infer_missing(&mut self, sink: &mut impl FnMut(Decoded)) {
        let frame_len = self.layout.frame_len();
        let frames = (self.skipped + frame_len / 2) / frame_len;
        if self.started && (1..=MAX_INFERRED).contains(&frames) {
            sink(Decoded::Missing { frames: frames as u64 });
        }
        if self.skipped > 0 {
            self.reset_gate();
        }
    }

    fn give(&mut self, fields: Fields, sink: &mut impl FnMut(Decoded)) {
        let clipped = adc_code::is_clipped(fields.ecg, self.code_shift);
        let sample = Sample { ecg: fields.ecg, respiration: fields.other, clipped, lead_off: fields.lead_off };
        give(sample, self.gate.as_mut(), sink);
    }

    fn reset_gate(&mut self) {
        if let Some(gate) = &mut self.gate {
            gate.reset();
        }
    }
}

/// Hands on a sample if the gate believes it; else says that one was refused and is missing.
///
/// A sample at the rail or without electrodes is marked as such already, and what follows it may jump.
pub(crate) fn give(sample: Sample, gate: Option<&mut OutlierGate>, sink: &mut impl FnMut(Decoded)) {
    if let Some(gate) = gate {
        if sample.clipped || sample.lead_off == Some(true) {
            gate.reset();
        } else if !gate.passes(sample.ecg) {
            sink(Decoded::Refused(Refusal::Slew));
            sink(Decoded::Missing { frames: 1 });
            return;
        }
    }
    sink(Decoded::Sample(sample));
}
