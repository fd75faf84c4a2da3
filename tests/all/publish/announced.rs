//! Home Assistant's discovery messages on a real broker: there from the start, in step with the enrolled, said again on
//! its birth, and taken back. What Home Assistant makes of them: `scripts/validate_discovery.py`.

use ecgid::config::Slug;
use ecgid::store::NewTemplate;
use rumqttc::{AsyncClient, MqttOptions, PublishOptions};
use tokio::time::Instant;

use super::*;

/// Says something as Home Assistant would.
async fn home_assistant_says(port: u16, text: &'static str, retain: bool) {
    let (client, mut eventloop) = AsyncClient::builder(MqttOptions::new("home-assistant", ("127.0.0.1", port))).build();
    client.publish("homeassistant/status", text, PublishOptions::at_least_once().retain(retain)).await.unwrap();
    loop {
        if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = eventloop.poll().await.unwrap() {
            return;
        }
    }
}

fn enrol(gateway: &Gateway, subject: &str) {
    let subject = Slug::subject(subject).unwrap();
    let (front_end, model, embedding) = ("f", "m", &[1.0, 0.0][..]);
    let new = NewTemplate { subject: &subject, front_end, model, beats: 20, embedding, replaces: true };
    gateway.store().add_template(&new).unwrap();
}

/// What the broker has kept below `homeassistant/` for this gateway, by topic.
async fn announced(port: u16, name: &str) -> Vec<(String, serde_json::Value)> {
    let id = format!("ecgid_{name}_ecg0");
    let all = Subscriber::retained(port, "homeassistant/#").await;
    let ours = all.iter().filter(|message| message.topic.contains(&id));
    let mut kept: Vec<_> = ours.map(|message| (message.topic.clone(), message.json())).collect();
    kept.sort_by(|a, b| a.0.cmp(&b.0));
    kept
}

#[tokio::test(flavor = "multi_thread")]
async fn home_assistant_is_told_before_the_first_match_and_when_somebody_is_enrolled_or_deleted() {
    let port = embedded();
    let mut gateway = Gateway::new("told", port, &[]);
    enrol(&gateway, "ada");
    gateway.start("boot-1");
    let topic = "homeassistant/device/ecgid_told_ecg0/config";
    let listener = Subscriber::start(port, topic).await;
    let options = |n: usize| listener.on(topic)[n].json()["cmps"]["person"]["ops"].clone();
    within(5, "the announcement", || listener.on(topic).len() == 1).await;
    assert_eq!(options(0), serde_json::json!(["none", "unknown", "ada"]));
    let message = &listener.on(topic)[0];
    assert_eq!(
        (message.content_type.as_deref(), message.payload_format_indicator),
        (Some("application/json"), Some(1))
    );
    enrol(&gateway, "bob");
    within(5, "the new person", || listener.on(topic).len() == 2).await;
    assert_eq!(options(1), serde_json::json!(["none", "unknown", "ada", "bob"]));
    gateway.store().delete(&Slug::subject("ada").unwrap()).unwrap();
    within(5, "the deletion", || listener.on(topic).len() == 3).await;
    assert_eq!(options(2), serde_json::json!(["none", "unknown", "bob"]));
    assert_eq!(announced(port, "told").await.len(), 1, "it is retained");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_birth_of_home_assistant_is_answered_and_a_retained_one_is_not() {
    let Some(broker) = mosquitto() else { return };
    let port = broker.port();
    home_assistant_says(port, "online", true).await;
    let mut gateway = Gateway::new("birth", port, &[]);
    gateway.start("boot-1");
    let topic = "homeassistant/device/ecgid_birth_ecg0/config";
    let listener = Subscriber::start(port, topic).await;
    let availability = Subscriber::start(port, &gateway.topic("availability")).await;
    within(5, "the announcement", || !listener.on(topic).is_empty()).await;
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(listener.on(topic).len(), 1, "a birth from before the connection is over");
    home_assistant_says(port, "offline", false).await;
    let born = Instant::now();
    home_assistant_says(port, "online", false).await;
    home_assistant_says(port, "online", false).await;
    within(4, "the answer", || listener.on(topic).len() == 2 && availability.all().len() == 2).await;
    let answered = listener.on(topic)[1].at - born;
    assert!(answered >= Duration::from_millis(500), "not at once: {answered:?}");
    sleep(Duration::from_millis(3500)).await;
    assert_eq!(listener.on(topic).len(), 2, "one answer to births in a row");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_start_moves_or_takes_back_what_an_earlier_one_has_announced() {
    let port = embedded();
    let mut gateway = Gateway::new("moved", port, &[]);
    let listener = Subscriber::start(port, "homeassistant/#").await;
    let ours = |ending: &str| {
        let all = listener.all().into_iter().filter(|m| m.topic.contains("ecgid_moved")).collect::<Vec<_>>();
        all.into_iter().filter(|m| m.text().ends_with(ending)).map(|m| m.topic).collect::<Vec<_>>()
    };
    let device = "homeassistant/device/ecgid_moved_ecg0/config".to_owned();
    let mut restart = async |settings: &[(&str, &str)], kept: usize| {
        if gateway.task.is_some() {
            gateway.stop().await;
        }
        gateway.configure("moved", port, settings);
        gateway.start("boot");
        let store = gateway.store();
        within(10, "what is remembered", || store.announced().unwrap().len() == kept).await;
        announced(port, "moved").await
    };
    let kept = restart(&[], 1).await;
    assert_eq!(kept.iter().map(|(topic, _)| topic).collect::<Vec<_>>(), [&device]);
    let kept = restart(&[("homeassistant.discovery", "single")], 14).await;
    assert_eq!(kept.len(), 14, "one for each entity, and the device's topic is empty");
    assert!(kept.iter().all(|(topic, _)| topic.contains("/ecgid_moved_ecg0/")));
    assert_eq!(ours(r#"{"migr_discvry":true}"#), std::slice::from_ref(&device), "the device's entities were moved");
    let kept = restart(&[("device", "ecg0")], 1).await;
    assert_eq!(kept.iter().map(|(topic, _)| topic).collect::<Vec<_>>(), [&device]);
    assert_eq!(ours(r#"{"migr_discvry":true}"#).len(), 15, "so was each single one");
    let kept = restart(&[("homeassistant.enabled", "false")], 0).await;
    assert_eq!(kept, []);
    let kept = restart(&[("mqtt.payload", "protobuf")], 0).await;
    assert_eq!(kept, [], "no template reads protobuf");
    gateway.stop().await;
}
