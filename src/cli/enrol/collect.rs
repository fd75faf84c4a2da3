//! From beats to what an enrolment is made of: the network and the names of reasons, for recordings and live alike.
//!
//! It remembers every beat that it was given, so that what is played again is not enrolled. It knows neither files nor
//! sources.

use ecg_identity::enrolment::{Enrolment, Fault, Placement};
use ecg_identity::{LivenessConfig, Suspicion};
use ecg_signal::{Beat, BeatAverager, Verdict};

use crate::enrolment::fault_of;
use crate::inference::{EmbedError, Model};
use crate::pipeline::liveness::LivenessGuard;

/// Takes beats and embeddings: a placement, or an enrolment in progress.
pub(super) trait Sink {
    fn accepted(&mut self, rr_s: Option<f64>);
    fn refused(&mut self, fault: Fault);
    fn doubted(&mut self, suspicion: Suspicion, fault: Option<Fault>);
    fn embedding(&mut self, embedding: &[f32]);
}

impl Sink for Placement {
    fn accepted(&mut self, rr_s: Option<f64>) {
        Self::accepted(self, rr_s);
    }

    fn refused(&mut self, fault: Fault) {
        Self::refused(self, fault);
    }

    fn doubted(&mut self, suspicion: Suspicion, fault: Option<Fault>) {
        Self::doubted(self, suspicion, fault);
    }

    fn embedding(&mut self, embedding: &[f32]) {
        Self::embedding(self, embedding);
    }
}

impl Sink for Enrolment {
    fn accepted(&mut self, rr_s: Option<f64>) {
        Self::accepted(self, rr_s);
    }

    fn refused(&mut self, fault: Fault) {
        Self::refused(self, fault);
    }

    fn doubted(&mut self, suspicion: Suspicion, fault: Option<Fault>) {
        Self::doubted(self, suspicion, fault);
    }

    fn embedding(&mut self, embedding: &[f32]) {
        Self::embedding(self, embedding);
    }
}

/// Beats to embeddings.
pub(super) struct Collector<'m> {
    model: &'m mut Model,
    averager: BeatAverager,
    liveness: LivenessGuard,
}

impl<'m> Collector<'m> {
    /// With `liveness` as it is configured; `None` believes every heart.
    pub(super) fn new(model: &'m mut Model, liveness: Option<LivenessConfig>) -> Self {
        let averager = BeatAverager::new(&model.preparation());
        Self { model, averager, liveness: LivenessGuard::new(liveness) }
    }

    /// Beats of before and after are not averaged together: another placement, another recording, lost samples.
    pub(super) fn interrupt(&mut self) {
        self.averager.reset();
    }

    /// Hands the next beat of a source at `fs_hz` on, and what the network makes of the newest ones.
    pub(super) fn push(&mut self, beat: &Beat, fs_hz: f64, sink: &mut impl Sink) -> Result<(), EmbedError> {
        if self.liveness.beat(beat, fs_hz).is_some() {
            // Doubted beats are not averaged with others.
            self.averager.reset();
        }
        if let Some(suspicion) = self.liveness.suspicion() {
            sink.doubted(suspicion, beat.quality.verdict.refusal().map(fault_of));
            return Ok(());
        }
        match beat.quality.verdict {
            Verdict::Accepted => sink.accepted(beat.rr_ms.map(|rr_ms| rr_ms / 1000.0)),
            Verdict::Refused(why) => sink.refused(fault_of(why)),
        }
        if let Some(input) = self.averager.push(beat) {
            sink.embedding(&self.model.embed(&input)?.values);
        }
        Ok(())
    }
}
