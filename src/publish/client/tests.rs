//! The connection against a broker of a dozen lines, which does what no real one can be told to do.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::payload::Payload;
use super::*;
use crate::config::{Config, Environment};

/// Accepts a client and its subscriptions; the codes are its answers to them.
async fn accept(listener: &TcpListener, codes: &[u8]) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let connect = packet(&mut stream).await;
    assert_eq!(connect[0] >> 4, 1, "CONNECT");
    stream.write_all(&[0x20, 3, 0, 0, 0]).await.unwrap();
    let subscribe = packet(&mut stream).await;
    assert_eq!(subscribe[0] >> 4, 8, "SUBSCRIBE");
    let mut acknowledgement = vec![0x90, 3 + codes.len() as u8, subscribe[1], subscribe[2], 0];
    acknowledgement.extend(codes);
    stream.write_all(&acknowledgement).await.unwrap();
    stream
}

/// The first byte of a packet and what follows its length.
async fn packet(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = vec![stream.read_u8().await.unwrap()];
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = stream.read_u8().await.unwrap();
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    bytes.resize(1 + length, 0);
    stream.read_exact(&mut bytes[1..]).await.unwrap();
    bytes
}

async fn start() -> (TcpListener, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let config = Config::load_in(None, &Environment::new(), &[("mqtt.url", url)]).unwrap();
    let will = Message::acknowledged("will".into(), Payload::text("offline"));
    let filter = |topics: &str| Filter { topics: topics.into(), retained_when_new: true };
    let client = Client::start(config.mqtt.as_ref().unwrap(), will, vec![filter("a"), filter("b/#")]);
    (listener, client)
}

#[tokio::test]
async fn a_filter_that_the_broker_denies_is_named() {
    let (listener, mut client) = start().await;
    // Granted, not authorised.
    let _stream = accept(&listener, &[0, 0x87]).await;
    assert!(matches!(client.next().await, Some(Signal::Up { connection: 1, .. })));
    let denied = Signal::Denied { filter: "b/#".into(), why: "NotAuthorized".into() };
    assert_eq!(client.next().await, Some(denied));
}

#[tokio::test]
async fn three_connections_in_a_row_that_do_not_last_are_told_and_each_waits_longer() {
    let (listener, mut client) = start().await;
    let (mut signals, begun) = (Vec::new(), Instant::now());
    for _ in 0..3 {
        drop(accept(&listener, &[0, 0]).await);
        for _ in 0..2 {
            signals.push(client.next().await.unwrap());
        }
    }
    let up = |connection| Signal::Up { connection, max_packet: MAX_PACKET as usize };
    assert_eq!(signals, [up(1), Signal::Down, up(2), Signal::Down, up(3), Signal::Down]);
    assert_eq!(client.next().await, Some(Signal::Brief(true)));
    assert!(begun.elapsed() >= Duration::from_millis(1200), "half a second, then one, less a fifth");
}

#[tokio::test]
async fn telemetry_that_was_handed_over_and_not_sent_is_counted_and_nothing_else() {
    let (_listener, client) = start().await;
    let expires = Instant::now() + Duration::from_secs(60);
    let telemetry = || Message::telemetry("t".into(), Payload::text(""), expires);
    let acknowledged = Message::acknowledged("t".into(), Payload::text(""));
    for message in [telemetry(), telemetry().answering(None), acknowledged, telemetry()] {
        client.publish(7, message).unwrap();
    }
    let mut dropped = 0;
    for _ in 0..200 {
        dropped += client.take_dropped();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(dropped, 2);
}
