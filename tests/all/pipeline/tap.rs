//! Who listens in on the live stream hears what templates are made of, and changes nothing.

use ecgid::inference::Model;
use ecgid::pipeline::tap::{Heard, Tap};

use super::*;

/// Seconds of one heart.
const SECONDS: usize = 60;

fn stretch() -> Vec<f64> {
    heart(ANNA, 1).take(SECONDS * 250).collect()
}

/// The settings of a decision that speaks from the first heartbeat on, by the calibration of the shipped model.
pub(super) fn from_the_first_beat(tap: Tap) -> Settings {
    let model = Model::load(std::path::Path::new("models/ecgid-1.onnx")).unwrap();
    let calibrated = model.calibrated(0.02);
    assert!(calibrated.is_some());
    let usual = settings();
    Settings { decision: DecisionConfig { calibrated, ..usual.decision }, tap, ..usual }
}

/// All events of the stretch while somebody listens as `listen` does.
async fn events(listen: impl FnOnce(&Tap)) -> Vec<Event> {
    let tap = Tap::default();
    listen(&tap);
    let (events, mut said) = mpsc::channel(256);
    let replay = Replay::from_millivolts(&stretch(), FS, Some(1.0));
    let (pulse, cancel) = (Pulse::default(), CancellationToken::new());
    tokio::spawn(pipeline::run(replay, from_the_first_beat(tap), Shape, gallery(), events, pulse, cancel));
    let mut all = Vec::new();
    while let Some(event) = said.recv().await {
        all.push(event);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn a_listener_changes_nothing_whether_it_takes_what_it_hears_or_not() {
    let unheard = events(|_| {}).await;
    assert!(unheard.iter().any(|event| matches!(event, Event::Identity(identity) if identity.state == Verified)));
    let mut asleep = None;
    let beside_a_sleeper = events(|tap| asleep = Some(tap.listen())).await;
    assert_eq!(unheard, beside_a_sleeper);
    let beside_a_listener = events(|tap| {
        let mut heard = tap.listen();
        tokio::spawn(async move { while heard.recv().await.is_some() {} });
    })
    .await;
    assert_eq!(unheard, beside_a_listener);
}

#[tokio::test(start_paused = true)]
async fn a_listener_hears_the_averages_of_which_templates_have_always_been_made() {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).unwrap();
    let mut averager = BeatAverager::new(&Preparation::default());
    let mut expected = Vec::new();
    for millivolts in stretch() {
        path.push(PathInput::of(millivolts), &mut |beat| {
            expected.extend(averager.push(&beat).map(|input| Shape.embed(&input).unwrap()));
        });
    }
    let (to_test, mut heard) = mpsc::channel(1024);
    events(|tap| {
        let mut listener = tap.listen();
        tokio::spawn(async move {
            while let Some(heard) = listener.recv().await {
                to_test.send(heard).await.unwrap();
            }
        });
    })
    .await;
    let (mut embeddings, mut seconds, mut front_ends) = (Vec::new(), 0, 0);
    while let Ok(heard) = heard.try_recv() {
        match heard {
            Heard::Embedding(embedding) => embeddings.push(embedding),
            Heard::Second { .. } => seconds += 1,
            Heard::FrontEnd(_) => front_ends += 1,
            _ => {}
        }
    }
    assert!(expected.len() > 30 && seconds >= SECONDS && front_ends == 1);
    // The end of the recording decides a last beat or two that a stream would still wait for.
    assert!((expected.len()..=expected.len() + 2).contains(&embeddings.len()));
    for (heard, expected) in embeddings.iter().zip(&expected) {
        let apart = heard.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-6, "{apart}");
    }
}
