//! Connections: how many, how long, how much. Nothing that a client does or leaves undone holds anything for ever.
//!
//! A connection carries one request, so that a slow client holds one place and no more. It knows no route.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Connections at a time; the next wait in the kernel's queue until one ends.
const CONNECTIONS: usize = 32;

/// How long a client may take to send its header.
const HEADER: Duration = Duration::from_secs(5);

/// How long one connection may last: longer than any enrolment that is followed on it.
const CONNECTION: Duration = Duration::from_secs(2 * 3600);

/// Bytes of a header; also what is buffered of a connection.
const BUFFER: usize = 16 * 1024;

/// Rest after the system has refused a connection, for instance for want of file descriptors.
const REST: Duration = Duration::from_millis(200);

/// Accepts connections until `cancel`, then drops those that are open.
pub(super) async fn serve(listener: TcpListener, router: Router, cancel: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    let accept = async {
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let router = router.clone();
                    connections.spawn(async move {
                        let _place = place;
                        let _too_long = timeout(CONNECTION, connection(stream, router)).await;
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    sleep(REST).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    let _cancelled = cancel.run_until_cancelled(accept).await;
}

async fn connection(stream: TcpStream, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .keep_alive(false)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}
