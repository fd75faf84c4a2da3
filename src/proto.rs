//! The published contract as protobuf, `proto/ecgid/v1`: the only file that knows it.
//!
//! The Rust types are generated from the `.proto` file and committed, so that a build needs no generator; a test
//! generates them again and compares.

use data_encoding::BASE64;
use prost::Message;

use crate::event::{IdentityState, NoRespiration, Reason, RespirationFrom, SignalEvent, SourceEvent, WindowReason};
use crate::publish::payload::{IdentityRecord, TelemetryRecord};

mod hrv;

pub(crate) use hrv::hrv;

/// The generated messages.
#[rustfmt::skip]
#[path = "proto/ecgid.v1.rs"]
#[allow(unreachable_pub, clippy::all, reason = "generated")]
pub mod v1;

/// Bytes of an identity event.
pub(crate) fn identity(record: &IdentityRecord) -> Vec<u8> {
    let event = &record.event;
    v1::IdentityEvent {
        schema: record.schema,
        id: record.id.clone(),
        boot_id: record.boot_id.clone(),
        seq: record.seq,
        issued_at_unix_ms: record.issued_at_unix_ms,
        expires_at_unix_ms: record.expires_at_unix_ms,
        gateway: record.gateway.clone(),
        device: record.device.clone(),
        state: v1::IdentityState::from(event.state).into(),
        subject: event.subject.clone(),
        score: event.score,
        threshold: event.threshold,
        quality: event.quality,
        reason: v1::Reason::from(event.reason).into(),
        model: event.model.clone(),
        template_revision: event.template_revision,
        sample_index: event.sample_index,
        uptime_ms: record.uptime_ms,
        nonce: record.nonce.clone(),
        key_id: record.key_id.clone(),
        signature: record.signature.as_ref().and_then(|text| BASE64.decode(text.as_bytes()).ok()),
    }
    .encode_to_vec()
}

/// Bytes of a signal status.
pub(crate) fn signal(record: &TelemetryRecord<'_, SignalEvent>) -> Vec<u8> {
    let event = record.event;
    let breathing = &event.respiration;
    v1::SignalStatus {
        schema: record.schema,
        boot_id: record.boot_id.to_owned(),
        issued_at_unix_ms: record.issued_at_unix_ms,
        gateway: record.gateway.to_owned(),
        device: record.device.to_owned(),
        lead_off: event.lead_off,
        quality: event.quality,
        reason: event.reason.map(|reason| v1::Reason::from(reason).into()),
        heart_rate_bpm: event.heart_rate_bpm,
        missing_samples: event.missing_samples,
        refused_frames: event.refused_frames,
        delay_ms: event.delay_ms,
        sample_index: event.sample_index,
        lead_inverted: event.lead_inverted,
        window_quality: event.window_quality,
        window_reason: event.window_reason.map(|reason| v1::WindowReason::from(reason).into()),
        liveness: event.liveness.map(|reason| v1::Reason::from(reason).into()),
        liveness_suspicions: event.liveness_suspicions,
        respiration_rate_per_min: breathing.respiration_rate_per_min,
        respiration_source: breathing.respiration_source.map(|source| v1::RespirationSource::from(source).into()),
        respiration_impedance_per_min: breathing.respiration_impedance_per_min,
        respiration_ecg_per_min: breathing.respiration_ecg_per_min,
        respiration_difference_per_min: breathing.respiration_difference_per_min,
        respiration_similarity: breathing.respiration_similarity,
        respiration_reason: breathing.respiration_reason.map(|reason| v1::RespirationReason::from(reason).into()),
    }
    .encode_to_vec()
}

/// Bytes of the state of the source.
pub(crate) fn source(record: &TelemetryRecord<'_, SourceEvent>) -> Vec<u8> {
    let event = record.event;
    v1::Availability {
        schema: record.schema,
        boot_id: record.boot_id.to_owned(),
        issued_at_unix_ms: record.issued_at_unix_ms,
        gateway: record.gateway.to_owned(),
        device: record.device.to_owned(),
        online: event.online,
        format: event.format.clone(),
        fs_hz: event.fs_hz,
        problem: event.problem.clone(),
    }
    .encode_to_vec()
}

impl From<IdentityState> for v1::IdentityState {
    fn from(state: IdentityState) -> Self {
        match state {
            IdentityState::NoSignal => Self::NoSignal,
            IdentityState::Acquiring => Self::Acquiring,
            IdentityState::Verified => Self::Verified,
            IdentityState::Unknown => Self::Unknown,
            IdentityState::Uncertain => Self::Uncertain,
        }
    }
}

impl From<Reason> for v1::Reason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Starting => Self::Starting,
            Reason::SourceLost => Self::SourceLost,
            Reason::Gap => Self::Gap,
            Reason::LeadOff => Self::LeadOff,
            Reason::FlatLine => Self::FlatLine,
            Reason::Clipping => Self::Clipping,
            Reason::Noise => Self::Noise,
            Reason::Collecting => Self::Collecting,
            Reason::ScoreAboveThreshold => Self::ScoreAboveThreshold,
            Reason::NoReferenceMatches => Self::NoReferenceMatches,
            Reason::ScoreNearThreshold => Self::ScoreNearThreshold,
            Reason::NobodyEnrolled => Self::NobodyEnrolled,
            Reason::FrontEndChanged => Self::FrontEndChanged,
            Reason::Stopping => Self::Stopping,
            Reason::ReplaySuspected => Self::ReplaySuspected,
            Reason::RhythmTooRegular => Self::RhythmTooRegular,
            Reason::PersonChanged => Self::PersonChanged,
            Reason::TwoSubjectsMatch => Self::TwoSubjectsMatch,
        }
    }
}

impl From<RespirationFrom> for v1::RespirationSource {
    fn from(source: RespirationFrom) -> Self {
        match source {
            RespirationFrom::Impedance => Self::Impedance,
            RespirationFrom::Ecg => Self::Ecg,
        }
    }
}

impl From<NoRespiration> for v1::RespirationReason {
    fn from(reason: NoRespiration) -> Self {
        match reason {
            NoRespiration::Collecting => Self::Collecting,
            NoRespiration::Still => Self::Still,
            NoRespiration::Motion => Self::Motion,
            NoRespiration::Irregular => Self::Irregular,
        }
    }
}

impl From<WindowReason> for v1::WindowReason {
    fn from(reason: WindowReason) -> Self {
        match reason {
            WindowReason::NoBeats => Self::NoBeats,
            WindowReason::DetectorsDisagree => Self::DetectorsDisagree,
            WindowReason::Distribution => Self::Distribution,
            WindowReason::HighFrequency => Self::HighFrequency,
            WindowReason::BaselineWander => Self::BaselineWander,
            WindowReason::BeatsDiffer => Self::BeatsDiffer,
        }
    }
}
