//! The quality of the signal as it is told: a lead-off bit that lies, windows that are refused, a record summed up.

use ecg_data::heart::{HeartParams, SyntheticHeart};
use ecg_identity::{DecisionConfig, LivenessConfig, Reference};
use ecg_signal::{Mains, ModelInput, PathInput, Preparation};
use ecgid::config::HrvConfig;
use ecgid::event::{Event, Reason, SignalEvent, SourceEvent};
use ecgid::pipeline::flow::SourceSample;
use ecgid::pipeline::front_end::FrontEnd;
use ecgid::pipeline::infer::Embedder;
use ecgid::pipeline::outlet::Telemetry;
use ecgid::pipeline::pulse::Pulse;
use ecgid::pipeline::tap::Tap;
use ecgid::pipeline::{self, Settings};
use ecgid::source::{Source, SourceSender, WhenFull};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::recordings::{data, ecgid, ecgid_json, text};

const FS: f64 = 250.0;

/// Nobody is enrolled here: every beat has the same embedding.
#[derive(Clone)]
struct Nobody;

impl Embedder for Nobody {
    fn id(&self) -> &str {
        "nobody"
    }

    fn preparation(&self) -> Preparation {
        Preparation::default()
    }

    fn embed(&mut self, _: &ModelInput) -> Result<Vec<f32>, String> {
        Ok(vec![1.0])
    }
}

/// A board whose samples are known in advance, its lead-off bit included.
struct Board(Vec<SourceSample>);

impl Source for Board {
    async fn run(self, out: SourceSender, _: CancellationToken) {
        let mut out = out.when_full(WhenFull::Wait);
        out.online(FrontEnd { format: "made".to_owned(), fs_hz: FS, scale: 1.0 }).await.unwrap();
        for block in self.0.chunks(10) {
            out.samples(block.to_vec()).await.unwrap();
        }
    }
}

/// A heart for so many seconds.
fn heart(seconds: usize) -> Vec<f64> {
    SyntheticHeart::new(&HeartParams::from_seed(3), FS, 1).unwrap().take(seconds * 250).collect()
}

fn with_bit(millivolts: &[f64], off: impl Fn(usize) -> bool) -> Board {
    let sample =
        |(at, &millivolts): (usize, &f64)| PathInput { millivolts, clipped: false, lead_off: Some(off(at)) }.into();
    Board(millivolts.iter().enumerate().map(sample).collect())
}

/// What is said of the signal and of the source.
async fn told(board: Board) -> (Vec<SignalEvent>, Vec<SourceEvent>) {
    let settings = Settings {
        mains: Mains::Hz50,
        decision: DecisionConfig::default(),
        liveness: Some(LivenessConfig::default()),
        hrv: HrvConfig { window: Duration::from_secs(60), every: Duration::from_secs(10) },
        telemetry: Telemetry::Wait,
        tap: Tap::default(),
    };
    let (events, mut said) = mpsc::channel(1);
    let gallery = Vec::<Reference>::new();
    let cancel = CancellationToken::new();
    let running = tokio::spawn(pipeline::run(board, settings, Nobody, gallery, events, Pulse::default(), cancel));
    let (mut signals, mut sources) = (Vec::new(), Vec::new());
    while let Some(event) = said.recv().await {
        match event {
            Event::Signal(signal) => signals.push(signal),
            Event::Source(source) => sources.push(source),
            _ => {}
        }
    }
    running.await.unwrap().unwrap();
    (signals, sources)
}

#[tokio::test(start_paused = true)]
async fn a_lead_off_bit_that_is_stuck_is_reported_once_and_silences_nothing() {
    let (signals, sources) = told(with_bit(&heart(60), |_| true)).await;
    assert_eq!(signals[0].reason, Some(Reason::LeadOff), "it is believed at first");
    // The statement at the very end is made after the path has been emptied.
    let settled = 30 * 250..60 * 250;
    let later: Vec<_> = signals.iter().filter(|signal| settled.contains(&signal.sample_index)).collect();
    assert!(later.len() >= 30, "{}", later.len());
    assert!(later.iter().all(|signal| !signal.lead_off && signal.reason.is_none()), "{later:?}");
    let last = later.last().unwrap();
    assert!(last.heart_rate_bpm.is_some() && last.quality > 0.9, "{last:?}");
    let problems: Vec<_> = sources.iter().filter_map(|source| source.problem.as_deref()).collect();
    assert_eq!(problems, ["the board's lead-off bit is set while a heart is seen; it is ignored"]);
    assert!(sources.iter().all(|source| source.online));
}

#[tokio::test(start_paused = true)]
async fn a_lead_off_bit_without_a_heart_is_believed_as_long_as_it_stands() {
    let mut millivolts = heart(20);
    millivolts.resize(60 * 250, 0.0);
    let (signals, sources) = told(with_bit(&millivolts, |at| at >= 20 * 250)).await;
    let later: Vec<_> = signals.iter().filter(|signal| signal.sample_index > 20 * 250).collect();
    assert!(later.len() >= 40 && later.iter().all(|signal| signal.lead_off), "{later:?}");
    assert!(sources.iter().all(|source| source.problem.is_none()), "{sources:?}");
}

#[tokio::test(start_paused = true)]
async fn a_window_of_noise_is_refused_with_its_reason_and_one_of_a_heart_is_not() {
    let mut state = 7_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    };
    let mut millivolts = heart(30);
    millivolts.extend((0..30 * 250).map(|_| noise()));
    let (signals, _) = told(with_bit(&millivolts, |_| false)).await;
    for signal in signals {
        let second = signal.sample_index / 250;
        let (score, reason) = (signal.window_quality, signal.window_reason);
        assert_eq!(score.is_some_and(|score| score < 0.5), reason.is_some(), "{second} s: {score:?}, {reason:?}");
        match second {
            0..=3 => assert_eq!(score, None),
            // The window is full of the heart, and then of noise, once the path's own delay has passed.
            15..=29 => assert!(score.unwrap() > 0.5, "{second} s: {score:?}, {reason:?}"),
            43..=59 => assert!(score.unwrap() < 0.2 && reason.is_some(), "{second} s: {score:?}"),
            _ => {}
        }
    }
}

#[test]
fn analyze_sums_up_the_windows_of_a_real_record() {
    let Some(record) = data("ecg-id/Person_01/rec_1.hea") else { return };
    let report = ecgid_json(&["analyze", text(&record), "--json"]);
    let quality = &report["signal_quality"];
    let windows = quality["windows"].as_u64().unwrap();
    let seconds = report["samples"].as_f64().unwrap() / report["fs"].as_f64().unwrap();
    assert!((seconds - 6.0..=seconds - 3.0).contains(&(windows as f64)), "{windows} windows in {seconds} s");
    let refused: u64 = quality["refused"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let good = quality["good_share"].as_f64().unwrap();
    assert!((good * windows as f64 - (windows - refused) as f64).abs() < 1e-6);
    assert!((0.0..=1.0).contains(&quality["score"].as_f64().unwrap()));
    for index in ["b_sqi", "k_sqi", "s_sqi", "p_sqi", "bas_sqi", "template_correlation"] {
        assert!(quality["indices"][index].is_number(), "{index}: {quality}");
    }
    let printed = String::from_utf8(ecgid(&["analyze", text(&record)]).stdout).unwrap();
    assert!(printed.contains("signal quality  ") && printed.contains("bSQI "), "{printed}");
}
