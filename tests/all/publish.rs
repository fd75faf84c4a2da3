//! Publishing, against the embedded broker and against mosquitto where it is installed: nothing is lost, nothing stale
//! stays, and a goodbye is said.

use std::time::Duration;

use ecgid::config::{Config, Environment};
use ecgid::event::{
    Event, HrvCorrection, HrvDayFigures, HrvEvent, HrvFigures, IdentityEvent, IdentityState, Reason,
    RespirationFigures, RespirationFrom, SignalEvent, SourceEvent, WindowReason,
};
use ecgid::pipeline::pulse::Pulse;
use ecgid::proto::v1;
use ecgid::publish;
use ecgid::store::Store;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

#[path = "publish/announced.rs"]
mod announced;
#[path = "publish/delivery.rs"]
mod delivery;
#[path = "publish/doors.rs"]
mod doors;
#[path = "publish/mosquitto.rs"]
mod mosquitto;
#[path = "publish/properties.rs"]
mod properties;
#[path = "publish/proxy.rs"]
mod proxy;
#[path = "publish/said.rs"]
mod said;
#[path = "publish/secure.rs"]
mod secure;
#[path = "publish/standing.rs"]
mod standing;
#[path = "publish/subscriber.rs"]
mod subscriber;

use mosquitto::Mosquitto;
use proxy::Proxy;
use said::{hrv, signal, source, unknown, verified};
use subscriber::{Received, Subscriber};

/// A publisher with its database, and the near end of its queue.
struct Gateway {
    directory: tempfile::TempDir,
    config: Config,
    events: Option<mpsc::Sender<Event>>,
    /// Beats with every event: the decision is being made.
    pulse: Pulse,
    task: Option<JoinHandle<()>>,
}

impl Gateway {
    /// `name` keeps the tests apart that share a broker.
    fn new(name: &str, port: u16, more: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut gateway =
            Self { directory, config: Config::default(), events: None, pulse: Pulse::default(), task: None };
        gateway.configure(name, port, more);
        gateway
    }

    /// Another configuration for its next start.
    fn configure(&mut self, name: &str, port: u16, more: &[(&str, &str)]) {
        let mut overrides = vec![("gateway", name.to_owned()), ("mqtt.url", format!("mqtt://127.0.0.1:{port}"))];
        overrides.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
        self.config = Config::load_in(None, &Environment::new(), &overrides).unwrap();
    }

    fn store(&self) -> Store {
        Store::open(&self.directory.path().join("ecgid.sqlite")).unwrap()
    }

    fn start(&mut self, boot_id: &'static str) {
        let (events, from_pipeline) = mpsc::channel(256);
        let (store, config, pulse) = (self.store(), self.config.clone(), self.pulse.clone());
        self.events = Some(events);
        self.task = Some(tokio::spawn(async move {
            let mqtt = config.mqtt.clone().unwrap();
            let signer = publish::Signer::from_seed(&[7; 32]);
            let tools = publish::Tools { store, signer, pulse, control: None, model: "test-model".into() };
            publish::run_as(boot_id, from_pipeline, tools, &mqtt, &config).await;
        }));
    }

    async fn say(&self, event: Event) {
        self.pulse.decided();
        self.events.as_ref().unwrap().send(event).await.unwrap();
    }

    /// As if the process was killed: no goodbye, no flush.
    async fn kill(&mut self) {
        let task = self.task.take().unwrap();
        task.abort();
        let _cancelled = task.await;
        // Not before: the end of its queue would be a goodbye.
        self.events = None;
    }

    /// The pipeline has ended; the publisher ends by itself.
    async fn stop(&mut self) {
        self.events = None;
        self.task.take().unwrap().await.unwrap();
    }

    fn topic(&self, rest: &str) -> String {
        format!("ecgid/{}/{rest}", self.config.gateway)
    }

    async fn wait_until_delivered(&self) {
        let store = self.store();
        within(20, "an empty outbox", || store.pending_count().unwrap() == 0).await;
    }
}

/// Waits until `condition` holds.
async fn within(seconds: u64, what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..seconds * 50 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("waited {seconds} s for {what}");
}

/// What a subscriber that counts makes of the events: in order, without the repetitions.
fn sequence(events: &[Received], boot_id: &str) -> Vec<u64> {
    let mut seqs = Vec::new();
    for event in events.iter().map(Received::json).filter(|event| event["boot_id"] == boot_id) {
        let seq = event["seq"].as_u64().unwrap();
        assert_eq!(event["id"], format!("{boot_id}:{seq}"));
        if !seqs.contains(&seq) {
            seqs.push(seq);
        }
    }
    seqs
}

fn embedded() -> u16 {
    publish::broker::start().expect("the embedded broker starts").port()
}

/// A plain mosquitto, or none with a word about it.
fn mosquitto() -> Option<Mosquitto> {
    Mosquitto::start("")
}

async fn says_everything_in_order(name: &str, port: u16) {
    let mut gateway = Gateway::new(name, port, &[]);
    let subscriber = Subscriber::start(port, &gateway.topic("#")).await;
    gateway.start("boot-1");
    gateway.say(source(true)).await;
    for n in 1..=20 {
        gateway.say(if n % 2 == 0 { unknown(n) } else { verified(n) }).await;
    }
    gateway.say(hrv()).await;
    gateway.say(signal(7)).await;
    gateway.wait_until_delivered().await;
    let event_topic = gateway.topic("ecg0/event");
    within(5, "20 events", || sequence(&subscriber.on(&event_topic), "boot-1").len() == 20).await;
    assert_eq!(sequence(&subscriber.on(&event_topic), "boot-1"), (1..=20).collect::<Vec<_>>());
    within(5, "telemetry", || {
        !subscriber.on(&gateway.topic("ecg0/hrv")).is_empty()
            && !subscriber.on(&gateway.topic("ecg0/signal")).is_empty()
    })
    .await;

    let first = &subscriber.on(&event_topic)[0];
    let event = first.json();
    assert_eq!(event["schema"], 1);
    assert_eq!(event["state"], "verified");
    assert_eq!(event["subject"], "ada");
    assert_eq!(event["reason"], "score_above_threshold");
    assert_eq!(event["template_revision"], 2);
    assert_eq!(event["gateway"], name);
    assert_eq!(event["device"], "ecg0");
    let life = event["expires_at_unix_ms"].as_u64().unwrap() - event["issued_at_unix_ms"].as_u64().unwrap();
    assert_eq!(life, 15_000);
    assert_eq!(event["key_id"], publish::Signer::from_seed(&[7; 32]).key_id());
    assert_eq!(event["signature"].as_str().unwrap().len(), 88, "64 bytes in base64");
    assert!(event["nonce"].is_null() && event["uptime_ms"].is_u64());
    assert_eq!(first.content_type.as_deref(), Some("application/json"));
    assert_eq!(first.payload_format_indicator, Some(1));
    assert_eq!(first.expiry_s, None, "an event waits for a subscriber that is away");
    assert_eq!(first.user("schema"), Some("1"));
    assert_eq!(first.user("seq"), Some("1"));

    let hrv = subscriber.on(&gateway.topic("ecg0/hrv"))[0].json();
    assert_eq!((hrv["rmssd_ms"].as_f64(), hrv["pnn50_percent"].as_f64()), (Some(40.0), None));
    assert_eq!((hrv["correction"].as_str(), hrv["corrected_percent"].as_f64()), (Some("causal"), Some(1.0)));
    assert_eq!(hrv["missing"]["pnn50_percent"], "too short");
    assert_eq!((hrv["lf_hf"].as_f64(), hrv["day"]["sdann_ms"].as_f64()), (Some(1.5), Some(120.0)));
    let signal = subscriber.on(&gateway.topic("ecg0/signal"))[0].json();
    assert_eq!(
        (signal["respiration_rate_per_min"].as_f64(), signal["respiration_ecg_per_min"].as_f64()),
        (Some(15.0), Some(14.5))
    );
    assert_eq!(
        (signal["respiration_source"].as_str(), signal["respiration_reason"].as_str()),
        (Some("impedance"), None)
    );
    let availability = subscriber.on(&gateway.topic("ecg0/availability"));
    assert_eq!(availability.last().unwrap().text(), "online");
    let source = subscriber.on(&gateway.topic("ecg0/source"));
    assert_eq!(source.last().unwrap().json()["format"], "cwxs-bin");
    let health = subscriber.on(&gateway.topic("bridge/health")).last().unwrap().clone();
    assert!((1..=150).contains(&health.expiry_s.expect("a dead daemon leaves no health")), "{:?}", health.expiry_s);
    let health = health.json();
    assert_eq!((health["schema"].as_u64(), health["boot_id"].as_str()), (Some(1), Some("boot-1")));
    assert_eq!((health["problem"].as_str(), health["dropped_events"].as_u64()), (None, Some(0)));
    assert_eq!(health["broker_connections"], 1);
    let info = subscriber.on(&gateway.topic("bridge/info")).last().unwrap().json();
    assert_eq!((info["model"].as_str(), info["topics"]["event"].as_str()), (Some("test-model"), Some(&*event_topic)));
    let last = subscriber.on(&event_topic).last().unwrap().json();
    assert_eq!(
        (info["key_id"].as_str(), info["version"].as_str()),
        (last["key_id"].as_str(), Some(env!("CARGO_PKG_VERSION")))
    );

    // Retained is what holds, and nothing else.
    let late = Subscriber::start(port, &gateway.topic("#")).await;
    within(5, "what is retained", || late.all().len() >= 4).await;
    sleep(Duration::from_millis(300)).await;
    let mut retained: Vec<_> = late.all().into_iter().filter(|m| m.retain).map(|m| m.topic).collect();
    retained.sort();
    let bridge = ["availability", "bridge/health", "bridge/info"];
    let device = ["ecg0/availability", "ecg0/identity", "ecg0/source"];
    let expected = [bridge, device].concat();
    let expected: Vec<_> = expected.into_iter().map(|topic| gateway.topic(topic)).collect();
    assert_eq!(retained, expected);

    gateway.stop().await;
    within(5, "the goodbye", || {
        subscriber.on(&gateway.topic("availability")).last().is_some_and(|m| m.text() == "offline")
    })
    .await;
    assert_eq!(subscriber.on(&gateway.topic("ecg0/availability")).last().unwrap().text(), "offline");
    assert!(subscriber.on(&gateway.topic("bridge/health")).last().unwrap().payload.is_empty(), "taken back");
    let last = subscriber.on(&event_topic).last().unwrap().json();
    assert_eq!((last["seq"].as_u64(), last["state"].as_str()), (Some(21), Some("no_signal")));
    assert_eq!((last["reason"].as_str(), last["subject"].as_str()), (Some("stopping"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_said_in_order_through_the_embedded_broker() {
    says_everything_in_order("order", embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_said_in_order_through_mosquitto() {
    let Some(broker) = mosquitto() else { return };
    says_everything_in_order("order", broker.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mosquitto_sub_can_follow_the_embedded_broker() {
    let port = embedded();
    let topic = "ecgid/tool/ecg0/event";
    let mut command = tokio::task::spawn_blocking(move || {
        let port = port.to_string();
        let options = ["-V", "mqttv5", "-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", topic, "-C", "3", "-W", "15"];
        std::process::Command::new("mosquitto_sub").args(options).output()
    });
    let mut gateway = Gateway::new("tool", port, &[]);
    gateway.start("boot-1");
    let mut n = 0;
    // It does not say when it has subscribed: speak until it has heard three.
    let output = loop {
        n += 1;
        gateway.say(unknown(n)).await;
        tokio::select! {
            ended = &mut command => break ended.unwrap(),
            () = sleep(Duration::from_millis(200)) => {}
        }
    };
    gateway.stop().await;
    let Ok(output) = output else {
        skipped!("SKIPPED: mosquitto_sub is not installed");
        return;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let seqs: Vec<_> =
        text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs.len(), 3, "{text}");
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seqs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_payloads_say_the_same() {
    let port = embedded();
    let mut gateway = Gateway::new("protobuf", port, &[("mqtt.payload", "protobuf")]);
    let subscriber = Subscriber::start(port, &gateway.topic("#")).await;
    gateway.start("boot-1");
    gateway.say(verified(11)).await;
    gateway.say(hrv()).await;
    gateway.say(signal(12)).await;
    gateway.say(source(true)).await;
    let topic = |rest: &str| gateway.topic(&format!("ecg0/{rest}"));
    within(10, "one of each", || ["event", "hrv", "signal"].iter().all(|rest| !subscriber.on(&topic(rest)).is_empty()))
        .await;
    let first = |rest: &str| subscriber.on(&topic(rest))[0].clone();
    let is_online = |message: &Received| v1::Availability::decode(&message.payload[..]).unwrap().online;
    within(10, "the source", || subscriber.on(&topic("source")).last().is_some_and(is_online)).await;
    let message = first("event");
    assert_eq!(message.content_type.as_deref(), Some("application/x-protobuf"));
    assert_eq!(message.payload_format_indicator, Some(0));
    let event = v1::IdentityEvent::decode(&message.payload[..]).unwrap();
    assert_eq!((event.state(), event.reason()), (v1::IdentityState::Verified, v1::Reason::ScoreAboveThreshold));
    assert_eq!((event.subject(), event.seq, event.sample_index), ("ada", 1, 11));
    assert_eq!((event.key_id(), event.signature().len()), (publish::Signer::from_seed(&[7; 32]).key_id(), 64));
    assert_eq!(event.nonce, None);
    let hrv = v1::HrvSummary::decode(&first("hrv").payload[..]).unwrap();
    assert_eq!((hrv.rmssd_ms, hrv.lf_hf, hrv.corrected_beats), (Some(40.0), Some(1.5), 3));
    assert_eq!(hrv.correction(), v1::HrvCorrection::Causal);
    assert_eq!((hrv.missing[0].figure.as_str(), hrv.day.unwrap().sdann_ms), ("pnn50_percent", Some(120.0)));
    let status = v1::SignalStatus::decode(&first("signal").payload[..]).unwrap();
    assert_eq!((status.sample_index, status.respiration_source()), (12, v1::RespirationSource::Impedance));
    let rates = [status.respiration_rate_per_min, status.respiration_impedance_per_min, status.respiration_ecg_per_min];
    assert_eq!(rates, [Some(15.0), Some(15.0), Some(14.5)]);
    assert_eq!((status.respiration_difference_per_min, status.respiration_similarity), (Some(0.5), Some(0.9)));
    assert_eq!(status.respiration_reason, None);
    assert_eq!((status.window_quality, status.window_reason()), (Some(0.25), v1::WindowReason::HighFrequency));
    let online = subscriber.on(&gateway.topic("availability"));
    assert_eq!(online[0].text(), "online", "availability is a plain word in every encoding");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_the_publisher_ends_in_time_and_keeps_its_events() {
    let port = proxy::unused_port();
    let mut gateway = Gateway::new("nobody", port, &[]);
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    let stopped = tokio::time::timeout(Duration::from_secs(5), gateway.stop()).await;
    assert!(stopped.is_ok(), "the deadline holds");
    assert_eq!(gateway.store().pending_count().unwrap(), 2, "the event, and that it does not hold any more");
}

#[test]
fn events_are_json_lines_without_a_broker() {
    let (events, from_pipeline) = mpsc::channel(8);
    events.try_send(verified(5)).unwrap();
    events.try_send(hrv()).unwrap();
    drop(events);
    let mut out = Vec::new();
    publish::lines::run("boot-1", from_pipeline, &Config::default(), &mut out).unwrap();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["topic"].as_str(), lines[0]["subject"].as_str()), (Some("event"), Some("ada")));
    assert_eq!((lines[1]["topic"].as_str(), lines[1]["rmssd_ms"].as_f64()), (Some("hrv"), Some(40.0)));
}
