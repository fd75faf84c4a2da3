//! Runs of source samples with the same marks, on their way to 250 Hz.
//!
//! Must not know what becomes of the marks.

use super::{PathInput, SignalPath};
use crate::beat::Beat;
use crate::kernel::Kernel;
use crate::quality::MarkBits;

impl SignalPath {
    /// Takes samples that all have the marks `bits`, at least one and at most `longest` of them; behind a cut top one of them
    /// is marked as clipped.
    pub(super) fn run(&mut self, mut inputs: &[PathInput], bits: MarkBits, sink: &mut impl FnMut(Beat)) {
        if !bits.lead_off {
            let mut limited = std::mem::take(&mut self.buffers.limited);
            limited.clear();
            limited.extend(inputs.iter().map(|input| input.millivolts));
            if self.cut_tops.take_moving(&limited) {
                self.held_mv = limited[limited.len() - 1];
                return self.limit(limited, bits, sink);
            }
            self.buffers.limited = limited;
        }
        while let Some(cut) = self.cut_tops.first_in(inputs) {
            let (before, rest) = inputs.split_at(cut);
            self.run_alike(before, bits, sink);
            self.run_alike(&rest[..1], MarkBits { clipped: true, ..bits }, sink);
            inputs = &rest[1..];
        }
        self.run_alike(inputs, bits, sink);
    }

    /// Takes samples that all have the marks `bits`; what is not usable is held.
    fn run_alike(&mut self, inputs: &[PathInput], bits: MarkBits, sink: &mut impl FnMut(Beat)) {
        if inputs.is_empty() {
            return;
        }
        let mut limited = std::mem::take(&mut self.buffers.limited);
        limited.clear();
        for input in inputs {
            if input.is_usable() {
                self.held_mv = input.millivolts;
            } else {
                self.unusable += 1;
            }
            limited.push(self.held_mv);
        }
        self.limit(limited, bits, sink);
    }

    /// Takes usable samples, in the buffer that is given back, through the limiter of jumps.
    fn limit(&mut self, mut limited: Vec<f64>, bits: MarkBits, sink: &mut impl FnMut(Beat)) {
        if self.slew.run_calm_block(&mut limited) {
            self.take(&limited, limited.len(), bits, sink);
        } else {
            for &x in &limited {
                let x = self.slew.push(x);
                let bits = MarkBits { jumped: self.slew.has_jumped(), ..bits };
                self.take(x.as_slice(), 1, bits, sink);
            }
        }
        self.buffers.limited = limited;
    }
}
