//! The identity that holds at the broker: it goes when the gateway falls silent, and when nothing is decided any more.

use super::*;

async fn leaves_nothing_stale(name: &str, port: u16) {
    let mut gateway = Gateway::new(name, port, &[("mqtt.identity_expiry_s", "3")]);
    let identity_topic = gateway.topic("ecg0/identity");
    let seen_late = || Subscriber::retained(port, &identity_topic);
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    // Twice its life: it is repeated while it is true and the pipeline lives.
    for n in 0..6 {
        sleep(Duration::from_secs(1)).await;
        gateway.say(signal(n)).await;
    }
    let late = seen_late().await;
    assert_eq!(late.len(), 1, "the identity holds, so a late subscriber reads it");
    let record = late[0].json();
    assert_eq!((record["state"].as_str(), record["subject"].as_str()), (Some("verified"), Some("ada")));
    assert_eq!(record["seq"], 1, "a repetition is not a new event");
    let expiry_s = late[0].expiry_s.expect("retained only with an expiry");
    assert!((1..=3).contains(&expiry_s), "{expiry_s}");

    gateway.kill().await;
    sleep(Duration::from_millis(3600)).await;
    assert!(seen_late().await.is_empty(), "a dead gateway leaves no verified behind");
    let availability = Subscriber::retained(port, &gateway.topic("availability")).await;
    assert_eq!(availability[0].text(), "offline", "the last will");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_gateway_leaves_no_identity_in_the_embedded_broker() {
    leaves_nothing_stale("stale", embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_gateway_leaves_no_identity_in_mosquitto() {
    let Some(broker) = mosquitto() else { return };
    leaves_nothing_stale("stale", broker.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_not_repeated_for_a_pipeline_that_has_fallen_silent() {
    let port = embedded();
    let mut gateway = Gateway::new("silent", port, &[("mqtt.identity_expiry_s", "3")]);
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    sleep(Duration::from_secs(9)).await;
    let late = Subscriber::retained(port, &gateway.topic("ecg0/identity")).await;
    assert!(late.is_empty(), "five seconds of silence and three of life are over");
    gateway.say(signal(1)).await;
    sleep(Duration::from_millis(500)).await;
    let late = Subscriber::retained(port, &gateway.topic("ecg0/identity")).await;
    assert_eq!(late.len(), 1, "the pipeline lives again and has not said otherwise");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_not_repeated_while_signals_come_but_nothing_is_decided() {
    let port = embedded();
    let mut gateway = Gateway::new("undecided", port, &[("mqtt.identity_expiry_s", "3")]);
    gateway.start("boot-1");
    gateway.say(verified(1)).await;
    for n in 1..=8 {
        sleep(Duration::from_secs(1)).await;
        gateway.events.as_ref().unwrap().send(signal(n)).await.unwrap();
    }
    let late = Subscriber::retained(port, &gateway.topic("ecg0/identity")).await;
    assert!(late.is_empty(), "the decision has stood still for longer than an identity lives");
    gateway.say(signal(9)).await;
    sleep(Duration::from_millis(500)).await;
    let late = Subscriber::retained(port, &gateway.topic("ecg0/identity")).await;
    assert_eq!(late.len(), 1, "it is made again and has not been otherwise");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_takes_back_what_an_earlier_one_said_of_its_source() {
    let port = embedded();
    let mut gateway = Gateway::new("restated", port, &[]);
    let source_topic = gateway.topic("ecg0/source");
    let subscriber = Subscriber::start(port, &source_topic).await;
    let stated = |boot: &str, online: bool| {
        let last = subscriber.on(&source_topic).last().map(Received::json);
        last.is_some_and(|last| last["boot_id"] == boot && last["online"] == online)
    };
    gateway.start("boot-1");
    gateway.say(source(true)).await;
    within(10, "a source", || stated("boot-1", true)).await;
    gateway.kill().await;
    gateway.start("boot-2");
    within(10, "no source yet", || stated("boot-2", false)).await;
    gateway.stop().await;
}
