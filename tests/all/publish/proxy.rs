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

/// A port on which nobody listens.
pub(super) fn unused_port() -> u16 {
    StdListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
