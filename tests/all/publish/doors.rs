//! Doors, over a real broker: a challenge is answered with a fresh signed claim, and everything that is published is
//! signed.

use rumqttc::{AsyncClient, Event as MqttEvent, MqttOptions, Packet, PublishOptions, PublishProperties, QoS};

use super::*;
use ecgid::config::Slug;
use ecgid::publish::claim::door::{Believed, Door, Refusal, fresh_nonce};

/// A door of its own, with its connection.
struct Visitor {
    client: AsyncClient,
    answers: mpsc::Receiver<(String, Vec<u8>, Option<Vec<u8>>)>,
    topic: String,
    answer_topic: String,
    began: tokio::time::Instant,
}

impl Visitor {
    async fn start(gateway: &Gateway, port: u16) -> Self {
        let mut options = MqttOptions::new(format!("door-{}", uuid::Uuid::new_v4()), ("127.0.0.1", port));
        options.set_clean_start(true).set_keep_alive(5);
        let (client, mut eventloop) = AsyncClient::builder(options).capacity(64).build();
        client.subscribe(gateway.topic("ecg0/answer/#"), QoS::AtLeastOnce).await.unwrap();
        let (heard, answers) = mpsc::channel(64);
        let (ready, subscribed) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut ready = Some(ready);
            while let Ok(event) = eventloop.poll().await {
                match event {
                    MqttEvent::Incoming(Packet::SubAck(_)) => drop(ready.take().map(|ready| ready.send(()))),
                    MqttEvent::Incoming(Packet::Publish(publish)) => {
                        let correlation = publish.properties.and_then(|p| p.correlation_data).map(|data| data.to_vec());
                        let topic = String::from_utf8(publish.topic.to_vec()).unwrap();
                        let _gone = heard.send((topic, publish.payload.to_vec(), correlation)).await;
                    }
                    _ => {}
                }
            }
        });
        subscribed.await.unwrap();
        let (topic, answer_topic) = (gateway.topic("ecg0/challenge"), gateway.topic("ecg0/answer/front"));
        Self { client, answers, topic, answer_topic, began: tokio::time::Instant::now() }
    }

    async fn send(&self, body: &str, response_topic: Option<&str>, correlation: Option<&[u8]>, retain: bool) {
        let properties = PublishProperties {
            response_topic: response_topic.map(str::to_owned),
            correlation_data: correlation.map(|data| data.to_vec().into()),
            ..PublishProperties::default()
        };
        let options = PublishOptions::new(QoS::AtMostOnce).retain(retain).properties(properties);
        self.client.publish(&*self.topic, body.as_bytes().to_vec(), options).await.unwrap();
    }

    async fn ask(&mut self, door: &mut Door) -> (Result<Believed, Refusal>, Vec<u8>) {
        let nonce = fresh_nonce().unwrap();
        door.ask(&nonce, self.began.elapsed());
        self.send(&format!("{{\"nonce\":\"{nonce}\"}}"), Some(&self.answer_topic), Some(b"k1"), false).await;
        let (topic, answer, correlation) = self.answer().await.expect("an answer");
        assert_eq!((topic.as_str(), correlation.as_deref()), (self.answer_topic.as_str(), Some(&b"k1"[..])));
        (door.answered(&answer, self.began.elapsed()), answer)
    }

    async fn answer(&mut self) -> Option<(String, Vec<u8>, Option<Vec<u8>>)> {
        tokio::time::timeout(Duration::from_secs(2), self.answers.recv()).await.ok().flatten()
    }
}

fn door(gateway: &Gateway) -> Door {
    let signer = publish::Signer::from_seed(&[7; 32]);
    Door::new(signer.public_key(), gateway.config.gateway.as_str(), "ecg0")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_is_answered_with_what_stands_now() {
    let Some(broker) = mosquitto() else { return };
    let port = broker.port();
    let mut gateway = Gateway::new("doors", port, &[]);
    gateway.start("boot-1");
    gateway.say(source(true)).await;
    gateway.say(verified(1)).await;
    let subscriber = Subscriber::start(port, &gateway.topic("ecg0/identity")).await;
    gateway.wait_until_delivered().await;
    let mut visitor = Visitor::start(&gateway, port).await;
    let mut door = door(&gateway);

    let (believed, answer) = visitor.ask(&mut door).await;
    let believed = believed.unwrap();
    assert_eq!(believed.subject.as_deref(), Some("ada"));
    assert!(believed.valid_for <= Duration::from_secs(5));
    let record: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((record["seq"].as_u64(), record["score"].as_f64()), (Some(1), Some(0.75)));
    assert_eq!(door.answered(&answer, visitor.began.elapsed()), Err(Refusal::NotAskedFor), "it opens once");

    // The retained identity, which is repeated, is believed from here on; the same message twice is not.
    // A slow acknowledgement may have had it repeated before the answer: that one is older, and refused as such. The
    // pipeline says something every second, which is what has it repeated.
    let newest = || subscriber.all().pop().map(|message| message.json()["uptime_ms"].as_u64());
    let is_repeated = || newest().is_some_and(|uptime| uptime > record["uptime_ms"].as_u64());
    for second in 0.. {
        if is_repeated() {
            break;
        }
        assert!(second < 12, "waited 12 s for a repetition");
        gateway.say(signal(2)).await;
        sleep(Duration::from_secs(1)).await;
    }
    let repeated = subscriber.all().pop().unwrap();
    assert_eq!(repeated.json()["nonce"], serde_json::Value::Null);
    let now = visitor.began.elapsed();
    assert_eq!(door.told(&repeated.payload, now).unwrap().subject.as_deref(), Some("ada"));
    assert_eq!(door.told(&repeated.payload, now), Err(Refusal::Replayed));

    gateway.say(unknown(3)).await;
    gateway.wait_until_delivered().await;
    assert_eq!(visitor.ask(&mut door).await.0.unwrap().subject, None);
    gateway.say(verified(4)).await;
    assert_eq!(visitor.ask(&mut door).await.0.unwrap().subject.as_deref(), Some("ada"));
    // Nothing comes out of the pipeline any more: what it said last is no answer.
    sleep(Duration::from_millis(5500)).await;
    let (silent, answer) = visitor.ask(&mut door).await;
    let record: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!(silent.unwrap().subject, None);
    assert_eq!((record["state"].as_str(), record["reason"].as_str()), (Some("no_signal"), Some("source_lost")));
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions_get_an_error_or_silence_and_never_a_claim() {
    let Some(broker) = mosquitto() else { return };
    let mut gateway = Gateway::new("wrong", broker.port(), &[]);
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    gateway.wait_until_delivered().await;
    let mut visitor = Visitor::start(&gateway, broker.port()).await;
    let good = r#"{"nonce":"0123456789abcdef"}"#;
    let own = visitor.answer_topic.clone();
    let error_topic = gateway.topic("ecg0/answer/error");
    let elsewhere =
        ["zigbee2mqtt/door/set", "ecgid/wrong/ecg0/event", "ecgid/wrong/ecg0/answer", "ecgid/wrong/bridge/request/x"];
    for topic in elsewhere {
        let listener = Subscriber::start(broker.port(), topic).await;
        visitor.send(good, Some(topic), Some(b"k"), false).await;
        let (to, body, _) = visitor.answer().await.expect("an error");
        assert_eq!(to, error_topic);
        assert!(String::from_utf8(body).unwrap().contains("response topic"));
        let heard = listener.all();
        assert!(heard.iter().all(|message| message.text().contains("boot-1:1")), "{topic} gets nothing of ours");
        assert!(heard.iter().all(|message| !message.text().contains("0123456789abcdef")), "{topic}");
    }
    for body in ["", "{}", "hello", r#"{"nonce":"short"}"#, r#"{"nonce":"0123456789abcde\n"}"#, r#"{"nonce":7}"#] {
        visitor.send(body, Some(&own), Some(b"k"), false).await;
        let (to, answer, correlation) = visitor.answer().await.expect("an error");
        assert_eq!((to.as_str(), correlation.as_deref()), (own.as_str(), Some(&b"k"[..])));
        let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
        assert!(answer["error"].as_str().unwrap().contains("nonce") && answer["signature"].is_null(), "{body}");
    }
    visitor.send(good, Some(&own), None, false).await;
    assert!(String::from_utf8(visitor.answer().await.unwrap().1).unwrap().contains("correlation"));

    visitor.send(good, Some(&own), Some(b"k"), true).await;
    assert!(visitor.answer().await.is_none(), "a retained question is answered to nobody, also while it is new");

    // Thirty more than it has time for: the rest gets nothing, and the publisher goes on.
    sleep(Duration::from_secs(4)).await;
    for _ in 0..60 {
        visitor.send(good, Some(&own), Some(b"k"), false).await;
    }
    let mut answered = 0;
    while visitor.answer().await.is_some() {
        answered += 1;
    }
    assert!((20..40).contains(&answered), "{answered} answers");
    sleep(Duration::from_secs(1)).await;
    visitor.send(good, Some(&own), Some(b"k"), false).await;
    assert!(visitor.answer().await.is_some());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_question_is_not_answered_to_a_gateway_that_comes_later() {
    let Some(broker) = mosquitto() else { return };
    let mut gateway = Gateway::new("kept", broker.port(), &[]);
    let mut visitor = Visitor::start(&gateway, broker.port()).await;
    let own = visitor.answer_topic.clone();
    visitor.send(r#"{"nonce":"0123456789abcdef"}"#, Some(&own), Some(b"k"), true).await;
    sleep(Duration::from_millis(300)).await;
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    gateway.wait_until_delivered().await;
    assert!(visitor.answer().await.is_none());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waited_for_the_broker_is_signed_with_the_name_that_it_carries() {
    let Some(broker) = mosquitto() else { return };
    let mut gateway = Gateway::new("renamed", broker.port(), &[]);
    let open = gateway.config.clone();
    let mut closed = gateway.config.clone();
    closed.mqtt.as_mut().unwrap().port = proxy::unused_port();
    gateway.config = closed;
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    gateway.say(unknown(2)).await;
    let store = gateway.store();
    within(5, "two stored events", || store.pending_count().unwrap() == 2).await;
    let stored: Vec<serde_json::Value> =
        store.pending(2).unwrap().iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect();
    gateway.kill().await;
    let (subject, embedding) = (&Slug::subject("ada").unwrap(), &[0.6, 0.8][..]);
    let template =
        ecgid::store::NewTemplate { subject, front_end: "f", model: "m", beats: 9, embedding, replaces: true };
    store.add_template(&template).unwrap();
    store.rename(&Slug::subject("ada").unwrap(), &Slug::subject("carol").unwrap()).unwrap();

    gateway.config = open;
    let subscriber = Subscriber::start(broker.port(), &gateway.topic("ecg0/event")).await;
    gateway.start("boot-2");
    within(10, "both events", || subscriber.all().len() >= 2).await;
    let events: Vec<_> = subscriber.all().iter().map(Received::json).collect();
    assert_eq!((events[0]["subject"].as_str(), events[0]["id"].as_str()), (Some("carol"), Some("boot-1:1")));
    assert_eq!(events[0]["issued_at_unix_ms"], stored[0]["issued_at_unix_ms"]);
    assert_ne!(events[0]["signature"], stored[0]["signature"], "the old one was for another name");
    assert_eq!(events[1], stored[1], "what nobody has touched keeps the signature of its issue");
    // Genuine, all of them; a door is tied to no boot here.
    let mut door = door(&gateway);
    for event in subscriber.all() {
        assert_eq!(door.told(&event.payload, Duration::ZERO), Err(Refusal::NotTied));
    }
    gateway.stop().await;
}
