//! What a subscriber sees, as readable or JSON lines: an MQTT client of its own, connected to the broker like any other.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, bail};
use rumqttc::{AsyncClient, Event as Incoming, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::cli::lines::Narrator;
use crate::cli::output;
use crate::event::{Event, HrvEvent};

/// How long the broker may take to answer, and how long last words are waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const LAST_WORDS: Duration = Duration::from_millis(700);

/// Prints lines with the time since the start. When nobody reads them any more the demo ends.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    json: bool,
    started: Instant,
    cancel: CancellationToken,
}

impl Voice {
    pub(super) fn new(json: bool, started: Instant, cancel: CancellationToken) -> Self {
        Self { json, started, cancel }
    }

    /// What this is and how to follow it elsewhere.
    pub(super) fn heading(&self, port: u16) {
        if self.json {
            self.object(json!({ "broker": format!("mqtt://127.0.0.1:{port}") }));
            return;
        }
        self.write(&format!(
            "The broker is mqtt://127.0.0.1:{port} (MQTT 5). To follow in another terminal:\n  \
             mosquitto_sub -V mqttv5 -h 127.0.0.1 -p {port} -t 'ecgid/#' -v\n\
             Lines with -> say what happens at the electrodes; all others are what a subscriber is told."
        ));
    }

    /// What happens at the electrodes.
    pub(super) fn scene(&self, text: &str) {
        if self.json {
            self.object(json!({ "scene": text }));
        } else {
            self.write(&format!("{} -> {text}", self.time()));
        }
    }

    /// A message, as it came.
    fn message(&self, topic: &str, payload: &[u8], narrator: &mut Narrator) {
        let level = topic.rsplit('/').next().unwrap_or(topic);
        if self.json {
            let text = || Value::String(String::from_utf8_lossy(payload).into_owned());
            let fields = match serde_json::from_slice(payload) {
                Ok(Value::Object(fields)) => fields,
                _ => Map::from_iter([("payload".to_owned(), text())]),
            };
            let mut line = Map::from_iter([("topic".to_owned(), json!(topic))]);
            line.extend(fields);
            self.object(Value::Object(line));
        } else if let Some(line) = event(level, payload).and_then(|event| narrator.line(&event)) {
            self.write(&format!("{}    {line}", self.time()));
        }
    }

    fn object(&self, mut object: Value) {
        object["elapsed_s"] = json!((self.started.elapsed().as_secs_f64() * 1e3).round() / 1e3);
        self.write(&object.to_string());
    }

    fn time(&self) -> String {
        format!("{:6.1} s", self.started.elapsed().as_secs_f64())
    }

    fn write(&self, line: &str) {
        if let Err(error) = writeln!(std::io::stdout(), "{line}") {
            output::keep(Err(error));
            self.cancel.cancel();
        }
    }
}

/// The event of a message; `None` for topics that repeat what another one has said, and for a summary without figures.
fn event(level: &str, payload: &[u8]) -> Option<Event> {
    match level {
        "event" => serde_json::from_slice(payload).ok().map(Event::Identity),
        "hrv" => serde_json::from_slice(payload)
            .ok()
            .filter(|hrv: &HrvEvent| hrv.figures.mean_hr_bpm.is_some())
            .map(|hrv| Event::Hrv(Box::new(hrv))),
        "signal" => serde_json::from_slice(payload).ok().map(Event::Signal),
        "source" => serde_json::from_slice(payload).ok().map(Event::Source),
        _ => None,
    }
}

/// A subscriber to everything that the demo publishes.
pub(super) struct Audience {
    _client: AsyncClient,
    connection: EventLoop,
    voice: Voice,
}

impl Audience {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// The broker does not answer.
    pub(super) async fn join(port: u16, prefix: &str, voice: Voice) -> anyhow::Result<Self> {
        let mut options = MqttOptions::new("ecgid-demo-audience", ("127.0.0.1", port));
        options.set_keep_alive(10).set_max_packet_size(Some(64 * 1024));
        let (client, mut connection) = AsyncClient::builder(options).capacity(16).build();
        client.subscribe(format!("{prefix}/#"), QoS::AtLeastOnce).await.context("cannot subscribe")?;
        let subscribed = async {
            loop {
                match connection.poll().await {
                    Ok(Incoming::Incoming(Packet::SubAck(_))) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => bail!("the embedded broker does not answer: {error}"),
                }
            }
        };
        timeout(PATIENCE, subscribed).await.context("the embedded broker does not answer")??;
        Ok(Self { _client: client, connection, voice })
    }

    /// Tells what it is told, until `cancel` and the last words after it.
    pub(super) async fn listen(mut self, cancel: CancellationToken) {
        let mut narrator = Narrator::default();
        let telling = async {
            // The broker lives in this process: a connection that fails does so at the end.
            while let Ok(incoming) = self.connection.poll().await {
                if let Incoming::Incoming(Packet::Publish(Publish { topic, payload, .. })) = incoming {
                    self.voice.message(&String::from_utf8_lossy(&topic), &payload, &mut narrator);
                }
            }
        };
        let last_words = async {
            cancel.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = telling => {}
            () = last_words => {}
        }
    }
}
