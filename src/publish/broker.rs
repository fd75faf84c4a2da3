//! An MQTT 5 broker inside of this process, on loopback only: for `ecgid demo` and for tests.
//!
//! Why this one, and what it cannot do: `docs/adr/0006-embedded-broker.md`. It runs on threads of its own and cannot be
//! stopped, so a process has at most one.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// The port that every MQTT tool tries first.
const USUAL_PORT: u16 = 1883;

/// Attempts to reach the broker after its start, every 20 ms.
const PATIENCE: u32 = 250;

static RUNNING: Mutex<Option<SocketAddr>> = Mutex::new(None);

/// Starts the broker, or finds the one that this process has already; returns where it listens: on port 1883 of
/// 127.0.0.1, or on a free one if that is taken. It speaks MQTT 5 only.
///
/// # Errors
/// No port is free, or the broker does not come up.
pub fn start() -> io::Result<SocketAddr> {
    let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(address) = *running {
        return Ok(address);
    }
    let address = free_address()?;
    let mut broker = Broker::new(config(address));
    thread::Builder::new().name("broker".into()).spawn(move || {
        if let Err(error) = broker.start() {
            tracing::error!(%error, "the embedded broker has ended");
        }
    })?;
    wait_for(address)?;
    *running = Some(address);
    Ok(address)
}

/// The broker opens its socket itself, so that between this look and that another program could take the port; it is
/// asked for afterwards whether it is there.
fn free_address() -> io::Result<SocketAddr> {
    let usual = TcpListener::bind((Ipv4Addr::LOCALHOST, USUAL_PORT));
    usual.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?.local_addr()
}

fn wait_for(address: SocketAddr) -> io::Result<()> {
    for _ in 0..PATIENCE {
        if TcpStream::connect(address).is_ok() {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("the embedded broker does not answer on {address}")))
}

fn config(address: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5000,
        max_payload_size: 64 * 1024,
        max_inflight_count: 100,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server =
        ServerSettings { name: "v5".into(), listen: address, tls: None, next_connection_delay_ms: 1, connections };
    let router = RouterConfig {
        max_connections: 64,
        max_outgoing_packet_count: 200,
        // Memory of messages for subscribers that are slow or away: two segments for each filter.
        max_segment_size: 1024 * 1024,
        max_segment_count: 2,
        ..RouterConfig::default()
    };
    Config { router, v5: Some(HashMap::from([("v5".into(), server)])), ..Config::default() }
}
