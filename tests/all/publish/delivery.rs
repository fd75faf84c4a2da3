//! Events under cut connections, killed daemons and brokers that hang: each is delivered, and leaves the outbox only then.

use super::*;

async fn loses_nothing_when_cut(name: &str, port: u16) {
    let proxy = Proxy::start(port).await;
    let mut gateway = Gateway::new(name, proxy.port(), &[]);
    let subscriber = Subscriber::start(port, &gateway.topic("#")).await;
    gateway.start("boot-1");
    for n in 1..=60 {
        gateway.say(if n % 2 == 0 { unknown(n) } else { verified(n) }).await;
        if n % 12 == 0 {
            // In the middle of what was said last.
            within(10, "a connection", || proxy.is_in_use()).await;
            sleep(Duration::from_millis(n / 6)).await;
            proxy.cut();
        }
    }
    gateway.wait_until_delivered().await;
    let topic = gateway.topic("ecg0/event");
    within(5, "60 events", || sequence(&subscriber.on(&topic), "boot-1").len() == 60).await;
    assert_eq!(sequence(&subscriber.on(&topic), "boot-1"), (1..=60).collect::<Vec<_>>());
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_when_the_connection_to_the_embedded_broker_is_cut() {
    loses_nothing_when_cut("cut", embedded()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_event_is_lost_when_the_connection_to_mosquitto_is_cut() {
    let Some(broker) = mosquitto() else { return };
    loses_nothing_when_cut("cut", broker.port()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_killed_daemon_are_delivered_by_the_next_one_first() {
    let port = embedded();
    let proxy = Proxy::start(port).await;
    proxy.close();
    let mut gateway = Gateway::new("killed", proxy.port(), &[]);
    let subscriber = Subscriber::start(port, &gateway.topic("#")).await;
    gateway.start("boot-a");
    for n in 1..=5 {
        gateway.say(unknown(n)).await;
    }
    let store = gateway.store();
    within(5, "five stored events", || store.pending_count().unwrap() == 5).await;
    gateway.kill().await;
    proxy.open();
    gateway.start("boot-b");
    gateway.say(verified(1)).await;
    gateway.wait_until_delivered().await;
    let topic = gateway.topic("ecg0/event");
    within(5, "six events", || subscriber.on(&topic).len() >= 6).await;
    let order: Vec<_> = subscriber.on(&topic).iter().map(|m| m.json()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(order, ["boot-a:1", "boot-a:2", "boot-a:3", "boot-a:4", "boot-a:5", "boot-b:1"]);
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_with_a_session_misses_nothing_when_mosquitto_restarts() {
    let Some(mut broker) = Mosquitto::start("persistence true\n") else { return };
    let mut gateway = Gateway::new("restart", broker.port(), &[]);
    let subscriber = Subscriber::with_session(broker.port(), &gateway.topic("#"), "keeper").await;
    gateway.start("boot-1");
    for n in 1..=30 {
        gateway.say(unknown(n)).await;
        sleep(Duration::from_millis(50)).await;
        if n % 10 == 0 {
            broker.restart_gracefully().await;
        }
    }
    gateway.wait_until_delivered().await;
    let topic = gateway.topic("ecg0/event");
    within(20, "30 events", || sequence(&subscriber.on(&topic), "boot-1").len() == 30).await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_broker_has_not_acknowledged_is_sent_to_the_next_one() {
    let Some(mut broker) = mosquitto() else { return };
    let proxy = Proxy::start(broker.port()).await;
    let mut gateway = Gateway::new("sigkill", proxy.port(), &[]);
    let topic = gateway.topic("ecg0/event");
    let first = Subscriber::start(broker.port(), &gateway.topic("#")).await;
    gateway.start("boot-1");
    for n in 1..=3 {
        gateway.say(unknown(n)).await;
    }
    within(10, "three events", || sequence(&first.on(&topic), "boot-1").len() == 3).await;
    // The broker hands on before it acknowledges.
    gateway.wait_until_delivered().await;
    // Frozen, so that what is published now is in flight when it dies; its session dies with it.
    broker.freeze();
    for n in 4..=10 {
        gateway.say(unknown(n)).await;
    }
    sleep(Duration::from_millis(300)).await;
    proxy.close();
    broker.kill_and_start_again().await;
    let second = Subscriber::start(broker.port(), &gateway.topic("#")).await;
    proxy.open();
    gateway.wait_until_delivered().await;
    within(10, "the other seven", || sequence(&second.on(&topic), "boot-1").len() == 7).await;
    assert_eq!(sequence(&second.on(&topic), "boot-1"), (4..=10).collect::<Vec<_>>());
    let online = second.on(&gateway.topic("availability"));
    assert_eq!(online.last().unwrap().text(), "online", "what is retained is said anew to a broker that forgot it");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_is_given_up_and_found_again() {
    let Some(broker) = mosquitto() else { return };
    let mut gateway = Gateway::new("hang", broker.port(), &[]);
    let topic = gateway.topic("ecg0/event");
    let subscriber = Subscriber::with_session(broker.port(), &gateway.topic("#"), "patient").await;
    gateway.start("boot-1");
    gateway.say(unknown(1)).await;
    within(10, "an event", || !subscriber.on(&topic).is_empty()).await;
    broker.freeze();
    for n in 2..=4 {
        gateway.say(unknown(n)).await;
    }
    // Longer than the wait for an acknowledgement: the connection is given up, the event is sent again on the next.
    sleep(Duration::from_secs(17)).await;
    assert_eq!(gateway.store().pending_count().unwrap(), 3);
    broker.thaw();
    gateway.wait_until_delivered().await;
    within(10, "four events", || sequence(&subscriber.on(&topic), "boot-1").len() == 4).await;
    assert!(subscriber.on(&topic).len() >= 4, "one may have come twice, with an equal id");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_broker_refuses_stays_in_the_outbox() {
    let directory = tempfile::tempdir().unwrap();
    let rules = directory.path().join("acl");
    std::fs::write(&rules, "topic write ecgid/refused/availability\ntopic write ecgid/refused/ecg0/identity\n")
        .unwrap();
    let Some(broker) = Mosquitto::start(&format!("acl_file {}\n", rules.display())) else { return };
    let mut gateway = Gateway::new("refused", broker.port(), &[]);
    gateway.start("boot-1");
    gateway.say(unknown(1)).await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(gateway.store().pending_count().unwrap(), 1);
    gateway.kill().await;
}
