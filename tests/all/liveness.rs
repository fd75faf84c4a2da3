//! A heart that is played, and a front end that changes, as a subscriber hears of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecg_data::heart::{HeartParams, Noise, SyntheticHeart};
use ecg_identity::{LivenessConfig, Reference};
use ecg_signal::{Mains, ModelInput, PathInput, Preparation};
use ecgid::config::{Config, HrvConfig};
use ecgid::event::{Event, IdentityEvent, IdentityState, Reason, SignalEvent};
use ecgid::inference::Model;
use ecgid::pipeline::front_end::FrontEnd;
use ecgid::pipeline::gallery::Gallery;
use ecgid::pipeline::infer::Embedder;
use ecgid::pipeline::outlet::Telemetry;
use ecgid::pipeline::pulse::Pulse;
use ecgid::pipeline::tap::{Heard, Tap};
use ecgid::pipeline::{self, Settings};
use ecgid::source::{Source, SourceSender, WhenFull};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const FS: f64 = 250.0;
const SECOND: usize = 250;

/// Whatever beats is anna: what is refused here is not refused by its looks.
#[derive(Clone)]
struct Anna;

impl Embedder for Anna {
    fn id(&self) -> &str {
        "anna"
    }

    fn preparation(&self) -> Preparation {
        Preparation::default()
    }

    fn embed(&mut self, _: &ModelInput) -> Result<Vec<f32>, String> {
        Ok(vec![1.0])
    }
}

/// Anna's reference belongs to the format `a`; remembers which front ends were asked for.
#[derive(Clone, Default)]
struct OfFormatA(Arc<Mutex<Vec<String>>>);

impl Gallery for OfFormatA {
    fn read(&mut self, front_end: &str, _: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
        if !always {
            return Ok(None);
        }
        self.0.lock().unwrap().push(front_end.to_owned());
        let anna = Reference { subject: "anna".to_owned(), revision: 1, template: vec![1.0].into() };
        Ok(Some(if front_end.starts_with("a/") { vec![anna] } else { Vec::new() }))
    }
}

/// Stretches of samples, each from a front end of its own format.
struct Boards(Vec<(&'static str, Vec<f64>)>);

impl Source for Boards {
    async fn run(self, out: SourceSender, _: CancellationToken) {
        let mut out = out.when_full(WhenFull::Wait);
        for (format, millivolts) in self.0 {
            out.online(FrontEnd { format: format.to_owned(), fs_hz: FS, scale: 1.0 }).await.unwrap();
            for block in millivolts.chunks(10) {
                out.samples(block.iter().map(|x| PathInput::of(*x).into()).collect()).await.unwrap();
            }
        }
    }
}

async fn told(boards: Boards, gallery: OfFormatA, liveness: LivenessConfig) -> (Vec<IdentityEvent>, Vec<SignalEvent>) {
    told_beside(boards, gallery, liveness, Tap::default()).await
}

/// As `told`, while somebody may listen at the tap.
async fn told_beside(
    boards: Boards,
    gallery: OfFormatA,
    liveness: LivenessConfig,
    tap: Tap,
) -> (Vec<IdentityEvent>, Vec<SignalEvent>) {
    let model = Model::load(std::path::Path::new("models/ecgid-1.onnx")).unwrap();
    let decision = Config::default().identity.decision_with(&model);
    assert!(decision.calibrated.is_some(), "the decision as it is shipped, which begins with the first heartbeat");
    let settings = Settings {
        mains: Mains::Hz50,
        decision,
        liveness: Some(liveness),
        hrv: HrvConfig { window: Duration::from_secs(60), every: Duration::from_secs(10) },
        telemetry: Telemetry::Wait,
        tap,
    };
    let (events, mut said) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let running = tokio::spawn(pipeline::run(boards, settings, Anna, gallery, events, Pulse::default(), cancel));
    let (mut identities, mut signals) = (Vec::new(), Vec::new());
    while let Some(event) = said.recv().await {
        match event {
            Event::Identity(identity) => identities.push(identity),
            Event::Signal(signal) => signals.push(signal),
            _ => {}
        }
    }
    running.await.unwrap().unwrap();
    (identities, signals)
}

/// A minute of a heart.
fn heart(rr_sd_s: f64) -> Vec<f64> {
    let params = HeartParams { rr_sd_s, ..HeartParams::from_seed(3) };
    SyntheticHeart::new(&params, FS, 1).unwrap().with_noise(Noise::at_rest()).take(60 * SECOND).collect()
}

fn spoken(identities: &[IdentityEvent]) -> Vec<(IdentityState, Reason)> {
    identities.iter().map(|event| (event.state, event.reason)).collect()
}

#[tokio::test(start_paused = true)]
async fn earlier_signal_played_again_ends_verified_and_says_why() {
    let genuine = heart(0.04);
    let mut millivolts = genuine.clone();
    millivolts.extend(genuine[20 * SECOND..45 * SECOND].iter().map(|x| 0.8 * x));
    let (identities, signals) =
        told(Boards(vec![("a", millivolts)]), OfFormatA::default(), LivenessConfig::default()).await;
    let expected = [
        (IdentityState::NoSignal, Reason::Starting),
        (IdentityState::Acquiring, Reason::Collecting),
        (IdentityState::Verified, Reason::ScoreAboveThreshold),
        (IdentityState::Uncertain, Reason::ReplaySuspected),
        (IdentityState::NoSignal, Reason::Stopping),
    ];
    assert_eq!(spoken(&identities), expected);
    let at_s = identities[3].sample_index as f64 / FS;
    assert!((60.0..75.0).contains(&at_s), "at {at_s:.1} s");
    let last = signals.last().unwrap();
    assert_eq!((last.liveness, last.liveness_suspicions), (Some(Reason::ReplaySuspected), 1));
    assert!(signals.iter().filter(|signal| signal.sample_index < 60 * 250).all(|signal| signal.liveness.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_heart_that_beats_like_a_metronome_is_never_verified() {
    let metronome = Boards(vec![("a", heart(0.0))]);
    let (identities, _) = told(metronome, OfFormatA::default(), LivenessConfig::default()).await;
    assert!(spoken(&identities).contains(&(IdentityState::Uncertain, Reason::RhythmTooRegular)), "{identities:?}");
    assert!(identities.iter().all(|event| event.state != IdentityState::Verified), "{identities:?}");
}

#[tokio::test(start_paused = true)]
async fn a_front_end_that_changes_in_mid_stream_ends_all_evidence_and_is_held_against_its_own_references_alone() {
    let genuine = heart(0.04);
    let (first, second) = genuine.split_at(30 * SECOND);
    let gallery = OfFormatA::default();
    let boards = Boards(vec![("a", first.to_vec()), ("b", second.to_vec())]);
    let (identities, _) = told(boards, gallery.clone(), LivenessConfig::default()).await;
    let expected = [
        (IdentityState::NoSignal, Reason::Starting),
        (IdentityState::Acquiring, Reason::Collecting),
        (IdentityState::Verified, Reason::ScoreAboveThreshold),
        (IdentityState::Acquiring, Reason::Collecting),
        (IdentityState::Unknown, Reason::NobodyEnrolled),
        (IdentityState::NoSignal, Reason::Stopping),
    ];
    assert_eq!(spoken(&identities), expected);
    let asked = gallery.0.lock().unwrap().clone();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[0].starts_with("a/250Hz/") && asked[1].starts_with("b/250Hz/"), "{asked:?}");
}

/// What an enrolment hears, in order, of good beats (`a`), doubted ones (`d`) and embeddings (`e`).
async fn heard(boards: Boards) -> String {
    let tap = Tap::default();
    let mut listener = tap.listen();
    let listening = tokio::spawn(async move {
        let mut heard = String::new();
        while let Some(one) = listener.recv().await {
            heard.push_str(match one {
                Heard::Accepted { .. } => "a",
                Heard::Doubted { .. } => "d",
                Heard::Embedding(_) => "e",
                _ => "",
            });
        }
        heard
    });
    told_beside(boards, OfFormatA::default(), LivenessConfig::default(), tap).await;
    listening.await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_enrolment_hears_of_every_doubted_beat_and_gets_no_embedding_of_it() {
    let genuine = heart(0.04);
    let (before, after) = genuine.split_at(25 * SECOND);
    let heard = self::heard(Boards(vec![("a", [before, before, after].concat())])).await;
    let first = heard.find('d').unwrap_or_else(|| panic!("no doubt: {heard}"));
    let last = heard.rfind('d').unwrap();
    assert!(heard[first..=last].bytes().all(|one| one == b'd') && last - first >= 20, "{heard}");
    assert!(heard[..first].contains("ae") && heard[last..].contains("ae"), "{heard}");
    // The first average after the doubt is of five new beats.
    assert!(heard[last + 1..].starts_with("aaaaae"), "{heard}");
    let metronome = self::heard(Boards(vec![("a", heart(0.0))])).await;
    let doubted = metronome.find('d').unwrap_or_else(|| panic!("no doubt: {metronome}"));
    assert!(metronome[doubted..].bytes().all(|one| one == b'd'), "{metronome}");
    assert!(metronome[..doubted].matches('a').count() < 12, "{metronome}");
}
