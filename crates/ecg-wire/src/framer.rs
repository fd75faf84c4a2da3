//! Finds frames of one fixed length in a stream of bytes, in any chunks, and says what lay between them.
//!
//! The same for every binary format; a [`Layout`] brings what differs. What it says is a function of the bytes
//! alone, never of how they were cut into chunks. It holds less than [`CAPACITY`] bytes and allocates once.
//!
//! Must not know what the fields mean.

use crate::continuity::{Continuity, Step};
use crate::exit::Exit;
use crate::sample::{Decoded, Refusal};

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
    exit: Exit,
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
    /// `exit` passes the samples on; a checksummed layout refuses none of them there.
    pub(crate) fn new(layout: L, exit: Exit) -> Self {
        let proven = layout.is_checksummed();
        Self {
            exit: if proven { exit.without_outlier_gate() } else { exit },
            layout,
            held: Vec::with_capacity(CAPACITY),
            continuity: Continuity::new(proven),
            in_sync: false,
            started: false,
            skipped: 0,
            unreported: 0,
        }
    }

    /// As new.
    pub(crate) fn reset(&mut self) {
        self.held.clear();
        self.continuity.reset();
        self.in_sync = false;
        self.started = false;
        self.skipped = 0;
        self.unreported = 0;
        self.exit.reset();
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
        let unreadable = self.unreadable_frames();
        if self.skipped > 0 {
            self.exit.reset();
        }
        self.in_sync = true;
        self.started = true;
        self.skipped = 0;
        self.unreported = 0;
        match fields.counter {
            Some(counter) if !self.follows(counter, unreadable, sink) => {}
            Some(_) => self.exit.give(fields.ecg, fields.other, fields.lead_off, sink),
            None => {
                if unreadable > 0 {
                    sink(Decoded::Missing { frames: u64::from(unreadable) });
                }
                self.exit.give(fields.ecg, fields.other, fields.lead_off, sink);
            }
        }
    }

    /// How many frames the bytes skipped since the last one were: exact when they were altered and not lost;
    /// 0 when they are too many to tell, or came before the first frame.
    fn unreadable_frames(&self) -> u32 {
        let frame_len = self.layout.frame_len();
        let frames = self.skipped.saturating_add(frame_len / 2) / frame_len;
        if self.started && frames <= MAX_INFERRED { frames as u32 } else { 0 }
    }

    /// Says what the counter says; whether the frame is to be believed.
    fn follows(&mut self, counter: u32, unreadable: u32, sink: &mut impl FnMut(Decoded)) -> bool {
        let step = self.continuity.step(counter, unreadable);
        match step {
            Step::Next => return true,
            Step::Missing(frames) => sink(Decoded::Missing { frames: u64::from(frames) }),
            Step::Restart => sink(Decoded::Refused(Refusal::CounterReset)),
            Step::Doubtful => sink(Decoded::Refused(Refusal::CounterJump)),
        }
        self.exit.reset();
        step != Step::Doubtful
    }

    #[cfg(test)]
    pub(crate) fn held_capacity(&self) -> usize {
        self.held.capacity()
    }
}
