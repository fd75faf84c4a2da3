//! The HRV summary in protobuf.

use prost::Message;

use super::v1;
use crate::event::{HrvCorrection, HrvDayFigures, HrvEvent, HrvHour};
use crate::publish::payload::TelemetryRecord;

/// Bytes of an HRV summary.
pub(crate) fn hrv(record: &TelemetryRecord<'_, HrvEvent>) -> Vec<u8> {
    let event = record.event;
    let figures = &event.figures;
    let missing =
        |(figure, reason): (&String, &String)| v1::HrvMissing { figure: figure.clone(), reason: reason.clone() };
    v1::HrvSummary {
        schema: record.schema,
        boot_id: record.boot_id.to_owned(),
        issued_at_unix_ms: record.issued_at_unix_ms,
        gateway: record.gateway.to_owned(),
        device: record.device.to_owned(),
        window_s: event.window_s,
        clean_s: figures.clean_s,
        intervals: figures.intervals,
        mean_hr_bpm: figures.mean_hr_bpm,
        mean_nn_ms: figures.mean_nn_ms,
        sdnn_ms: figures.sdnn_ms,
        rmssd_ms: figures.rmssd_ms,
        pnn50_percent: figures.pnn50_percent,
        sdsd_ms: figures.sdsd_ms,
        pnn20_percent: figures.pnn20_percent,
        cvnn_percent: figures.cvnn_percent,
        triangular_index: figures.triangular_index,
        vlf_ms2: figures.vlf_ms2,
        lf_ms2: figures.lf_ms2,
        hf_ms2: figures.hf_ms2,
        total_power_ms2: figures.total_power_ms2,
        lf_hf: figures.lf_hf,
        lf_nu: figures.lf_nu,
        hf_nu: figures.hf_nu,
        lf_whole_bins_ms2: figures.lf_whole_bins_ms2,
        hf_whole_bins_ms2: figures.hf_whole_bins_ms2,
        lf_hf_whole_bins: figures.lf_hf_whole_bins,
        lomb_vlf_ms2: figures.lomb_vlf_ms2,
        lomb_lf_ms2: figures.lomb_lf_ms2,
        lomb_hf_ms2: figures.lomb_hf_ms2,
        lomb_total_power_ms2: figures.lomb_total_power_ms2,
        lomb_lf_hf: figures.lomb_lf_hf,
        lomb_lf_nu: figures.lomb_lf_nu,
        lomb_hf_nu: figures.lomb_hf_nu,
        sd1_ms: figures.sd1_ms,
        sd2_ms: figures.sd2_ms,
        sd1_sd2: figures.sd1_sd2,
        approximate_entropy: figures.approximate_entropy,
        sample_entropy: figures.sample_entropy,
        dfa_alpha1: figures.dfa_alpha1,
        dfa_alpha2: figures.dfa_alpha2,
        spectrum_method: figures.spectrum_method.clone(),
        correction: v1::HrvCorrection::from(figures.correction).into(),
        corrected_beats: figures.corrected_beats,
        corrected_percent: figures.corrected_percent,
        ectopic_beats: figures.ectopic_beats,
        missed_beats: figures.missed_beats,
        extra_beats: figures.extra_beats,
        long_or_short_intervals: figures.long_or_short_intervals,
        irregular_percent: figures.irregular_percent,
        missing: figures.missing.iter().map(missing).collect(),
        day: event.day.as_ref().map(v1::HrvDay::from),
        reason: event.reason.clone(),
        sample_index: event.sample_index,
    }
    .encode_to_vec()
}

impl From<&HrvDayFigures> for v1::HrvDay {
    fn from(day: &HrvDayFigures) -> Self {
        Self {
            clean_s: day.clean_s,
            stretches: day.stretches,
            sdann_ms: day.sdann_ms,
            sdnn_index_ms: day.sdnn_index_ms,
            reason: day.reason.clone(),
            hours: day.hours.iter().map(v1::HrvHour::from).collect(),
        }
    }
}

impl From<&HrvHour> for v1::HrvHour {
    fn from(hour: &HrvHour) -> Self {
        Self {
            begin_s: hour.begin_s,
            clean_s: hour.clean_s,
            mean_hr_bpm: hour.mean_hr_bpm,
            mean_nn_ms: hour.mean_nn_ms,
        }
    }
}

impl From<HrvCorrection> for v1::HrvCorrection {
    fn from(correction: HrvCorrection) -> Self {
        match correction {
            HrvCorrection::None => Self::None,
            HrvCorrection::TwoSided => Self::TwoSided,
            HrvCorrection::Causal => Self::Causal,
        }
    }
}
