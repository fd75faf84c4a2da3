//! The running daemon, as the command line speaks to it: known by its lock on the database, found by the file beside that,
//! asked over HTTP.
//!
//! It knows the routes, not what is said to people. A client of its own, because one request to this machine needs
//! neither TLS nor redirects nor a pool.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::access::Access;
use crate::store::DaemonLock;

/// How long connecting may take: the daemon is on this machine.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// How long an answer may take: longer than the daemon takes at most.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);

/// Longest answer, bytes: some hundreds of subjects with all their templates.
const LONGEST_ANSWER: usize = 4 << 20;

/// A daemon that answers.
pub(super) struct Daemon(Access);

/// What the daemon has answered.
#[derive(Deserialize)]
struct Answer {
    data: Value,
    error: Option<Refusal>,
}

#[derive(Debug, Deserialize, thiserror::Error)]
#[error("{message}")]
struct Refusal {
    #[serde(default)]
    code: String,
    message: String,
}

impl Daemon {
    /// The daemon that works with this database; `None` where none runs, or where this user may not ask it.
    ///
    /// # Errors
    /// Something listens where the daemon said it does, and does not answer as it.
    pub(super) async fn of(database: &Path) -> anyhow::Result<Option<Self>> {
        // A daemon that was killed leaves its file, and somebody else may listen there by now.
        if DaemonLock::is_taken(database) == Some(false) {
            return Ok(None);
        }
        let file = Access::path(database);
        // Whoever may not read this may not read the database either, and is told so there.
        let Ok(Some(access)) = Access::read(&file) else { return Ok(None) };
        let daemon = Self(access);
        match daemon.ask(Method::GET, "/api/v1/health", None).await {
            Ok(_) => Ok(Some(daemon)),
            // Left behind on a file system without locks, or the daemon is about to open its interface.
            Err(error) if nobody_listens(&error) => Ok(None),
            Err(error) => Err(error).with_context(|| {
                format!("the daemon at {} cannot be asked (--direct does without it)", daemon.0.address)
            }),
        }
    }

    /// Asks, and gives the data of the answer.
    ///
    /// # Errors
    /// The daemon's refusal, or none of its answers.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let bytes = timeout(ANSWER_WITHIN, self.exchange(method, path, body))
            .await
            .map_err(|_| anyhow!("the daemon has not answered within {} s", ANSWER_WITHIN.as_secs()))??;
        let answer: Answer = serde_json::from_slice(&bytes).context("the daemon's answer is not understood")?;
        match answer.error {
            Some(refusal) => Err(refusal.into()),
            None => Ok(answer.data),
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Bytes> {
        let connecting = timeout(CONNECT_WITHIN, TcpStream::connect(self.0.address));
        let stream = connecting.await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.0.address.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", self.0.token.reveal()))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.map_or_else(String::new, |body| body.to_string()))))?;
        let answer = async {
            let response = sender.send_request(request).await?;
            let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
            body.map_err(|error| anyhow::Error::from_boxed(error).context("the daemon's answer broke off"))
        };
        let mut answer = std::pin::pin!(answer);
        let mut connection = std::pin::pin!(connection);
        // The connection moves the bytes; it may end before the answer has been read out.
        let body = tokio::select! {
            body = &mut answer => body,
            _ended = &mut connection => answer.await,
        };
        Ok(body?.to_bytes())
    }
}

/// Nothing is at the address, so no daemon runs.
fn nobody_listens(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| io.kind() == ErrorKind::ConnectionRefused)
}

/// The daemon that was asked before is there no more: nobody listens, the connection broke, or another start of it does
/// not know the token.
pub(super) fn has_gone(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        // One that only does not answer may go on.
        let broke = cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() != ErrorKind::TimedOut);
        let refused = cause.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.code == "unauthorized");
        broke || refused || cause.is::<hyper::Error>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_refuses_or_is_slow_has_not_gone_and_its_next_start_is_another() {
        let broken = |kind: ErrorKind| anyhow::Error::from(std::io::Error::from(kind)).context("the answer");
        assert!(has_gone(&broken(ErrorKind::ConnectionRefused)) && has_gone(&broken(ErrorKind::ConnectionReset)));
        assert!(!has_gone(&broken(ErrorKind::TimedOut)) && !has_gone(&anyhow!("has not answered within 40 s")));
        let refused = |code: &str| anyhow::Error::from(Refusal { code: code.into(), message: "no".into() });
        assert!(has_gone(&refused("unauthorized")) && !has_gone(&refused("busy")));
    }
}
