//! The real executable as a daemon, and a client that speaks HTTP byte by byte, so that it can also speak it badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::tiny_model::Recipe;

/// Longest wait for anything that a test waits for; the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Room for events that a test does not read; far more than come in a test.
const EVENTS: usize = 16_384;

/// A daemon with a tiny model, which finds all hearts much alike, and a synthetic heart at eight times its speed.
pub(super) struct Daemon {
    pub(super) folder: tempfile::TempDir,
    pub(super) config: PathBuf,
    child: Child,
    events: Mutex<Receiver<Value>>,
}

/// An answer over HTTP.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of the refusal.
    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or("none").to_owned()
    }
}

impl Daemon {
    pub(super) fn start(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = Recipe::default().build().write(folder.path());
        let config = folder.path().join("ecgid.toml");
        let text = format!(
            "[source]\n{source}\n[model]\npath = \"{}\"\n[store]\npath = \"{}\"\n[mqtt]\nenabled = false\n\
             [control]\nhttp = \"127.0.0.1:0\"\n",
            model.display(),
            folder.path().join("gallery.sqlite").display()
        );
        std::fs::write(&config, text).unwrap();
        let mut child = heedful()
            .args(["run", "--config"])
            .arg(&config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to_test, events) = sync_channel(EVENTS);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _test_has_ended = to_test.send(serde_json::from_str(&line).unwrap());
            }
        });
        let daemon = Self { folder, config, child, events: Mutex::new(events) };
        daemon.until("the file with the token", || daemon.access_file().exists().then_some(()));
        daemon
    }

    /// The simulator at eight times its speed.
    pub(super) fn with_a_synthetic_heart() -> Self {
        Self::start("kind = \"simulator\"\nspeed = 8.0")
    }

    pub(super) fn access_file(&self) -> PathBuf {
        self.folder.path().join("gallery.control")
    }

    /// Where it listens, and its token.
    pub(super) fn access(&self) -> (SocketAddr, String) {
        let access: Value = serde_json::from_slice(&std::fs::read(self.access_file()).unwrap()).unwrap();
        (access["address"].as_str().unwrap().parse().unwrap(), access["token"].as_str().unwrap().to_owned())
    }

    /// A request as it should be made.
    pub(super) fn ask(&self, method: &str, path: &str, body: &str) -> Reply {
        let (address, token) = self.access();
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// Any bytes.
    pub(super) fn send(&self, request: &str) -> Reply {
        let mut stream = TcpStream::connect(self.access().0).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {reply:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// What the enrolment is at.
    pub(super) fn enrolment(&self) -> Value {
        self.ask("GET", "/api/v1/enrol", "").json()["data"].take()
    }

    /// Waits until the enrolment has one of these states.
    pub(super) fn until_state(&self, states: &[&str]) -> Value {
        self.until(&format!("{states:?}"), || {
            let status = self.enrolment();
            states.contains(&status["state"].as_str().unwrap()).then_some(status)
        })
    }

    /// Waits for an identity event of this state; gives it.
    pub(super) fn until_identity(&self, state: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        let events = self.events.lock().unwrap();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = events.recv_timeout(left).unwrap_or_else(|error| panic!("no {state}: {error}"));
            if event["topic"] == "event" && event["state"] == state {
                return event;
            }
        }
    }

    pub(super) fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what}; the enrolment: {}", self.enrolment());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks it to stop, as systemd does; gives its exit code.
    pub(super) fn stop(&mut self) -> Option<i32> {
        self.stop_by("TERM")
    }

    /// Asks it to stop by a signal; gives its exit code.
    pub(super) fn stop_by(&mut self, name: &str) -> Option<i32> {
        signal(self.child.id(), name);
        self.child.wait().unwrap().code()
    }

    /// Ends it without a chance to tidy up; its folder stays.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Sends a signal to a process of this test.
pub(super) fn signal(process: u32, name: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), &process.to_string()]).status().unwrap().success());
}

/// A simulated board whose electrodes come off every forty seconds, for as long as this lives.
pub(super) struct Board(Child);

/// The program, which heeds SIGHUP even where the tests run under `nohup`.
pub(super) fn heedful() -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal=HUP", env!("CARGO_BIN_EXE_ecgid")]);
    command
}

impl Board {
    pub(super) fn at(link: &Path) -> Self {
        let off: Vec<String> = (1..12).map(|n| format!("{}+5", 40 * n)).collect();
        let child = Command::new(env!("CARGO_BIN_EXE_ecgid"))
            .args(["simulate", "--pty", "--speed", "8", "--lead-off", &off.join(","), "--link"])
            .arg(link)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}
