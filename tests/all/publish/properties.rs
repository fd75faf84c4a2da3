//! What every message carries beside its payload.

use super::*;

/// Last levels of the topics whose messages expire, with the seconds that they live at most.
const EXPIRING: [(&str, u32); 4] = [("identity", 15), ("signal", 15), ("hrv", 3600), ("health", 150)];

async fn every_message_says_what_it_is(name: &str, payload: &str, content_type: &str) {
    let port = embedded();
    let mut gateway = Gateway::new(name, port, &[("mqtt.payload", payload)]);
    let subscriber = Subscriber::start(port, &gateway.topic("#")).await;
    gateway.start("boot-1");
    for event in [verified(1), hrv(), signal(2), source(true)] {
        gateway.say(event).await;
    }
    let seen = |rest: &str| !subscriber.on(&gateway.topic(rest)).is_empty();
    let all =
        ["availability", "ecg0/availability", "ecg0/event", "ecg0/hrv", "ecg0/identity", "ecg0/signal", "ecg0/source"];
    within(10, "one of each", || all.iter().all(|rest| seen(rest))).await;
    for message in subscriber.all() {
        let (topic, last) = (message.topic.as_str(), message.topic.rsplit('/').next().unwrap());
        let of_bridge = topic.contains("/bridge/");
        let expected = match last {
            "availability" => "text/plain",
            _ if of_bridge => "application/json",
            _ => content_type,
        };
        assert_eq!(message.content_type.as_deref(), Some(expected), "{topic}");
        let is_text = u8::from(expected != "application/x-protobuf");
        assert_eq!(message.payload_format_indicator, Some(is_text), "{topic}");
        assert_eq!(message.user("schema"), Some("1"), "{topic}");
        let seq = matches!(last, "identity" | "event").then_some("1");
        assert_eq!(message.user("seq"), seq, "{topic}");
        let most = EXPIRING.iter().find(|(name, _)| *name == last).map(|(_, seconds)| *seconds);
        match (message.expiry_s, most) {
            (None, None) => {}
            (Some(left), Some(most)) => assert!((1..=most).contains(&left), "{topic}: {left}"),
            (left, most) => panic!("{topic} expires after {left:?}, and should after {most:?}"),
        }
    }
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_says_its_content_type_its_schema_and_how_long_it_is_worth_something() {
    every_message_says_what_it_is("properties", "json", "application/json").await;
    every_message_says_what_it_is("properties-pb", "protobuf", "application/x-protobuf").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_will_says_what_it_is_too() {
    let Some(broker) = mosquitto() else { return };
    let mut gateway = Gateway::new("will", broker.port(), &[]);
    let subscriber = Subscriber::start(broker.port(), &gateway.topic("availability")).await;
    gateway.start("boot-1");
    within(10, "online", || subscriber.all().len() == 1).await;
    gateway.kill().await;
    within(10, "offline", || subscriber.all().len() == 2).await;
    let will = &subscriber.all()[1];
    assert_eq!((will.text(), will.content_type.as_deref()), ("offline", Some("text/plain")));
    assert_eq!((will.payload_format_indicator, will.user("schema")), (Some(1), Some("1")));
}
