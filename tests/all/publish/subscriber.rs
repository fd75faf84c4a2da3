//! A subscriber that remembers everything it was told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{AsyncClient, BrokerSessionResumePolicy, Event, EventLoop, MqttOptions, Packet, Publish, QoS};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// A message as it came.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) topic: String,
    pub(super) payload: Vec<u8>,
    pub(super) retain: bool,
    pub(super) content_type: Option<String>,
    pub(super) payload_format_indicator: Option<u8>,
    pub(super) expiry_s: Option<u32>,
    user: Vec<(String, String)>,
}

impl Received {
    fn new(publish: &Publish) -> Self {
        let properties = publish.properties.clone().unwrap_or_default();
        Self {
            at: Instant::now(),
            topic: String::from_utf8(publish.topic.to_vec()).unwrap(),
            payload: publish.payload.to_vec(),
            retain: publish.retain,
            content_type: properties.content_type,
            payload_format_indicator: properties.payload_format_indicator,
            expiry_s: properties.message_expiry_interval,
            user: properties.user_properties,
        }
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.payload).unwrap()
    }

    /// A user property.
    pub(super) fn user(&self, key: &str) -> Option<&str> {
        self.user.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }
}

pub(super) struct Subscriber {
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
    _client: AsyncClient,
}

impl Subscriber {
    /// Subscribes and waits until the broker has confirmed that.
    pub(super) async fn start(port: u16, filter: &str) -> Self {
        Self::connect(port, filter, None).await
    }

    /// The same, with a session that outlives connections.
    pub(super) async fn with_session(port: u16, filter: &str, id: &str) -> Self {
        Self::connect(port, filter, Some(id)).await
    }

    /// What the broker has kept for somebody who subscribes now.
    pub(super) async fn retained(port: u16, filter: &str) -> Vec<Received> {
        let subscriber = Self::start(port, filter).await;
        sleep(Duration::from_millis(500)).await;
        subscriber.all().into_iter().filter(|message| message.retain).collect()
    }

    async fn connect(port: u16, filter: &str, session: Option<&str>) -> Self {
        let id = session.map_or_else(|| format!("test-{}", uuid::Uuid::new_v4()), str::to_owned);
        let mut options = MqttOptions::new(id, ("127.0.0.1", port));
        options.set_clean_start(session.is_none()).set_max_packet_size(Some(65536));
        options.set_session_expiry_interval(session.map(|_| 3600)).set_keep_alive(5);
        // The broker may remember a subscriber of whom this process knows nothing any more.
        options.set_broker_session_resume_policy(BrokerSessionResumePolicy::AllowBrokerOnly);
        let (client, mut eventloop) = AsyncClient::builder(options).capacity(64).build();
        client.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        loop {
            match eventloop.poll().await {
                Ok(Event::Incoming(Packet::SubAck(_))) => break,
                Ok(Event::Incoming(Packet::Publish(publish))) => received.lock().unwrap().push(Received::new(&publish)),
                Ok(_) => {}
                Err(error) => panic!("the subscriber cannot connect: {error}"),
            }
        }
        let task = tokio::spawn(listen(eventloop, received.clone()));
        Self { received, task, _client: client }
    }

    pub(super) fn all(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// What came on one topic.
    pub(super) fn on(&self, topic: &str) -> Vec<Received> {
        self.all().into_iter().filter(|message| message.topic == topic).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(mut eventloop: EventLoop, received: Arc<Mutex<Vec<Received>>>) {
    loop {
        match eventloop.poll().await {
            Ok(Event::Incoming(Packet::Publish(publish))) => received.lock().unwrap().push(Received::new(&publish)),
            Ok(_) => {}
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}
