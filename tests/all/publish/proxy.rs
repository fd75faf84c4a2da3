//! A wire between a gateway and its broker that can be cut.

use std::net::{Ipv4Addr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(super) struct Proxy {
    port: u16,
    open: Arc<AtomicBool>,
    cut: watch::Sender<u64>,
    connected: Arc<AtomicUsize>,
}

impl Proxy {
    pub(super) async fn start(broker: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cut, cut_seen) = watch::channel(0);
        let open = Arc::new(AtomicBool::new(true));
        let connected = Arc::new(AtomicUsize::new(0));
        let (is_open, counted) = (open.clone(), connected.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if is_open.load(Ordering::SeqCst) {
                    tokio::spawn(join(near, broker, cut_seen.clone(), counted.clone()));
                }
            }
        });
        Self { port, open, cut, connected }
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts what is connected now.
    pub(super) fn cut(&self) {
        self.cut.send_modify(|n| *n += 1);
    }

    /// Cuts, and lets nobody in.
    pub(super) fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
        self.cut();
    }

    pub(super) fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    /// Somebody is connected.
    pub(super) fn is_in_use(&self) -> bool {
        self.connected.load(Ordering::SeqCst) > 0
    }
}

async fn join(mut near: TcpStream, broker: u16, mut cut: watch::Receiver<u64>, connected: Arc<AtomicUsize>) {
    cut.mark_unchanged();
    let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, broker)).await else { return };
    connected.fetch_add(1, Ordering::SeqCst);
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = cut.changed() => {}
    }
    connected.fetch_sub(1, Ordering::SeqCst);
}

/// A port on which nobody listens, below those that the kernel gives to outgoing connections: one from among those could
/// be taken before somebody listens there, even by a connection that is tried to this very port and so meets itself.
pub(super) fn unused_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let first_given: u16 = range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(32_768);
    let lowest = 10_000.min(first_given.saturating_sub(1000)).max(1024);
    let ports = std::iter::repeat_with(|| fastrand::u16(lowest..first_given.max(lowest + 1)));
    let listener = |port| StdListener::bind((Ipv4Addr::LOCALHOST, port)).ok();
    ports.take(1000).find_map(listener).unwrap().local_addr().unwrap().port()
}
