//! What every sample passes on its way out of a decoder: rails are marked, turns of the range joined, lone spikes
//! refused where a frame cannot prove itself.
//!
//! Must not know formats.

use crate::adc_code;
use crate::outlier::OutlierGate;
use crate::sample::{Decoded, Refusal, Sample};
use crate::wrap::WrapRepair;

/// See the head of the file.
#[derive(Debug, Clone)]
pub(crate) struct Exit {
    code_shift: u32,
    wrap: WrapRepair,
    outlier: Option<OutlierGate>,
}

impl Exit {
    /// For codes without their `code_shift` low bits, worth `millivolts_per_code` each.
    pub(crate) fn new(code_shift: u32, millivolts_per_code: f64, outlier_gate: bool) -> Self {
        Self {
            code_shift,
            wrap: WrapRepair::new(code_shift, millivolts_per_code),
            outlier: outlier_gate.then(|| OutlierGate::new(millivolts_per_code)),
        }
    }

    /// The same, but every sample passes.
    pub(crate) fn without_outlier_gate(self) -> Self {
        Self { outlier: None, ..self }
    }

    /// What comes next has no past.
    pub(crate) fn reset(&mut self) {
        self.wrap.reset();
        if let Some(gate) = &mut self.outlier {
            gate.reset();
        }
    }

    /// Hands a sample on if the gate believes it; else says that one was refused and is missing.
    ///
    /// A sample at the rail or without electrodes is marked as such already, and what follows it may jump.
    pub(crate) fn give(
        &mut self,
        code: i32,
        respiration: Option<i32>,
        lead_off: Option<bool>,
        sink: &mut impl FnMut(Decoded),
    ) {
        let clipped = adc_code::is_clipped(code, self.code_shift);
        let ecg = self.wrap.join(code);
        if let Some(gate) = &mut self.outlier {
            if clipped || lead_off == Some(true) {
                gate.reset();
            } else if !gate.passes(ecg) {
                sink(Decoded::Refused(Refusal::Slew));
                sink(Decoded::Missing { frames: 1 });
                return;
            }
        }
        sink(Decoded::Sample(Sample { ecg, respiration, clipped, lead_off }));
    }
}
