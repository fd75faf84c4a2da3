//! The pipeline under a paused clock with a simulated board: exact events, seeded faults, orderly ends.
//!
//! The network is replaced by the identity: the prepared beat itself, scaled to unit length, is the embedding, so that
//! a score is the correlation of two averaged beats.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ecg_data::heart::{Contact, HeartParams, Noise, SyntheticHeart};
use ecg_data::{Fault, SimulatedBoard};
use ecg_identity::{DecisionConfig, LivenessConfig, Reference, mean_unit};
use ecg_signal::{BeatAverager, Hertz, Mains, ModelInput, PathConfig, PathInput, Preparation, SignalPath};
use ecg_wire::Format;
use ecgid::config::HrvConfig;
use ecgid::event::{Event, HrvCorrection, IdentityState, Reason, RespirationFrom, SourceEvent};
use ecgid::pipeline::gallery::Gallery;
use ecgid::pipeline::infer::Embedder;
use ecgid::pipeline::outlet::Telemetry;
use ecgid::pipeline::pulse::Pulse;
use ecgid::pipeline::tap::Tap;
use ecgid::pipeline::{self, PipelineError, Settings};
use ecgid::source::backoff::Backoff;
use ecgid::source::decode::{ByteDecoder, DecodeOptions};
use ecgid::source::link::{Connector, Link};
use ecgid::source::replay::Replay;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

#[path = "pipeline/boards.rs"]
mod boards;
#[path = "pipeline/classes.rs"]
mod classes;
#[path = "pipeline/ends.rs"]
mod ends;
#[path = "pipeline/noise.rs"]
mod noise;
#[path = "pipeline/tap.rs"]
mod tap;
#[path = "pipeline/telemetry.rs"]
mod telemetry;

const FS: f64 = 250.0;
const ANNA: u64 = 1;
const BEN: u64 = 5;
const STRANGER: u64 = 9;

/// The prepared beat is its own embedding.
#[derive(Clone)]
struct Shape;

impl Embedder for Shape {
    fn id(&self) -> &str {
        "shape"
    }

    fn preparation(&self) -> Preparation {
        Preparation::default()
    }

    fn embed(&mut self, input: &ModelInput) -> Result<Vec<f32>, String> {
        Ok(mean_unit([&input.beat.values[..]]))
    }
}

fn heart(subject: u64, session: u64) -> SyntheticHeart {
    let person = HeartParams::from_seed(subject).in_session(session);
    SyntheticHeart::new(&person, FS, session).unwrap().with_noise(Noise::at_rest())
}

/// Enrols a minute of a subject, through the same path.
fn enrol(name: &str, subject: u64) -> Reference {
    let mut path = SignalPath::new(&PathConfig { fs: Hertz(FS), mains: Mains::Hz50 }).unwrap();
    let mut averager = BeatAverager::new(&Preparation::default());
    let mut embeddings = Vec::new();
    for millivolts in heart(subject, 1).take(60 * 250) {
        path.push(PathInput::of(millivolts), &mut |beat| {
            embeddings.extend(averager.push(&beat).map(|input| Shape.embed(&input).unwrap()));
        });
    }
    assert!(embeddings.len() > 30);
    Reference {
        subject: name.to_owned(),
        revision: 1,
        template: mean_unit(embeddings.iter().map(Vec::as_slice)).into(),
    }
}

fn gallery() -> Vec<Reference> {
    vec![enrol("anna", ANNA), enrol("ben", BEN)]
}

fn settings() -> Settings {
    Settings {
        mains: Mains::Hz50,
        decision: DecisionConfig { threshold: 0.985, margin: 0.01, ..DecisionConfig::default() },
        liveness: Some(LivenessConfig::default()),
        hrv: HrvConfig { window: Duration::from_secs(60), every: Duration::from_secs(10) },
        telemetry: Telemetry::Drop,
        tap: Tap::default(),
    }
}

/// What happens at the board.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// The person on the electrodes for so many seconds.
    Sits(u64, f64),
    /// The board's electrode is off for so many seconds.
    ElectrodeOff(f64),
    /// Something goes wrong on the line.
    Fails(Fault),
    /// The board says nothing for so many seconds and loses nothing.
    Stalls(f64),
    /// The cable is out for so many seconds.
    Unplugged(f64),
}

/// Streams that wait for somebody to connect.
struct Plug(mpsc::Receiver<DuplexStream>);

impl Connector for Plug {
    type Stream = DuplexStream;

    fn name(&self) -> String {
        "board".to_owned()
    }

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        self.0.try_recv().map_err(|_| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Plays the scenes in real (here: paused) time; returns the board's end of the cable, which is still in place.
async fn play(scenes: Vec<Scene>, plug: mpsc::Sender<DuplexStream>) -> DuplexStream {
    let mut board = SimulatedBoard::new(Format::CwxsBin, FS, 1);
    let (mut port, other) = duplex(4096);
    plug.send(other).await.unwrap();
    let mut on_electrodes = None;
    for scene in scenes {
        let (seconds, contact) = match scene {
            Scene::Sits(subject, seconds) => {
                if !matches!(&on_electrodes, Some((before, _)) if *before == subject) {
                    on_electrodes = Some((subject, heart(subject, 2)));
                }
                (seconds, Contact::On)
            }
            Scene::ElectrodeOff(seconds) => (seconds, Contact::LeadOff),
            Scene::Fails(fault) => {
                board.inject(fault);
                continue;
            }
            Scene::Stalls(seconds) => {
                sleep(Duration::from_secs_f64(seconds)).await;
                continue;
            }
            Scene::Unplugged(seconds) => {
                drop(port);
                sleep(Duration::from_secs_f64(seconds)).await;
                let other;
                (port, other) = duplex(4096);
                plug.send(other).await.unwrap();
                continue;
            }
        };
        let Some((_, heart)) = &mut on_electrodes else { continue };
        heart.set_contact(contact);
        for _ in 0..(seconds * 25.0) as u32 {
            let mut bytes = Vec::new();
            for _ in 0..10 {
                board.push_heart(&heart.step(), &mut bytes);
            }
            sleep(Duration::from_millis(40)).await;
            // Nobody at the other end: the bytes are lost, as on a wire.
            let _lost = port.write_all(&bytes).await;
        }
    }
    port
}

/// An event and when it came, seconds since start.
type Timed = (f64, Event);

/// Runs the scenes and returns all that was said.
async fn run<G: Gallery>(gallery: G, scenes: impl Into<Vec<Scene>>) -> Vec<Timed> {
    let scenes = scenes.into();
    run_boards(gallery, DecodeOptions::default(), |plug| play(scenes, plug)).await
}

/// The same with whatever `boards` plugs in; it returns the end of the cable that stays in place.
async fn run_boards<G: Gallery, B: Future<Output = DuplexStream> + Send + 'static>(
    gallery: G,
    options: DecodeOptions,
    boards: impl FnOnce(mpsc::Sender<DuplexStream>) -> B,
) -> Vec<Timed> {
    let (plug, streams) = mpsc::channel(4);
    let decoder = ByteDecoder::new(options);
    let source = Link::new(Plug(streams), decoder).with_backoff(Backoff::seeded(1));
    let cancel = CancellationToken::new();
    let (events, mut said) = mpsc::channel(256);
    let started = Instant::now();
    let listening = tokio::spawn(async move {
        let mut all: Vec<Timed> = Vec::new();
        while let Some(event) = said.recv().await {
            all.push((started.elapsed().as_secs_f64(), event));
        }
        all
    });
    let (played, stop) = (boards(plug), cancel.clone());
    tokio::spawn(async move {
        let _in_place = played.await;
        sleep(Duration::from_millis(100)).await;
        stop.cancel();
        sleep(Duration::from_secs(1)).await;
    });
    pipeline::run(source, settings(), Shape, gallery, events, Pulse::default(), cancel).await.unwrap();
    listening.await.unwrap()
}

/// State, subject and reason of every identity event, with its time.
fn identities(said: &[Timed]) -> Vec<(f64, IdentityState, Option<&str>, Reason)> {
    fn identity((at, event): &Timed) -> Option<(f64, IdentityState, Option<&str>, Reason)> {
        let Event::Identity(event) = event else { return None };
        Some((*at, event.state, event.subject.as_deref(), event.reason))
    }
    said.iter().filter_map(identity).collect()
}

/// The same without times.
fn states(said: &[Timed]) -> Vec<(IdentityState, Option<&str>, Reason)> {
    identities(said).into_iter().map(|(_, state, subject, reason)| (state, subject, reason)).collect()
}

use IdentityState::{Acquiring, NoSignal, Unknown, Verified};

const STARTS: (IdentityState, Option<&str>, Reason) = (NoSignal, None, Reason::Starting);
const COLLECTS: (IdentityState, Option<&str>, Reason) = (Acquiring, None, Reason::Collecting);
const STOPS: (IdentityState, Option<&str>, Reason) = (NoSignal, None, Reason::Stopping);

fn verified(name: &str) -> (IdentityState, Option<&str>, Reason) {
    (Verified, Some(name), Reason::ScoreAboveThreshold)
}

fn lost(reason: Reason) -> (IdentityState, Option<&'static str>, Reason) {
    (NoSignal, None, reason)
}

#[tokio::test(start_paused = true)]
async fn an_enrolled_person_is_verified_within_twenty_seconds_and_the_end_is_said() {
    let said = run(gallery(), [Scene::Sits(ANNA, 30.0)]).await;
    assert_eq!(states(&said), [STARTS, COLLECTS, verified("anna"), STOPS]);
    let at = identities(&said)[2].0;
    assert!((5.0..20.0).contains(&at), "verified after {at:.1} s");
}

#[tokio::test(start_paused = true)]
async fn the_same_board_gives_the_same_events() {
    let scenes = [Scene::Sits(BEN, 20.0), Scene::Fails(Fault::Drop { frames: 40 }), Scene::Sits(BEN, 15.0)];
    let first = run(gallery(), scenes).await;
    assert_eq!(first, run(gallery(), scenes).await);
    assert!(first.len() > 30);
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_unknown_and_so_is_everybody_where_nobody_is_enrolled() {
    let said = run(gallery(), [Scene::Sits(STRANGER, 30.0)]).await;
    assert_eq!(states(&said), [STARTS, COLLECTS, (Unknown, None, Reason::NoReferenceMatches), STOPS]);
    let said = run(Vec::<Reference>::new(), [Scene::Sits(ANNA, 30.0)]).await;
    assert_eq!(states(&said), [STARTS, COLLECTS, (Unknown, None, Reason::NobodyEnrolled), STOPS]);
}

#[tokio::test(start_paused = true)]
async fn a_lifted_electrode_ends_verified_at_once() {
    let scenes = [Scene::Sits(ANNA, 20.0), Scene::ElectrodeOff(4.0), Scene::Sits(ANNA, 20.0)];
    let said = run(gallery(), scenes).await;
    let expected = [STARTS, COLLECTS, verified("anna"), lost(Reason::LeadOff), COLLECTS, verified("anna"), STOPS];
    assert_eq!(states(&said), expected);
    let at = identities(&said)[3].0;
    assert!((20.0..20.2).contains(&at), "lost at {at:.2} s");
    let signal = said.iter().any(|(_, event)| matches!(event, Event::Signal(signal) if signal.lead_off));
    assert!(signal, "the signal event says it too");
}

#[tokio::test(start_paused = true)]
async fn one_person_after_the_other_is_verified_through_a_state_that_is_not() {
    let scenes = [Scene::Sits(ANNA, 20.0), Scene::ElectrodeOff(3.0), Scene::Sits(BEN, 25.0)];
    let said = run(gallery(), scenes).await;
    let expected = [STARTS, COLLECTS, verified("anna"), lost(Reason::LeadOff), COLLECTS, verified("ben"), STOPS];
    assert_eq!(states(&said), expected);
}

#[tokio::test(start_paused = true)]
async fn a_pulled_cable_is_a_lost_source_within_a_second_and_heals_by_itself() {
    let scenes = [Scene::Sits(ANNA, 20.0), Scene::Unplugged(6.0), Scene::Sits(ANNA, 25.0)];
    let said = run(gallery(), scenes).await;
    let expected = [STARTS, COLLECTS, verified("anna"), lost(Reason::SourceLost), COLLECTS, verified("anna"), STOPS];
    assert_eq!(states(&said), expected);
    assert!(identities(&said)[3].0 < 21.0);
    let online: Vec<bool> = said
        .iter()
        .filter_map(|(_, event)| if let Event::Source(source) = event { Some(source.online) } else { None })
        .collect();
    assert_eq!(online, [true, false, false, true], "gone, cannot be opened, back");
}

#[tokio::test(start_paused = true)]
async fn a_silent_board_is_a_lost_source_within_a_second_or_so() {
    let scenes = [Scene::Sits(ANNA, 20.0), Scene::Stalls(5.0), Scene::Sits(ANNA, 20.0)];
    let said = run(gallery(), scenes).await;
    let expected = [STARTS, COLLECTS, verified("anna"), lost(Reason::SourceLost), COLLECTS, verified("anna"), STOPS];
    assert_eq!(states(&said), expected);
    let at = identities(&said)[3].0;
    assert!((20.9..21.3).contains(&at), "{at:.2} s");
}

#[tokio::test(start_paused = true)]
async fn lost_frames_and_garbage_end_the_evidence_and_say_so() {
    for fault in [Fault::Drop { frames: 1 }, Fault::Garbage { bytes: 300 }, Fault::Corrupt { frames: 3 }] {
        let said = run(gallery(), [Scene::Sits(ANNA, 20.0), Scene::Fails(fault), Scene::Sits(ANNA, 20.0)]).await;
        let expected = [STARTS, COLLECTS, verified("anna"), (Acquiring, None, Reason::Gap), verified("anna"), STOPS];
        assert_eq!(states(&said), expected, "{fault:?}");
        let identities = identities(&said);
        assert!(identities[4].0 - identities[3].0 > 4.0, "{fault:?}: verified again only on new beats");
    }
}

#[tokio::test(start_paused = true)]
async fn lost_samples_are_counted_exactly_and_positions_go_on_behind_them() {
    let scenes = [Scene::Sits(ANNA, 10.0), Scene::Fails(Fault::Drop { frames: 500 }), Scene::Sits(ANNA, 10.0)];
    let said = run(gallery(), scenes).await;
    assert!(states(&said).contains(&lost(Reason::SourceLost)), "two seconds without a byte are no short gap");
    let last = said.iter().rev().find_map(|(_, event)| if let Event::Signal(last) = event { Some(last) } else { None });
    let last = last.unwrap();
    assert_eq!(last.missing_samples, 500);
    assert_eq!(last.refused_frames, 0);
    assert!((4_990..=5_000).contains(&last.sample_index), "{}", last.sample_index);
    assert!(last.delay_ms > 400.0 && last.delay_ms < 1_000.0);
}

#[tokio::test(start_paused = true)]
async fn a_person_who_is_enrolled_while_on_the_electrodes_is_verified_without_a_restart() {
    #[derive(Clone, Default)]
    struct Changing(Arc<Mutex<Option<Vec<Reference>>>>);
    impl Gallery for Changing {
        fn read(&mut self, _: &str, _: &str, always: bool) -> Result<Option<Vec<Reference>>, String> {
            let changed = self.0.lock().unwrap().take();
            Ok(changed.or_else(|| always.then(Vec::new)))
        }
    }
    let changing = Changing::default();
    let (later, references) = (changing.clone(), gallery());
    tokio::spawn(async move {
        sleep(Duration::from_secs(20)).await;
        *later.0.lock().unwrap() = Some(references);
    });
    let said = run(changing, [Scene::Sits(ANNA, 45.0)]).await;
    let expected = [STARTS, COLLECTS, (Unknown, None, Reason::NobodyEnrolled), COLLECTS, verified("anna"), STOPS];
    assert_eq!(states(&said), expected);
}

#[tokio::test(start_paused = true)]
async fn whatever_fails_nobody_is_verified_on_beats_around_it_nor_as_somebody_else() {
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut scenes = Vec::new();
        for _ in 0..12 {
            let person = if random.bool() { ANNA } else { STRANGER };
            scenes.push(Scene::ElectrodeOff(2.0));
            scenes.push(Scene::Sits(person, random.f64() * 18.0));
            scenes.push(match random.u8(..5) {
                0 => Scene::Fails(Fault::Drop { frames: random.u32(1..400) }),
                1 => Scene::Fails(Fault::Corrupt { frames: random.u32(1..30) }),
                2 => Scene::Fails(Fault::Garbage { bytes: random.u32(1..900) }),
                3 => Scene::Stalls(random.f64() * 3.0),
                _ => Scene::Unplugged(random.f64() * 4.0),
            });
            scenes.push(Scene::Sits(person, random.f64() * 14.0));
        }
        let said = run(gallery(), scenes.clone()).await;
        let mut since = 0.0;
        for (at, state, subject, reason) in identities(&said) {
            assert!(subject.is_none_or(|name| name == "anna"), "seed {seed}: {subject:?} at {at:.1} s in {scenes:?}");
            if state == Verified {
                assert!(at - since > 4.0, "seed {seed}: verified {:.1} s after a break", at - since);
            } else if state == NoSignal || reason == Reason::Gap {
                since = at;
            }
        }
        assert_eq!(states(&said).last(), Some(&STOPS));
    }
}
