//! The breathing beside the signal path: samples and beats in, figures for the signal event out.
//!
//! It knows no queue and no topic. What it says is as old as the last estimate; a gap or a lost contact takes it back at
//! once.

use ecg_signal::{Beat, Breathing, Hertz, NoRate, PathError, RespirationMonitor, RespirationSource};

use super::flow::SourceSample;
use crate::event::{NoRespiration, RespirationFigures, RespirationFrom};

/// Follows the breathing of one front end.
#[derive(Debug)]
pub(super) struct Respiration {
    monitor: RespirationMonitor,
    known: Option<Breathing>,
}

impl Respiration {
    pub(super) fn new(fs: Hertz) -> Result<Self, PathError> {
        Ok(Self { monitor: RespirationMonitor::new(fs).map_err(PathError::Filter)?, known: None })
    }

    /// Takes the next source sample; `bit_ignored`: the board's lead-off bit is not believed.
    pub(super) fn sample(&mut self, sample: &SourceSample, bit_ignored: bool) {
        let lead_off = sample.ecg.lead_off == Some(true) && !bit_ignored;
        if lead_off {
            // Without its electrodes the channel measures something else, and the next breath may be another person's.
            self.gap(0);
        }
        if let Some(breathing) = self.monitor.push(sample.respiration.filter(|_| !lead_off)) {
            self.known = Some(breathing);
        }
    }

    /// Takes the next beat of the same front end.
    pub(super) fn beat(&mut self, beat: &Beat) {
        self.monitor.push_beat(beat);
    }

    /// Samples are missing here.
    pub(super) fn gap(&mut self, missing: u64) {
        self.monitor.gap(missing);
        self.known = None;
    }

    /// What is known now.
    pub(super) fn figures(&self) -> RespirationFigures {
        let Some(known) = &self.known else {
            return RespirationFigures {
                respiration_reason: Some(NoRespiration::Collecting),
                ..RespirationFigures::default()
            };
        };
        let rate = known.rate();
        // A channel that is not wired explains nothing: then it is the beats that could have told.
        let unwired = matches!(known.impedance, Err(NoRate::Absent | NoRate::Still));
        let reason = if unwired { known.ecg.err() } else { known.impedance.err() };
        RespirationFigures {
            respiration_rate_per_min: rate.map(|(rate, _)| rate.per_min),
            respiration_source: rate.map(|(_, source)| match source {
                RespirationSource::Impedance => RespirationFrom::Impedance,
                RespirationSource::Ecg => RespirationFrom::Ecg,
            }),
            respiration_impedance_per_min: known.impedance.ok().map(|rate| rate.per_min),
            respiration_ecg_per_min: known.ecg.ok().map(|rate| rate.per_min),
            respiration_difference_per_min: known.agreement.map(|agreement| agreement.difference_per_min),
            respiration_similarity: known.agreement.map(|agreement| agreement.similarity),
            respiration_reason: reason.filter(|_| rate.is_none()).map(NoRespiration::from),
        }
    }
}

impl From<NoRate> for NoRespiration {
    fn from(reason: NoRate) -> Self {
        match reason {
            // Absent is said of a channel alone, and then the reason is that of the beats.
            NoRate::Absent | NoRate::Collecting => Self::Collecting,
            NoRate::Still => Self::Still,
            NoRate::Motion => Self::Motion,
            NoRate::Irregular => Self::Irregular,
        }
    }
}
