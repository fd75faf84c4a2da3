//! The HTTP interface on this machine: the same requests as over MQTT, for those who hold the token.
//!
//! It listens on loopback unless told otherwise, and says where, with the token of this start, in a file that only the
//! daemon's user and root can read: [`access::Access`]. It knows no request: `control` answers, this finds the words of
//! HTTP for it. What is described in `docs/openapi.json` is served, and nothing else; a test compares the two.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::control::Control;

pub mod access;
mod events;
mod guard;
mod routes;
mod server;

use access::{Access, Token};

/// The interface while it is open.
#[derive(Debug)]
pub struct Interface {
    path: PathBuf,
    token: Token,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Interface {
    /// Listens on `address`, and says so in a file beside `database`.
    ///
    /// # Errors
    /// The address is taken or not ours; the file cannot be written.
    pub async fn open(address: SocketAddr, database: &Path, control: Control) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let token = Token::new();
        let path = Access::path(database);
        Access { address: reachable(listener.local_addr()?), token: token.clone() }.write(&path)?;
        let cancel = CancellationToken::new();
        let task = tokio::spawn(server::serve(listener, routes::router(control, token.clone()), cancel.clone()));
        Ok(Self { path, token, cancel, task })
    }

    /// Takes the file away and answers nobody any more.
    pub async fn close(self) {
        self.cancel.cancel();
        // Another start may have written its own meanwhile.
        if Access::read(&self.path).is_ok_and(|access| access.is_some_and(|access| access.token == self.token)) {
            let _gone_already = std::fs::remove_file(&self.path);
        }
        let _ended = self.task.await;
    }
}

/// Where this machine reaches a listener: one that listens everywhere is on loopback too.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let mut address = listening;
    if listening.ip().is_unspecified() {
        address.set_ip(match listening {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
