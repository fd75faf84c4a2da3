//! Events as the pipeline says them, told apart by a number.

use super::*;

pub(super) fn identity(state: IdentityState, n: u64) -> Event {
    let verified = state == IdentityState::Verified;
    Event::Identity(IdentityEvent {
        state,
        subject: verified.then(|| "ada".to_owned()),
        score: Some(0.75),
        threshold: 0.5,
        quality: 0.9,
        reason: if verified { Reason::ScoreAboveThreshold } else { Reason::NoReferenceMatches },
        model: "test-model".into(),
        template_revision: verified.then_some(2),
        sample_index: n,
    })
}

pub(super) fn verified(n: u64) -> Event {
    identity(IdentityState::Verified, n)
}

pub(super) fn unknown(n: u64) -> Event {
    identity(IdentityState::Unknown, n)
}

pub(super) fn breathing() -> RespirationFigures {
    RespirationFigures {
        respiration_rate_per_min: Some(15.0),
        respiration_source: Some(RespirationFrom::Impedance),
        respiration_impedance_per_min: Some(15.0),
        respiration_ecg_per_min: Some(14.5),
        respiration_difference_per_min: Some(0.5),
        respiration_similarity: Some(0.9),
        respiration_reason: None,
    }
}

pub(super) fn signal(n: u64) -> Event {
    Event::Signal(SignalEvent {
        lead_off: false,
        quality: 1.0,
        reason: None,
        heart_rate_bpm: Some(62.0),
        missing_samples: 0,
        refused_frames: 0,
        delay_ms: 800.0,
        lead_inverted: Some(false),
        window_quality: Some(0.25),
        window_reason: Some(WindowReason::HighFrequency),
        liveness: Some(Reason::ReplaySuspected),
        liveness_suspicions: 3,
        respiration: breathing(),
        sample_index: n,
    })
}

pub(super) fn source(online: bool) -> Event {
    let (format, fs_hz) = (Some("cwxs-bin".to_owned()), Some(250.0));
    Event::Source(SourceEvent { online, format, fs_hz, problem: None })
}

pub(super) fn hrv() -> Event {
    Event::Hrv(Box::new(HrvEvent {
        window_s: 300.0,
        figures: HrvFigures {
            clean_s: 290.0,
            intervals: 300,
            mean_hr_bpm: Some(61.0),
            mean_nn_ms: Some(983.0),
            sdnn_ms: Some(50.0),
            rmssd_ms: Some(40.0),
            lf_hf: Some(1.5),
            correction: HrvCorrection::Causal,
            corrected_beats: 3,
            corrected_percent: 1.0,
            missing: [("pnn50_percent".to_owned(), "too short".to_owned())].into(),
            ..HrvFigures::default()
        },
        reason: None,
        day: Some(HrvDayFigures { sdann_ms: Some(120.0), ..HrvDayFigures::default() }),
        sample_index: 1,
    }))
}
